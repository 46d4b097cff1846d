"""Traces as people read them: the canonical text, with a comment beside each op."""

from collections.abc import Sequence

from rich.text import Text

from cli.output import Screen
from simcore.ops import OP_BY_NAME
from simcore.trace import HEADER, Trace, format_trace
from simcore.trace_op import Op


def print_trace(screen: Screen, trace: Trace, comments: Sequence[str] | None = None, indent: str = "") -> None:
    """Print a trace that can be read back. Without comments of one's own, each op is explained."""
    for line in (HEADER, f"kernel {trace.kernel}", f"world {trace.world}"):
        screen.say(f"{indent}{line}", style="dim")
    print_ops(screen, trace.ops, [meaning(op) for op in trace.ops] if comments is None else comments, indent)


def print_ops(screen: Screen, ops: Sequence[Op], comments: Sequence[str], indent: str = "") -> None:
    """Print ops, one a line, with their comments in one column; an empty comment is none."""
    width = max((len(str(op)) for op in ops), default=0)
    for op, comment in zip(ops, comments, strict=True):
        beside = f"  # {comment}" if comment else ""
        screen.say(Text.assemble(indent, (str(op).ljust(width) if beside else str(op), "bold"), (beside, "dim")))


def meaning(op: Op) -> str:
    """What an op does, in words."""
    doc = OP_BY_NAME[op.name].doc
    by = " By the second thread." if op.thread else ""
    return f"Begins the path: {doc}{by}" if op.begin else f"{doc}{by}"


def trace_document(trace: Trace) -> dict[str, object]:
    """A trace as --json gives it."""
    return {
        "digest": trace.digest,
        "kernel": trace.kernel,
        "world": trace.world.to_json(),
        "ops": len(trace.ops),
        "text": format_trace(trace),
    }
