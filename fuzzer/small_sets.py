"""Smallest sets for which something holds, found by asking."""

from collections.abc import Callable, Sequence
from itertools import combinations

Question = Callable[[Sequence[int]], bool]


class BudgetSpent(Exception):  # noqa: N818 - it reads as what happened
    """No more questions may be asked."""


def limited(holds: Question, budget: int) -> Question:
    """The question, which can be asked so many times; after that it raises BudgetSpent."""
    left = budget

    def ask(candidate: Sequence[int]) -> bool:
        nonlocal left
        if left <= 0:
            raise BudgetSpent
        left -= 1
        return holds(candidate)

    return ask


def smallest_set(members: Sequence[int], largest: int, holds: Question) -> tuple[int, ...] | None:
    """The first of the smallest sets of up to `largest` members for which it holds; None when it holds for
    none.

    Sets come in the order of their members. Cost: a question for each set.
    """
    for size in range(1, largest + 1):
        for candidate in combinations(members, size):
            if holds(candidate):
                return candidate
    return None


def irreducible_set(members: Sequence[int], holds: Question) -> tuple[int, ...]:
    """A set for which it holds, and without any one member does not; it must hold for all members.

    Cost: a question for each member, and one more round for each round that left something out.
    """
    kept = tuple(members)
    before = None
    while kept != before:
        before = kept
        for member in before:
            without = tuple(other for other in kept if other != member)
            if holds(without):
                kept = without
    return kept
