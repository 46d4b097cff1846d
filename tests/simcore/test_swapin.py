"""Swap-in past the swap cache, which synchronous devices take for a slot of one user, and the races of two threads."""

from collections.abc import Callable
from typing import Any

import pytest

ZRAM = "processes=2 pages=2 frames=12 slots=8 mergeable=0 swap=zram without=io_error"
DISK = ZRAM.replace("zram", "disk")
PlayMaker = Callable[..., Any]
KernelMaker = Callable[..., Any]


@pytest.mark.parametrize(("kernel", "world", "cached"), [
    ("linux-6.1", ZRAM, False),
    ("linux-6.1", DISK, True),
    ("linux-4.14", ZRAM, True),
])  # fmt: skip
def test_only_a_synchronous_device_skips_the_swap_cache_from_v4_15_on(
    kernel: str, world: str, cached: bool, play: PlayMaker
) -> None:
    bench = play("write 0 0 1; reclaim; io_done; reclaim; read 0 0", kernel=kernel, world=world)
    assert bench.has("SC") == ("SC" if cached else "!SC")
    assert bench.value() == 1
    assert bench.end() == []


def test_slot_of_two_users_is_read_into_the_swap_cache(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; fork 0; read 0 0", kernel="linux-6.1", world=ZRAM)
    assert (bench.pte(), bench.has("SC"), bench.slot_of(0).count) == ("PrY- s", "SC", 1)
    assert bench.end() == []


def test_slot_is_free_after_swapin_past_the_cache(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; read 0 0", kernel="linux-6.1", world=ZRAM)
    assert (bench.pte(), bench.has("PD SC SB"), bench.exclusive()) == ("PrY- s", "!PD !SC SB", True)
    assert (bench.slot_of(0).count, bench.slot_of(0).page) == (0, -1)
    bench.do("reclaim")
    assert (bench.pte(), bench.value()) == ("swap s", 1)
    assert bench.end() == []


#  U0  claim slot | read             | install
#  U1                     read: wait           | again
def test_second_fault_waits_while_the_slot_is_claimed(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; begin read 0 0; step P0; step P0", kernel="linux-6.1", world=ZRAM)
    assert bench.do("write 0 0 2 @1") == ["blocked"]
    assert bench.do("step P0@1") == ["EAGAIN"]
    bench.do("step P0; step P0")
    assert bench.pte() == "PrY- s"
    bench.do("step P0@1; step P0@1")
    assert (bench.pte(), bench.value()) == ("PWYD s", 2)
    assert bench.end() == []


#  U0  read slot into a private page |                                  | pte is the same: install
#  U1                                | write p, in memory of its own    |
#  K                                                     | out, to the same slot
SAME_PTE_AGAIN = "write 0 0 1; reclaim; begin read 0 0; step P0; step P0; write 0 0 2 @1; reclaim"


def test_store_between_two_swapins_is_kept_where_the_slot_is_claimed(play: PlayMaker) -> None:
    bench = play(SAME_PTE_AGAIN, kernel="linux-6.1", world=ZRAM)
    assert bench.end() == []
    assert bench.value() == 2


def test_store_between_two_swapins_is_lost_where_the_slot_is_not_claimed(play: PlayMaker, turned: KernelMaker) -> None:
    """13ddaf26be32 (v6.8): the swap pte went and came back, with the slot's contents changed meanwhile."""
    bench = play(SAME_PTE_AGAIN, kernel=turned("linux-6.1", "swapin_claims_slot"), world=ZRAM)
    assert bench.slot_of(0).content == 2
    bench.do("step P0")
    assert (bench.pte(), bench.value()) == ("PrY- s", 1)
    assert bench.end() == ["stale-value"]


def test_two_threads_share_the_page_of_the_swap_cache(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; io_done; reclaim; begin read 0 0; step P0", kernel="linux-6.1", world=DISK)
    assert bench.do("read 0 0 @1") == ["blocked"]
    bench.do("step P0; step P0; step P0; step P0")
    bench.do("step P0@1; step P0@1; step P0@1")
    assert (bench.pte(), bench.page().mapcount) == ("PrY- s", 1)
    assert bench.end() == []


def test_copy_in_zram_is_dropped_by_v4_14(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; read 0 0", kernel="linux-4.14", world=ZRAM)
    assert (bench.has("PD SC"), bench.slot_of(0).content) == ("PD SC", 0)
    bench.do("reclaim")
    assert (bench.pte(), bench.slot_of(0).content) == ("swap s", 1)
    assert bench.end() == []


@pytest.mark.parametrize(("kernel", "pte"), [("linux-6.1", "PrY-"), ("linux-6.12", "PWY-")])
def test_sole_page_that_is_read_in_is_writable_from_v6_9_on(kernel: str, pte: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; read 0 0", kernel=kernel, world=ZRAM)
    assert bench.pte() == f"{pte} s"
    bench.do("write 0 0 2")
    assert (bench.pte(), bench.value()) == ("PWYD s", 2)
    assert bench.end() == []
