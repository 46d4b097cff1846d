"""Units give the results that installations of the same results version have agreed on."""

import pytest

from fuzzer.results_version import RESULTS_NUMBER, RESULTS_VERSION
from fuzzer.unit import UnitSpec, run_unit
from simcore.kernel_files import find_kernel
from simcore.world import World

# The results number for which the digests below hold.
NUMBER = 2
PATCHED = "linux-4.0-rc7-mm1+dirty-on-swapin"
SMALL = "processes=2 pages=2 frames=8 slots=4"
EVERYTHING = "processes=3 pages=4 frames=12 memcgs=2 file=2 huge=2 batch=4 swap=zram"

GOLDEN = [
    ("linux-4.0-rc7-mm1", SMALL, "swarm", 1, True, "unit-72a972725b8cb02d"),
    ("linux-4.0-rc7-mm1", EVERYTHING, "random", 2, True, "unit-8e3ffab24fab6b98"),
    (PATCHED, SMALL, "swarm", 3, True, "unit-39d468c7e815a6d0"),
    (PATCHED, SMALL, "swarm", 3, False, "unit-67abb9859a58061d"),
    (PATCHED, SMALL, "random", 4, True, "unit-6a4c86035a359f88"),
    (PATCHED, EVERYTHING, "swarm", 5, True, "unit-1ef64de569278973"),
    ("linux-6.1", SMALL, "random", 6, True, "unit-9c2ccea91577fb0a"),
    ("linux-6.1", EVERYTHING, "swarm", 7, True, "unit-0fdcf4084fd5c64c"),
    ("linux-6.1", EVERYTHING, "random", 8, False, "unit-e9792762a386f044"),
]


@pytest.mark.parametrize(("kernel", "world", "engine", "seed", "checks", "digest"), GOLDEN)
def test_units_have_the_results_of_this_results_number(
    kernel: str, world: str, engine: str, seed: int, checks: bool, digest: str, compiled: bool
) -> None:
    spec = UnitSpec(find_kernel(kernel), World.parse(world), engine, seed, ops=2_000, checks=checks)
    found = run_unit(spec, compiled=compiled).digest
    assert (found, RESULTS_NUMBER) == (digest, NUMBER), (
        f"this unit gives {found}, and gave {digest} with results number {NUMBER}. If the change is wanted, raise"
        " RESULTS_NUMBER in fuzzer/results_version.py, so that no worker of an older installation serves the same"
        " campaign, and put the new digests and NUMBER here"
    )


def test_results_version_has_the_number_and_a_digest_of_the_tables() -> None:
    _, number, digest = RESULTS_VERSION.split("-")
    assert int(number) == RESULTS_NUMBER
    assert len(digest) == 8
    assert int(digest, 16) >= 0
