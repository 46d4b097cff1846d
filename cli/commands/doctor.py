"""`mmfuzz doctor`: whether all that mmfuzz needs is there and works, and how to mend what is not."""

from pathlib import Path

import click
from rich.text import Text

from cli.doctor_broker import check_broker, check_service_packages
from cli.doctor_checks import (
    check_canary,
    check_core,
    check_database,
    check_packages,
    check_python,
    check_terminal,
)
from cli.doctor_finding import Finding
from cli.doctor_service import check_service, check_spool
from cli.exit_codes import ExitCode
from cli.options import broker_option, database_option, screen_option, spool_option
from cli.output import Screen, plural

STYLES = {"ok": "green", "note": "yellow", "wrong": "bold red"}


@click.command(name="doctor", short_help="Check that all that is needed is there and works.")
@broker_option
@spool_option
@database_option
@screen_option
def command(broker: str | None, spool: Path | None, database: str, screen: Screen) -> ExitCode:
    """Check that all mmfuzz needs is there and works, and say how to mend what is not.

    Looks at Python and its packages, the compiled core, a known failure, the database and its disk, processes at work
    and campaigns that nobody sees to, the broker, the spool and the terminal; changes nothing. Exits with 4 when
    something is wrong.
    """
    findings = _findings(broker, spool, database)
    wrong = sum(finding.status == "wrong" for finding in findings)
    screen.document({"ok": not wrong, "findings": findings})
    for finding in findings:
        _print(screen, finding)
    screen.say(f"{plural(wrong, 'thing')} wrong" if wrong else "all is well", style="bold red" if wrong else "green")
    return ExitCode.INFRASTRUCTURE if wrong else ExitCode.PASS


def _findings(broker: str | None, spool: Path | None, database: str) -> list[Finding]:
    """What all checks found, in the order in which it is told."""
    findings = [*check_python(), *check_packages(), *check_service_packages(), *check_core(), *check_canary()]
    stored = check_database(database)
    findings += stored
    if all(finding.status != "wrong" for finding in stored):
        findings += check_service(database)
    return [*findings, *check_broker(broker), *check_spool(spool, needed=broker is not None), *check_terminal()]


def _print(screen: Screen, finding: Finding) -> None:
    status = (finding.status.ljust(7), STYLES[finding.status])
    screen.say(Text.assemble(status, f"{finding.name:10}", finding.what))
    if finding.mend:
        screen.say(f"{'':17}-> {finding.mend}")
