"""Failures as people read them, and as --json gives them; the same for one just found and one long stored."""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from rich.text import Text

from cli.output import Screen, plural
from cli.settings import choose_database
from cli.verdicts import CLASS_ORDER, CLASS_STYLES
from db.confirmations import StoredConfirmation
from db.values import FailureRecord, StoredFailure, StoredTrace
from simcore.features import ALL_FEATURES
from simcore.rules import RULE_BY_NAME
from simcore.trace import Trace, format_trace, parse_trace
from simcore.truth_table import row_as_call

AnyFailure = FailureRecord | StoredFailure

HEADINGS = ("id", "class", "oracle", "kind", "ops", "count", "cause")
NUMBERS = ("ops", "count")
# Rules of a cause that a table has room for.
SHORT_CAUSE_RULES = 2


def print_failures(screen: Screen, failures: Iterable[AnyFailure]) -> None:
    """Print a table with a line for each failure; stored ones are of any kernel, so it is named."""
    rows: list[tuple[object, ...]] = []
    headings: tuple[str, ...] = HEADINGS
    for f in failures:
        row = (f.id, f.cls, f.oracle, f.kind, trace_ops(f.minimized), f"{f.count:,}", short_cause(f.cause))
        if isinstance(f, StoredFailure):
            headings = (*HEADINGS, "kernel")
            rows.append((*row, f.kernel_name))
        else:
            rows.append(row)
    screen.table(headings, rows, right=NUMBERS)


def print_failure(screen: Screen, failure: AnyFailure, *, replay: str, explain: str | None) -> None:
    """Print one failure: what went wrong, the shortest trace, the cause, and how to see it again.

    `replay` and `explain` are the commands for that.
    """
    screen.say(
        Text.assemble((failure.id, "bold"), "  ", (f"{failure.cls} {failure.oracle}", CLASS_STYLES[failure.cls]))
    )
    screen.say(f"  {failure.reason}, {when(failure)}")
    screen.say(f"  trace of {plural(trace_ops(failure.minimized), 'op')}, {describe_minimization(failure)}:")
    _print_trace(screen, failure.minimized)
    for line in cause_lines(failure.cause):
        screen.say(f"  {line}")
    if explain:
        screen.say(f"  explain: {explain}")
    screen.say(f"  replay:  {replay}")


def _print_trace(screen: Screen, trace: Trace | StoredTrace) -> None:
    """Print the ops, below the world in words: what a minimized world has is less than what it is without."""
    text = trace_text(trace)
    world = parse_trace(text).world
    sizes = str(replace(world, features=ALL_FEATURES))
    screen.say(f"      # {sizes}, with {', '.join(sorted(world.features)) or 'no features'}", style="dim")
    for line in text.splitlines()[3:]:
        screen.say(f"      {line}", style="bold")


def when(failure: AnyFailure) -> str:
    """When in the trace it was seen."""
    at = failure.violation["at"]
    assert isinstance(at, int), f"a violation is at an op, not at {at!r}"
    return f"at op {at + 1}" if at < trace_ops(failure.minimized) else "at the end of the trace"


def describe_minimization(failure: AnyFailure) -> str:
    """How the trace was minimized, in a few words: `from 37, none shorter exists`."""
    tried = failure.minimization
    words = [f"minimized from {trace_ops(failure.original)}"]
    if tried.get("shortest") == "known":
        words.append("none shorter in this world")
    elif tried.get("one_minimal"):
        words.append("every op is needed")
    return ", ".join(words)


def cause_lines(cause: Mapping[str, Any]) -> list[str]:
    """The cause in words, then its rows as calls."""
    other = f"in {cause['reference']}" if cause["reference"] else "flipped"
    rows = [
        f"    {row_as_call(row['rule'], _in_order(row))}: {row['here']:d} here, {row['reference']:d} {other}"
        for row in cause["rows"]
    ]
    return [f"cause: {cause['how']}", *rows]


def _in_order(row: Mapping[str, Any]) -> dict[str, bool]:
    """The row's bits in the rule's order, which a database does not keep; unknown rules are left as they are."""
    rule = RULE_BY_NAME.get(row["rule"])
    bits: dict[str, bool] = row["bits"]
    return {bit: bits[bit] for bit in rule.bits if bit in bits} if rule else bits


def confirmation_lines(confirmations: Iterable[StoredConfirmation]) -> Iterator[str]:
    """What became of a failure on real kernels, the last try first, with the kernels' own reports."""
    for each in confirmations:
        form = "" if each.form in {None, "as it is"} else f", {each.form}"
        unknown = f", {each.unknown} unknown" if each.unknown else ""
        counts = f"{each.failed} of {plural(each.runs, 'run')}{form}{unknown}"
        yield (
            f"{each.at:%Y-%m-%d %H:%M} UTC on {each.target} ({each.release}), swap on {each.swap}:"
            f" {each.verdict}, {counts}: {each.reason}"
        )
        yield from (f"    {line}" for line in (each.console or "").splitlines())


def short_cause(cause: Mapping[str, Any]) -> str:
    """The rules of the guilty rows; a dash where no cause is known."""
    rules = list(dict.fromkeys(row["rule"] for row in cause["rows"]))
    more = f" +{len(rules) - SHORT_CAUSE_RULES}" if len(rules) > SHORT_CAUSE_RULES else ""
    return " ".join(rules[:SHORT_CAUSE_RULES]) + more or "-"


def worst_first(failure: AnyFailure) -> tuple[int, int, int, str]:
    """What sorts failures: by class, then the shortest trace, then the most frequent."""
    return CLASS_ORDER.index(failure.cls), trace_ops(failure.minimized), -failure.count, failure.id


def stored_command(verb: str, failure_id: str, database: str) -> str:
    """The command line that does something with a stored failure, from anywhere."""
    option = "" if database == choose_database(None) else f" --database {shlex.quote(database)}"
    return f"mmfuzz {verb} {failure_id}{option}"


def failure_document(failure: AnyFailure, *, replay: str, explain: str | None) -> dict[str, object]:
    """A failure as --json gives it. `ops` is the length of the minimized trace, `trace` its text."""
    return {
        "id": failure.id,
        "oracle": failure.oracle,
        "class": failure.cls,
        "kind": failure.kind,
        "verdict": failure.verdict,
        "reason": failure.reason,
        "ops": trace_ops(failure.minimized),
        "trace": trace_text(failure.minimized),
        "trace_digest": failure.minimized.digest,
        "cause": dict(failure.cause),
        "signature": failure.signature,
        "count": failure.count,
        "violation": dict(failure.violation),
        "minimization": dict(failure.minimization),
        "original_ops": trace_ops(failure.original),
        "original_trace": trace_text(failure.original),
        "original_digest": failure.original.digest,
        "seed": failure.seed,
        "options": dict(failure.options),
        "versions": dict(failure.versions),
        "replay": replay,
        "explain": explain,
    }


def trace_ops(trace: Trace | StoredTrace) -> int:
    """How many ops a trace has."""
    return len(trace.ops) if isinstance(trace, Trace) else trace.ops


def trace_text(trace: Trace | StoredTrace) -> str:
    """The trace's text."""
    return format_trace(trace) if isinstance(trace, Trace) else trace.text


def whole_trace(failure: AnyFailure) -> Trace:
    """The shortest trace of a failure."""
    trace = failure.minimized
    return trace if isinstance(trace, Trace) else trace.trace()
