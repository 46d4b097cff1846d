"""Disagreements as they are kept, and replayed from what was kept."""

import json
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fuzzer.conform.comparison import Plan, compare_file
from fuzzer.conform.errors import ConformError
from fuzzer.conform.finding import Finding, make_finding, replay_finding, still_differs
from simcore.kernel import Kernel
from simcore.trace import format_trace, parse_trace
from tests.fuzzer.conform.conftest import Record, make_record

Write = Callable[..., Path]
LINES = ("write 0 1 9", "write 0 0 1", "drain 0", "reclaim", "read 0 0", "migrate 0 0", "madv_free 0 0")
AT = 5


@pytest.fixture
def find(write: Write, kernel: Kernel) -> Callable[[Record], Finding]:
    """The finding of a record's only class."""

    def find(record: Record) -> Finding:
        (each,) = compare_file(Plan(write(record), kernel)).settled.classes
        return make_finding(each, kernel)

    return find


Find = Callable[[Record], Finding]
CHANGES: dict[str, Callable[[Record], Any]] = {
    "dirty": lambda record: record["st"][AT][0].__setitem__(0, record["st"][AT][0][0] ^ 1 << 3),
    "errno": lambda record: record["res"][AT].__setitem__(0, 14),
    "value": lambda record: record["res"][4].__setitem__(1, 77),
    "alive": lambda record: record["st"][AT].append([0] * 12),
}


def changed(kernel: Kernel, kind: str, *, sm: bool = False) -> Record:
    """A record in which the real kernel showed something else in one observable."""
    record = deepcopy(make_record(kernel, LINES, number=12, sm=sm))
    CHANGES[kind](record)
    return record


@pytest.mark.parametrize("kind", CHANGES)
def test_finding_is_replayed_from_what_json_keeps(kernel: Kernel, find: Find, kind: str) -> None:
    finding = find(changed(kernel, kind))
    assert finding.kind == finding.violation["kind"] == kind
    stored = json.loads(json.dumps(finding.violation))
    for trace, original in ((finding.minimized, False), (finding.original, True)):
        again = parse_trace(format_trace(trace))
        now = replay_finding(stored, again, kernel, original=original)
        assert (now.simulated, now.differs) == (finding.violation["simulated"], True)
        assert now.reason == f"as stored: {finding.reason}"


def test_finding_of_a_value_read_at_the_end_is_replayed(kernel: Kernel, find: Find) -> None:
    record = deepcopy(make_record(kernel, LINES))
    record["fin"][0][1] = 77
    finding = find(record)
    assert finding.violation["at"] == len(finding.minimized.ops)
    assert finding.reason == "value read at the end of P0 page 1: a token in the simulator, a token in Linux 6.1"
    assert replay_finding(finding.violation, finding.minimized, kernel).simulated == 9
    assert replay_finding(finding.violation, finding.original, kernel, original=True).differs


def test_finding_of_smaps_is_replayed(kernel: Kernel, find: Find) -> None:
    record = deepcopy(make_record(kernel, LINES, sm=True))
    record["sm"][1][0][0] ^= 1 << 8
    finding = find(record)
    assert finding.kind == "smaps-Swap"
    assert replay_finding(finding.violation, finding.minimized, kernel).differs


def test_finding_is_shortened_and_says_what_that_is_worth(kernel: Kernel, find: Find) -> None:
    finding = find(changed(kernel, "dirty"))
    assert [str(op) for op in finding.minimized.ops] == list(LINES[1 : AT + 1])
    assert len(finding.original.ops) == len(LINES)
    assert finding.minimization["rerun_on_real_kernel"] is False
    assert "was not run on the real kernel" in str(finding.minimization["tried"])
    assert finding.reason.startswith("dirty of P0 page 0: ")


def test_finding_has_one_id_per_class_and_kernel(kernel: Kernel, find: Find) -> None:
    one, other = find(changed(kernel, "dirty")), find(changed(kernel, "errno"))
    assert one.id == find(changed(kernel, "dirty")).id
    assert one.id != other.id
    assert one.id.startswith("fail-")
    assert one.signature.startswith("sig-")
    assert (one.seed, one.options["reading"], one.options["file"]) == (12, 12, "main-6.1-zram.jsonl.gz")


def test_finding_that_is_mended_agrees(kernel: Kernel, find: Find) -> None:
    finding = find(changed(kernel, "dirty"))
    mended = finding.violation | {"real": finding.violation["simulated"]}
    now = replay_finding(mended, finding.minimized, kernel)
    assert not now.differs
    assert now.reason.startswith("the simulator agrees now; it was dirty of P0 page 0")


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ({"follow": []}, "the stored follow has 0 entries for 5 ops"),
        ({"follow": 7}, "the stored follow is not what reclaim did"),
        ({"real": None}, "the stored disagreement has real=None; it is a number"),
    ],
)
def test_stored_finding_that_does_not_say_enough_is_refused(
    kernel: Kernel, find: Find, broken: dict[str, Any], message: str
) -> None:
    finding = find(changed(kernel, "dirty"))
    with pytest.raises(ConformError, match=message):
        replay_finding(finding.violation | broken, finding.minimized, kernel)


def test_sides_differ_in_their_observable_alone() -> None:
    assert still_differs("dirty", 2 | 8, 2)
    assert not still_differs("dirty", 2 | 1 << 6, 2)
    assert still_differs("smaps-Rss", 1, 0)
    assert not still_differs("smaps-Rss", 1, 1 | 2)
    assert still_differs("errno", 0, 22)
    assert not still_differs("value", 7, 7)
