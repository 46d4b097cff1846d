"""Which rows of a kernel make a trace fail.

A kernel is data, so a failure can be asked for its cause by experiment. With a reference kernel that does not
fail on the trace: rows are moved from the guilty kernel into the reference, and a smallest set that makes the
failure appear there is its cause. Where the reference fails by itself, or there is none: rows of the guilty
kernel are flipped, and a smallest set that makes the failure vanish, without another one in its place, is
what can be said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fuzzer.judge import Probe, words_of
from fuzzer.small_sets import BudgetSpent, irreducible_set, limited, smallest_set
from fuzzer.unit import FailureKey, key_of
from simcore.kernel import Kernel, RowDiff
from simcore.kernel_files import canary_kernels, shipped_kernels
from simcore.rules import TOTAL_ROWS, row_bits, rule_of_row
from simcore.run import Violation, run_trace
from simcore.trace import Trace
from simcore.truth_table import row_as_call

DEFAULT_BUDGET = 6000
# Larger sets are not searched for; what is found then is a set from which no row can be left out.
LARGEST_SET = 3


@dataclass(frozen=True, slots=True)
class Cause:
    """The guilty rows: in each, `a` is what the reference says, or the flipped value, and `b` what the kernel
    says.

    `reference` names the kernel the rows were exchanged with; None when rows of the guilty kernel were
    flipped instead. `how` says in words what was done and what came of it. `complete` is False when the
    search was cut short: then a smaller set, or any set at all, may exist.
    """

    reference: str | None
    rows: tuple[RowDiff, ...]
    how: str
    complete: bool

    def lines(self) -> tuple[str, ...]:
        """The rows for people: `reclaim_freeable(anon=1, page_dirty=1): reference False, here True`."""
        other = "flipped" if self.reference is None else "reference"
        return tuple(f"{row_as_call(row.rule, row.bits)}: {other} {row.a}, here {row.b}" for row in self.rows)

    def to_json(self) -> dict[str, object]:
        """The cause as what JSON can hold."""
        rows = [
            {"rule": row.rule, "row": row.row, "bits": dict(row.bits), "reference": row.a, "here": row.b}
            for row in self.rows
        ]
        return {"reference": self.reference, "rows": rows, "how": self.how, "complete": self.complete}


def default_reference(kernel: Kernel) -> Kernel | None:
    """The kernel to exchange rows with: the parent, else the successor, if it is shipped; None without
    either.
    """
    known = {each.name: each for each in (*shipped_kernels(), *canary_kernels())}
    for name in (kernel.parent, kernel.successor):
        if name is not None and name in known:
            return known[name]
    return None


def find_cause(
    trace: Trace,
    kernel: Kernel,
    violation: Violation,
    reference: Kernel | None,
    *,
    budget: int = DEFAULT_BUDGET,
    compiled: bool | None = None,
) -> Cause:
    """The rows that make the trace fail as it did in the violation. `budget` bounds the sets of rows tried.

    Of sets of equal size, rows exchanged are the first in the flat table. Rows flipped are rather those in
    which another shipped kernel decides the other way, and of those the ones first used last: decided late,
    but doubted.
    """
    trial = _Trial(trace, key_of(violation), compiled=compiled)
    why = _why_no_exchange(trial, kernel, reference)
    if why is None and reference is not None:
        return _exchange_rows(trial, kernel, reference, budget)
    return _flip_rows(trial, kernel, f"{why}.", budget)


class _Trial:
    """Runs one trace with ever other rows."""

    def __init__(self, trace: Trace, key: FailureKey, *, compiled: bool | None) -> None:
        self.trace = trace
        self._compiled = compiled
        self._words = words_of(trace)
        self._key = key
        self._probe = Probe(bytes(TOTAL_ROWS), compiled=compiled)

    def fails(self, rows: bytes) -> bool:
        """Whether the trace fails in the same way with these rows."""
        self._run(rows)
        return self._probe.shows(self._key)

    def is_clean(self, rows: bytes) -> bool:
        """Whether no oracle says anything with these rows."""
        return not self._run(rows)

    def used(self, rows: bytes) -> set[int]:
        """The rows that the trace uses."""
        self._probe.load(rows)
        used = self._probe.used_rows(self.trace.world, self._words)
        return {row for row in range(TOTAL_ROWS) if used[row]}

    def first_uses(self, kernel: Kernel) -> list[int]:
        """The rows that the trace uses, in the order of their first use."""
        log = run_trace(self.trace, kernel, log=True, compiled=self._compiled).log
        return list(dict.fromkeys(row for rows in log for row in rows))

    def _run(self, rows: bytes) -> int:
        self._probe.load(rows)
        return self._probe.run(self.trace.world, self._words)


def _why_no_exchange(trial: _Trial, kernel: Kernel, reference: Kernel | None) -> str | None:
    """Why rows cannot be exchanged with the reference; None when they can."""
    if reference is None:
        return "There is no reference kernel to exchange rows with"
    if reference.rows == kernel.rows:
        return f"The reference {reference.name} has the same rows"
    if trial.fails(reference.rows):
        return (
            f"The reference {reference.name} fails in the same way,"
            " so the cause is not among the rows in which it differs"
        )
    return None


def _exchange_rows(trial: _Trial, kernel: Kernel, reference: Kernel, budget: int) -> Cause:
    def fails_with(rows: Sequence[int]) -> bool:
        return trial.fails(_moved(reference.rows, kernel.rows, rows))

    candidates = _exchangeable(trial, kernel, reference)
    complete = True
    try:
        guilty = smallest_set(candidates, LARGEST_SET, limited(fails_with, budget))
    except BudgetSpent:
        guilty, complete = None, False
    if guilty is None:
        guilty = irreducible_set(candidates, fails_with)
        complete = complete and len(guilty) == LARGEST_SET + 1
    how = (
        f"{reference.name} does not fail on this trace; with {_count(len(guilty))} of {kernel.name} it does"
        f" ({_count(len(candidates))} in which the two differ are used here)."
    )
    end = " No smaller set does." if complete else " A smaller set may do too: the search was cut short."
    return Cause(reference.name, _row_diffs(guilty, kernel.rows), how + end, complete)


def _exchangeable(trial: _Trial, kernel: Kernel, reference: Kernel) -> list[int]:
    """Differing rows that the trace uses, enough that the reference fails with all of them."""
    differing = [row for row in range(TOTAL_ROWS) if kernel.rows[row] != reference.rows[row]]
    used = trial.used(kernel.rows) | trial.used(reference.rows)
    while True:
        candidates = [row for row in differing if row in used]
        mixed = _moved(reference.rows, kernel.rows, candidates)
        if trial.fails(mixed):
            return candidates
        # The mixed kernel went a third way, so it used a row that is still the reference's.
        missing = trial.used(mixed) - used
        assert missing & set(differing), "two kernels with the same rows in use went different ways"
        used |= missing


def _flip_rows(trial: _Trial, kernel: Kernel, why: str, budget: int) -> Cause:
    def is_clean_with(rows: Sequence[int]) -> bool:
        return trial.is_clean(_flipped(kernel.rows, rows))

    uses = trial.first_uses(kernel)
    complete = True
    try:
        suspects = _doubted_first(uses, kernel)
        guilty = smallest_set(suspects, LARGEST_SET, limited(is_clean_with, budget))
    except BudgetSpent:
        guilty, complete = None, False
    if guilty:
        how = f"With {_count(len(guilty))} of {kernel.name} flipped, the failure is gone and no other appears."
    elif complete:
        how = f"No {LARGEST_SET} of the {_count(len(uses))} that the trace uses can be flipped to make it go."
    else:
        how = "The search for rows that make it go when flipped was cut short."
    return Cause(None, _row_diffs(guilty or (), kernel.rows), f"{why} {how}", complete)


def _doubted_first(uses: Sequence[int], kernel: Kernel) -> list[int]:
    """The rows that another shipped kernel decides the other way, then the others; each part the last used
    first.
    """
    others = shipped_kernels()
    doubted = {row for row in uses if any(other.rows[row] != kernel.rows[row] for other in others)}
    last_first = list(reversed(uses))
    return sorted(last_first, key=lambda row: row not in doubted)


def _moved(into: bytes, source: bytes, rows: Sequence[int]) -> bytes:
    table = bytearray(into)
    for row in rows:
        table[row] = source[row]
    return bytes(table)


def _flipped(table: bytes, rows: Sequence[int]) -> bytes:
    return _moved(table, bytes(1 - value for value in table), rows)


def _row_diffs(rows: Sequence[int], here: bytes) -> tuple[RowDiff, ...]:
    """The rows in the order of the flat table; each is the kernel's value against the other one."""
    diffs = []
    for flat_row in sorted(rows):
        rule, row = rule_of_row(flat_row)
        value = bool(here[flat_row])
        diffs.append(RowDiff(rule.name, row, row_bits(rule, row), not value, value))
    return tuple(diffs)


def _count(rows: int) -> str:
    return f"{rows} row{'' if rows == 1 else 's'}"
