"""Files of readings compared: counts, classes, examples."""

from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from fuzzer.conform.comparison import DisagreementClass, FileComparison, Plan, compare_file
from fuzzer.conform.errors import ReadingError
from fuzzer.conform.known import Known
from fuzzer.conform.report import all_classes, not_seen, totals
from simcore.kernel import Kernel
from tests.fuzzer.conform.conftest import Record, make_record

Write = Callable[..., Path]
Compare = Callable[..., FileComparison]
DIRTY, SOFT_DIRTY = 1 << 3, 1 << 22
LONG = ("write 0 0 1", "write 0 1 2", "write 0 2 3", "write 0 3 4")
SHORT = ("write 0 2 3", "write 0 3 4")


@pytest.fixture
def compare(write: Write, kernel: Kernel) -> Compare:
    """Compares records, with any of a plan's options."""

    def compare(*records: Record, **options: Any) -> FileComparison:
        return compare_file(Plan(write(*records), kernel, **options))

    return compare


def changed(record: Record, at: int, page: int, bits: int, *, lasting: bool = False) -> Record:
    """A copy in which the real kernel showed other bits of P0's page after an op, or from then on."""
    copy = deepcopy(record)
    for states in copy["st"][at : None if lasting else at + 1]:
        states[0][page] ^= bits
    return copy


def classes_of(done: FileComparison) -> list[tuple[str, int, int, int]]:
    """Observable, first, traces, total of each class."""
    return [(each.key.observable, each.first, each.traces, each.total) for each in done.settled.classes]


def only(done: FileComparison) -> DisagreementClass:
    """The only class."""
    (each,) = done.settled.classes
    return each


def test_readings_that_agree_are_counted(compare: Compare, kernel: Kernel) -> None:
    done = compare(make_record(kernel, LONG), make_record(kernel, SHORT, number=2))
    part = done.settled
    assert (part.traces, part.ops, part.agreed, part.explained, part.unexplained) == (2, 6, 2, 0, 0)
    assert part.classes == ()
    assert {op.op: op.runs for op in part.by_op} == {"write": 6, "end": 0}
    assert (done.kernel, done.batch, done.left_out, done.source.swap) == ("linux-6.1", 15, 0, "zram")
    assert 0 < sum(done.rows) < len(done.rows)


def test_disagreement_is_of_its_class_with_the_shortest_trace_as_its_example(compare: Compare, kernel: Kernel) -> None:
    long, short = make_record(kernel, LONG, number=4), make_record(kernel, SHORT, number=8)
    each = only(compare(changed(long, 2, 2, DIRTY), changed(short, 0, 2, DIRTY), changed(long, 3, 3, DIRTY)))
    assert (each.first, each.traces, each.total) == (3, 3, 3)
    assert (each.example.reading.id, each.example.line, each.example.found.at) == (8, 2, 0)
    assert each.key.change == "clear, really set"


def test_lasting_disagreement_appears_once_and_is_compared_after_every_op(compare: Compare, kernel: Kernel) -> None:
    done = compare(changed(make_record(kernel, LONG), 1, 1, DIRTY, lasting=True))
    assert classes_of(done) == [("dirty", 1, 1, 1)]
    (write, _) = done.settled.by_op
    dirty = next(each for each in write.observables if each.observable == "dirty")
    assert dirty.differing == 3


def test_disagreement_that_comes_again_appears_again(compare: Compare, kernel: Kernel) -> None:
    record = changed(changed(make_record(kernel, LONG), 0, 0, DIRTY), 2, 0, DIRTY)
    assert [each.total for each in compare(record).settled.classes] == [1, 1]


def test_only_the_first_op_that_disagrees_counts_as_first(compare: Compare, kernel: Kernel) -> None:
    record = changed(changed(make_record(kernel, LONG), 1, 1, SOFT_DIRTY), 3, 3, DIRTY)
    assert classes_of(compare(record)) == [("soft-dirty", 1, 1, 1), ("dirty", 0, 1, 1)]


def known(observable: str, **options: Any) -> Known:
    """A known difference after a write."""
    return Known(("6.1",), (observable,), ("write",), "simulator", "made up for this test", **options)


def test_trace_that_first_disagrees_in_a_known_way_is_explained(compare: Compare, kernel: Kernel) -> None:
    record = changed(changed(make_record(kernel, LONG), 1, 1, DIRTY), 2, 2, SOFT_DIRTY)
    part = compare(record, known=(known("dirty"),)).settled
    assert (part.agreed, part.explained, part.unexplained) == (0, 1, 0)
    assert [(each.first, each.explained, each.known) for each in part.classes] == [
        (1, 1, known("dirty")), (0, 0, None),
    ]  # fmt: skip


def test_what_is_not_known_of_the_same_op_goes_first(compare: Compare, kernel: Kernel) -> None:
    record = changed(make_record(kernel, LONG), 1, 1, DIRTY | SOFT_DIRTY)
    part = compare(record, known=(known("dirty"),)).settled
    assert (part.explained, part.unexplained) == (0, 1)
    assert [each.key.observable for each in part.classes if each.first] == ["soft-dirty"]


