"""Units follow from the settings and their numbers alone, and together they are the campaign."""

from collections import Counter
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fuzzer.campaign.plan import Cursor, UnitPlan, halves, next_unit, turn_order, unit_seeds
from fuzzer.campaign.spec import Budget, CampaignSpec
from tests.fuzzer.campaign.drawing import PAIR, WORLD

MOST_UNITS = 60


@st.composite
def specs(draw: st.DrawFn) -> CampaignSpec:
    """Campaigns with one to six cells of different weights, some without a budget of ops."""
    weights = st.integers(1, 7)
    engines = draw(st.sampled_from([("swarm",), ("random",), ("random", "swarm")]))
    return CampaignSpec(
        kernels=(PAIR,),
        worlds=(WORLD,),
        seed=draw(st.integers(0, 9)),
        without=draw(st.sampled_from([((),), ((), ("ksm",), ("ksm", "memcg"))])),
        engines=tuple((name, draw(weights)) for name in engines),
        budget=Budget(ops=draw(st.none() | st.integers(0, 200_000))),
        seed_ops=draw(st.integers(100, 5000)),
        seeds_per_unit=draw(st.integers(1, 40)),
    )


def units_of(spec: CampaignSpec, most: int = MOST_UNITS) -> list[UnitPlan]:
    """The first units."""
    cursor, units = Cursor(), list[UnitPlan]()
    while len(units) < most and (unit := next_unit(spec, cursor)) is not None:
        units.append(unit)
        cursor = cursor.after(unit)
    return units


@settings(max_examples=30)
@given(specs())
def test_no_seed_is_in_two_units_and_none_is_left_out(spec: CampaignSpec) -> None:
    next_seed = 0
    for number, unit in enumerate(units_of(spec)):
        assert (unit.number, unit.seed_start) == (number, next_seed)
        assert 1 <= unit.seed_count <= spec.seeds_per_unit
        next_seed += unit.seed_count


@settings(max_examples=30)
@given(specs())
def test_each_seed_has_its_ops_and_the_last_one_the_rest(spec: CampaignSpec) -> None:
    units = units_of(spec)
    for unit in units[:-1]:
        assert unit.ops == unit.seed_count * spec.seed_ops
    for unit in units[-1:]:
        assert (unit.seed_count - 1) * spec.seed_ops < unit.ops <= unit.seed_count * spec.seed_ops


@settings(max_examples=30)
@given(specs(), st.integers(0, 100_000))
def test_the_budget_of_ops_is_used_exactly(spec: CampaignSpec, ops: int) -> None:
    bounded = replace(spec, budget=Budget(ops=ops), seed_ops=max(spec.seed_ops, 1000))
    assert sum(unit.ops for unit in units_of(bounded, most=200)) == ops


@settings(max_examples=30)
@given(specs())
def test_a_unit_depends_on_nothing_but_the_settings_and_the_cursor(spec: CampaignSpec) -> None:
    units = units_of(spec)
    for before, unit in pairwise(units):
        again = Cursor(unit.number, before.seed_start + before.seed_count, sum(u.ops for u in units[: unit.number]))
        assert next_unit(replace(spec), again) == unit


@settings(max_examples=30)
@given(specs())
def test_what_ends_a_campaign_otherwise_changes_no_unit(spec: CampaignSpec) -> None:
    more = replace(spec, budget=replace(spec.budget, seconds=1.0, failures=1, plateau=1), priority=9, canary_minutes=0)
    assert units_of(more) == units_of(spec)


def test_a_cursor_goes_on_only_behind_its_own_unit() -> None:
    with pytest.raises(AssertionError, match="unit 1 is not the next, 0"):
        Cursor().after(UnitPlan(1, 0, 0, 1, 1))


def test_sizes_double_every_two_rounds_up_to_the_largest() -> None:
    assert [unit_seeds(number, 100) for number in range(18)] == [
        *(1, 1, 2, 2, 4, 4, 8, 8, 16, 16, 32, 32, 64, 64, 100, 100, 100, 100)
    ]
    assert unit_seeds(10**9, 1 << 20) == 1 << 20
    assert unit_seeds(10**9, 1) == 1


@settings(max_examples=30)
@given(specs())
def test_in_a_round_every_cell_has_its_turns_and_units_of_one_size(spec: CampaignSpec) -> None:
    spec = replace(spec, budget=Budget())
    cells = spec.cells
    turns = sum(cell.weight for cell in cells)
    units = units_of(spec, most=2 * turns)
    assert {unit.seed_count for unit in units} == {1}
    assert Counter(unit.cell for unit in units) == {cell.number: 2 * cell.weight for cell in cells}


@settings(max_examples=30)
@given(specs())
def test_turns_are_spread_evenly(spec: CampaignSpec) -> None:
    cells = spec.cells
    assert spec.weights == tuple(cell.weight for cell in cells)
    order, total = turn_order(spec.weights), sum(spec.weights)
    for cell in cells:
        for length in range(1, total + 1):
            fair = length * cell.weight / total
            # No cell is ever further from its share than by less than one turn for each other cell.
            assert abs(order[:length].count(cell.number) - fair) < max(1, len(cells) - 1)


def test_the_lesser_of_3_to_1_has_its_turn_amid_the_others() -> None:
    spec = CampaignSpec(kernels=(PAIR,), worlds=(WORLD,), seed=1, engines=(("random", 1), ("swarm", 3)))
    names = [spec.cells[number].engine for number in turn_order(spec.weights)]
    assert names == ["swarm", "random", "swarm", "swarm"]


@given(st.integers(0, 1000), st.integers(2, 300), st.integers(1, 5000), st.data())
def test_halves_are_the_unit(seed_start: int, seed_count: int, seed_ops: int, data: st.DataObject) -> None:
    ops = (seed_count - 1) * seed_ops + data.draw(st.integers(1, seed_ops))
    (start, count, first_ops), (second_start, second_count, second_ops) = halves(seed_start, seed_count, ops, seed_ops)
    assert (start, second_start) == (seed_start, seed_start + count)
    assert count + second_count == seed_count
    assert 0 <= second_count - count <= 1
    # The last seed alone has what is left of the ops, so the first half has all of its own.
    assert first_ops == count * seed_ops
    assert first_ops + second_ops == ops


def test_one_seed_has_no_halves() -> None:
    with pytest.raises(AssertionError, match="one seed cannot be split"):
        halves(5, 1, 100, 100)
