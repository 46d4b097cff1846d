"""`mmfuzz doctor`: whether all that mmfuzz needs is there and works, and how to mend what is not."""

import click
from rich.text import Text

from cli.doctor_checks import CHECKS, Finding
from cli.exit_codes import ExitCode
from cli.options import database_option, screen_option
from cli.output import Screen, plural

STYLES = {"ok": "green", "note": "yellow", "wrong": "bold red"}


@click.command(name="doctor", short_help="Check that all that is needed is there and works.")
@database_option
@screen_option
def command(database: str, screen: Screen) -> ExitCode:
    """Check that all mmfuzz needs is there and works, and say how to mend what is not.

    Looks at Python and its packages, the compiled core, a known failure, the database and its disk, and the
    terminal; changes nothing. Exits with 4 when something is wrong.
    """
    findings = [finding for check in CHECKS for finding in check(database)]
    wrong = sum(finding.status == "wrong" for finding in findings)
    screen.document({"ok": not wrong, "findings": findings})
    for finding in findings:
        _print(screen, finding)
    screen.say(f"{plural(wrong, 'thing')} wrong" if wrong else "all is well", style="bold red" if wrong else "green")
    return ExitCode.INFRASTRUCTURE if wrong else ExitCode.PASS


def _print(screen: Screen, finding: Finding) -> None:
    status = (finding.status.ljust(7), STYLES[finding.status])
    screen.say(Text.assemble(status, f"{finding.name:10}", finding.what))
    if finding.mend:
        screen.say(f"{'':17}-> {finding.mend}")
