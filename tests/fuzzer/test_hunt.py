"""Hunting: deterministic, and good enough to find what it was built to find."""

from itertools import islice

import pytest

from fuzzer.cause import default_reference
from fuzzer.failure import Failure
from fuzzer.hunt import UNIT_OPS, Progress, hunt
from fuzzer.unit import UnitSpec
from simcore.core import is_compiled
from simcore.features import ALL_FEATURES
from simcore.kernel import Kernel, diff
from simcore.kernel_files import canary_kernels
from simcore.world import World

FEW_OPS = 20_000 if is_compiled() else 3_000
BUDGET = 2_000 if is_compiled() else 100


def after(units: int, spec: UnitSpec, budget: int = BUDGET) -> Progress:
    """Where a hunt stands after so many units."""
    for progress in hunt(spec, default_reference(spec.kernel), search_budget=budget):
        if progress.units == units:
            return progress
    raise AssertionError("a hunt does not end by itself")


def found_within_200k_ops(kernel: Kernel, world: World, seed: int) -> dict[tuple[str, str], Failure]:
    """The simplest failure of each key in one unit of the swarm engine."""
    failures = after(1, UnitSpec(kernel, world, "swarm", seed, UNIT_OPS), budget=20_000).failures
    best: dict[tuple[str, str], Failure] = {}
    for failure in failures:
        known = best.setdefault(failure.key, failure)
        if len(failure.minimized.ops) < len(known.minimized.ops):
            best[failure.key] = failure
    return best


def world_with_only(*features: str) -> World:
    return World().without(ALL_FEATURES - set(features))


def ops_of(failure: Failure) -> list[str]:
    return list(map(str, failure.minimized.ops))


def test_failures_after_n_units_depend_on_n_only(patched: Kernel) -> None:
    spec = UnitSpec(patched, World(), "swarm", 4, FEW_OPS)
    assert after(3, spec) == after(3, spec)


def test_a_hunt_that_went_on_had_the_same_failures_on_its_way(patched: Kernel) -> None:
    spec = UnitSpec(patched, World(), "swarm", 4, FEW_OPS)
    ends = [progress for progress in islice(hunt(spec, None, search_budget=0), 40) if progress.new is None]
    assert [progress.units for progress in ends] == list(range(1, len(ends) + 1))
    for progress in ends[:3]:
        again = next(each for each in hunt(spec, None, search_budget=0) if each.units == progress.units)
        assert again == progress


def test_each_new_failure_is_told_once_and_before_its_unit_ends(patched: Kernel) -> None:
    spec = UnitSpec(patched, World(), "random", 5, FEW_OPS)
    told: list[str] = []
    for progress in hunt(spec, None, search_budget=0):
        if progress.new:
            told.append(progress.new.id)
            assert progress.new.id in [failure.id for failure in progress.failures]
        if progress.units == 3:
            assert told == [failure.id for failure in progress.failures]
            break
    assert len(set(told)) == len(told)


def test_other_seeds_run_other_units(before: Kernel) -> None:
    sums = {
        (progress.traces, progress.ops, progress.rows)
        for progress in (after(1, UnitSpec(before, World(), "random", seed, 2_000), 0) for seed in range(4))
    }
    assert len(sums) == 4


@pytest.mark.needs_compiled
@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_the_refused_patch_loses_migrated_pages(patched: Kernel, seed: int) -> None:
    failure = found_within_200k_ops(patched, World(), seed)["lost-store", "migration"]
    assert ops_of(failure) == ["write 0 0 1", "migrate 0 0", "reclaim"]
    assert [row.rule for row in failure.cause.rows] == ["reclaim_freeable", "unmap_discards"]
    assert all(row.bits["page_dirty"] for row in failure.cause.rows)
    assert failure.minimization["shortest"] == "known"
    assert failure.cls == "safety"


@pytest.mark.needs_compiled
@pytest.mark.parametrize("seed", [1, 2])
def test_the_refused_patch_loses_migrated_pages_without_ksm_memcg_and_swapoff(patched: Kernel, seed: int) -> None:
    world = World().without(["ksm", "memcg", "swapoff"])
    failure = found_within_200k_ops(patched, world, seed)["lost-store", "migration"]
    assert ops_of(failure) == ["write 0 0 1", "migrate 0 0", "reclaim"]


@pytest.mark.needs_compiled
@pytest.mark.parametrize("seed", [1, 2])
def test_the_refused_patch_loses_merged_pages_with_ksm_alone(patched: Kernel, seed: int) -> None:
    failure = found_within_200k_ops(patched, world_with_only("ksm"), seed)["lost-store", "ksm"]
    assert ops_of(failure) == ["write 0 0 101", "write 0 1 101", "ksm_scan", "reclaim"]


@pytest.mark.needs_compiled
@pytest.mark.parametrize("seed", [1, 2])
def test_the_refused_patch_loses_pages_that_swapoff_brought_back(patched: Kernel, seed: int) -> None:
    failure = found_within_200k_ops(patched, world_with_only("swapoff"), seed)["lost-store", "swapoff"]
    assert ops_of(failure) == ["write 0 0 1", "reclaim", "swapoff_on", "reclaim"]


@pytest.mark.needs_compiled
@pytest.mark.parametrize("seed", [1, 2])
def test_before_the_patch_given_up_pages_can_stay_for_ever(before: Kernel, seed: int) -> None:
    found = found_within_200k_ops(before, World(), seed)
    swapped = found["never-discardable", "swapin"]
    assert ops_of(swapped) == ["write 0 0 1", "reclaim", "write 0 0 2", "madv_free 0 0"]
    assert swapped.cls == "cost"
    assert ops_of(found["never-discardable", "migration"]) == ["write 0 0 1", "migrate 0 0", "madv_free 0 0"]
    for failure in (swapped, found["never-discardable", "migration"]):
        assert [row.rule for row in failure.cause.rows] == ["madv_free_locks_page"]


@pytest.mark.needs_compiled
@pytest.mark.parametrize("seed", [1, 2])
def test_with_the_patch_given_up_pages_do_not_stay(patched: Kernel, seed: int) -> None:
    found = found_within_200k_ops(patched, World(), seed)
    assert not [key for key in found if key[0] == "never-discardable"]


@pytest.mark.needs_compiled
@pytest.mark.parametrize("canary", canary_kernels(), ids=lambda kernel: kernel.name)
def test_the_cause_of_a_planted_bug_is_a_planted_row(canary: Kernel) -> None:
    reference = default_reference(canary)
    assert reference is not None
    planted = {row.flat_row for row in diff(canary, reference)}
    for failure in after(1, UnitSpec(canary, World(), "swarm", 1, UNIT_OPS)).failures:
        assert failure.cause.complete
        assert failure.cause.reference == reference.name
        assert {row.flat_row for row in failure.cause.rows} <= planted
