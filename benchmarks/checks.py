"""The price of the checks: the count identities after every op, and the cost oracles.

Loads are judged and rows are marked in each case: that cannot be turned off.
"""

from functools import partial

from benchmarks._loop import ops_of_loop
from benchmarks._measure import TYPICAL_WORLD, Claim, Figures, print_rates, side_by_side
from fuzzer.unit import UnitSpec
from simcore.constants import CHECK_COST, CHECK_COUNTS
from simcore.kernel_files import find_kernel

OPS = 500_000
QUICK_OPS = 100_000
CHECKS = {"none": 0, "counts": CHECK_COUNTS, "costs": CHECK_COST, "all": CHECK_COUNTS | CHECK_COST}


def main(quick: bool = False) -> Figures:
    """Measure one unit with each choice of checks."""
    kernel = find_kernel("linux-4.0-rc7-mm1")
    spec = UnitSpec(kernel, TYPICAL_WORLD, "random", 1, QUICK_OPS if quick else OPS)
    works = {name: partial(ops_of_loop, spec, checks=mask) for name, mask in CHECKS.items()}
    measured = side_by_side(works, 3 if quick else 25)
    print_rates(f"the price of the checks (engine random, {kernel.name})", measured, "ops/s", "none")
    claims = [
        Claim(f"speed with checks: {name}, against none", measured.ratio(name, "none"), "times")
        for name in CHECKS
        if name != "none"
    ]
    return {"claims": [claim.to_json() for claim in claims], "ops_per_second": measured.to_json()}
