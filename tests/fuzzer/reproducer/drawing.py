"""Traces that can be driven: random ones, cleared of what cannot."""

from dataclasses import replace

from fuzzer.drawn import drawn_trace
from fuzzer.reproducer import CannotDrive, Story, make_source
from fuzzer.unit import UnitSpec, start_engine
from simcore.core import new_machine
from simcore.kernel_files import find_kernel
from simcore.trace import Op, Trace
from simcore.world import World

WORLD = World(processes=3, frames=60, slots=20, memcgs=2, file=2, huge=6, batch=3).without(["steps", "io_error"])
# Ops that random traces of that world have and that no program can do.
UNDRIVEN = frozenset({"memcg_limit", "pin", "dma", "unpin"})


def draw_traces(seed: int, count: int, world: World = WORLD, kernel: str = "linux-6.1") -> list[Trace]:
    """The first sequences of a unit, without the ops that cannot be driven, and of those that then can be."""
    machine = new_machine(False)
    engine = start_engine(UnitSpec(find_kernel(kernel), world, "swarm", seed, ops=0), machine, False)
    drawn: list[Trace] = []
    while len(drawn) < count:
        engine.run(engine.counts()[1] + 1)
        trace = drawn_trace(engine, kernel)
        trace = replace(trace, ops=tuple(op for op in trace.ops if op.name not in UNDRIVEN))
        if can_be_driven(trace):
            drawn.append(trace)
    return drawn


def can_be_driven(trace: Trace) -> bool:
    """Whether a reproducer can be made of it."""
    try:
        make_source(trace, Story("a trace"))
    except CannotDrive:
        return False
    return True


def trace_of(*ops: Op, world: World = WORLD) -> Trace:
    """A trace for linux-6.1."""
    return Trace("linux-6.1", world, ops)
