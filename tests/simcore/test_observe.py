"""What a real kernel's files would show of each page, bit by bit: pagemap, kpageflags and kpagecount, and smaps."""

from collections.abc import Callable
from typing import Any

import pytest

WORLD = "processes=2 pages=2 file=1 huge=2 frames=16 slots=8 mergeable=2 without=io_error"
PlayMaker = Callable[..., Any]

CLASSES = ("none", "zero", "present", "swap", "other")
BITS = {
    "dirty": 3,
    "swapcache": 4,
    "swapbacked": 5,
    "lru": 6,
    "active": 7,
    "referenced": 8,
    "ksm": 9,
    "anon": 10,
    "exclusive": 11,
    "unevictable": 13,
    "mlocked": 14,
    "writeback": 15,
    "reclaim": 16,
    "uptodate": 18,
    "huge": 19,
    "head": 20,
    "tail": 21,
    "soft_dirty": 22,
    "once": 23,
    "file": 24,
    "resident": 25,
    "moved": 26,
    "node1": 27,
}
SMAPS = (
    "Rss", "Shared_Clean", "Shared_Dirty", "Private_Clean", "Private_Dirty", "Referenced", "Anonymous", "LazyFree",
    "Swap", "SwapPss", "Locked", "KSM",
)  # fmt: skip


def shown(bench: Any, process: int = 0, page: int = 0) -> set[str]:
    """The class of a page, and the names of the bits that are set, but not those that every present page has."""
    state = bench.machine.page_states()[process][page]
    return {CLASSES[state & 7]} | {name for name, bit in BITS.items() if state >> bit & 1} - {"uptodate"}


def smaps(bench: Any, process: int = 0, page: int = 0) -> set[str]:
    fields = bench.machine.smaps_states()[process][page]
    return {name for bit, name in enumerate(SMAPS) if fields >> bit & 1}


ANON = {"present", "swapbacked", "lru", "anon", "soft_dirty", "resident"}


@pytest.mark.parametrize(("ops", "page", "expected"), [
    ("", 0, {"none", "soft_dirty"}),
    ("read 0 0", 0, {"zero", "soft_dirty", "resident"}),
    ("write 0 0 1", 0, ANON | {"exclusive", "once"}),
    ("write 0 0 1; mlock 0 0", 0, ANON | {"exclusive", "once", "unevictable", "mlocked", "referenced"}),
    ("write 0 0 1; reclaim", 0, {"swap", "soft_dirty", "resident"}),
    ("write 0 0 1; reclaim; io_done; reclaim", 0, {"swap", "soft_dirty"}),
    ("write 0 0 1; fork 0", 0, ANON),
    ("write 0 0 1; madv_free 0 0", 0, (ANON | {"exclusive", "once"}) - {"swapbacked"}),
    ("write 0 0 101; write 0 1 101; ksm_scan", 0, ANON | {"dirty", "ksm", "referenced"}),
    ("write 0 2 1", 2, {"present", "dirty", "swapbacked", "lru", "soft_dirty", "once", "file", "resident"}),
    ("write 0 4 1", 4, ANON | {"exclusive", "once", "huge", "head"}),
    ("write 0 4 1", 5, ANON | {"exclusive", "once", "huge", "tail"}),
])  # fmt: skip
def test_page_shows(ops: str, page: int, expected: set[str], play: PlayMaker) -> None:
    assert shown(play(ops, kernel="linux-6.1", world=WORLD), 0, page) == expected


def test_page_without_swapbacked_does_not_show_as_swapcache(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; read 0 0", kernel="linux-6.1", world=WORLD)
    state = bench.machine.page_states()[0][0]
    assert (state >> 4 & 1, state >> 5 & 1, state >> 12 & 1) == (1, 1, 1)


def test_frame_that_changed_shows_as_moved_once(play: PlayMaker) -> None:
    bench = play("write 0 0 1", kernel="linux-6.1", world=WORLD)
    assert "moved" not in shown(bench)
    bench.do("migrate 0 0")
    assert {"moved", "node1"} <= shown(bench)
    assert shown(bench) & {"moved", "node1"} == {"node1"}


def test_mapcount_and_first_sharer_are_numbers(play: PlayMaker) -> None:
    bench = play("write 0 1 1; fork 0", kernel="linux-6.1", world=WORLD)
    states = bench.machine.page_states()
    pages = len(states[0])
    assert [states[process][1] >> 28 & 15 for process in (0, 1)] == [2, 2]
    assert [states[process][1] >> 32 for process in (0, 1)] == [1, 1]
    # A page that shares nothing names itself.
    assert states[1][0] >> 32 == pages


def test_process_that_is_gone_shows_nothing(play: PlayMaker) -> None:
    bench = play("write 0 0 1; fork 0; exit 1", kernel="linux-6.1", world=WORLD)
    assert [len(states) > 0 for states in bench.machine.page_states()] == [True, False]


@pytest.mark.parametrize(("ops", "page", "expected"), [
    ("", 0, set()),
    ("read 0 0", 0, set()),
    ("write 0 0 1", 0, {"Rss", "Private_Dirty", "Referenced", "Anonymous"}),
    ("write 0 0 1; fork 0", 0, {"Rss", "Shared_Dirty", "Referenced", "Anonymous"}),
    ("write 0 0 1; madv_free 0 0", 0, {"Rss", "Private_Clean", "Anonymous", "LazyFree"}),
    ("write 0 0 1; reclaim", 0, {"Swap", "SwapPss"}),
    ("write 0 0 1; mlock 0 0", 0, {"Rss", "Private_Dirty", "Referenced", "Anonymous", "Locked"}),
    ("read 0 2", 2, {"Rss", "Private_Clean", "Referenced"}),
    ("write 0 2 1; reclaim", 2, {"Swap"}),
])  # fmt: skip
def test_smaps_shows(ops: str, page: int, expected: set[str], play: PlayMaker) -> None:
    assert smaps(play(ops, kernel="linux-6.1", world=WORLD), 0, page) == expected


def test_last_load_and_final_values_are_what_programs_read(play: PlayMaker) -> None:
    bench = play("write 0 0 7; write 0 2 9; read 0 0", kernel="linux-6.1", world=WORLD)
    assert bench.machine.last_value() == 7
    assert bench.machine.final_values() == [7, 0, 9, 9, 0, 0]
