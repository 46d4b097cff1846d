"""`mmfuzz replay` of a stored disagreement with a real kernel: does the simulator still show the same?"""

from typing import TYPE_CHECKING

from rich.text import Text

from cli.exit_codes import ExitCode
from cli.inputs import Input
from cli.output import Screen
from cli.trace_text import print_trace, trace_document
from cli.verdicts import VERDICT_STYLES, Verdict, exit_code_of
from fuzzer.conform.finding import Now, replay_finding

if TYPE_CHECKING:
    from db.values import StoredFailure


def replay_disagreement(screen: Screen, asked: Input, failure: "StoredFailure", *, original: bool) -> ExitCode:
    """Run its trace, with the branches that the reading showed; FAIL while the simulator shows something else."""
    now = replay_finding(failure.violation, asked.trace, asked.kernel, original=original)
    verdict: Verdict = "FAIL" if now.differs else "PASS"
    screen.document(_document(asked, failure, now, verdict))
    if not screen.as_json:
        _print(screen, asked, failure, now, verdict, original=original)
    return exit_code_of(verdict)


def _print(
    screen: Screen, asked: Input, failure: "StoredFailure", now: Now, verdict: Verdict, *, original: bool
) -> None:
    at = failure.violation["at_original" if original else "at"]
    marks = [failure.kind if i == at else "" for i in range(len(asked.trace.ops))]
    screen.say(Text.assemble((verdict, VERDICT_STYLES[verdict]), f": {now.reason}"))
    screen.say(f"  {_reading(failure)}")
    if not original:
        screen.say("  the real kernel was NOT run on this shortened trace", style="yellow")
    screen.say(Text.assemble(f"  {asked.source} on ", (asked.kernel.name, "bold")))
    print_trace(screen, asked.trace, marks, "    ")


def _reading(failure: "StoredFailure") -> str:
    said = failure.violation
    return f"trace {said.get('reading')} of {said.get('file')}, Linux {said.get('version')}"


def _document(asked: Input, failure: "StoredFailure", now: Now, verdict: Verdict) -> dict[str, object]:
    return {
        "verdict": verdict,
        "reason": now.reason,
        "comparison": "still differs" if now.differs else "agrees now",
        "failure": failure.id,
        "kernel": asked.kernel.name,
        "kernel_digest": asked.kernel.digest,
        "trace": trace_document(asked.trace),
        "violation": failure.violation,
        "place": None,
        "violations": [],
        "digest": None,
        "simulated": now.simulated,
    }
