"""Kernels and their differences as people read them: by module, by rule, with the source of each."""

from collections.abc import Iterable, Sequence
from itertools import groupby

from rich.text import Text

from cli.output import Screen
from simcore.kernel import Kernel, diff_by_rule
from simcore.rules import RULE_BY_NAME, Rule
from simcore.truth_table import fold_rows

SOURCE_STYLE = "dim"


def print_kernel(screen: Screen, kernel: Kernel, rules: Sequence[Rule]) -> None:
    """Print the rules of a kernel, below the source files they are in."""
    screen.say(Text.assemble((kernel.name, "bold"), f"  {kernel.digest}"))
    screen.say(f"parent {kernel.parent or '-'}, successor {kernel.successor or '-'}")
    for line in kernel.doc.splitlines():
        screen.say(f"    {line}" if line else "")
    by_module: dict[str, list[Rule]] = {}
    for rule in rules:
        by_module.setdefault(module_of(rule), []).append(rule)
    for module, group in by_module.items():
        screen.say()
        screen.say(module, style="bold")
        for rule in group:
            _print_rule(screen, kernel, rule)


def print_diff(screen: Screen, a: Kernel, b: Kernel) -> None:
    """Print in what two kernels differ: per rule what either says, where that was read, and the rows changed."""
    changes = diff_by_rule(a, b)
    for name, group in groupby(changes, key=lambda change: change.rule):
        rule = RULE_BY_NAME[name]
        screen.say()
        screen.say(Text.assemble((name, "bold"), f"  {rule.where}"))
        screen.say(f"    {rule.doc}")
        for sign, kernel, style in (("-", a, "red"), ("+", b, "green")):
            screen.say(f"  {sign} {describe_table(kernel, rule)}", style=style)
            screen.say(f"      {source_of(kernel, rule)}", style=SOURCE_STYLE)
        for change in group:
            count = f"  ({change.rows} rows)" if change.rows > 1 else ""
            screen.say(f"    {change.term}: {change.a:d} -> {change.b:d}{count}")


def module_of(rule: Rule) -> str:
    """The kernel's source file that takes the decision: mm/vmscan.c."""
    return rule.where.partition(" ")[0]


def describe_table(kernel: Kernel, rule: Rule) -> str:
    """When the kernel's rule is true: `write=1 reuse=1`, terms with `or` between them, always or never."""
    return describe_rows(rule, (row for row, value in enumerate(kernel.table(rule)) if value))


def describe_rows(rule: Rule, rows: Iterable[int]) -> str:
    """Rows of a rule as terms."""
    terms = fold_rows(rule, set(rows))
    return " or ".join(str(term) for term in terms) or "never"


def source_of(kernel: Kernel, rule: Rule) -> str:
    """Where the kernel's rule was read, in one line."""
    return " ".join(dict(kernel.sources).get(rule.name, "no source is given").split())


def _print_rule(screen: Screen, kernel: Kernel, rule: Rule) -> None:
    function = rule.where.partition(" ")[2]
    bits = f"({', '.join(rule.bits)})" if rule.bits else ""
    screen.say(Text.assemble("  ", (rule.name, "cyan"), bits, (f"  {function}", SOURCE_STYLE)))
    screen.say(f"      {rule.doc}")
    screen.say(Text.assemble("      = ", (describe_table(kernel, rule), "green")))
    screen.say(f"      {source_of(kernel, rule)}", style=SOURCE_STYLE)
