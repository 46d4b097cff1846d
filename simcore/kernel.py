"""A kernel is data: a name, and a truth table for every rule.

From this follow its digest, the rows in which two kernels differ, and kernels made of another's rows. How
people write a kernel is in simcore.kernel_class; where kernels lie, in simcore.kernel_files.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from simcore.errors import KernelError
from simcore.kernel_class import (
    KernelBase,
    bad_kernel_name,
    class_doc,
    class_kernel_name,
    class_sources,
    class_successor,
    evaluate_class,
    is_kernel_name,
    parent_class,
)
from simcore.rules import RULE_BY_NAME, RULES, TOTAL_ROWS, Rule, offset, row_bits, rule_of_row
from simcore.truth_table import Term, bits_that_matter, expand_rows, fold_rows, narrow_rows, row_as_call

__all__ = [
    "FORMAT",
    "Kernel",
    "KernelBase",
    "RowDiff",
    "RuleDiff",
    "compile_kernel",
    "diff",
    "diff_by_rule",
    "expand_rows",
    "is_kernel_name",
    "with_rows",
]

VERSION = 1
FORMAT = f"mmfuzz kernel {VERSION}"
# What a table means depends on the rules' names and bits, so a digest covers them.
_RULE_TABLE = "".join(f"{rule.name} {' '.join(rule.bits)}\n" for rule in RULES).encode()


@dataclass(frozen=True, slots=True)
class Kernel:
    """A full set of rules. KernelError when it cannot be.

    `rows` is the flat table, a byte of 0 or 1 for each of TOTAL_ROWS rows (see simcore.rules). `parent` names
    the kernel it was made from; `sources` says for each rule where it was read, in the order of RULES.
    """

    name: str
    parent: str | None
    rows: bytes
    doc: str = ""
    sources: tuple[tuple[str, str], ...] = ()
    successor: str | None = None

    def __post_init__(self) -> None:
        if not is_kernel_name(self.name):
            raise KernelError(bad_kernel_name(self.name))
        if len(self.rows) != TOTAL_ROWS or max(self.rows) > 1:
            raise KernelError(f"kernel {self.name}: its table must be {TOTAL_ROWS} bytes of 0 and 1")

    @property
    def digest(self) -> str:
        """The identity of the rules: "krn-" and 16 hex digits; names and docs do not count.

        The rules' names and bits do: the same rows mean something else in another table of rules.
        """
        return "krn-" + hashlib.sha256(_RULE_TABLE + self.rows).hexdigest()[:16]

    def table(self, rule: Rule) -> bytes:
        """The rule's own rows."""
        return self.rows[offset(rule) : offset(rule) + rule.row_count]

    def to_json(self) -> dict[str, object]:
        """The kernel as what JSON can hold; simcore.kernel_files makes the same kernel of it again.

        A rule's table is given over the bits that matter to it. Character i of `rows` is the value where
        bits[k] is bit k of the number i.
        """
        sources = dict(self.sources)
        rules: dict[str, object] = {}
        for rule in RULES:
            bits = bits_that_matter(rule, self.table(rule))
            rows = "".join(str(value) for value in narrow_rows(rule, bits, self.table(rule)))
            source = {"source": sources[rule.name]} if rule.name in sources else {}
            rules[rule.name] = {"bits": list(bits), "rows": rows} | source
        return {
            "format": FORMAT,
            "name": self.name,
            "parent": self.parent,
            "successor": self.successor,
            "doc": self.doc,
            "rules": rules,
        }


def compile_kernel(cls: type[KernelBase]) -> Kernel:
    """The kernel that a class describes. KernelError names the class, the rule and the bit at fault."""
    tables = evaluate_class(cls)
    parent = parent_class(cls)
    return Kernel(
        class_kernel_name(cls),
        class_kernel_name(parent) if parent else None,
        b"".join(tables[rule.name] for rule in RULES),
        class_doc(cls),
        class_sources(cls),
        class_successor(cls),
    )


@dataclass(frozen=True, slots=True)
class RowDiff:
    """A row in which kernels a and b differ: the rule, the row's number in it, its bits, what each says."""

    rule: str
    row: int
    bits: dict[str, bool]
    a: bool
    b: bool

    @property
    def flat_row(self) -> int:
        """The row's number in the flat table."""
        return offset(RULE_BY_NAME[self.rule]) + self.row

    def __str__(self) -> str:
        """The row as a call and its two results: `rule(write=0, reuse=1): 0 -> 1`."""
        return f"{row_as_call(self.rule, self.bits)}: {self.a:d} -> {self.b:d}"


def diff(a: Kernel, b: Kernel) -> tuple[RowDiff, ...]:
    """Every row in which two kernels differ, in the order of the flat table."""
    found = []
    for flat_row in range(TOTAL_ROWS):
        if a.rows[flat_row] != b.rows[flat_row]:
            rule, row = rule_of_row(flat_row)
            bits = row_bits(rule, row)
            found.append(RowDiff(rule.name, row, bits, bool(a.rows[flat_row]), bool(b.rows[flat_row])))
    return tuple(found)


@dataclass(frozen=True, slots=True)
class RuleDiff:
    """Rows of a rule in which kernels a and b differ: a term, how many rows that is, what a says there."""

    rule: str
    term: Term
    a: bool
    rows: int

    @property
    def b(self) -> bool:
        """The second kernel's value."""
        return not self.a

    def __str__(self) -> str:
        """`swapin_pte_dirty write=0: 0 -> 1`."""
        return f"{self.rule} {self.term}: {self.a:d} -> {self.b:d}"


def diff_by_rule(a: Kernel, b: Kernel) -> tuple[RuleDiff, ...]:
    """The rows in which two kernels differ, folded into terms rule by rule; a row may be in several terms."""
    differing: dict[tuple[str, bool], set[int]] = {}
    for row in diff(a, b):
        differing.setdefault((row.rule, row.a), set()).add(row.row)
    return tuple(
        RuleDiff(rule, term, value, sum(map(term.covers, rows)))
        for (rule, value), rows in differing.items()
        for term in fold_rows(RULE_BY_NAME[rule], rows)
    )


def with_rows(kernel: Kernel, rows: Mapping[int, bool], name: str | None = None) -> Kernel:
    """The kernel with some rows of its flat table changed, and the kernel as its parent.

    Without a name, its name is the kernel's, a tilde, and 8 digits of its digest. KernelError for the number
    of a row that no rule has.
    """
    table = bytearray(kernel.rows)
    for flat_row, value in rows.items():
        if not 0 <= flat_row < TOTAL_ROWS:
            raise KernelError(f"kernel {kernel.name}: there is no row {flat_row}; rows are 0 to {TOTAL_ROWS - 1}")
        table[flat_row] = bool(value)
    changed = {rule_of_row(row)[0].name for row in rows if table[row] != kernel.rows[row]}
    sources = tuple(
        (rule, f"{kernel.name}, with rows changed" if rule in changed else source) for rule, source in kernel.sources
    )
    made = Kernel(name or kernel.name, kernel.name, bytes(table), kernel.doc, sources)
    return made if name else replace(made, name=f"{kernel.name.partition('~')[0]}~{made.digest[4:12]}")
