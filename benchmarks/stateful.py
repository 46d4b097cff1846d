"""The whole loop against Hypothesis's RuleBasedStateMachine driving the same compiled machine.

Both draw an op and its arguments, execute it on the machine, let every oracle judge, and mark coverage. The state
machine has one rule that draws an op of the table; it knows the state as the engines do: it does not step when nobody
is on a path. The distributions of ops differ, so ops per second is what can be compared, not the time to a failure.
"""

from functools import partial
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule, run_state_machine_as_test

from benchmarks._measure import rates, table
from benchmarks.throughput import work
from fuzzer.unit import UnitSpec
from simcore.core import NEEDS, new_machine
from simcore.kernel_files import find_kernel
from simcore.ops import OPS, OpSpec
from simcore.run import ALL_CHECKS
from simcore.trace_op import ARG_BITS, BEGIN_BIT, THREAD_BIT
from simcore.world import World

EXAMPLES = 40
STEPS = 40
WORLD = World()
KERNEL = "canary-sound"
LIMITS = {"process": WORLD.processes, "page": WORLD.pages, "token": 250, "memcg": WORLD.memcgs, "count": 8, "actor": 12}


@st.composite
def words(draw: st.DrawFn) -> tuple[OpSpec, int]:
    """An op of the table with arguments, as the core's word."""
    op = draw(st.sampled_from(OPS))
    word = op.code
    for kind, (shift, _) in zip(op.args, ARG_BITS, strict=False):
        place = 24 if kind == "token" else shift
        word |= draw(st.integers(1 if kind == "token" else 0, LIMITS[kind] - 1)) << place
    word |= (op.path and draw(st.booleans())) << BEGIN_BIT
    word |= (op.actor == "thread" and draw(st.booleans())) << THREAD_BIT
    return op, word


class Driven(RuleBasedStateMachine):
    """One machine; `ops` counts over all examples."""

    ops = 0

    def __init__(self) -> None:
        super().__init__()
        self.machine: Any = new_machine(True)
        self.machine.load_kernel(find_kernel(KERNEL).rows)
        self.machine.set_world(WORLD.encode(), NEEDS)
        self.machine.start(ALL_CHECKS)

    @rule(drawn=words())
    def op(self, drawn: tuple[OpSpec, int]) -> None:
        """Do one op."""
        spec, word = drawn
        if spec.name == "step" and not self.machine.actors():
            return
        self.machine.op(word)
        assert not self.machine.failed()
        Driven.ops += 1

    def teardown(self) -> None:
        """End the trace, and judge it."""
        self.machine.finish()
        assert not self.machine.failed()


def hypothesis_work() -> int:
    """Run the state machine; the ops it did."""
    before = Driven.ops
    run_state_machine_as_test(
        Driven,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )
    return Driven.ops - before


def main() -> dict[str, object]:
    """Measure, print, return."""
    spec = UnitSpec(find_kernel(KERNEL), WORLD, "random", 1, 0)
    measured = rates({"Hypothesis": hypothesis_work, "engine random": partial(work, spec)}, rounds=3)
    table("the whole loop against RuleBasedStateMachine", measured, "ops/s", "Hypothesis")
    ratio = measured["engine random"].median / measured["Hypothesis"].median
    return {"ratio": ratio, **{name: rate.to_json() for name, rate in measured.items()}}
