"""Minimization on real kernels: it never slips, comes to an end, and says what it did."""

from collections import Counter
from itertools import product

import pytest

from fuzzer.errors import NotAFailure
from fuzzer.minimize import minimize
from fuzzer.unit import FoundFailure, UnitSpec, key_of, run_unit
from simcore.core import is_compiled
from simcore.kernel import Kernel
from simcore.run import run_trace
from simcore.trace import Trace, parse_trace
from simcore.world import World

OPS = 60_000 if is_compiled() else 4_000
BUDGET = 20_000 if is_compiled() else 300
WITH_ALL = World(3, frames=20, slots=12, memcgs=2, file=1, huge=3, batch=3)


@pytest.fixture(scope="module")
def found(patched: Kernel, before: Kernel, merged: Kernel) -> list[tuple[FoundFailure, Kernel, Kernel]]:
    """Failures of every shipped kernel, with the kernel they are held against."""
    pairs = [(patched, before), (before, merged), (merged, before)]
    return [
        (failure, kernel, reference)
        for (kernel, reference), (seed, world) in product(pairs, enumerate([World(3), WITH_ALL] * 2))
        for failure in run_unit(UnitSpec(kernel, world, "swarm", seed, OPS)).failures
    ]


def ops_of(trace: Trace) -> list[str]:
    return list(map(str, trace.ops))


def test_it_never_slips_into_another_failure(found: list[tuple[FoundFailure, Kernel, Kernel]]) -> None:
    for failure, kernel, reference in found:
        minimized = minimize(failure.trace, kernel, failure.violation, reference=reference, search_budget=BUDGET)
        assert key_of(minimized.violation) == failure.key
        assert minimized.violation in run_trace(minimized.trace, kernel).violations
        fails_in_reference = [
            failure.key in map(key_of, run_trace(trace, reference).violations)
            for trace in (failure.trace, minimized.trace)
        ]
        assert fails_in_reference[0] == fails_in_reference[1]


def test_minimizing_again_changes_nothing(found: list[tuple[FoundFailure, Kernel, Kernel]]) -> None:
    for failure, kernel, reference in found:
        once = minimize(failure.trace, kernel, failure.violation, reference=reference, search_budget=BUDGET)
        twice = minimize(once.trace, kernel, once.violation, reference=reference, search_budget=BUDGET)
        assert twice.trace == once.trace
        assert once.one_minimal
        assert twice.one_minimal
        assert twice.shortest == once.shortest


def test_no_single_op_can_be_left_out(found: list[tuple[FoundFailure, Kernel, Kernel]]) -> None:
    for failure, kernel, _ in found:
        trace = minimize(failure.trace, kernel, failure.violation, search_budget=0).trace
        for i in range(len(trace.ops)):
            shorter = Trace(trace.kernel, trace.world, trace.ops[:i] + trace.ops[i + 1 :])
            assert failure.key not in map(key_of, run_trace(shorter, kernel).violations)


@pytest.mark.needs_compiled
def test_both_cores_minimize_to_the_same(found: list[tuple[FoundFailure, Kernel, Kernel]]) -> None:
    for failure, kernel, _ in found[::12]:
        results = [
            minimize(failure.trace, kernel, failure.violation, search_budget=300, compiled=compiled)
            for compiled in (True, False)
        ]
        assert results[0] == results[1]


@pytest.mark.needs_compiled
@pytest.mark.parametrize("world", [World(), WITH_ALL], ids=["plain", "full"])
def test_nine_in_ten_samples_of_one_bug_come_to_one_normal_form(patched: Kernel, before: Kernel, world: World) -> None:
    normal: dict[tuple[str, str], list[Trace]] = {}
    for seed in range(5):
        for failure in run_unit(UnitSpec(patched, world, "swarm", seed, 200_000)).failures:
            minimized = minimize(failure.trace, patched, failure.violation, reference=before)
            normal.setdefault(failure.key, []).append(minimized.trace)
    for key in (("lost-store", "migration"), ("lost-store", "swapoff")):
        forms = Counter(normal[key])
        most, count = forms.most_common(1)[0]
        assert count >= 0.9 * forms.total(), [ops_of(trace) for trace in forms]
        assert len(most.ops) == min(len(trace.ops) for trace in forms)
        assert (most.world.file, most.world.huge, most.world.batch) == (0, 0, 1)


@pytest.mark.needs_compiled
def test_what_needs_no_file_no_area_and_no_batches_ends_without_them(patched: Kernel, before: Kernel) -> None:
    for seed in range(4):
        for failure in run_unit(UnitSpec(patched, WITH_ALL, "swarm", seed, 50_000)).failures:
            if failure.key[1] in ("anon", "swapin", "swapoff", "migration", "ksm"):
                trace = minimize(failure.trace, patched, failure.violation, reference=before).trace
                if len(trace.ops) < 5:
                    assert (trace.world.file, trace.world.huge, trace.world.batch) == (0, 0, 1), ops_of(trace)
                    assert not trace.world.features & {"thp", "tmpfs", "mprotect", "mremap", "soft_dirty"}


@pytest.mark.needs_compiled
def test_a_minimization_costs_at_most_some_ten_thousand_executions(
    found: list[tuple[FoundFailure, Kernel, Kernel]],
) -> None:
    executions = []
    for failure, kernel, reference in found:
        minimized = minimize(failure.trace, kernel, failure.violation, reference=reference)
        executions.append(minimized.executions)
        assert "delete ops" in minimized.tried
        assert "exhaustive search" in minimized.tried
    assert sorted(executions)[len(executions) // 2] < 5_000
    assert max(executions) < 70_000


@pytest.mark.needs_compiled
def test_traces_that_fail_in_several_ways_keep_the_way_asked_for(
    found: list[tuple[FoundFailure, Kernel, Kernel]],
) -> None:
    several = [each for each in found if len(run_trace(each[0].trace, each[1]).violations) > 1]
    assert several
    slips = 0
    for failure, kernel, _ in several:
        minimized = minimize(failure.trace, kernel, failure.violation, search_budget=0)
        assert key_of(minimized.violation) == failure.key
        slips += minimized.slips
    assert slips > 0


def test_a_trace_that_does_not_fail_is_refused(patched: Kernel, before: Kernel) -> None:
    trace = parse_trace(
        "mmfuzz trace 1\nkernel any\nworld processes=1 pages=1 mergeable=0\nwrite 0 0 1\nmigrate 0 0\nreclaim\n"
    )
    violation = run_trace(trace, patched).violations[0]
    with pytest.raises(NotAFailure, match=f"{trace.digest} does not show lost-store of kind migration on"):
        minimize(trace, before, violation)
