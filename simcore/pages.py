"""The reference pages docs/{ops,rules,kernels,oracles}.md, written from the registries by `make headers`.

A page that is written from the table it describes cannot drift from it; a test fails when one is stale.
"""

from collections.abc import Iterable, Iterator
from pathlib import Path

from simcore.features import FEATURES
from simcore.kernel import Kernel, diff_by_rule
from simcore.kernel_files import canary_kernels, find_kernel, shipped_kernels
from simcore.ops import OPS, OpSpec
from simcore.oracles import ORACLES
from simcore.rules import RULES, Rule

_WRITTEN = "Written from `simcore/{module}` by `make headers`; edit that instead."
_ARGS = {"process": "P", "page": "p", "token": "T", "memcg": "C", "count": "n", "actor": "ACTOR"}


def pages(root: Path) -> dict[Path, str]:
    """The text of each page, by the file it belongs in. Writes nothing."""
    docs = root / "docs"
    return {
        docs / "ops.md": _text(_ops()),
        docs / "rules.md": _text(_rules()),
        docs / "kernels.md": _text(_kernels()),
        docs / "oracles.md": _text(_oracles()),
    }


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"


def _ops() -> Iterator[str]:
    yield "# Ops"
    yield ""
    yield _WRITTEN.format(module="ops.py")
    yield ""
    yield "P is a process, p one of its pages, T the token stored, C a memory cgroup, n a number of pages. A path can"
    yield "be begun (`begin reclaim`) and advanced phase by phase (`step kswapd`). `@1` at the end of a line gives the"
    yield "op to the second thread of its process. Guest: userspace can drive it on a real kernel."
    yield ""
    yield "| op | what it does | needs | path | actor | guest |"
    yield "|---|---|---|---|---|---|"
    yield from (_op_row(op) for op in OPS)
    yield ""
    yield "## Features that a world can leave out"
    yield ""
    yield from (f"- `{name}`: {doc}" for name, doc in FEATURES.items())


def _op_row(op: OpSpec) -> str:
    call = " ".join([f"`{op.name}`", *(_ARGS[arg] for arg in op.args)])
    needs = ", ".join(sorted(op.needs)) or "-"
    marks = ("yes" if op.path else "", op.actor, "yes" if op.guest else "")
    return f"| {call} | {op.doc} | {needs} | {' | '.join(marks)} |"


def _rules() -> Iterator[str]:
    yield "# Rules"
    yield ""
    yield _WRITTEN.format(module="rules.py")
    yield ""
    yield "Each rule is a boolean function of the bits it lists; a kernel gives it a truth table. The bits are those a"
    yield "patch might look at, which may be more than any kernel does."
    for file in dict.fromkeys(_file(rule) for rule in RULES):
        yield ""
        yield f"## {file}"
        yield ""
        yield from (_rule_line(rule) for rule in RULES if _file(rule) == file)


def _file(rule: Rule) -> str:
    """The kernel's file that takes the decision."""
    return rule.where.split()[0]


def _rule_line(rule: Rule) -> str:
    return f"- `{rule.name}` ({' '.join(rule.bits) or 'a switch'}), {rule.where.split()[-1]}: {rule.doc}"


def _kernels() -> Iterator[str]:
    yield "# Kernels"
    yield ""
    yield _WRITTEN.format(module="kernels/")
    for kernel in shipped_kernels():
        yield ""
        yield from _kernel(kernel)
    yield ""
    yield "## Canaries"
    yield ""
    yield "Kernels with a bug planted on purpose: what an oracle must catch. See oracles.md."
    yield ""
    yield from (f"- `{kernel.name}`: {kernel.doc.splitlines()[0]}" for kernel in canary_kernels())


def _kernel(kernel: Kernel) -> Iterator[str]:
    yield f"## `{kernel.name}`"
    yield ""
    yield kernel.doc
    if kernel.parent is None:
        return
    yield ""
    yield f"What it changes in `{kernel.parent}`:"
    yield ""
    yield "```"
    yield from (str(change) for change in diff_by_rule(find_kernel(kernel.parent), kernel))
    yield "```"


def _oracles() -> Iterator[str]:
    yield "# Oracles"
    yield ""
    yield _WRITTEN.format(module="oracles/")
    for oracle in ORACLES:
        yield ""
        yield f"## `{oracle.name}` ({oracle.cls})"
        yield ""
        yield f"Promise: {oracle.promise}"
        yield ""
        yield f"Known false alarms: {oracle.false_alarms}"
        yield ""
        world = f", in a world with {oracle.canary_world}" if oracle.canary_world else ""
        yield f"Canary: `{oracle.canary}`{world}."
