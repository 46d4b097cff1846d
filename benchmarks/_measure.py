"""Measuring things side by side: rounds in turn, so that whatever else the machine does hits all of them."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median


@dataclass(frozen=True, slots=True)
class Rate:
    """Work per second over several rounds: the median, and the slowest and fastest round."""

    median: float
    slowest: float
    fastest: float

    def to_json(self) -> dict[str, float]:
        """The figures, for a JSON document."""
        return {"median": self.median, "slowest": self.slowest, "fastest": self.fastest}


def rates(works: Mapping[str, Callable[[], int]], rounds: int = 5) -> dict[str, Rate]:
    """Run every work once in each round, in turn; each says how much it did. Work per second of CPU time."""
    seen: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(rounds):
        for name, work in works.items():
            started = time.process_time()
            done = work()
            seen[name].append(done / (time.process_time() - started))
    return {name: Rate(median(each), min(each), max(each)) for name, each in seen.items()}


def table(title: str, measured: Mapping[str, Rate], unit: str, base: str) -> None:
    """Print rates, and each as a multiple of the base's."""
    print(title)
    width = max(len(name) for name in measured)
    for name, rate in measured.items():
        spread = f"[{rate.slowest:,.0f} to {rate.fastest:,.0f}]"
        ratio = rate.median / measured[base].median
        print(f"  {name:{width}}  {rate.median:14,.0f} {unit}  {spread:34} {ratio:10,.2f} x")
