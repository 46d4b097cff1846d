"""MADV_COLLAPSE: what of the area becomes a huge page, and what stands in the way.

Pages of a process: 0 anonymous, 1 to 3 the area, which gets small pages at first.
"""

from collections.abc import Callable
from typing import Any

import pytest

from simcore.kernel_files import shipped_kernels

WORLD = "processes=2 pages=1 huge=3 advised=0 frames=16 slots=8 mergeable=0 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KERNELS = tuple(kernel.name for kernel in shipped_kernels())


@pytest.mark.parametrize("kernel", KERNELS)
def test_collapse_makes_one_dirty_huge_page_of_what_is_there(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; read 0 2; drain 0", kernel=kernel, world=WORLD)
    assert bench.do("collapse 0 1") == ["ok"]
    assert [bench.pte(0, page) for page in (1, 2, 3)] == ["PWYD s"] * 3
    assert [bench.value(0, page) for page in (1, 2, 3)] == [1, 0, 0]
    assert (bench.huge(0, 1), bench.has("head", 0, 1)) == (True, "head")
    assert bench.end() == []


def test_collapse_of_a_huge_area_does_nothing(play: PlayMaker) -> None:
    bench = play("write 0 1 1; collapse 0 1", kernel="linux-6.1", world=WORLD)
    frame = bench.frame(0, 1)
    assert bench.do("collapse 0 3; collapse 0 area") == ["ok", "ok"]
    assert bench.frame(0, 1) == frame


def test_collapse_of_an_untouched_area_is_einval(play: PlayMaker) -> None:
    assert play(kernel="linux-6.1", world=WORLD).do("collapse 0 1") == ["EINVAL"]


def test_collapse_of_an_area_in_several_vmas_is_einval(play: PlayMaker) -> None:
    bench = play("write 0 1 1; mlock 0 2", kernel="linux-6.1", world=WORLD)
    assert bench.do("collapse 0 1") == ["EINVAL"]
    assert bench.do("munlock 0 2; collapse 0 1") == ["ok", "ok"]
    assert bench.end() == []


def test_collapse_waits_for_no_page_that_somebody_holds(play: PlayMaker) -> None:
    bench = play("write 0 1 1; pin 0 1", kernel="linux-6.1", world=WORLD)
    assert bench.do("collapse 0 1") == ["EAGAIN"]
    assert bench.do("unpin 0; collapse 0 1") == ["ok", "ok"]
    assert bench.end() == []


@pytest.mark.parametrize("swap", ["disk", "zram"])
def test_collapse_brings_back_what_is_swapped_out(swap: str, play: PlayMaker) -> None:
    world = WORLD.replace("slots=8", f"slots=8 swap={swap}")
    bench = play("write 0 1 1; write 0 2 2; reclaim; write 0 3 3; collapse 0 1", kernel="linux-6.1", world=world)
    assert bench.huge(0, 1)
    assert [bench.value(0, page) for page in (1, 2, 3)] == [1, 2, 3]
    assert bench.end() == []


def test_v6_12_starts_the_read_and_gives_up(play: PlayMaker) -> None:
    bench = play("write 0 1 1; reclaim; write 0 3 3", kernel="linux-6.12", world=WORLD)
    assert bench.do("collapse 0 1; collapse 0 1") == ["EAGAIN", "ok"]
    assert [bench.value(0, page) for page in (1, 2, 3)] == [1, 0, 3]
    assert bench.end() == []


def test_collapse_gives_up_where_memory_for_it_is_taken_from_the_area(play: PlayMaker) -> None:
    """Swapping one part in may push another one out again: then nothing is copied."""
    world = "processes=1 pages=1 huge=2 advised=0 frames=3 slots=2 mergeable=0 without=writeback,io_error"
    bench = play("write 0 1 1; write 0 2 2; collapse 0 1", kernel="linux-6.1", world=world)
    assert [bench.value(0, page) for page in (1, 2)] == [1, 2]
    assert bench.end() == []


def test_collapse_leaves_a_page_under_migration_alone(play: PlayMaker) -> None:
    bench = play(
        "write 0 1 1; write 0 2 2; begin migrate 0 1" + "; step kcompactd" * 3, kernel="linux-6.1", world=WORLD
    )
    assert bench.pte(0, 1).startswith("migration")
    assert bench.do("collapse 0 1") != ["ok"]
    assert bench.end() == []
    assert bench.value(0, 1) == 1


def test_shared_pages_are_copied_for_the_one_that_asks(play: PlayMaker) -> None:
    bench = play("write 0 1 1; fork 0; write 0 2 2; collapse 0 1", kernel="linux-6.1", world=WORLD)
    assert (bench.huge(0, 1), bench.huge(1, 1)) == (True, False)
    assert (bench.value(0, 1), bench.value(1, 1), bench.value(1, 2)) == (1, 1, 0)
    assert bench.end() == []
