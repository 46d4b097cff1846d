"""PG_anon_exclusive: since v5.19 the pages that their process may write to without asking how many users they have."""

from collections.abc import Callable
from typing import Any

import pytest

WORLD = "processes=3 pages=2 frames=12 slots=8 mergeable=2 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KernelMaker = Callable[..., Any]
NEW = ("linux-6.1", "linux-6.12")


@pytest.mark.parametrize("kernel", ["linux-4.0-rc7-mm1", "linux-4.5", "linux-4.14"])
def test_older_kernels_know_no_exclusive_pages(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; write 0 0 2", kernel=kernel, world=WORLD)
    assert not bench.exclusive()


@pytest.mark.parametrize("kernel", NEW)
def test_fresh_page_is_exclusive_until_fork(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1", kernel=kernel, world=WORLD)
    assert bench.exclusive()
    bench.do("fork 0")
    assert (bench.exclusive(0), bench.exclusive(1)) == (False, False)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", NEW)
def test_copy_on_write_makes_an_exclusive_page(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; fork 0; write 1 0 2", kernel=kernel, world=WORLD)
    assert (bench.exclusive(0), bench.exclusive(1)) == (False, True)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", NEW)
def test_last_user_becomes_exclusive_at_its_store(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; fork 0; exit 1", kernel=kernel, world=WORLD)
    frame = bench.frame()
    assert not bench.exclusive()
    bench.do("write 0 0 2")
    assert (bench.exclusive(), bench.frame()) == (True, frame)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", NEW)
def test_swap_pte_remembers_exclusive(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim", kernel=kernel, world=WORLD)
    assert (bench.pte(), bench.exclusive()) == ("swap s", True)
    bench.do("read 0 0")
    assert bench.exclusive()
    assert bench.end() == []


@pytest.mark.parametrize("kernel", NEW)
def test_fork_of_a_swapped_page_takes_exclusive_from_both(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; fork 0", kernel=kernel, world=WORLD)
    assert (bench.exclusive(0), bench.exclusive(1)) == (False, False)
    bench.do("write 0 0 2; read 1 0")
    assert (bench.value(0), bench.value(1)) == (2, 1)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", NEW)
def test_migration_and_swapoff_keep_exclusive(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; migrate 0 0", kernel=kernel, world=WORLD)
    assert bench.exclusive()
    bench.do("reclaim; swapoff")
    assert bench.exclusive()
    assert bench.end() == []


@pytest.mark.parametrize("kernel", NEW)
def test_merged_pages_are_not_exclusive(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 101; write 0 1 101; ksm_scan", kernel=kernel, world=WORLD)
    assert (bench.exclusive(0, 0), bench.exclusive(0, 1)) == (False, False)
    bench.do("write 0 0 2")
    assert (bench.value(0, 0), bench.value(0, 1)) == (2, 101)
    assert bench.end() == []


def test_store_to_a_shared_page_that_counts_as_exclusive_leaks(play: PlayMaker, turned: KernelMaker) -> None:
    """Were fork to leave the bit, a store of the parent would go to the page that the child maps."""
    bench = play("write 0 0 1; fork 0; write 0 0 2", kernel=turned("linux-6.1", "fork_clears_exclusive"), world=WORLD)
    assert bench.end() == ["cow-leak"]
