"""Smallest sets found by asking."""

from collections.abc import Sequence

import pytest

from fuzzer.small_sets import BudgetSpent, irreducible_set, limited, smallest_set


def test_smallest_set_is_the_first_of_the_smallest() -> None:
    assert smallest_set([1, 2, 3, 4], 3, lambda some: {2, 4} <= set(some)) == (2, 4)
    assert smallest_set([3, 1, 2], 2, lambda some: sum(some) == 3) == (3,)
    assert smallest_set([1, 2, 3], 2, lambda some: sum(some) == 6) is None
    assert smallest_set([], 3, lambda some: True) is None  # noqa: ARG005


def test_irreducible_set_cannot_lose_a_member() -> None:
    def holds(some: Sequence[int]) -> bool:
        return sum(some) >= 10

    found = irreducible_set(range(1, 9), holds)
    assert holds(found)
    assert not any(holds([other for other in found if other != member]) for member in found)


def test_irreducible_set_is_empty_when_nothing_is_needed() -> None:
    assert irreducible_set([1, 2, 3], lambda some: True) == ()  # noqa: ARG005


def test_a_limited_question_is_asked_so_often_and_no_more() -> None:
    asked: list[Sequence[int]] = []

    def ask(some: Sequence[int]) -> bool:
        asked.append(some)
        return False

    with pytest.raises(BudgetSpent):
        smallest_set(range(100), 3, limited(ask, 120))
    assert len(asked) == 120
