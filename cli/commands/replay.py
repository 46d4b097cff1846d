"""`mmfuzz replay`: run a failure or a trace again and say whether it still fails."""

import click
from rich.text import Text

from cli.conform_replay import replay_disagreement
from cli.exit_codes import ExitCode
from cli.inputs import Input, find_input
from cli.options import database_option, kernel_option, screen_option
from cli.output import Screen
from cli.real_failure import replay_real, was_seen_on_real_kernel
from cli.replaying import Replay, replay
from cli.trace_text import print_trace, trace_document
from cli.verdicts import (
    CLASS_STYLES,
    VERDICT_STYLES,
    exit_code_of,
    place_of,
    violation_document,
    violation_line,
)
from fuzzer.conform import ORACLE as CONFORMANCE
from simcore.kernel import Kernel
from simcore.run import Violation


@click.command(name="replay", short_help="Run a failure or a trace again.")
@click.argument("what", metavar="FAILURE|FILE")
@kernel_option
@click.option("--original", is_flag=True, help="Replay a failure's trace as it was drawn, before it was minimized.")
@database_option
@screen_option
def command(what: str, kernel: Kernel | None, original: bool, database: str, screen: Screen) -> ExitCode:
    """Run a failure or a trace again, and compare with what was stored.

    Takes the id of a stored failure or trace, a trace's file, or - for stdin. Exits with 0 when the verdict
    is PASS, with 1 when it is FAIL, with 2 when a stored failure does not come out as it was stored, or was seen on a
    real kernel, where only `mmfuzz confirm` can run it again.
    """
    asked = find_input(what, kernel, database, original=original)
    if asked.failure is not None and asked.failure.oracle == CONFORMANCE:
        return replay_disagreement(screen, asked, asked.failure, original=original)
    if asked.failure is not None and was_seen_on_real_kernel(asked.failure):
        return replay_real(screen, asked, asked.failure, database)
    done = replay(asked, original=original)
    screen.document(_document(asked, done))
    if not screen.as_json:
        _print(screen, asked, done)
    return exit_code_of(done.verdict)


def _print(screen: Screen, asked: Input, done: Replay) -> None:
    ops = asked.trace.ops
    seen = violation_line(done.violation, len(ops)) if done.violation else done.reason
    told = done.reason if done.verdict == "UNKNOWN" else seen
    screen.say(Text.assemble((done.verdict, VERDICT_STYLES[done.verdict]), f": {told}"))
    screen.say(f"  {done.comparison}")
    for violation in done.observation.violations:
        if violation is not done.violation or done.verdict == "UNKNOWN":
            screen.say(f"  also {violation_line(violation, len(ops))}", style=CLASS_STYLES[violation.cls])
    screen.say(Text.assemble(f"  {asked.source} on ", (asked.kernel.name, "bold"), f", {done.observation.digest}"))
    print_trace(screen, asked.trace, _marks(done.violation, len(ops)), "    ")


def _marks(violation: Violation | None, ops: int) -> list[str]:
    """A comment for each op: where the violation was seen."""
    return [violation.oracle if violation and violation.at == i else "" for i in range(ops)]


def _document(asked: Input, done: Replay) -> dict[str, object]:
    violation = done.violation
    return {
        "verdict": done.verdict,
        "reason": done.reason,
        "comparison": done.comparison,
        "failure": asked.failure.id if asked.failure else None,
        "kernel": asked.kernel.name,
        "kernel_digest": asked.kernel.digest,
        "trace": trace_document(asked.trace),
        "violation": violation_document(violation) if violation else None,
        "place": place_of(violation, len(asked.trace.ops)) if violation else None,
        "violations": [violation_document(each) for each in done.observation.violations],
        "digest": done.observation.digest,
    }
