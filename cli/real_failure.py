"""Failures that were seen on a real kernel: what a replay in the simulator can and cannot say of them."""

from typing import TYPE_CHECKING

from rich.text import Text

from cli.exit_codes import ExitCode
from cli.failure_text import stored_command
from cli.inputs import Input
from cli.output import Screen
from cli.trace_text import print_trace, trace_document
from cli.verdicts import VERDICT_STYLES, violation_document, violation_line
from fuzzer.real.finding import is_of_real_kernel
from simcore.run import run_trace

if TYPE_CHECKING:
    from db.values import StoredFailure


def was_seen_on_real_kernel(failure: "StoredFailure") -> bool:
    """Whether `mmfuzz target fuzz` found it."""
    return is_of_real_kernel(failure.options)


def replay_real(screen: Screen, asked: Input, failure: "StoredFailure", database: str) -> ExitCode:
    """Say what the simulated kernel does in its trace, and how the real one is asked again; there is no verdict."""
    observation = run_trace(asked.trace, asked.kernel)
    confirm = confirm_command(failure, database)
    seen_on = f"{failure.options['target']} ({failure.options.get('release')}), swap on {failure.options.get('swap')}"
    reason = f"seen on a real kernel, {seen_on}: a replay is the simulator's and proves nothing of it"
    screen.document(
        {
            "verdict": "UNKNOWN",
            "reason": reason,
            "comparison": f"stored {failure.verdict}: {failure.reason}",
            "failure": failure.id,
            "kernel": asked.kernel.name,
            "kernel_digest": asked.kernel.digest,
            "trace": trace_document(asked.trace),
            "violation": failure.violation,
            "place": None,
            "violations": [violation_document(each) for each in observation.violations],
            "digest": observation.digest,
            "confirm": confirm,
        }
    )
    screen.say(Text.assemble(("UNKNOWN", VERDICT_STYLES["UNKNOWN"]), f": {reason}"))
    screen.say(f"  there: {failure.reason}")
    for violation in observation.violations:
        screen.say(f"  the simulated {asked.kernel.name}: {violation_line(violation, len(asked.trace.ops))}")
    if not observation.violations:
        screen.say(f"  the simulated {asked.kernel.name} does nothing wrong in this trace")
    print_trace(screen, asked.trace, [""] * len(asked.trace.ops), "    ")
    screen.say(f"  to run it there again: {confirm}")
    return ExitCode.INCONCLUSIVE


def confirm_command(failure: "StoredFailure", database: str) -> str:
    """The command that runs the failure where it was seen."""
    options = failure.options
    return f"{stored_command('confirm', failure.id, database)} --target {options['target']} --swap {options['swap']}"
