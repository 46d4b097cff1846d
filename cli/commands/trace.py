"""`mmfuzz trace`: whether a trace's text is right, what it says, and what happens when it is run."""

import click
from rich.text import Text

from cli.exit_codes import ExitCode
from cli.inputs import Input, find_input, read_input_trace
from cli.options import database_option, kernel_option, screen_option
from cli.output import Screen, plural
from cli.trace_text import print_trace, trace_document
from cli.verdicts import (
    CLASS_STYLES,
    VERDICT_STYLES,
    exit_code_of,
    verdict_of,
    violation_document,
    violation_line,
)
from simcore.constants import (
    RESULT_BLOCKED,
    RESULT_EAGAIN,
    RESULT_EBUSY,
    RESULT_EFAULT,
    RESULT_EINVAL,
    RESULT_ENOENT,
    RESULT_ENOMEM,
    RESULT_OK,
    RESULT_SIGBUS,
    RESULT_SKIPPED,
)
from simcore.kernel import Kernel
from simcore.rules import TOTAL_ROWS
from simcore.run import Observation, run_trace

RESULTS: dict[int, str] = {
    RESULT_OK: "ok",
    RESULT_SKIPPED: "skipped",
    RESULT_BLOCKED: "blocked",
    RESULT_EINVAL: "EINVAL",
    RESULT_ENOMEM: "ENOMEM",
    RESULT_EAGAIN: "EAGAIN",
    RESULT_EFAULT: "EFAULT",
    RESULT_ENOENT: "ENOENT",
    RESULT_SIGBUS: "SIGBUS",
    RESULT_EBUSY: "EBUSY",
}


@click.group(name="trace")
def command() -> None:
    """Check the text of a trace, show it, or run it."""


@command.command(name="check")
@click.argument("file")
@screen_option
def check(file: str, screen: Screen) -> None:
    """Check that FILE (- for stdin) is a trace; mistakes are told with line and column."""
    trace = read_input_trace(file)
    screen.document(trace_document(trace))
    screen.say(f"{file}: {trace.digest}, {plural(len(trace.ops), 'op')} for {trace.kernel}")


@command.command(name="show")
@click.argument("file")
@screen_option
def show(file: str, screen: Screen) -> None:
    """Show the trace in FILE (- for stdin) in its canonical form, with what each op means as comments."""
    trace = read_input_trace(file)
    screen.document(trace_document(trace))
    screen.say(f"# {trace.digest}", style="dim")
    print_trace(screen, trace)


@command.command(name="run")
@click.argument("file")
@kernel_option
@click.option("--no-checks", is_flag=True, help="Leave out the count identities and the cost oracles.")
@database_option
@screen_option
def run(file: str, kernel: Kernel | None, no_checks: bool, database: str, screen: Screen) -> ExitCode:
    """Run the trace in FILE once and say what every oracle saw.

    FILE is a trace's file, - for stdin, or the id of a stored failure or trace. Exits with 0 when no oracle spoke, with
    1 when one did.
    """
    asked = find_input(file, kernel, database)
    observation = run_trace(asked.trace, asked.kernel, check=not no_checks)
    screen.document(_run_document(asked, observation))
    if not screen.as_json:
        _print_run(screen, asked, observation)
    return exit_code_of(verdict_of(observation))


def _run_document(asked: Input, observation: Observation) -> dict[str, object]:
    return {
        "verdict": verdict_of(observation),
        "kernel": asked.kernel.name,
        "kernel_digest": asked.kernel.digest,
        "trace": trace_document(asked.trace),
        "violations": [violation_document(violation) for violation in observation.violations],
        "results": [RESULTS[result] for result in observation.results],
        "rows_used": sum(observation.rows),
        "rows_total": TOTAL_ROWS,
        "digest": observation.digest,
    }


def _print_run(screen: Screen, asked: Input, observation: Observation) -> None:
    verdict = verdict_of(observation)
    print_trace(screen, asked.trace, [RESULTS[result] for result in observation.results])
    screen.say()
    screen.say(Text.assemble((verdict, VERDICT_STYLES[verdict]), f" on {asked.kernel.name}  {observation.digest}"))
    for violation in observation.violations:
        screen.say(f"  {violation_line(violation, len(asked.trace.ops))}", style=CLASS_STYLES[violation.cls])
    screen.say(f"{sum(observation.rows)} of {plural(TOTAL_ROWS, 'row')} of the rules decided something")
