"""Failures: deflaked, minimized, explained, and told apart."""

from dataclasses import replace

import pytest

from fuzzer import failure as failure_module
from fuzzer.cause import Cause
from fuzzer.errors import FlakyTrace, NotAFailure
from fuzzer.failure import deflake, make_failure
from fuzzer.signature import failure_id, signature
from fuzzer.unit import FoundFailure, UnitSpec, run_unit
from simcore.core import is_compiled
from simcore.kernel import Kernel, with_rows
from simcore.run import Observation, run_trace
from simcore.trace import Trace
from simcore.world import World

BUDGET = 20_000 if is_compiled() else 300


@pytest.fixture(scope="module")
def found(patched: Kernel) -> FoundFailure:
    """A sequence that loses a store after migration."""
    unit = UnitSpec(patched, World(), "random", 2, 20_000, oracles=("lost-store",))
    return next(each for each in run_unit(unit).failures if each.violation.kind == "migration")


def test_a_failure_has_all_that_was_found(found: FoundFailure, patched: Kernel, before: Kernel) -> None:
    failure = make_failure(found, patched, before, versions={"mmfuzz": "1"}, search_budget=BUDGET)
    assert failure.original == found.trace
    assert list(map(str, failure.minimized.ops)) == ["write 0 0 1", "migrate 0 0", "reclaim"]
    assert (failure.oracle, failure.cls, failure.kind) == ("lost-store", "safety", "migration")
    assert failure.violation in run_trace(failure.minimized, patched).violations
    assert (failure.kernel, failure.kernel_digest) == (patched.name, patched.digest)
    assert (failure.seed, failure.count, failure.options) == (found.seed, found.count, found.options)
    assert failure.versions == {"mmfuzz": "1"}
    assert failure.minimization.keys() == {"executions", "slips", "one_minimal", "shortest", "tried"}
    assert failure.minimization["one_minimal"] is True
    assert failure.signature.startswith("sig-")
    assert failure.id == failure_id(failure.signature, patched.digest)


def test_the_same_found_failure_makes_the_same_failure(found: FoundFailure, patched: Kernel, before: Kernel) -> None:
    first, second = (make_failure(found, patched, before, search_budget=BUDGET) for _ in range(2))
    assert first == second


def test_a_trace_that_ends_in_two_ways_is_a_bug_of_mmfuzz(
    found: FoundFailure, patched: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = iter(range(100))

    def never_the_same(trace: Trace, kernel: Kernel, *, compiled: bool | None = None) -> Observation:
        return replace(run_trace(trace, kernel, compiled=compiled), digest=f"out-{next(runs)}")

    monkeypatch.setattr(failure_module, "run_trace", never_the_same)
    with pytest.raises(FlakyTrace, match=r"first out-0, second out-1.*a bug of mmfuzz"):
        deflake(found.trace, patched)


@pytest.mark.needs_compiled
def test_cores_that_disagree_are_found_out(
    found: FoundFailure, patched: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def another_when_uncompiled(trace: Trace, kernel: Kernel, *, compiled: bool | None = None) -> Observation:
        return replace(run_trace(trace, kernel), digest=f"out-{compiled}")

    monkeypatch.setattr(failure_module, "run_trace", another_when_uncompiled)
    with pytest.raises(FlakyTrace, match="uncompiled out-False"):
        deflake(found.trace, patched)
    deflake(found.trace, patched, compiled=False)


def test_a_found_failure_of_another_kernel_is_refused(found: FoundFailure, before: Kernel, merged: Kernel) -> None:
    with pytest.raises(NotAFailure):
        make_failure(found, before, merged)


def test_signature_is_of_oracle_kind_and_causal_rows(found: FoundFailure, patched: Kernel, before: Kernel) -> None:
    failure = make_failure(found, patched, before, search_budget=BUDGET)
    violation, cause, trace = failure.violation, failure.cause, failure.minimized
    same = signature(violation, cause, trace)
    assert same == failure.signature
    assert len(same) == len("sig-") + 12
    # How it was found out, and where in the trace, does not matter.
    assert signature(replace(violation, at=0, page=3, what=""), replace(cause, how=""), found.trace) == same
    others = [
        signature(replace(violation, kind="ksm"), cause, trace),
        signature(replace(violation, oracle="stale-value"), cause, trace),
        signature(violation, replace(cause, rows=cause.rows[:1]), trace),
        signature(violation, replace(cause, rows=()), trace),
        signature(violation, replace(cause, rows=()), found.trace),
    ]
    assert len({same, *others}) == 6


def test_signature_does_not_depend_on_the_rows_numbers(found: FoundFailure, patched: Kernel, before: Kernel) -> None:
    failure = make_failure(found, patched, before, search_budget=BUDGET)
    moved = tuple(replace(row, row=0) for row in failure.cause.rows)
    cause = Cause(before.name, moved, "", complete=True)
    assert signature(failure.violation, cause, failure.minimized) == failure.signature


def test_the_same_failure_on_another_kernel_has_the_same_signature_and_another_id(
    found: FoundFailure, patched: Kernel, before: Kernel
) -> None:
    unrelated = with_rows(patched, {0: not patched.rows[0]}, "mine")
    ours = make_failure(found, patched, before, search_budget=BUDGET)
    violation = run_trace(ours.minimized, unrelated).violations[0]
    theirs = make_failure(
        replace(found, trace=ours.minimized, violation=violation), unrelated, before, search_budget=BUDGET
    )
    assert theirs.signature == ours.signature
    assert theirs.id != ours.id
