"""Pages locked in memory, and what becomes of the mark when the process that locked them goes."""

import pytest

from tests.simcore.conftest import PlayMaker

WORLD = "processes=3 pages=3 frames=40 slots=8 memcgs=1 mergeable=0 file=1 huge=4 batch=1 swap=zram"
KERNELS = ["linux-4.5", "linux-6.1", "linux-6.12"]


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_page_that_only_the_dead_had_locked_can_be_reclaimed(kernel: str, play: PlayMaker) -> None:
    """Seen on Debian's 6.1: fork does not hand a lock down, so the child's page goes to swap."""
    bench = play("write 0 0 1; mlock 0 0; fork 0; exit 0", kernel=kernel, world=WORLD)
    assert bench.has("mlocked", 1, 0) == "!mlocked"
    bench.do("reclaim; reclaim")
    assert (bench.pte(1, 0).split()[0], bench.value(1, 0)) == ("swap", 1)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_page_that_another_process_has_locked_too_stays(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; mlock 0 0; fork 0; mlock 1 0; fork 1; exit 0", kernel=kernel, world=WORLD)
    # Locking a page of its own was a copy for the second process.
    assert bench.has("mlocked", 1, 0) == "mlocked"
    bench.do("reclaim; reclaim")
    assert bench.pte(1, 0).split()[0] != "swap"
    assert bench.end() == []


@pytest.mark.parametrize("kernel", ["linux-6.1", "linux-6.12"])
def test_a_huge_page_loses_the_mark_with_its_locker(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 5 1; mlock 0 area; fork 0; exit 0", kernel=kernel, world=WORLD)
    assert bench.huge(1, 5)
    assert bench.has("mlocked", 1, 5) == "!mlocked"
    assert bench.end() == []
