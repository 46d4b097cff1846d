"""Measuring things side by side: rounds in turn, so that whatever else the machine does hits all of them."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from simcore.world import World

# Anonymous pages alone, so that figures can be compared with those of releases that had nothing else.
TYPICAL_WORLD = World(processes=3, memcgs=2)

Figures = dict[str, object]
"""What a benchmark returns: a JSON object. `claims` has one entry for each figure that is claimed somewhere."""


@dataclass(frozen=True, slots=True)
class Spread:
    """One figure over several rounds."""

    median: float
    least: float
    greatest: float

    def to_json(self) -> dict[str, float]:
        """The figures, for a JSON document."""
        return {"median": self.median, "least": self.least, "greatest": self.greatest}


@dataclass(frozen=True, slots=True)
class Claim:
    """A figure with what it must be at least; None where nothing is asked of it."""

    what: str
    measured: Spread
    unit: str
    wanted: float | None = None

    def to_json(self) -> dict[str, object]:
        """The claim, for a JSON document."""
        return {"what": self.what, **self.measured.to_json(), "unit": self.unit, "wanted": self.wanted}


@dataclass(frozen=True, slots=True)
class Rounds:
    """Work per second of CPU time of several works, round by round."""

    rates: Mapping[str, Sequence[float]]

    def rate(self, name: str) -> Spread:
        """The work's rate."""
        return spread(self.rates[name])

    def ratio(self, name: str, base: str) -> Spread:
        """How many times the base's rate the work's is, taken in each round, where both met the same machine."""
        return spread([a / b for a, b in zip(self.rates[name], self.rates[base], strict=True)])

    def to_json(self) -> dict[str, object]:
        """Every work's rate."""
        return {name: self.rate(name).to_json() for name in self.rates}


def spread(values: Sequence[float]) -> Spread:
    """The values' median and range."""
    return Spread(median(values), min(values), max(values))


def side_by_side(works: Mapping[str, Callable[[], int]], rounds: int) -> Rounds:
    """Run every work once in each round, in turn; each says how much it did."""
    seen: dict[str, list[float]] = {name: [] for name in works}
    for number in range(rounds):
        # Every other round backwards, so that no work always comes behind the same one.
        for name in list(works)[:: 1 if number % 2 == 0 else -1]:
            started = time.process_time()
            done = works[name]()
            seen[name].append(done / (time.process_time() - started))
    return Rounds(seen)


def print_rates(title: str, measured: Rounds, unit: str, base: str) -> None:
    """Print rates, and each as a multiple of the base's."""
    print(title)
    width = max(map(len, measured.rates))
    for name in measured.rates:
        rate = measured.rate(name)
        ratio = measured.ratio(name, base).median
        range_ = f"[{rate.least:,.0f} to {rate.greatest:,.0f}]"
        print(f"  {name:{width}}  {rate.median:12,.0f} {unit}  {range_:28} {ratio:9,.2f} x")
