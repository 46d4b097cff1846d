"""A verdict on its way to the screen, the document and the database, also one with a report of the kernel's own."""

from datetime import UTC, datetime
from pathlib import Path
from typing import cast

import pytest

from cli.confirm_run import Done, make_record
from cli.confirm_text import describe, done_document
from cli.failure_text import confirmation_lines
from db.confirmations import StoredConfirmation
from db.values import StoredFailure
from simcore.trace import parse_trace
from workers.targets.confirmation import Confirmation, Plan, Tried
from workers.targets.console import Trouble
from workers.targets.execution import Judged
from workers.targets.images import KernelImage

TRACE = parse_trace("mmfuzz trace 1\nkernel linux-6.1\nworld processes=1\nwrite 0 0 1\nreclaim\n")
BUG = Trouble("bug", "kernel BUG at mm/rmap.c:1!", "page_remove_rmap", "before\nkernel BUG at mm/rmap.c:1!\0\nafter")
PLAN = Plan(runs=10, guests=3)


class Failure:
    """The part of a stored failure that a record needs."""

    id = "fail-00000000c1"


@pytest.fixture
def done(tmp_path: Path) -> Done:
    """Right as it is; drained, the kernel reports trouble in most runs, and a value is lost in one."""
    image = KernelImage(
        "own", "6.1.0", tmp_path / "kernel", None, "ab" * 32, 1, "here", datetime(2026, 11, 24, tzinfo=UTC)
    )
    right = Tried("as it is", TRACE, 30, 0, {}, None, "")
    ways = {"bug page_remove_rmap": 20, "lost-store": 1}
    wrong = Tried("drained", TRACE, 30, 4, ways, Judged(trouble=BUG), "the guest did not answer")
    verdict = Confirmation("confirmed", f"the kernel's own report: {BUG.line}", (right, wrong))
    return Done(image, "zram", "tcg", verdict, 12.5)


def test_people_see_the_line_and_every_rate(done: Done) -> None:
    ways = "bug page_remove_rmap in 20 of 26 (58% to 89%), lost-store in 1, 4 unknown (the guest did not answer)"
    assert list(describe(done, PLAN)) == [
        "  zram    confirmed: the kernel's own report: kernel BUG at mm/rmap.c:1!",
        "          the trace as it is: failed in 0 of 30 (0% to 11%), in 3 fresh guests",
        f"          with a drain before every op: {ways}, in 3 fresh guests",
    ]


def test_the_document_has_the_report(done: Done) -> None:
    document = done_document(done, "cnf-0000000001")
    assert (document["form"], document["failed"], document["runs"], document["unknown"]) == ("drained", 20, 26, 4)
    tried = cast(list[dict[str, object]], document["tried"])
    assert [each["trouble"] is None for each in tried] == [True, False]
    assert tried[1]["trouble"] == {"kind": "bug", "line": BUG.line, "place": BUG.place, "console": BUG.excerpt}


def test_the_report_is_stored_and_shown_again(done: Done) -> None:
    record = make_record(cast(StoredFailure, Failure()), TRACE.digest, done, {"mmfuzz": "0.1.0"})
    assert record.versions == {"mmfuzz": "0.1.0", "accelerator": "tcg"}
    assert record.console == "before\nkernel BUG at mm/rmap.c:1!\N{REPLACEMENT CHARACTER}\nafter"
    kept = {name: getattr(record, name) for name in StoredConfirmation.__slots__}
    first, *report = confirmation_lines([StoredConfirmation(**kept)])
    assert "on own (6.1.0), swap on zram: confirmed, 20 of 26 runs, drained, 4 unknown: the kernel's own" in first
    assert [line.strip() for line in report] == record.console.splitlines()
