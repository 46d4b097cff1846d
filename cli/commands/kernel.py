"""`mmfuzz kernel`: which kernels there are, what their rules say, and how two of them differ."""

import click
from rich.text import Text

from cli.errors import UsageMistake
from cli.kernel_text import print_diff, print_kernel
from cli.options import KERNEL, screen_option
from cli.output import Screen, plural
from simcore.errors import UnknownName
from simcore.kernel import Kernel, RowDiff, diff
from simcore.kernel_files import canary_kernels, find_kernel, shipped_kernels
from simcore.rules import RULE_BY_NAME, RULES, TOTAL_ROWS, Rule


@click.group(name="kernel")
def command() -> None:
    """List kernels, show one's rules, or compare two."""


@command.command(name="list")
@click.option("--canaries", is_flag=True, help="List the kernels with a bug planted on purpose instead.")
@screen_option
def list_kernels(canaries: bool, screen: Screen) -> None:
    """List the shipped kernels."""
    kernels = canary_kernels() if canaries else shipped_kernels()
    screen.document([_summary(kernel) for kernel in kernels])
    headings = ("name", "parent", "digest", "rows changed", "what it is")
    rows = [(k.name, k.parent or "-", k.digest, _rows_changed(k), k.doc.partition("\n")[0]) for k in kernels]
    screen.table(headings, rows, right=("rows changed",))


@command.command(name="show")
@click.argument("kernel", type=KERNEL)
@click.option("--rule", "rule_name", metavar="RULE", help="Show this rule only.")
@screen_option
def show(kernel: Kernel, rule_name: str | None, screen: Screen) -> None:
    """Show what KERNEL decides, rule by rule, and where that was read.

    KERNEL is a shipped kernel's name, path.py:Class, path.json or path.toml. With --json the kernel is printed in the
    form that a path.json has.
    """
    rules = RULES if rule_name is None else (_find_rule(rule_name),)
    document = kernel.to_json()
    tables = document["rules"]
    assert isinstance(tables, dict), "a kernel's JSON has its rules by name"
    document["rules"] = {rule.name: tables[rule.name] for rule in rules}
    screen.document(document | {"digest": kernel.digest})
    if not screen.as_json:
        print_kernel(screen, kernel, rules)


@command.command(name="diff")
@click.argument("kernel", type=KERNEL)
@click.argument("other", type=KERNEL, required=False)
@screen_option
def compare(kernel: Kernel, other: Kernel | None, screen: Screen) -> None:
    """Show in what OTHER differs from KERNEL; without OTHER, in what KERNEL differs from its parent."""
    a, b = (kernel, other) if other else (_parent(kernel), kernel)
    rows = diff(a, b)
    screen.document(
        {
            "a": {"name": a.name, "digest": a.digest},
            "b": {"name": b.name, "digest": b.digest},
            "rows": [row_document(row) for row in rows],
        }
    )
    if screen.as_json:
        return
    rules = {row.rule for row in rows}
    screen.say(Text.assemble((a.name, "bold"), " -> ", (b.name, "bold")))
    screen.say(f"{plural(len(rows), 'row')} of {TOTAL_ROWS} differ, in {plural(len(rules), 'rule')}")
    print_diff(screen, a, b)


def row_document(row: RowDiff) -> dict[str, object]:
    """A row in which two kernels differ, as --json gives it."""
    return {"rule": row.rule, "row": row.row, "bits": row.bits, "a": row.a, "b": row.b}


def _summary(kernel: Kernel) -> dict[str, object]:
    return {
        "name": kernel.name,
        "parent": kernel.parent,
        "digest": kernel.digest,
        "successor": kernel.successor,
        "rows_changed": _rows_changed(kernel),
        "doc": kernel.doc,
    }


def _rows_changed(kernel: Kernel) -> int | None:
    """In how many rows a shipped kernel differs from its parent."""
    return len(diff(find_kernel(kernel.parent), kernel)) if kernel.parent else None


def _find_rule(name: str) -> Rule:
    if name not in RULE_BY_NAME:
        raise UnknownName("rule", name, RULE_BY_NAME)
    return RULE_BY_NAME[name]


def _parent(kernel: Kernel) -> Kernel:
    if kernel.parent is None:
        raise UsageMistake(f"{kernel.name} has no parent; name the kernel to compare it with")
    try:
        return find_kernel(kernel.parent)
    except UnknownName as error:
        raise UsageMistake(
            f"{kernel.parent}, the parent of {kernel.name}, is not a shipped kernel; name the kernel to compare it with"
        ) from error
