"""Ops per second on one core with every oracle and coverage on, for each shipped kernel and engine."""

from collections.abc import Callable
from functools import partial

from benchmarks._measure import rates, table
from fuzzer.engine_table import ENGINES
from fuzzer.unit import UnitSpec, start_engine
from simcore.core import new_machine
from simcore.kernel_files import shipped_kernels
from simcore.world import World

OPS = 2_000_000


def work(spec: UnitSpec) -> int:
    """Draw, execute, judge and cover; failing sequences are counted, and none is taken as a sample."""
    engine = start_engine(spec, new_machine())
    while engine.run(OPS):
        pass
    ops: int = engine.counts()[1]
    return ops


def main() -> dict[str, object]:
    """Measure, print, return."""
    works: dict[str, Callable[[], int]] = {
        f"{engine.name} {kernel.name}": partial(work, UnitSpec(kernel, World(), engine.name, 1, OPS))
        for kernel in shipped_kernels()
        for engine in ENGINES
    }
    measured = rates(works, rounds=3)
    table("the whole loop: draw, execute, judge, cover", measured, "ops/s", next(iter(works)))
    return {name: rate.to_json() for name, rate in measured.items()}
