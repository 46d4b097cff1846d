"""Ops per second on one core with every oracle and coverage on, for each shipped kernel and engine."""

from collections.abc import Callable
from functools import partial

from benchmarks._loop import ops_of_loop, run_loop
from benchmarks._measure import TYPICAL_WORLD, Claim, Figures, Rounds, print_rates, side_by_side
from fuzzer.engine_table import ENGINES
from fuzzer.unit import UnitSpec
from simcore.kernel_files import shipped_kernels

OPS = 500_000
QUICK_OPS = 100_000
WANTED = 8_000_000


def main(quick: bool = False) -> Figures:
    """Measure every kernel with every engine in the world of `mmfuzz run`."""
    specs = {
        f"{engine.name} {kernel.name}": UnitSpec(kernel, TYPICAL_WORLD, engine.name, 1, QUICK_OPS if quick else OPS)
        for kernel in shipped_kernels()
        for engine in ENGINES
    }
    works: dict[str, Callable[[], int]] = {name: partial(ops_of_loop, spec) for name, spec in specs.items()}
    measured = side_by_side(works, 3 if quick else 15)
    print_rates(f"draw, execute, judge, cover ({TYPICAL_WORLD})", measured, "ops/s", next(iter(works)))
    lengths = {name: mean_length(spec) for name, spec in specs.items()}
    print(f"  sequences/s: {describe_sequences(measured, lengths)}")
    slowest = min(works, key=lambda name: measured.rate(name).median)
    claim = Claim("ops a second, slowest kernel and engine", measured.rate(slowest), "ops/s", WANTED)
    return {"claims": [claim.to_json()], "ops_per_second": measured.to_json(), "ops_per_sequence": lengths}


def mean_length(spec: UnitSpec) -> float:
    """Ops of a sequence in this unit, on average."""
    sequences, ops = run_loop(spec)
    return ops / sequences


def describe_sequences(measured: Rounds, lengths: dict[str, float]) -> str:
    """The range of sequences per second."""
    rates = [measured.rate(name).median / length for name, length in lengths.items()]
    return f"{min(rates):,.0f} to {max(rates):,.0f}, of {min(lengths.values()):.1f} ops on average"
