"""Folding the outputs of units into what is known of a cell: pure, and in the order of the units' numbers.

The order makes what is known independent of who executed what and when.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from fuzzer.campaign.rows import Coverage, count_rows, pack_rows
from fuzzer.campaign.work import UnitOutput
from fuzzer.choice import choose_samples
from fuzzer.unit import FailureKey


@dataclass(frozen=True, slots=True)
class KeyAccount:
    """How often a key has failed, and how many samples of it were chosen after the first unit that had any."""

    count: int = 0
    later_samples: int = 0


@dataclass(frozen=True, slots=True)
class CellState:
    """What is known of a cell after some units."""

    units: int = 0
    traces: int = 0
    ops: int = 0
    coverage: Coverage = field(default_factory=Coverage)
    keys: Mapping[FailureKey, KeyAccount] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class FoldStep:
    """One unit folded in: the cell's state after it, the samples chosen to be minimized, and the rows it was first
    to reach.
    """

    state: CellState
    chosen: tuple[int, ...]
    new_rows: bytes

    @property
    def is_news(self) -> bool:
        """Whether the unit reached a row first, or failed in a way that is to be looked at."""
        return bool(self.chosen) or count_rows(self.new_rows) > 0


def fold(state: CellState, output: UnitOutput) -> FoldStep:
    """Fold the next unit of the cell in."""
    coverage, new_rows = state.coverage.add(pack_rows(output.rows))
    later = {key: account.later_samples for key, account in state.keys.items()}
    chosen, later = choose_samples(later, output.samples)
    keys = dict(state.keys)
    for key, count in output.counts:
        keys[key] = KeyAccount(keys.get(key, KeyAccount()).count + count, later.get(key, 0))
    after = replace(
        state,
        units=state.units + 1,
        traces=state.traces + output.traces,
        ops=state.ops + output.ops,
        coverage=coverage,
        keys=keys,
    )
    return FoldStep(after, chosen, new_rows)
