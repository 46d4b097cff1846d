"""Compare what the simulator showed with a reading: disagreements, and tallies of all that was compared.

Whole integers are compared first, and only those that differ are taken apart. What was compared is counted by the
integer, not by the observable: there are few different ones, so that the table of observables is made at the end.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from fuzzer.conform.observables import OBSERVABLES, SMAPS_NAMES, difference
from fuzzer.conform.reading import Reading
from fuzzer.conform.replay import Step, steps

END = "end"
"""Stands for an op's name where values are read at the end of a trace."""
VALUE_OPS = ("read", "migrate")


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One observable of one page after one op. `at` is the op's index; the number of ops stands for the end.

    `simulated` and `real` are the whole integers of the page; for errno and value, these.
    """

    at: int
    process: int
    page: int
    observable: str
    simulated: int
    real: int


@dataclass(slots=True)
class Tally:
    """What was compared: per op, how often which integer was the same, and how often which two stood together."""

    same: dict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    pairs: dict[str, Counter[tuple[int, int]]] = field(default_factory=lambda: defaultdict(Counter))
    smaps_same: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    smaps_pairs: dict[str, Counter[tuple[int, int]]] = field(default_factory=lambda: defaultdict(Counter))
    results: dict[str, Counter[tuple[int, int]]] = field(default_factory=lambda: defaultdict(Counter))
    values: dict[str, Counter[bool]] = field(default_factory=lambda: defaultdict(Counter))

    def add(self, other: "Tally") -> None:
        """Count what another tally has counted."""
        for name in ("same", "pairs", "smaps_pairs", "results", "values"):
            mine = getattr(self, name)
            for op, counter in getattr(other, name).items():
                mine[op].update(counter)
        for op, number in other.smaps_same.items():
            self.smaps_same[op] += number


@dataclass(frozen=True, slots=True)
class Masks:
    """The bits in which differences are disagreements: of pages, and of smaps."""

    pages: int
    smaps: int


def compare(machine: Any, reading: Reading, masks: Masks, tally: Tally) -> list[Disagreement]:
    """Every disagreement of a reading with a machine prepared for it, op by op; counts into the tally."""
    found: list[Disagreement] = []
    for at, step in enumerate(steps(machine, reading)):
        found += _compare_result(reading, at, step, tally)
        found += _compare_pages(reading, at, step, masks, tally)
        if reading.sm:
            found += _compare_smaps(reading, at, step, masks, tally)
    found += _compare_end(reading, machine.final_values(), tally)
    return found


def _compare_result(reading: Reading, at: int, step: Step, tally: Tally) -> Iterator[Disagreement]:
    name, process, page, _ = reading.ops[at]
    errno, value, _, _ = reading.res[at]
    tally.results[name][step.errno, errno] += 1
    if step.errno != errno:
        yield Disagreement(at, process, page, "errno", step.errno, errno)
    elif errno == 0 and name in VALUE_OPS:
        tally.values[name][step.value == value] += 1
        if step.value != value:
            yield Disagreement(at, process, page, "value", step.value, value)


def _compare_pages(reading: Reading, at: int, step: Step, masks: Masks, tally: Tally) -> Iterator[Disagreement]:
    name = reading.ops[at][0]
    shown = step.states
    for process, row in enumerate(reading.st[at]):
        simulated = shown[process] if process < len(shown) else []
        if row is None:
            continue
        if not simulated:
            yield Disagreement(at, process, 0, "alive", 0, 1)
        elif simulated == list(row):
            tally.same[name].update(row)
        else:
            yield from _compare_row(at, process, simulated, row, masks.pages, tally, name)
    for process in range(len(shown)):
        if shown[process] and (process >= len(reading.st[at]) or reading.st[at][process] is None):
            yield Disagreement(at, process, 0, "alive", 1, 0)


def _compare_row(
    at: int, process: int, simulated: list[int], real: tuple[int, ...], mask: int, tally: Tally, name: str
) -> Iterator[Disagreement]:
    same = tally.same[name]
    pairs = tally.pairs[name]
    for page, (a, b) in enumerate(zip(simulated, real, strict=True)):
        if a == b:
            same[a] += 1
            continue
        pairs[a, b] += 1
        differing = difference(a, b, mask)
        if differing:
            for each in OBSERVABLES:
                if differing & each.mask:
                    yield Disagreement(at, process, page, each.name, a, b)


def _compare_smaps(reading: Reading, at: int, step: Step, masks: Masks, tally: Tally) -> Iterator[Disagreement]:
    name = reading.ops[at][0]
    for process, row in enumerate(reading.sm[at]):
        simulated = step.smaps[process] if process < len(step.smaps) else []
        if row is None or not simulated:
            continue
        for page, (a, b) in enumerate(zip(simulated, row, strict=True)):
            if a == b:
                tally.smaps_same[name] += 1
                continue
            tally.smaps_pairs[name][a, b] += 1
            differing = (a ^ b) & masks.smaps
            for bit in range(len(SMAPS_NAMES) if differing else 0):
                if differing >> bit & 1:
                    yield Disagreement(at, process, page, f"smaps-{SMAPS_NAMES[bit]}", a, b)


def _compare_end(reading: Reading, simulated: list[int], tally: Tally) -> Iterator[Disagreement]:
    places = [(p, page) for p, row in enumerate(reading.fin) if row is not None for page in range(len(row))]
    real = reading.values
    for (process, page), a, b in zip(places, simulated, real, strict=False):
        tally.values[END][a == b] += 1
        if a != b:
            yield Disagreement(len(reading.ops), process, page, "value", a, b)
    if len(simulated) != len(real):
        yield Disagreement(len(reading.ops), 0, 0, "alive", len(simulated), len(real))
