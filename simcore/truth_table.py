"""A rule's truth table: as a call, over fewer or more bits, and folded into terms that people can read.

A term names the bits that matter and their values: `write=0 reuse=1` stands for every row with these values,
whatever the other bits. Rows are folded as Quine and McCluskey do it: two terms that differ in the value of
one bit become one without the bit, until none can; then a greedy choice keeps few terms, and none that the
others make superfluous.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from simcore.rules import RULE_BY_NAME, Rule


@dataclass(frozen=True, slots=True)
class Term:
    """Rows that have some bits in common: those in `mask` are as in `value`, the others do not matter."""

    rule: str
    mask: int
    value: int

    @property
    def bits(self) -> dict[str, bool]:
        """The bits that matter and their values, in the rule's order."""
        bits = RULE_BY_NAME[self.rule].bits
        return {bit: bool(self.value >> i & 1) for i, bit in enumerate(bits) if self.mask >> i & 1}

    def covers(self, row: int) -> bool:
        """Whether the row is one of the term's."""
        return row & self.mask == self.value

    def __str__(self) -> str:
        """`write=0 reuse=1`; `always` when no bit matters."""
        return " ".join(f"{bit}={value:d}" for bit, value in self.bits.items()) or "always"


def row_as_call(rule: str, bits: Mapping[str, bool]) -> str:
    """A row as people read it: `swapin_pte_dirty(write=1, reuse=0)`."""
    return f"{rule}({', '.join(f'{bit}={value:d}' for bit, value in bits.items())})"


def expand_rows(rule: Rule, bits: Sequence[str], rows: Sequence[int]) -> bytes:
    """A table over some of the rule's bits as one over all: the bits not named do not matter.

    Bit i of a row's number in `rows` is the value of bits[i].
    """
    places = [rule.bits.index(bit) for bit in bits]
    narrow = (sum((row >> place & 1) << i for i, place in enumerate(places)) for row in range(rule.row_count))
    return bytes(rows[row] for row in narrow)


def narrow_rows(rule: Rule, bits: Sequence[str], table: Sequence[int]) -> bytes:
    """The inverse of expand_rows, for a table to which the other bits do not matter."""
    places = [rule.bits.index(bit) for bit in bits]
    wide = (sum((row >> i & 1) << place for i, place in enumerate(places)) for row in range(1 << len(bits)))
    return bytes(table[row] for row in wide)


def fold_rows(rule: Rule, rows: Collection[int]) -> tuple[Term, ...]:
    """Terms that cover these rows of the rule and no others; none for no rows."""
    # The widest first and equal ones in the order of their rows, so that the result is always the same.
    widest = _widest_terms(rule, set(rows))
    candidates = sorted(widest, key=lambda term: (term.mask.bit_count(), term.value, term.mask))
    uncovered, chosen = set(rows), []
    while uncovered:
        best = max(candidates, key=lambda term: sum(map(term.covers, uncovered)))
        chosen.append(best)
        uncovered -= {row for row in uncovered if best.covers(row)}
    for term in chosen.copy():
        others = [other for other in chosen if other != term]
        if all(any(other.covers(row) for other in others) for row in rows):
            chosen = others
    return tuple(chosen)


def bits_that_matter(rule: Rule, table: bytes) -> tuple[str, ...]:
    """The rule's bits on which its value depends in at least one row."""
    rows = range(rule.row_count)
    return tuple(bit for i, bit in enumerate(rule.bits) if any(table[row] != table[row ^ 1 << i] for row in rows))


def _widest_terms(rule: Rule, rows: set[int]) -> set[Term]:
    """Every term of rows in the set that no wider such term contains (the prime implicants)."""
    terms = {Term(rule.name, rule.row_count - 1, row) for row in rows}
    widest: set[Term] = set()
    while terms:
        wider: set[Term] = set()
        for term in terms:
            folded = {_without_bit(term, i) for i in range(len(rule.bits)) if _flipped(term, i) in terms}
            wider |= folded
            if not folded:
                widest.add(term)
        terms = wider
    return widest


def _flipped(term: Term, bit: int) -> Term | None:
    """The term with the other value of a bit that matters to it."""
    return Term(term.rule, term.mask, term.value ^ 1 << bit) if term.mask >> bit & 1 else None


def _without_bit(term: Term, bit: int) -> Term:
    return Term(term.rule, term.mask & ~(1 << bit), term.value & ~(1 << bit))
