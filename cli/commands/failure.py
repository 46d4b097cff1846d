"""`mmfuzz failure`: what was ever found."""

from collections.abc import Mapping

import click

from cli.database import open_to_read
from cli.failure_text import (
    cause_lines,
    confirmation_lines,
    failure_document,
    print_failures,
    stored_command,
    trace_ops,
    when,
)
from cli.options import database_option, screen_option
from cli.output import Screen, plural
from db.confirmations import StoredConfirmation, list_confirmations
from db.queries import get_failure, list_failures, list_findings
from db.values import FailureFilter, StoredFailure, StoredFinding
from fuzzer.conform import ORACLE as CONFORMANCE
from fuzzer.real.finding import KERNEL_REPORT
from simcore.errors import UnknownName
from simcore.oracles import ORACLE_BY_NAME

LIST_LIMIT = 50


@click.group(name="failure")
def command() -> None:
    """List the failures in the database, or show one."""


@command.command(name="list")
@click.option(
    "--oracle",
    metavar="NAME",
    help="Only what this oracle saw; conformance: what `mmfuzz conform` did; kernel-report: what a real kernel said.",
)
@click.option("--class", "cls", metavar="CLASS", help="Only this class: safety, liveness, cost, conformance or crash.")
@click.option("--kind", metavar="KIND", help="Only this kind of page: anon, cow, swapin, swapoff, migration, ksm, ...")
@click.option("--kernel", metavar="KERNEL", help="Only on this kernel: a name, or the beginning of a digest (krn-...).")
@click.option("--signature", metavar="SIG", help="Only signatures that begin like this (sig-...).")
@click.option("--text", metavar="TEXT", help="Only where the minimized trace's text contains this.")
@click.option("--run", metavar="RUN", help="Only what this run saw (the whole id, run-...).")
@click.option(
    "--limit",
    type=click.IntRange(1),
    default=LIST_LIMIT,
    show_default=True,
    metavar="N",
    help="At most N, newest first.",
)
@database_option
@screen_option
def list_stored(
    oracle: str | None,
    cls: str | None,
    kind: str | None,
    kernel: str | None,
    signature: str | None,
    text: str | None,
    run: str | None,
    limit: int,
    database: str,
    screen: Screen,
) -> None:
    """List the failures in the database, those seen last first."""
    # What `mmfuzz conform` stores, and what a real kernel itself reported, no oracle saw; both have names here.
    names = (*ORACLE_BY_NAME, CONFORMANCE, KERNEL_REPORT)
    if oracle is not None and oracle not in names:
        raise UnknownName("oracle", oracle, names)
    wanted = FailureFilter(oracle, cls, kind, kernel, signature, text, run)
    with open_to_read(database) as opened, opened.read() as session:
        total = len(list_failures(session))
        matching = list_failures(session, wanted)
    shown = matching[:limit]
    documents = [_document(failure, database) for failure in shown]
    screen.document({"total": total, "matching": len(matching), "failures": documents})
    print_failures(screen, shown)
    screen.say(f"{len(shown)} shown of {len(matching)} that match, of {plural(total, 'failure')} in {opened.shown}")


@command.command(name="show")
@click.argument("failure_id", metavar="FAILURE")
@database_option
@screen_option
def show(failure_id: str, database: str, screen: Screen) -> None:
    """Show all that is known of a failure; its id may be cut short."""
    with open_to_read(database) as opened, opened.read() as session:
        failure = get_failure(session, failure_id)
        findings = list_findings(session, failure.id)
        confirmations = list_confirmations(session, failure.id)
    screen.document(_document(failure, database) | {"findings": findings, "confirmations": confirmations})
    if not screen.as_json:
        _print(screen, failure, findings, confirmations, database)


def _document(failure: StoredFailure, database: str) -> dict[str, object]:
    common = failure_document(
        failure,
        replay=stored_command("replay", failure.id, database),
        explain=stored_command("explain", failure.id, database),
    )
    return common | {
        "kernel": failure.kernel_name,
        "kernel_digest": failure.kernel_digest,
        "reference_digest": failure.reference_digest,
        "runs": failure.runs,
        "first_seen": failure.first_seen,
        "last_seen": failure.last_seen,
    }


def _print(
    screen: Screen,
    failure: StoredFailure,
    findings: tuple[StoredFinding, ...],
    confirmations: tuple[StoredConfirmation, ...],
    database: str,
) -> None:
    _print_facts(
        screen,
        {
            "failure": failure.id,
            "verdict": f"{failure.verdict}: {failure.reason}, {when(failure)}",
            "oracle": f"{failure.oracle} ({failure.cls}), page: {failure.kind}",
            "kernel": f"{failure.kernel_name} {failure.kernel_digest}",
            "signature": failure.signature,
            "seen": f"{plural(failure.count, 'time')} in {plural(failure.runs, 'run')}",
            "first seen": f"{failure.first_seen:%Y-%m-%d %H:%M:%S} UTC",
            "last seen": f"{failure.last_seen:%Y-%m-%d %H:%M:%S} UTC",
        },
    )
    screen.say()
    for line in cause_lines(failure.cause):
        screen.say(line)
    _print_trace(screen, f"minimized, {plural(trace_ops(failure.minimized), 'op')}", failure.minimized.text)
    _print_facts(screen, failure.minimization)
    _print_trace(screen, f"original, {plural(trace_ops(failure.original), 'op')}", failure.original.text)
    _print_facts(screen, {"seed": failure.seed} | failure.options)
    screen.say()
    screen.say("versions", style="bold")
    _print_facts(screen, failure.versions)
    screen.say()
    _print_findings(screen, findings)
    for line in confirmation_lines(confirmations):
        screen.say(line)
    screen.say(f"explain: {stored_command('explain', failure.id, database)}")
    screen.say(f"replay:  {stored_command('replay', failure.id, database)}")


def _print_facts(screen: Screen, facts: Mapping[str, object]) -> None:
    width = max(map(len, facts), default=0)
    for name, value in facts.items():
        screen.say(f"{name.replace('_', ' ').ljust(width)}  {_words(value)}")


def _print_findings(screen: Screen, findings: tuple[StoredFinding, ...]) -> None:
    for finding in findings:
        screen.say(
            f"found by {finding.run}, seed {finding.seed}: {finding.original_digest} ->"
            f" {finding.minimized_digest} ({plural(finding.minimized_ops, 'op')})"
        )


def _print_trace(screen: Screen, title: str, text: str) -> None:
    screen.say()
    screen.say(title, style="bold")
    for line in text.splitlines():
        screen.say(f"    {line}")


def _words(value: object) -> str:
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "-" if value is None else str(value)
