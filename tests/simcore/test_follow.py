"""Reclaim that follows a reading: where several things are legal, it does what a real kernel did."""

from collections.abc import Callable
from typing import Any

import pytest

from simcore.constants import FOLLOW_ANY, FOLLOW_CACHE, FOLLOW_KEEP, FOLLOW_KEEP_SWAPBACKED, FOLLOW_TAKE, MAX_PTES

WORLD = "processes=2 pages=2 frames=12 slots=8 mergeable=0 batch=15 without=io_error"
PlayMaker = Callable[..., Any]


def choices(first: int, second: int = FOLLOW_ANY) -> list[int]:
    """A choice for pages 0 and 1 of process 0, and none for the others."""
    return [first, second, *[FOLLOW_ANY] * (MAX_PTES - 2)]


def follow(bench: Any, first: int, second: int = FOLLOW_ANY) -> None:
    """One reclaim that follows the choices."""
    bench.machine.follow(choices(first, second))
    bench.do("reclaim")
    bench.machine.end_writes()
    bench.machine.follow([])


def test_page_that_was_kept_is_kept_and_the_other_taken(play: PlayMaker) -> None:
    bench = play("write 0 0 1; write 0 1 2; drain 0", kernel="linux-6.1", world=WORLD)
    follow(bench, FOLLOW_KEEP, FOLLOW_TAKE)
    assert (bench.pte(0, 0), bench.pte(0, 1)) == ("PWYD s", "swap s")
    assert bench.end() == []


def test_page_that_was_taken_is_taken_though_it_was_used(play: PlayMaker) -> None:
    bench = play("write 0 0 1; madv_free 0 0; drain 0; read 0 0", kernel="linux-6.1", world=WORLD)
    follow(bench, FOLLOW_TAKE)
    assert bench.pte() == "none"
    assert bench.end() == []


def test_batch_is_not_drained_where_the_reading_shows_no_scan(play: PlayMaker) -> None:
    bench = play("write 0 0 1; drain 0; write 0 1 2", kernel="linux-6.1", world=WORLD)
    follow(bench, FOLLOW_KEEP_SWAPBACKED, FOLLOW_KEEP_SWAPBACKED)
    assert bench.has("LRU", 0, 1) == "!LRU"
    follow(bench, FOLLOW_TAKE, FOLLOW_KEEP_SWAPBACKED)
    assert (bench.pte(0, 0), bench.has("LRU", 0, 1)) == ("swap s", "LRU")


def test_given_up_page_that_was_met_dirty_is_swapbacked_and_stays(play: PlayMaker) -> None:
    bench = play("write 0 0 1; madv_free 0 0; drain 0; write 0 0 2", kernel="linux-6.1", world=WORLD)
    assert bench.has("SB") == "!SB"
    follow(bench, FOLLOW_KEEP_SWAPBACKED)
    assert (bench.pte()[:2], bench.has("SB")) == ("PW", "SB")
    assert bench.end() == []


def test_unmapped_page_that_was_seen_in_the_swap_cache_stays_there(play: PlayMaker) -> None:
    bench = play("write 0 0 1; drain 0; reclaim", kernel="linux-6.1", world=WORLD)
    bench.machine.end_writes()
    assert bench.has("SC") == "SC"
    follow(bench, FOLLOW_CACHE)
    assert bench.has("SC") == "SC"
    follow(bench, FOLLOW_TAKE)
    assert bench.slot_of(0).page == -1


@pytest.mark.parametrize("choice", [FOLLOW_KEEP, FOLLOW_TAKE])
def test_choice_holds_until_the_next_call_alone(choice: int, play: PlayMaker) -> None:
    plain = play("write 0 0 1; drain 0; reclaim", kernel="linux-6.1", world=WORLD)
    bench = play("write 0 0 1; drain 0", kernel="linux-6.1", world=WORLD)
    bench.machine.follow(choices(choice))
    bench.machine.follow([])
    bench.do("reclaim")
    assert bench.snapshot() == plain.snapshot()
