"""A unit that must fail: the refused patch, fuzzed for a moment.

If it does not fail, nothing that is quiet can be believed.
"""

from functools import cache

from fuzzer.seeds import unit_seed
from fuzzer.unit import UnitSpec, run_unit
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel
from simcore.world import World

CANARY_KERNEL = "linux-4.0-rc7-mm1+dirty-on-swapin"
CANARY_ORACLE = "lost-store"
CANARY_OPS = 100_000
CANARY_WORLD = World(processes=2, pages=2)


def canary_is_caught(number: int) -> bool:
    """Whether the canary's failure shows; each number is another sequence."""
    spec = UnitSpec(_kernel(), CANARY_WORLD, "swarm", unit_seed(0, number), CANARY_OPS)
    return any(found.violation.oracle == CANARY_ORACLE for found in run_unit(spec).failures)


@cache
def _kernel() -> Kernel:
    return find_kernel(CANARY_KERNEL)
