"""The compiled core against the same modules uncompiled: the same unit, the same digest."""

from benchmarks._loop import ops_of_loop
from benchmarks._measure import TYPICAL_WORLD, Claim, Figures, print_rates, side_by_side
from fuzzer.unit import UnitSpec, run_unit
from simcore.kernel_files import find_kernel

# The uncompiled core needs half a second for it, the compiled one five milliseconds.
OPS = 8_000
# How much more the compiled core gets to do, so that its time can be read off a clock.
MORE = 50
WANTED = 40


def main(quick: bool = False) -> Figures:
    """Measure whole units (engine made, samples taken and decoded, digest) and the loop alone."""
    unit = UnitSpec(find_kernel("linux-4.0-rc7-mm1"), TYPICAL_WORLD, "random", 1, OPS)
    long_unit = UnitSpec(unit.kernel, unit.world, unit.engine, unit.seed, OPS * MORE)
    digests = {run_unit(unit, compiled=compiled).digest for compiled in (True, False)}
    assert len(digests) == 1, f"compiled and uncompiled do not agree: {digests}; the tests of the engines say where"
    works = {
        "uncompiled": lambda: run_unit(unit, compiled=False).ops,
        "compiled": lambda: sum(run_unit(unit, compiled=True).ops for _ in range(MORE)),
        "uncompiled, loop alone": lambda: ops_of_loop(unit, compiled=False),
        "compiled, loop alone": lambda: ops_of_loop(long_unit, compiled=True),
    }
    measured = side_by_side(works, 3 if quick else 7)
    print_rates(f"compiled against uncompiled (units of {OPS:,} ops, same digest)", measured, "ops/s", "uncompiled")
    claims = [
        Claim("compiled against uncompiled, whole units", measured.ratio("compiled", "uncompiled"), "times", WANTED),
        Claim(
            "compiled against uncompiled, the loop alone",
            measured.ratio("compiled, loop alone", "uncompiled, loop alone"),
            "times",
            WANTED,
        ),
    ]
    return {"claims": [claim.to_json() for claim in claims], "ops_per_second": measured.to_json()}
