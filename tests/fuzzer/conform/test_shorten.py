"""Ops that do not touch the page are left out, and no others."""

from dataclasses import replace
from typing import Any

import msgspec
import pytest

from fuzzer.conform.compare import Disagreement
from fuzzer.conform.reading import Reading
from fuzzer.conform.shorten import Shortener
from fuzzer.conform.world import Source, base_world
from simcore.core import new_machine
from simcore.kernel import Kernel
from tests.fuzzer.conform.conftest import make_record

WORLD = base_world(Source("made-up", "main", "6.1", "zram"), 15)


def shortened(
    kernel: Kernel, lines: list[str], at: int, process: int, page: int, observable: str = "dirty"
) -> list[str]:
    """The lines that are left of a trace that disagrees after an op."""
    reading = msgspec.convert(make_record(kernel, lines), Reading)
    found = Disagreement(at, process, page, observable, 0, 0)
    kept = Shortener(new_machine(), kernel.rows, WORLD).shorten(reading, found).kept
    return [lines[each] for each in kept]


CASES: tuple[tuple[list[str], int, tuple[int, int], list[str]], ...] = (
    # Other pages, and what comes afterwards.
    (["write 0 1 1", "write 0 0 2", "read 0 5", "madv_free 0 0", "write 0 7 3"], 3, (0, 0),
     ["write 0 0 2", "madv_free 0 0"]),
    # The page's own ops stay, though they change nothing.
    (["write 0 0 1", "read 0 0", "mprotect_ro 0 0", "drain 0"], 3, (0, 0),
     ["write 0 0 1", "read 0 0", "mprotect_ro 0 0", "drain 0"]),
    # So do those of a page on the same frame, and the fork by which it is.
    (["write 0 0 1", "write 0 3 9", "fork 0", "madv_dontneed 1 0", "read 0 0"], 4, (0, 0),
     ["write 0 0 1", "fork 0", "madv_dontneed 1 0", "read 0 0"]),
    # A fork and an exit that do not reach the page.
    (["fork 0", "write 0 0 1", "read 0 0"], 2, (0, 0), ["write 0 0 1", "read 0 0"]),
    (["fork 0", "write 1 0 1", "read 1 0"], 2, (1, 0), ["fork 0", "write 1 0 1", "read 1 0"]),
    (["fork 0", "read 0 0", "exit 1", "read 0 0"], 3, (0, 0), ["read 0 0", "read 0 0"]),
    # The later child's number hangs on the earlier one.
    (["fork 0", "fork 0", "write 2 0 1"], 2, (2, 0), ["fork 0", "fork 0", "write 2 0 1"]),
    # Ops on everything stay where they do something to the page.
    (["drain 0", "write 0 0 1", "drain 0", "reclaim"], 3, (0, 0), ["write 0 0 1", "drain 0", "reclaim"]),
)  # fmt: skip


@pytest.mark.parametrize(("lines", "at", "place", "left"), CASES)
def test_ops_that_do_not_touch_the_page_are_left_out(
    kernel: Kernel, lines: list[str], at: int, place: tuple[int, int], left: list[str]
) -> None:
    assert shortened(kernel, lines, at, *place) == left


def test_value_read_at_the_end_keeps_what_made_it(kernel: Kernel) -> None:
    lines = ["write 0 0 1", "write 0 1 2", "drain 0", "write 0 1 3"]
    assert shortened(kernel, lines, len(lines), 0, 0, "value") == ["write 0 0 1", "drain 0"]


def test_shortening_again_changes_nothing(kernel: Kernel, reading: Reading) -> None:
    found = Disagreement(16, 0, 5, "dirty", 0, 0)
    shortener = Shortener(new_machine(), kernel.rows, WORLD)
    kept = shortener.shorten(reading, found).kept
    assert kept[-1] == 16
    left: dict[str, Any] = {
        name: tuple(getattr(reading, name)[at] for at in kept) for name in ("ops", "res", "st", "vm")
    }
    shorter = replace(reading, **left)
    again = shortener.shorten(shorter, Disagreement(len(kept) - 1, 0, 5, "dirty", 0, 0))
    assert again.kept == tuple(range(len(kept)))
