"""Which units a campaign has: a function of its settings and the unit's number alone.

The first units are small, so that what is easily found is found at once; they double in size up to the campaign's
units.seeds. Cells take turns by their weights.
"""

from dataclasses import dataclass
from functools import lru_cache

from fuzzer.campaign.spec import CampaignSpec

# Rounds of units before the size doubles.
ROUNDS_PER_SIZE = 2


@dataclass(frozen=True, slots=True)
class UnitPlan:
    """A unit: its number, its cell, and its seeds, which no other unit of the campaign has.

    `ops` is the budget over all seeds: `seed_ops` each, and the rest for the last one.
    """

    number: int
    cell: int
    seed_start: int
    seed_count: int
    ops: int


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a campaign is planned: the next unit's number, and the seeds and ops of all before it."""

    number: int = 0
    seeds: int = 0
    ops: int = 0

    def after(self, unit: UnitPlan) -> "Cursor":
        """The cursor behind this unit, which is the next."""
        assert unit.number == self.number, f"unit {unit.number} is not the next, {self.number}"
        return Cursor(self.number + 1, self.seeds + unit.seed_count, self.ops + unit.ops)


def next_unit(spec: CampaignSpec, cursor: Cursor) -> UnitPlan | None:
    """The unit at the cursor; None when the budget of ops is planned to its end."""
    turns = turn_order(spec.weights)
    seed_count = unit_seeds(cursor.number // len(turns), spec.seeds_per_unit)
    ops = seed_count * spec.seed_ops
    if spec.budget.ops is not None:
        ops = min(ops, spec.budget.ops - cursor.ops)
        seed_count = -(-ops // spec.seed_ops)
    if ops <= 0:
        return None
    return UnitPlan(cursor.number, turns[cursor.number % len(turns)], cursor.seeds, seed_count, ops)


def unit_seeds(round_number: int, most: int) -> int:
    """How many seeds the units of a round have."""
    doublings = min(round_number // ROUNDS_PER_SIZE, most.bit_length())
    return min(1 << doublings, most)


@lru_cache(maxsize=256)
def turn_order(weights: tuple[int, ...]) -> tuple[int, ...]:
    """The cells' numbers, each as often as its weight says, spread evenly: smooth weighted round-robin."""
    total = sum(weights)
    credit = [0] * len(weights)
    order = []
    for _ in range(total):
        for number, weight in enumerate(weights):
            credit[number] += weight
        chosen = max(range(len(weights)), key=lambda i: (credit[i], -i))
        credit[chosen] -= total
        order.append(chosen)
    return tuple(order)


def halves(seed_start: int, seed_count: int, ops: int, seed_ops: int) -> tuple[tuple[int, int, int], ...]:
    """A unit's seeds in two parts, each (seed_start, seed_count, ops); together they are the unit."""
    assert seed_count > 1, "one seed cannot be split"
    first = seed_count // 2
    return (seed_start, first, first * seed_ops), (seed_start + first, seed_count - first, ops - first * seed_ops)
