"""Folding: what is known of a cell follows from its units' outputs, in whatever batches they come."""

from collections.abc import Sequence
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzer.campaign.fold import CellState, FoldStep, fold
from fuzzer.campaign.rows import count_rows
from fuzzer.campaign.work import UnitOutput, UnitWork, run_work
from fuzzer.choice import LATER_SAMPLES
from fuzzer.unit import UnitSpec
from tests.fuzzer.campaign.drawing import PAIR, WORLD, Drawing


def fold_all(outputs: Sequence[UnitOutput], state: CellState | None = None) -> tuple[CellState, list[FoldStep]]:
    """The state after all outputs, and every step to it."""
    state, steps = state or CellState(), []
    for output in outputs:
        steps.append(fold(state, output))
        state = steps[-1].state
    return state, steps


def outputs_of(units: int, drawing: Drawing | None = None) -> list[UnitOutput]:
    """The outputs of so many units of two seeds each."""
    spec = UnitSpec(PAIR.kernel, WORLD, "swarm", 0, 0)
    works = [UnitWork(spec, 3, 2 * number, 2, 2_000, 1_000) for number in range(units)]
    return [(drawing or Drawing(fails_every=2)).execute(work) for work in works]


@given(st.lists(st.integers(1, 6), min_size=1, max_size=8))
def test_batches_make_no_difference(batches: list[int]) -> None:
    outputs = outputs_of(sum(batches))
    state, steps = CellState(), list[FoldStep]()
    rest = iter(outputs)
    for size in batches:
        state, more = fold_all([next(rest) for _ in range(size)], state)
        steps += more
    assert (state, steps) == fold_all(outputs)


def test_folding_changes_none_of_its_arguments() -> None:
    outputs = outputs_of(10)
    state, _ = fold_all(outputs[:5])
    keys, coverage = dict(state.keys), state.coverage
    assert fold(state, outputs[5]) == fold(state, outputs[5])
    assert (dict(state.keys), state.coverage, state.units) == (keys, coverage, 5)


def test_sums_are_those_of_the_outputs() -> None:
    outputs = outputs_of(20)
    state, _ = fold_all(outputs)
    assert (state.units, state.traces, state.ops) == (20, sum(o.traces for o in outputs), sum(o.ops for o in outputs))
    for key, account in state.keys.items():
        assert account.count == sum(dict(output.counts).get(key, 0) for output in outputs)
    assert set(state.keys) == {key for output in outputs for key, _ in output.counts}


def test_a_key_has_the_samples_of_its_first_unit_chosen_and_some_more() -> None:
    outputs = outputs_of(60)
    _, steps = fold_all(outputs)
    chosen = [
        (output.samples[place].key, number)
        for number, (output, step) in enumerate(zip(outputs, steps, strict=True))
        for place in step.chosen
    ]
    for key in {key for key, _ in chosen}:
        first = next(number for number, output in enumerate(outputs) if key in dict(output.counts))
        of_first = sum(found.key == key for found in outputs[first].samples)
        assert [number for k, number in chosen if k == key].count(first) == of_first
    most = max({key for key, _ in chosen}, key=lambda key: sum(k == key for k, _ in chosen))
    assert [k for k, _ in chosen].count(most) in (1 + LATER_SAMPLES, 2 + LATER_SAMPLES)


def test_a_unit_is_news_when_it_reaches_a_row_first_or_has_a_sample_chosen() -> None:
    (output,) = outputs_of(1, Drawing(fails_every=1))
    first = fold(CellState(), output)
    assert first.is_news
    assert count_rows(first.new_rows) > 0
    again = fold(first.state, output)
    assert (again.is_news, count_rows(again.new_rows)) == (True, 0)
    quiet = fold(first.state, replace(output, samples=(), counts=()))
    assert not quiet.is_news


def test_rows_reached_first_are_told_by_exactly_one_unit() -> None:
    state, steps = fold_all(outputs_of(40))
    assert sum(count_rows(step.new_rows) for step in steps) == count_rows(state.coverage.seen)


@pytest.mark.parametrize("places", [(), (0,), (0, 2)])
def test_samples_that_a_worker_left_out_as_settled_change_nothing(places: tuple[int, ...]) -> None:
    outputs = outputs_of(80)
    state, _ = fold_all(outputs)
    settled = sorted(key for key, account in state.keys.items() if account.later_samples == LATER_SAMPLES)
    assert settled
    output = outputs_of(81, Drawing(fails_every=1))[-1]
    left = tuple(f for place, f in enumerate(output.samples) if f.key not in settled or place in places)
    assert fold(state, replace(output, samples=left)).state == fold(state, output).state


def test_real_outputs_fold_as_drawn_ones_do() -> None:
    work = UnitWork(UnitSpec(PAIR.kernel, WORLD, "swarm", 0, 0), 3, 0, 2, 4_000, 2_000)
    output = run_work(work)
    assert output is not None
    step = fold(CellState(), output)
    assert step.chosen
    assert {output.samples[place] for place in step.chosen} == set(output.samples)
