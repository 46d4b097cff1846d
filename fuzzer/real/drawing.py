"""Random traces that a real kernel can be driven through.

They are drawn by the random engine on the simulator, which knows what can be done next, with the weights of ops drawn
anew for every group: some ops are left out of it, others more frequent. The same seed gives the same traces.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from fuzzer.drawn import drawn_trace
from fuzzer.engine_table import new_engine
from fuzzer.real.drivable import DRIVEN_OPS
from fuzzer.seeds import unit_seed
from fuzzer.unit import takes_bits
from simcore.constants import MAX_OP_CODES
from simcore.core import NEEDS, new_machine
from simcore.kernel import Kernel
from simcore.ops import OPS
from simcore.trace import Trace
from simcore.world import World

# Traces that share one draw of weights.
GROUP = 50
# Out of 256: an op is left out of a group. Its weight is else multiplied by 1 to 4.
_LEAVE_OUT = 64
_FACTORS = 4
# A cycle of swapoff and swapon takes a real kernel as long as twenty other ops, a scan of KSM as long as three.
_SLOW: Mapping[str, int] = {"swapoff": 8, "swapon": 1, "swapoff_on": 8, "ksm_scan": 2}
# Stores and loads are what everything else is about.
_ALWAYS = frozenset({"write", "read", "swapon"})


@dataclass(frozen=True, slots=True)
class Drawing:
    """What is drawn: traces of `least` to `most` ops on this kernel of the simulator, in this world."""

    kernel: Kernel
    world: World
    seed: int
    least: int = 1
    most: int = 30
    without: frozenset[str] = field(default=frozenset())


def draw_traces(drawing: Drawing, *, compiled: bool | None = None) -> Iterator[Trace]:
    """Traces without end."""
    number = 0
    while True:
        yield from _draw_group(drawing, number, compiled)
        number += 1


def _draw_group(drawing: Drawing, number: int, compiled: bool | None) -> Iterator[Trace]:
    seed = unit_seed(drawing.seed, number)
    machine = new_machine(compiled)
    machine.load_kernel(drawing.kernel.rows)
    machine.set_world(drawing.world.encode(), NEEDS)
    engine = new_engine(machine, compiled)
    takes = [0] * MAX_OP_CODES
    for op in OPS:
        takes[op.code] = takes_bits(op)
    engine.configure(seed, 0, drawing.most, 0, 0, draw_weights(seed, drawing.without), takes)
    engine.set_world(drawing.world.encode())
    drawn = 0
    while drawn < GROUP:
        _, ops, _ = engine.counts()
        engine.run(ops + 1)
        trace = drawn_trace(engine, drawing.kernel.name)
        if len(trace.ops) >= drawing.least:
            drawn += 1
            yield trace


def draw_weights(seed: int, without: frozenset[str]) -> list[int]:
    """Weights by op code. Of ops that no real kernel is driven through it is 0."""
    weights = [0] * MAX_OP_CODES
    for op in OPS:
        draw = unit_seed(seed, op.code)
        if op.name not in DRIVEN_OPS or op.name in without:
            continue
        if op.name in _ALWAYS or draw & 255 >= _LEAVE_OUT:
            weights[op.code] = max(1, op.weight * (1 + (draw >> 8) % _FACTORS) * 2 // _SLOW.get(op.name, 1) // 2)
    return weights