def test_known_reading_does_not_explain_the_others_of_its_class(compare: Compare, kernel: Kernel) -> None:
    records = [changed(make_record(kernel, LONG, number=number), 1, 1, DIRTY) for number in (2, 4, 6)]
    each = only(compare(*records, known=(known("dirty", readings=("main-6.1-zram:4",)),)))
    assert (each.first, each.explained) == (3, 1)


def test_known_difference_that_could_have_been_seen_and_was_not_is_told(compare: Compare, kernel: Kernel) -> None:
    one, other = known("dirty"), known("soft-dirty")
    elsewhere = Known(("6.12",), ("dirty",), ("write",), "simulator", "made up for this test")
    here = known("class", readings=("main-6.1-zram:4",))
    not_here = known("class", readings=("main-6.1-zram:6",))
    listed = (one, other, elsewhere, here, not_here)
    done = compare(changed(make_record(kernel, LONG, number=4), 1, 1, DIRTY), known=listed)
    assert not_seen([done], listed) == [other, here]


def test_limit_counts_the_readings_that_are_compared(compare: Compare, kernel: Kernel) -> None:
    records = [make_record(kernel, SHORT, number=number) for number in range(4)]
    records[1]["det"] = 0
    assert [compare(*records, limit=limit).settled.traces for limit in (1, 2, 3, 4)] == [1, 2, 3, 3]
    assert compare(*records).left_out == 1


def unsettled(record: Record, at: int, page: int, bits: int) -> Record:
    """A record whose second run showed other bits of a page after an op."""
    states = deepcopy(record["st"][at])
    states[0][page] ^= bits
    again = {"res": record["res"][at], "st": states, "vm": record["vm"][at]}
    return record | {"det": 0, "xdet": 0, "dm": bits, "alt": {str(at): again}}


def test_reading_whose_runs_differ_agrees_if_either_run_does(compare: Compare, kernel: Kernel) -> None:
    good = make_record(kernel, LONG)
    # Here the second run is what the simulator shows.
    other = unsettled(changed(good, 1, 1, DIRTY), 1, 1, DIRTY)
    done = compare(good, unsettled(good, 1, 1, DIRTY), other, unsettled=True)
    assert done.unsettled is not None
    assert (done.unsettled.traces, done.unsettled.agreed, done.unsettled.classes) == (2, 2, ())
    assert (done.settled.traces, done.left_out) == (1, 0)


def test_reading_with_which_neither_run_agrees_is_told_separately(compare: Compare, kernel: Kernel) -> None:
    good = make_record(kernel, LONG)
    done = compare(changed(unsettled(good, 1, 1, DIRTY), 3, 3, DIRTY), unsettled=True)
    assert done.unsettled is not None
    assert (done.unsettled.agreed, done.unsettled.unexplained) == (0, 1)
    assert done.settled.traces == 0
    assert all_classes([done.settled]) == ()


def test_longer_agreement_of_the_two_runs_counts(compare: Compare, kernel: Kernel) -> None:
    early = changed(make_record(kernel, LONG), 1, 1, DIRTY)
    done = compare(changed(unsettled(early, 1, 1, DIRTY), 3, 3, SOFT_DIRTY), unsettled=True)
    assert done.unsettled is not None
    assert [each.key.observable for each in done.unsettled.classes] == ["soft-dirty"]


def test_classes_and_totals_of_several_files(write: Write, kernel: Kernel) -> None:
    record = make_record(kernel, LONG, number=2)
    one = compare_file(Plan(write(changed(record, 1, 1, DIRTY), record), kernel))
    shorter = changed(make_record(kernel, SHORT, number=9), 0, 2, DIRTY)
    two = compare_file(Plan(write(shorter, name="smaps-6.1-zram.jsonl.gz"), kernel))
    other_kernel = compare_file(Plan(write(shorter, name="main-6.12-zram.jsonl.gz"), kernel))
    first, second = all_classes(each.settled for each in (one, two, other_kernel))
    assert (first.version, first.first, first.traces, first.example.reading.id) == ("6.1", 2, 2, 9)
    assert (second.version, second.first) == ("6.12", 1)
    sums = totals([one, two])
    assert (sums.files, sums.traces, sums.ops, sums.agreed, sums.explained, sums.unexplained) == (2, 3, 10, 1, 0, 2)


def test_same_file_gives_the_same_each_time_on_both_cores(compare: Compare, kernel: Kernel, compiled: bool) -> None:
    record = changed(make_record(kernel, LONG), 1, 1, DIRTY)
    assert compare(record, compiled=compiled) == compare(record)


def test_file_that_cannot_be_read_is_refused(kernel: Kernel, tmp_path: Path) -> None:
    with pytest.raises(ReadingError):
        compare_file(Plan(tmp_path / "main-6.1-zram.jsonl.gz", kernel))
