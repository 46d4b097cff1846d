"""The 2 MiB area: huge mappings, splits of the mapping and of the page, swap and migration of huge pages.

Pages of a process: 0 anonymous, 1 to 4 the area.
"""

from collections.abc import Callable
from typing import Any

import pytest

from simcore.kernel_files import shipped_kernels

WORLD = "processes=2 pages=1 huge=4 frames=20 slots=16 mergeable=0 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KERNELS = tuple(kernel.name for kernel in shipped_kernels())
AREA = range(1, 5)


def ptes(bench: Any, process: int = 0) -> set[str]:
    return {bench.pte(process, page) for page in AREA}


@pytest.mark.parametrize("kernel", KERNELS)
def test_first_store_maps_the_area_by_one_pmd(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 2 1", kernel=kernel, world=WORLD)
    assert [bench.huge(0, page) for page in AREA] == [True] * 4
    assert ptes(bench) == {"PWYD s"}
    assert [bench.has("head tail", 0, page) for page in (1, 2)] == ["head !tail", "!head tail"]
    assert [bench.value(0, page) for page in AREA] == [0, 1, 0, 0]
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_area_that_was_not_advised_gets_small_pages(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 2 1", kernel=kernel, world=WORLD.replace("huge=4", "huge=4 advised=0"))
    assert [bench.pte(0, page) for page in AREA] == ["none", "PWYD s", "none", "none"]
    assert bench.end() == []


@pytest.mark.parametrize("op", ["mlock 0 1", "mprotect_ro 0 1", "mergeable 0 1"])
def test_area_in_several_vmas_gets_small_pages(op: str, play: PlayMaker) -> None:
    bench = play(f"{op}; write 0 2 1", kernel="linux-6.1", world=WORLD)
    assert not bench.huge(0, 2)
    assert bench.end() == []


def test_read_maps_the_huge_zero_page_which_a_store_splits(play: PlayMaker) -> None:
    bench = play("read 0 1", kernel="linux-6.1", world=WORLD)
    assert (bench.huge(0, 4), bench.pte(0, 4)) == (True, "zero PrY-")
    bench.do("write 0 2 1")
    assert [bench.pte(0, page) for page in AREA] == ["zero PrY-", "PWYD s", "zero PrY-", "zero PrY-"]
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_fork_shares_the_huge_page_and_a_store_copies_one_part(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 2 1; fork 0; write 1 2 2", kernel=kernel, world=WORLD)
    assert (bench.value(0, 2), bench.value(1, 2)) == (1, 2)
    assert bench.frame(0, 3) == bench.frame(1, 3)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_split_keeps_every_part(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; write 0 4 2; drain 0; split 0 area", kernel=kernel, world=WORLD)
    assert [bench.has("head tail", 0, page) for page in (1, 4)] == ["!head !tail"] * 2
    assert [bench.value(0, page) for page in AREA] == ([1, 0, 0, 2])
    bench.do("reclaim")
    assert [bench.value(0, page) for page in (1, 4)] == [1, 2]
    assert bench.end() == []


def test_split_maps_the_zero_page_for_parts_of_zeros_from_v6_12_on(play: PlayMaker) -> None:
    ops = "write 0 1 1; split 0 area"
    old = play(ops, kernel="linux-6.1", world=WORLD)
    new = play(ops, kernel="linux-6.12", world=WORLD)
    assert not old.pte(0, 2).startswith("zero")
    assert [new.pte(0, page).startswith("zero") for page in AREA] == [False, True, True, True]
    assert (old.end(), new.end()) == ([], [])


def test_held_page_is_not_split_from_v4_5_on(play: PlayMaker) -> None:
    ops = "write 0 1 1; pin 0 2; split 0 area"
    assert play(ops, kernel="linux-6.1", world=WORLD).has("head", 0, 1) == "head"
    old = play(ops, kernel="linux-4.0-rc7-mm1", world=WORLD)
    assert (old.has("head", 0, 1), old.page(0, 2).refcount) == ("!head", 2)
    old.do("dma 0 3; unpin 0")
    assert (old.value(0, 2), old.page(0, 2).refcount) == (3, 1)
    assert old.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("swap", ["disk", "zram"])
def test_huge_page_survives_swap(swap: str, kernel: str, play: PlayMaker) -> None:
    world = WORLD.replace("slots=16", f"slots=16 swap={swap}")
    bench = play("write 0 1 1; write 0 3 2; reclaim", kernel=kernel, world=world)
    assert bench.pte(0, 3).startswith("swap")
    bench.do("read 0 1; read 0 3")
    assert [bench.value(0, page) for page in (1, 3)] == [1, 2]
    assert not bench.huge(0, 1)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", ["linux-4.14", "linux-6.1", "linux-6.12"])
def test_huge_page_moves_as_one_from_v4_14_on(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; write 0 3 2", kernel=kernel, world=WORLD)
    before = bench.frame(0, 1)
    assert bench.do("migrate 0 3") == ["ok"]
    assert bench.frame(0, 1) != before
    assert (bench.has("head", 0, 1), bench.huge(0, 1)) == ("head", True)
    assert [bench.value(0, page) for page in (1, 3)] == [1, 2]
    assert bench.end() == []


@pytest.mark.parametrize("kernel", ["linux-4.5", "linux-4.14", "linux-6.1", "linux-6.12"])
def test_advice_about_the_whole_area_does_not_split_it(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; madv_free 0 area", kernel=kernel, world=WORLD)
    assert (ptes(bench), bench.has("head", 0, 1)) == ({"PW-- s"}, "head")
    bench.do("reclaim")
    assert ptes(bench) == {"none"}
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_dontneed_of_the_area_takes_the_page_table_too(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; madv_dontneed 0 area; write 0 3 2", kernel=kernel, world=WORLD)
    assert bench.huge(0, 1)
    assert [bench.value(0, page) for page in AREA] == [0, 0, 2, 0]
    assert bench.end() == []


@pytest.mark.parametrize("op", ["split 0 0", "collapse 0 0"])
def test_ops_on_the_area_need_a_page_of_it(op: str, play: PlayMaker) -> None:
    assert play(world=WORLD).do(op) == ["skipped"]


def test_fork_that_finds_no_memory_half_way_leaves_nothing(play: PlayMaker) -> None:
    """The copy of a pinned page needs memory, which reclaim takes from the huge page that was not copied yet."""
    bench = play(
        "write 0 1 1; pin 0 0; fork 0",
        kernel="linux-6.1",
        world="processes=2 pages=1 huge=3 frames=4 slots=1 mergeable=0 without=writeback,io_error",
    )
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_huge_page_of_which_a_part_is_shared_still_is_not_reused(kernel: str, play: PlayMaker) -> None:
    """The parent has copied one part, and maps the others by ptes; the child has its pmd."""
    bench = play("write 0 1 1; fork 0; write 0 1 2; write 1 2 3", kernel=kernel, world=WORLD)
    assert [(bench.value(0, page), bench.value(1, page)) for page in (1, 2)] == [(2, 1), (0, 3)]
    assert bench.end() == []
