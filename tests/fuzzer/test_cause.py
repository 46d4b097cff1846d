"""Causes by exchange of rows."""

import pytest

from fuzzer.cause import Cause, default_reference, find_cause
from simcore.kernel import Kernel, with_rows
from simcore.kernel_files import find_kernel
from simcore.rules import RULE_BY_NAME, offset
from simcore.run import Violation, run_trace
from simcore.trace import Trace, parse_trace

WORLD = "world processes=2 pages=2 frames=8 slots=4 mergeable=2"


def trace_of(text: str) -> Trace:
    ops = text.replace(";", "\n")
    return parse_trace(f"mmfuzz trace 1\nkernel any\n{WORLD}\n{ops}\n")


MIGRATED = trace_of("write 0 0 1; migrate 0 0; reclaim")


def only_violation(trace: Trace, kernel: Kernel) -> Violation:
    (violation,) = run_trace(trace, kernel).violations
    return violation


def cause_of(trace: Trace, kernel: Kernel, reference: Kernel | None, **options: int) -> Cause:
    return find_cause(trace, kernel, only_violation(trace, kernel), reference, **options)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "trace",
    [
        MIGRATED,
        trace_of("write 0 0 1; reclaim; swapoff_on; reclaim"),
        trace_of("write 0 0 101; write 0 1 101; ksm_scan; reclaim"),
    ],
    ids=["migration", "swapoff", "ksm"],
)
def test_the_refused_patch_is_guilty_of_the_rows_that_no_longer_look_at_page_dirty(
    trace: Trace, patched: Kernel, before: Kernel
) -> None:
    cause = cause_of(trace, patched, before)
    assert cause.complete
    assert cause.reference == before.name
    assert [row.rule for row in cause.rows] == ["reclaim_freeable", "unmap_discards"]
    for row in cause.rows:
        assert row.bits["page_dirty"]
        assert not row.bits["pte_dirty"]
        assert (row.a, row.b) == (False, True)
    assert "No smaller set does." in cause.how
    assert cause.lines()[0].startswith("reclaim_freeable(anon=1, pte_dirty=0, page_dirty=1, swapcache=0")
    assert cause.lines()[0].endswith("): reference False, here True")


def test_a_missing_look_at_page_dirty_is_why_given_up_pages_stay(before: Kernel, merged: Kernel) -> None:
    cause = cause_of(trace_of("write 0 0 1; migrate 0 0; madv_free 0 0"), before, merged)
    assert [row.rule for row in cause.rows] == ["madv_free_locks_page"]
    assert cause.rows[0].bits["page_dirty"]


def test_causal_rows_do_what_is_said_of_them(patched: Kernel, before: Kernel) -> None:
    cause = cause_of(MIGRATED, patched, before)
    moved = {row.flat_row: row.b for row in cause.rows}
    assert only_violation(MIGRATED, with_rows(before, moved)).oracle == "lost-store"
    for left_out in moved:
        rows = {row: value for row, value in moved.items() if row != left_out}
        assert not run_trace(MIGRATED, with_rows(before, rows)).violations


def test_a_single_flipped_row_is_found(before: Kernel) -> None:
    row = offset(RULE_BY_NAME["migration_keeps_page_dirty"]) + 1
    broken = with_rows(before, {row: False})
    cause = cause_of(MIGRATED, broken, before)
    assert [(each.flat_row, each.b) for each in cause.rows] == [(row, False)]


def test_a_reference_that_fails_too_is_said_and_rows_are_flipped_instead(before: Kernel, patched: Kernel) -> None:
    trace = trace_of("write 0 0 101; write 0 1 101; madv_free 0 1; ksm_scan; reclaim")
    assert only_violation(trace, before).oracle == only_violation(trace, patched).oracle == "lost-store"
    cause = cause_of(trace, patched, before)
    assert cause.reference is None
    assert f"{before.name} fails in the same way" in cause.how
    assert len(cause.rows) == 1
    flipped = with_rows(patched, {cause.rows[0].flat_row: cause.rows[0].a})
    assert not run_trace(trace, flipped).violations
    assert "flipped" in cause.lines()[0]


def test_rows_that_another_kernel_decides_the_other_way_are_suspected_first(before: Kernel, merged: Kernel) -> None:
    trace = trace_of("write 0 0 101; write 0 1 101; madv_free 0 1; ksm_scan; reclaim")
    cause = cause_of(trace, before, None)
    assert cause.how.startswith("There is no reference kernel")
    (row,) = cause.rows
    assert merged.rows[row.flat_row] == row.a != row.b


def test_a_reference_with_the_same_rows_is_none(patched: Kernel) -> None:
    cause = cause_of(MIGRATED, patched, with_rows(patched, {}, "twin"))
    assert cause.reference is None
    assert "twin has the same rows" in cause.how


@pytest.mark.parametrize("budget", range(1, 12))
def test_a_search_cut_short_says_so_and_claims_nothing_wrong(patched: Kernel, merged: Kernel, budget: int) -> None:
    trace = trace_of("write 0 0 1; reclaim; swapoff_on; reclaim")
    cause = cause_of(trace, patched, merged, budget=budget)
    if cause.rows and cause.reference:
        moved = with_rows(merged, {row.flat_row: row.b for row in cause.rows})
        assert run_trace(trace, moved).violations
    if not cause.complete:
        assert "cut short" in cause.how


def test_default_reference_is_the_parent_else_the_successor(patched: Kernel, before: Kernel, merged: Kernel) -> None:
    assert default_reference(patched) == before
    assert default_reference(before) == merged
    assert default_reference(merged) == before
    assert default_reference(find_kernel("linux-4.5")) == before
    assert default_reference(Kernel("mine", "theirs", before.rows)) is None
    assert default_reference(Kernel("mine", None, before.rows)) is None


def test_a_cause_can_be_written_as_json(patched: Kernel, before: Kernel) -> None:
    value = cause_of(MIGRATED, patched, before).to_json()
    assert value["reference"] == before.name
    assert isinstance(value["rows"], list)
    assert value["rows"][0] == {
        "rule": "reclaim_freeable",
        "row": value["rows"][0]["row"],
        "bits": value["rows"][0]["bits"],
        "reference": False,
        "here": True,
    }
