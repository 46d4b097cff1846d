"""Pages held by get_user_pages(): stores that reach the frame past the page tables."""

from collections.abc import Callable
from typing import Any

import pytest

WORLD = "processes=2 pages=2 frames=12 slots=8 mergeable=2 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KernelMaker = Callable[..., Any]
KERNELS = ("linux-4.5", "linux-4.14", "linux-6.1", "linux-6.12")


@pytest.mark.parametrize("kernel", KERNELS)
def test_direct_io_into_a_page_is_kept(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; pin 0 0; dma 0 2", kernel=kernel, world=WORLD)
    assert (bench.value(), bench.page().refcount) == (2, 2)
    bench.do("unpin 0; reclaim")
    assert (bench.pte(), bench.value()) == ("swap s", 2)
    assert bench.end() == []


def test_dma_sets_no_bit_of_the_pte(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; read 0 0; pin 0 0; migrate 0 0; dma 0 2", kernel="linux-6.1", world=WORLD)
    before = bench.pte()
    bench.do("dma 0 3")
    assert (bench.pte(), bench.value()) == (before, 3)
    bench.do("unpin 0")
    assert bench.has("PD") == "PD"
    assert bench.end() == []


def test_process_has_one_direct_io_at_a_time(play: PlayMaker) -> None:
    bench = play("pin 0 0", kernel="linux-6.1", world=WORLD)
    assert bench.do("pin 0 1; dma 1 2; unpin 1") == ["skipped", "skipped", "skipped"]
    assert bench.do("unpin 0; unpin 0; dma 0 1") == ["ok", "skipped", "skipped"]
    assert bench.end() == []


def test_pin_of_an_untouched_page_faults_it_in_for_writing(play: PlayMaker) -> None:
    bench = play("pin 0 0", kernel="linux-6.1", world=WORLD)
    assert (bench.pte(), bench.exclusive()) == ("PWYD s", True)


@pytest.mark.parametrize("op", ["migrate 0 0", "reclaim", "ksm_scan"])
def test_pinned_page_stays_where_it_is(op: str, play: PlayMaker) -> None:
    bench = play("write 0 0 101; write 0 1 101; pin 0 0", kernel="linux-6.1", world=WORLD)
    frame = bench.frame()
    bench.do(op)
    assert bench.frame() == frame
    bench.do("dma 0 2; unpin 0")
    assert bench.value() == 2
    assert bench.end() == []


#  U    write p | pin p | madv_free p |               | (io ends)
#  dev                                | store to p    |
#  K                                                  | pte and page clean: discard
DMA_AFTER_FREE = "write 0 0 1; pin 0 0; madv_free 0 0; dma 0 2; reclaim; unpin 0; read 0 0"


@pytest.mark.parametrize("kernel", ["linux-4.5", "linux-4.14"])
def test_dma_after_madv_free_is_lost_before_6c8e2a256915(kernel: str, play: PlayMaker) -> None:
    bench = play(DMA_AFTER_FREE, kernel=kernel, world=WORLD)
    assert bench.end() == ["lost-store"]


@pytest.mark.parametrize("kernel", ["linux-6.1", "linux-6.12"])
def test_dma_after_madv_free_is_kept_by_6c8e2a256915(kernel: str, play: PlayMaker) -> None:
    bench = play(DMA_AFTER_FREE, kernel=kernel, world=WORLD)
    assert bench.end() == []
    assert bench.value() == 2


#  U    write p | pin p | fork | write p: a copy          | read p
#  dev                                          | store to the frame, which is the child's alone now
PIN_AND_FORK = "write 0 0 1; pin 0 0; fork 0; write 0 0 2; dma 0 3; unpin 0"


def test_fork_keeps_the_pinned_page_with_the_parent_from_70e806e4e645_on(play: PlayMaker) -> None:
    bench = play(PIN_AND_FORK, kernel="linux-6.1", world=WORLD)
    assert (bench.value(0), bench.value(1)) == (3, 1)
    assert bench.end() == []


def test_fork_gives_the_pinned_page_away_before_70e806e4e645(play: PlayMaker) -> None:
    bench = play(PIN_AND_FORK, kernel="linux-4.14", world=WORLD)
    assert (bench.value(0), bench.value(1)) == (2, 3)
    assert bench.end() == ["stale-value"]


def test_fork_that_shares_a_pinned_page_is_found(play: PlayMaker, turned: KernelMaker) -> None:
    bench = play(PIN_AND_FORK, kernel=turned("linux-6.1", "fork_copies_pinned"), world=WORLD)
    assert bench.end() == ["stale-value"]


def test_pin_counts_as_a_pin_only_from_v5_6_on(play: PlayMaker) -> None:
    old = play("write 0 0 1; pin 0 0; reclaim", kernel="linux-4.14", world=WORLD)
    # Unmapped, and kept in the swap cache by the reference.
    assert (old.pte(), old.has("SC")) == ("swap s", "SC")
    new = play("write 0 0 1; pin 0 0; reclaim", kernel="linux-6.1", world=WORLD)
    assert (new.pte(), new.has("SC")) == ("PW-D s", "!SC")


def test_store_through_gup_leaves_the_pte_and_marks_the_page(play: PlayMaker) -> None:
    bench = play("write 0 0 1; migrate 0 0; madv_free 0 0; gup_write 0 0 2", kernel="linux-4.5", world=WORLD)
    assert (bench.pte(), bench.has("PD"), bench.value()) == ("PW-- s", "PD", 2)
    bench.do("reclaim")
    assert (bench.pte(), bench.value()) == ("swap s", 2)
    assert bench.end() == []


def test_program_that_drops_its_page_under_io_is_promised_nothing(play: PlayMaker) -> None:
    bench = play("write 0 0 1; pin 0 0; madv_dontneed 0 0; dma 0 2; unpin 0; read 0 0", kernel="linux-6.1", world=WORLD)
    assert bench.value() == 0
    assert bench.end() == []
