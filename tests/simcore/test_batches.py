"""The per-CPU batches before the LRU lists: what waits in them is held, and drained by the ops that drain."""

from collections.abc import Callable
from typing import Any

import pytest

WORLD = "processes=2 pages=4 frames=12 slots=8 mergeable=0 batch=3 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KernelMaker = Callable[..., Any]


def test_fresh_page_waits_in_the_batch_which_holds_it(play: PlayMaker) -> None:
    bench = play("write 0 0 1", world=WORLD)
    assert (bench.has("LRU active"), bench.page().refcount) == ("!LRU active", 2)
    bench.do("drain 0")
    assert (bench.has("LRU active"), bench.page().refcount) == ("LRU active", 1)
    assert bench.end() == []


def test_full_batch_is_drained(play: PlayMaker) -> None:
    bench = play("write 0 0 1; write 0 1 2", world=WORLD)
    assert (bench.has("LRU", 0, 0), bench.has("LRU", 0, 1)) == ("!LRU", "!LRU")
    bench.do("write 0 2 3")
    assert [bench.has("LRU", 0, page) for page in range(3)] == ["LRU", "LRU", "LRU"]
    assert bench.end() == []


def test_batch_of_one_page_moves_it_at_once(play: PlayMaker) -> None:
    bench = play("write 0 0 1", world=WORLD.replace("batch=3", "batch=1"))
    assert (bench.has("LRU"), bench.page().refcount) == ("LRU", 1)


@pytest.mark.parametrize("op", ["madv_free 0 1", "madv_dontneed 0 1", "mlock 0 1", "migrate 0 0", "exit 1", "ksm_scan"])
def test_op_drains_the_batches(op: str, play: PlayMaker) -> None:
    bench = play("fork 0; write 0 0 1", world=WORLD)
    assert bench.has("LRU") == "!LRU"
    before = bench.frame()
    bench.do(op)
    # Migration puts the page on its new frame in the batch again.
    assert bench.has("LRU") == ("!LRU" if op.startswith("migrate") else "LRU")
    assert (bench.frame() != before) == op.startswith("migrate")
    assert bench.end() == []


@pytest.mark.parametrize("op", ["punch 0 4", "truncate 0 4"])
def test_unmapping_a_range_of_the_file_drains_the_batches(op: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1", world=f"{WORLD} file=1")
    assert bench.has("LRU") == "!LRU"
    bench.do(op)
    assert bench.has("LRU") == "LRU"
    assert bench.end() == []


def test_lazyfree_batch_takes_swapbacked_at_the_drain(play: PlayMaker) -> None:
    bench = play("write 0 0 1; madv_free 0 0", kernel="linux-4.14", world=WORLD)
    assert bench.has("SB active LRU") == "SB active LRU"
    bench.do("drain 0")
    assert bench.has("SB active LRU") == "!SB !active LRU"
    assert bench.end() == []


def test_lazyfree_drain_does_not_look_at_dirty(play: PlayMaker) -> None:
    bench = play("write 0 0 1; madv_free 0 0; write 0 0 2; drain 0", kernel="linux-4.14", world=WORLD)
    assert (bench.pte(), bench.has("SB")) == ("PWYD s", "!SB")
    bench.do("reclaim")
    assert (bench.pte(), bench.value()) == ("swap s", 2)
    assert bench.end() == []


def test_page_held_by_a_batch_is_not_reused_before_it_is_drained(play: PlayMaker) -> None:
    """v6.1 counts references: do_wp_page() drains first, so that the batch's does not count."""
    bench = play("write 0 0 1; drain 0; fork 0; exit 1; madv_cold 0 0", kernel="linux-6.1", world=WORLD)
    frame = bench.frame()
    bench.do("write 0 0 2")
    assert bench.frame() == frame
    assert bench.end() == []


#  kswapd  isolate | add_to_swap | unmap | kept: the batch holds it |
#  U  madv_free (in the batch)                                      | drain | read p
#  24c92eb7dce0: a page that lost SwapBacked in the swap cache is not PageSwapCache() for do_swap_page().
LIVELOCK = "write 0 0 1; drain 0; begin reclaim; madv_free 0 0" + "; step kswapd" * 6


def test_lazyfree_drain_leaves_a_page_of_the_swap_cache_alone(play: PlayMaker) -> None:
    bench = play(LIVELOCK, kernel="linux-4.14", world=WORLD)
    assert (bench.pte(), bench.has("SC SB LRU")) == ("swap s", "SC SB LRU")
    bench.do("drain 0")
    assert bench.has("SC SB LRU") == "SC SB LRU"
    assert bench.do("read 0 0") == ["ok"]
    assert bench.end() == []


def test_lazyfree_drain_that_takes_swapbacked_in_the_swap_cache_is_a_livelock(
    play: PlayMaker, turned: KernelMaker
) -> None:
    kernel = turned("linux-4.14", "lazyfree_drain_clears_swapbacked", swapbacked=True, swapcache=True)
    bench = play(LIVELOCK, kernel=kernel, world=WORLD)
    bench.do("drain 0")
    assert bench.has("SC SB") == "SC !SB"
    assert bench.do("read 0 0") == ["blocked"]
    assert bench.end() == ["stuck-fault"]


@pytest.mark.parametrize(("kernel", "listed"), [("linux-4.5", "!LRU"), ("linux-4.14", "LRU")])
def test_huge_page_empties_the_batch_from_v4_7_on(kernel: str, listed: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; write 0 4 2", kernel=kernel, world=f"{WORLD} huge=3".replace("frames=12", "frames=16"))
    assert bench.has("head", 0, 4) == "head"
    assert (bench.has("LRU", 0, 0), bench.has("LRU", 0, 4)) == (listed, listed)
    assert bench.end() == []
