"""Folding results into failures: what is new, and whose count is whose."""

from dataclasses import replace

import pytest

from fuzzer import triage as triage_module
from fuzzer.choice import LATER_SAMPLES
from fuzzer.failure import Failure, make_failure
from fuzzer.triage import Triage
from fuzzer.unit import FoundFailure, UnitResult, UnitSpec, key_of
from simcore.core import is_compiled
from simcore.kernel import Kernel
from simcore.run import run_trace
from simcore.trace import Trace, parse_trace
from simcore.world import World

BUDGET = 2_000 if is_compiled() else 0
MIGRATION = "write 0 0 1; migrate 0 0; reclaim"
# Also lost after migration, and not by the patch alone: KSM has merged the page before.
MERGED = "write 0 0 101; write 0 1 101; madv_free 0 1; ksm_scan; migrate 0 0; reclaim"


def found_of(text: str, kernel: Kernel, count: int) -> FoundFailure:
    ops = text.replace(";", "\n")
    trace: Trace = parse_trace(f"mmfuzz trace 1\nkernel any\nworld {World(1, 2)}\n{ops}\n")
    violation = run_trace(trace, kernel).violations[0]
    assert key_of(violation) == ("lost-store", "migration")
    return FoundFailure(trace, violation, seed=1, count=count, options={})


def result_of(*failures: FoundFailure) -> UnitResult:
    return UnitResult(failures=failures)


@pytest.fixture
def triage(patched: Kernel, before: Kernel) -> Triage:
    """A triage that has seen nothing."""
    return Triage(patched, before, search_budget=BUDGET)


def counts(triage: Triage) -> list[int]:
    return [failure.count for failure in triage.failures]


def test_a_failure_is_new_once(triage: Triage, patched: Kernel) -> None:
    result = result_of(found_of(MIGRATION, patched, 5), found_of(MIGRATION, patched, 1))
    assert [failure.id for failure in triage.take(result)] == [triage.failures[0].id]
    assert list(triage.take(result)) == []
    assert counts(triage) == [12]


def test_what_a_key_counts_goes_to_its_first_failure(triage: Triage, patched: Kernel) -> None:
    first = result_of(found_of(MIGRATION, patched, 5), found_of(MERGED, patched, 1))
    assert len(list(triage.take(first))) == 2
    assert counts(triage) == [5, 1]
    # The other failure comes first in a later unit: it counts that sample, the rest could be any of the key's.
    assert list(triage.take(result_of(found_of(MERGED, patched, 10)))) == []
    assert counts(triage) == [14, 2]


def test_a_known_key_is_minimized_a_few_times_and_then_only_counted(
    triage: Triage, patched: Kernel, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[Failure] = []

    def count_calls(*args: object, **options: object) -> Failure:
        made.append(make_failure(*args, **options))  # type: ignore[arg-type]
        return made[-1]

    monkeypatch.setattr(triage_module, "make_failure", count_calls)
    for _ in range(20):
        list(triage.take(result_of(found_of(MIGRATION, patched, 3))))
    assert len(made) == 1 + LATER_SAMPLES
    assert counts(triage) == [60]


def test_the_simplest_trace_of_a_failure_is_kept(triage: Triage, patched: Kernel) -> None:
    longer = found_of(f"{MIGRATION}; read 0 0", patched, 1)
    list(triage.take(result_of(longer)))
    list(triage.take(result_of(replace(found_of(MIGRATION, patched, 1), seed=2))))
    assert len(triage.failures) == 1
    assert len(triage.failures[0].minimized.ops) == 3


def test_every_key_is_seen_before_any_is_seen_twice(patched: Kernel, before: Kernel) -> None:
    from fuzzer.unit import run_unit

    result = run_unit(UnitSpec(patched, World(), "swarm", 3, 20_000 if is_compiled() else 6_000))
    triage = Triage(patched, before, search_budget=0)
    keys = {found.key for found in result.failures}
    new = [failure.key for failure in triage.take(result)]
    assert set(new[: len(keys)]) == keys
