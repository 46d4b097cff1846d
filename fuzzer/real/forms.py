"""The forms in which a trace of the simulator is tried on a real kernel.

A real CPU keeps pages in batches on their way to the LRU lists, out of reclaim's sight. Where the simulated ones join
their list at once (batch=1), or the batches had other fillings, the trace may need them emptied before each op.
"""

from dataclasses import replace
from typing import Literal, get_args

from fuzzer.real.drivable import WAITED_FOR
from simcore.trace import Trace
from simcore.trace_op import Op

Form = Literal["as it is", "drained"]
FORMS: tuple[Form, ...] = get_args(Form)

# The oracles of simcore/user_memory.py, of which a load tells. Counts, costs and paths that hang it does not show.
SEEN_BY_LOADS: frozenset[str] = frozenset({"lost-store", "stale-value", "foreign-value", "cow-leak", "resurrected"})


def make_form(trace: Trace, form: Form) -> Trace:
    """The trace in that form. The guest always has swap; of a world without any, it is turned off first."""
    ops = _drained(trace) if form == "drained" else trace.ops
    return replace(trace, ops=ops if trace.world.slots else (Op("swapoff"), *ops))


def _drained(trace: Trace) -> tuple[Op, ...]:
    """The ops with `drain` before every op of another kind, by whichever process lives: all are on one CPU."""
    alive, born = {0}, 1
    ops: list[Op] = []
    for op in trace.ops:
        if alive and op.name != "drain" and op.name not in WAITED_FOR:
            ops.append(Op("drain", (min(alive),)))
        ops.append(op)
        if op.name == "fork" and op.args[0] in alive and born < trace.world.processes:
            alive.add(born)
            born += 1
        elif op.name == "exit":
            alive.discard(op.args[0])
    return tuple(ops)
