"""How far simulator and readings agree, observable by observable: the figures of a tally."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fuzzer.conform.compare import Masks, Tally
from fuzzer.conform.observables import APPLIES_MASK, OBSERVABLES, SMAPS_NAMES, SMAPS_UNTRUSTED, Observable, difference


@dataclass(frozen=True, slots=True)
class Agreement:
    """One observable: how often it was compared, and how often it was the same.

    Compared is where it means something on the simulator's page or on the real one, `places` all places looked at.
    """

    observable: str
    trusted: bool
    compared: int
    agreed: int
    places: int

    @property
    def differing(self) -> int:
        """How often it was not the same."""
        return self.compared - self.agreed

    @property
    def share(self) -> float:
        """The part of what was compared that is the same, 0 to 1; 1 where nothing was."""
        return self.agreed / self.compared if self.compared else 1.0

    @property
    def share_of_places(self) -> float:
        """The same over all places, those where it means nothing on either side counted as the same."""
        return 1.0 - self.differing / self.places if self.places else 1.0


@dataclass(frozen=True, slots=True)
class OpAgreement:
    """What was compared after one op: how often it was run, its pages, those without a disagreement, and the figures
    of each observable.
    """

    op: str
    runs: int
    pages: int
    agreeing_pages: int
    observables: tuple[Agreement, ...]


def by_op(tally: Tally, masks: Masks) -> tuple[OpAgreement, ...]:
    """The figures of each op, the most frequent first; last those of the end of the traces."""
    runs = {op: results.total() for op, results in tally.results.items()}
    ops = sorted(runs, key=lambda op: (-runs[op], op))
    ends = [op for op in tally.values if op not in runs]
    return tuple(_op_agreement(op, runs.get(op, 0), tally, masks) for op in (*ops, *ends))


def overall(ops: Iterable[OpAgreement]) -> tuple[Agreement, ...]:
    """The figures over all ops."""
    sums: dict[str, Agreement] = {}
    for op in ops:
        for each in op.observables:
            sums[each.observable] = _sum(sums.get(each.observable), each)
    return tuple(sums.values())


def add_up(files: Iterable[tuple[OpAgreement, ...]]) -> tuple[OpAgreement, ...]:
    """The figures of several files together, op by op."""
    sums: dict[str, OpAgreement] = {}
    for ops in files:
        for op in ops:
            old = sums.get(op.op)
            sums[op.op] = op if old is None else _sum_of_ops(old, op)
    return tuple(sorted(sums.values(), key=lambda op: (op.runs == 0, -op.runs, op.op)))


def _sum_of_ops(a: OpAgreement, b: OpAgreement) -> OpAgreement:
    return OpAgreement(
        a.op, a.runs + b.runs, a.pages + b.pages, a.agreeing_pages + b.agreeing_pages,
        overall([a, b]),
    )  # fmt: skip


def _sum(a: Agreement | None, b: Agreement) -> Agreement:
    if a is None:
        return b
    return Agreement(b.observable, b.trusted, a.compared + b.compared, a.agreed + b.agreed, a.places + b.places)


def _op_agreement(op: str, runs: int, tally: Tally, masks: Masks) -> OpAgreement:
    same = _reduced(tally.same.get(op, Counter()))
    pairs = tally.pairs.get(op, Counter())
    pages = same.total() + pairs.total()
    bad = sum(number for (a, b), number in pairs.items() if difference(a, b, masks.pages))
    shown = [each for each in OBSERVABLES if not each.trusted or masks.pages & each.mask]
    figures = [*_results(op, tally), *(_observable(each, same, pairs, pages) for each in shown)]
    return OpAgreement(op, runs, pages, pages - bad, (*figures, *_smaps(op, tally, masks)))


def _reduced(same: Mapping[int, int]) -> Counter[int]:
    """Counts of what decides whether an observable applies."""
    counts: Counter[int] = Counter()
    for state, number in same.items():
        counts[state & APPLIES_MASK] += number
    return counts


def _results(op: str, tally: Tally) -> Iterable[Agreement]:
    results = tally.results.get(op, Counter())
    if results:
        agreed = sum(number for (a, b), number in results.items() if a == b)
        yield Agreement("errno", True, results.total(), agreed, results.total())
    values = tally.values.get(op, Counter())
    if values:
        yield Agreement("value", True, values.total(), values[True], values.total())


def _observable(
    observable: Observable, same: Mapping[int, int], pairs: Mapping[tuple[int, int], int], pages: int
) -> Agreement:
    compared = sum(number for state, number in same.items() if observable.applies(state))
    agreed = compared
    for (a, b), number in pairs.items():
        if observable.applies(a) or observable.applies(b):
            compared += number
            if not difference(a, b, observable.mask):
                agreed += number
    return Agreement(observable.name, observable.trusted, compared, agreed, pages)


def _smaps(op: str, tally: Tally, masks: Masks) -> Iterable[Agreement]:
    pairs = tally.smaps_pairs.get(op, Counter())
    total = tally.smaps_same.get(op, 0) + pairs.total()
    for bit, name in enumerate(SMAPS_NAMES if total else ()):
        trusted = name not in SMAPS_UNTRUSTED
        if trusted and not masks.smaps >> bit & 1:
            continue
        differing = sum(number for (a, b), number in pairs.items() if (a ^ b) >> bit & 1)
        yield Agreement(f"smaps-{name}", trusted, total, total - differing, total)
