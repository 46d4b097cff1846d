"""A unit's execution: each of its seeds once, and nothing else."""

from dataclasses import replace

from fuzzer.campaign.work import UnitWork, output_of, run_work
from fuzzer.merge import merge_results
from fuzzer.seeds import unit_seed
from fuzzer.unit import UnitResult, UnitSpec, run_unit
from simcore.core import is_compiled
from tests.fuzzer.campaign.drawing import PAIR, WORLD

SPEC = UnitSpec(PAIR.kernel, WORLD, "swarm", 0, 0, length=30)
WORK = UnitWork(SPEC, campaign_seed=5, seed_start=10, seed_count=3, ops=2_100, seed_ops=1_000)


def results_of(work: UnitWork) -> list[UnitResult]:
    """What its seeds do, each executed alone."""
    return [run_unit(work.seed_spec(index)) for index in range(work.seed_count)]


def test_each_seed_is_the_campaigns_and_the_last_has_what_is_left_of_the_ops() -> None:
    specs = [WORK.seed_spec(index) for index in range(3)]
    assert [spec.seed for spec in specs] == [unit_seed(5, number) for number in (10, 11, 12)]
    assert [spec.ops for spec in specs] == [1_000, 1_000, 100]
    assert {replace(spec, seed=0, ops=0) for spec in specs} == {SPEC}


def test_the_output_is_that_of_all_seeds_each_executed_once() -> None:
    output = run_work(WORK)
    assert output is not None
    results = results_of(WORK)
    assert (output.seeds, output.traces) == (3, sum(result.traces for result in results))
    assert output.ops == sum(result.ops for result in results)
    assert output.rows == bytes(map(max, *(result.rows for result in results)))
    assert output.digest == merge_results(results).digest
    assert sum(count for _, count in output.counts) == sum(f.count for result in results for f in result.failures)


def test_the_same_work_gives_the_same_output(compiled: bool) -> None:
    assert run_work(WORK, compiled=compiled) == run_work(WORK)


def test_the_core_is_the_compiled_one_where_there_is_one() -> None:
    assert run_work(WORK, compiled=None) == run_work(WORK, compiled=is_compiled())


def test_it_stops_between_two_seeds_when_it_is_told_to() -> None:
    asked = []
    for allowed in range(4):
        answers = iter([True] * allowed + [False] * 3)
        output = run_work(WORK, lambda answers=answers: next(answers))  # type: ignore[misc]
        asked.append(3 + allowed - len(list(answers)))
        assert (output is None) == (allowed < 3)
    assert asked == [1, 2, 3, 3]


def test_of_a_settled_key_failures_are_counted_and_no_samples_kept() -> None:
    result = merge_results(results_of(replace(WORK, ops=6_000, seed_ops=2_000)))
    full = output_of(result, 3)
    settled = full.samples[0].key
    without = output_of(result, 3, {settled})
    assert without.samples == tuple(found for found in full.samples if found.key != settled)
    assert len(without.samples) < len(full.samples)
    assert replace(without, samples=full.samples) == full


def test_work_with_settled_keys_leaves_out_their_samples() -> None:
    output = run_work(WORK)
    assert output is not None
    assert output.samples
    keys = frozenset(found.key for found in output.samples)
    assert run_work(replace(WORK, settled=keys)) == replace(output, samples=())
