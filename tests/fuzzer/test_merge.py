"""Results folded into one."""

import itertools

from fuzzer.merge import merge_results
from fuzzer.unit import SAMPLES_PER_KEY, UnitResult, UnitSpec, run_unit
from simcore.kernel import Kernel
from simcore.world import World


def results(kernel: Kernel) -> list[UnitResult]:
    return [run_unit(UnitSpec(kernel, World(), "swarm", seed, 3_000)) for seed in (1, 2, 3)]


def test_sums_do_not_depend_on_the_order(patched: Kernel) -> None:
    merged = [merge_results(order) for order in itertools.permutations(results(patched))]
    assert len({(each.traces, each.ops, each.rows, each.digest) for each in merged}) == 1


def test_folding_step_by_step_equals_folding_at_once(patched: Kernel) -> None:
    a, b, c = results(patched)
    assert merge_results([merge_results([a, b]), c]) == merge_results([a, merge_results([b, c])])
    assert merge_results([a, b, c]) == merge_results([merge_results([a, b]), c])


def test_nothing_is_the_neutral_element(patched: Kernel) -> None:
    result = results(patched)[0]
    assert merge_results([]) == UnitResult()
    assert merge_results([UnitResult(), result]) == result


def test_no_count_is_lost_and_no_key_has_too_many_samples(patched: Kernel) -> None:
    parts = results(patched)
    merged = merge_results(parts)
    for key in {found.key for part in parts for found in part.failures}:
        counted = sum(found.count for part in parts for found in part.failures if found.key == key)
        kept = [found for found in merged.failures if found.key == key]
        assert sum(found.count for found in kept) == counted
        assert len(kept) <= SAMPLES_PER_KEY
