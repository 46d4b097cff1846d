"""The whole loop against Hypothesis's RuleBasedStateMachine driving the same compiled machine.

Both draw an op and its arguments, execute it, let every oracle judge, and mark coverage, in sequences of at most
LENGTH ops. The state machine has one rule for each op of the table and knows the state as fuzzer/engines/draw.py does:
an op that cannot do anything is not drawn. It draws rules evenly where the engine draws by weight, so ops per second
is what can be compared, not the time to a failure. Only generation is measured: no database, no deadline, no shrinking,
and a kernel without failures.
"""

from collections.abc import Callable
from functools import cache, partial
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, precondition, rule, run_state_machine_as_test

from benchmarks._loop import ops_of_loop
from benchmarks._measure import TYPICAL_WORLD, Claim, Figures, print_rates, side_by_side
from fuzzer.unit import UnitSpec
from simcore.constants import LAST_TOKEN, PG_WRITEBACK, RESULT_OK
from simcore.core import NEEDS, new_machine
from simcore.kernel_files import find_kernel
from simcore.ops import KERNEL_ACTORS, OPS, ArgKind, OpSpec
from simcore.run import ALL_CHECKS
from simcore.trace import Op
from simcore.trace_op import encode_op

LENGTH = 40
OPS_OF_THE_LOOP = 2_000_000
EXAMPLES = 60
QUICK_EXAMPLES = 8
WANTED = 2_000
KERNEL = "canary-sound"
WORLD = TYPICAL_WORLD

ARGUMENTS: dict[ArgKind, st.SearchStrategy[int]] = {
    "process": st.integers(0, WORLD.processes - 1),
    "page": st.integers(0, WORLD.pages - 1),
    "token": st.integers(1, LAST_TOKEN),
    "memcg": st.integers(0, WORLD.memcgs - 1),
    "count": st.integers(0, WORLD.pages * 2 - 1),
    "actor": st.sampled_from([*range(2 * WORLD.processes), *KERNEL_ACTORS.values()]),
}


@cache
def machine() -> Any:
    """The one machine of all examples, as an engine has one for all sequences."""
    made = new_machine(True)
    made.load_kernel(find_kernel(KERNEL).rows)
    made.set_world(WORLD.encode(), NEEDS)
    return made


class Driven(RuleBasedStateMachine):
    """A trace on the machine. The rules are added below, one for each op; `ops` counts over all examples."""

    ops = 0

    def __init__(self) -> None:
        super().__init__()
        machine().start(ALL_CHECKS)
        self.swap_on = WORLD.slots > 0

    def run(self, op: Op) -> None:
        """Do one op, and see that no oracle spoke."""
        result = machine().op(encode_op(op))
        Driven.ops += 1
        assert not machine().failed()
        if result == RESULT_OK and op.name in ("swapoff", "swapon"):
            self.swap_on = op.name == "swapon"

    def teardown(self) -> None:
        """End the trace, and judge it."""
        machine().finish()
        assert not machine().failed()


def is_writing(_: Driven) -> bool:
    """Whether a write to the swap device is under way."""
    return any(flags & PG_WRITEBACK for flags, *_ in machine().pages())


# When an op can do something: what can_do() of fuzzer/engines/draw.py asks. Ops that are not here always can.
CAN_DO: dict[str, Callable[[Driven], bool]] = {
    "step": lambda _: bool(machine().actors()),
    "fork": lambda _: len(machine().alive()) < WORLD.processes,
    "io_done": is_writing,
    "io_error": is_writing,
    "swapon": lambda driven: not driven.swap_on,
    "swapoff": lambda driven: driven.swap_on,
    "swapoff_on": lambda driven: driven.swap_on,
}


def rule_of(spec: OpSpec) -> Any:
    """The state machine's rule for an op of the table."""

    def run_op(self: Driven, args: tuple[int, ...], thread: int, begin: bool) -> None:
        self.run(Op(spec.name, args, thread, begin))

    run_op.__name__ = spec.name
    made = rule(
        args=st.tuples(*(ARGUMENTS[kind] for kind in spec.args)),
        thread=st.integers(0, 1) if spec.actor == "thread" else st.just(0),
        begin=st.booleans() if spec.path else st.just(False),
    )(run_op)
    can_do = CAN_DO.get(spec.name)
    return precondition(can_do)(made) if can_do else made


for _spec in OPS:
    setattr(Driven, f"op_{_spec.name}", rule_of(_spec))


def ops_of_hypothesis(examples: int) -> int:
    """Run the state machine; the ops it did."""
    before = Driven.ops
    run_state_machine_as_test(
        Driven,
        settings=settings(
            max_examples=examples,
            stateful_step_count=LENGTH,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Driven.ops - before


def main(quick: bool = False) -> Figures:
    """Measure both drivers on the same kernel and world."""
    spec = UnitSpec(find_kernel(KERNEL), WORLD, "random", 1, OPS_OF_THE_LOOP // (10 if quick else 1), length=LENGTH)
    works = {
        "Hypothesis": partial(ops_of_hypothesis, QUICK_EXAMPLES if quick else EXAMPLES),
        "engine random": partial(ops_of_loop, spec, compiled=True),
    }
    measured = side_by_side(works, 3 if quick else 5)
    print_rates("the whole loop against RuleBasedStateMachine", measured, "ops/s", "Hypothesis")
    claim = Claim("the whole loop against Hypothesis", measured.ratio("engine random", "Hypothesis"), "times", WANTED)
    return {"claims": [claim.to_json()], "ops_per_second": measured.to_json()}
