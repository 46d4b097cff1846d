"""The verdict on an execution, and how violations are told."""

from typing import Literal

from cli.exit_codes import ExitCode
from simcore.run import Observation, Violation

Verdict = Literal["PASS", "FAIL", "UNKNOWN"]

VERDICT_STYLES: dict[str, str] = {"PASS": "bold green", "FAIL": "bold red", "UNKNOWN": "bold yellow"}
CLASS_STYLES: dict[str, str] = {
    "safety": "red",
    "liveness": "magenta",
    "cost": "yellow",
    "conformance": "cyan",
    "crash": "red",
}
# The worst class first.
CLASS_ORDER: tuple[str, ...] = ("crash", "safety", "liveness", "cost", "conformance")


def verdict_of(observation: Observation) -> Verdict:
    """PASS when no oracle spoke, else FAIL."""
    return "FAIL" if observation.failed else "PASS"


def exit_code_of(verdict: Verdict) -> ExitCode:
    """What a command exits with whose result is this verdict."""
    codes: dict[Verdict, ExitCode] = {
        "PASS": ExitCode.PASS,
        "FAIL": ExitCode.FAILURE_FOUND,
        "UNKNOWN": ExitCode.INCONCLUSIVE,
    }
    return codes[verdict]


def place_of(violation: Violation, ops: int) -> str:
    """When it happened: `op 3`, counted from 1, or the end of the trace, whose length is given."""
    return f"op {violation.at + 1}" if violation.at < ops else "end of trace"


def violation_line(violation: Violation, ops: int) -> str:
    """A violation in one line."""
    return f"{violation.cls} {violation.oracle} ({violation.kind}), {place_of(violation, ops)}: {violation.what}"


def violation_document(violation: Violation) -> dict[str, object]:
    """A violation as --json gives it and the database keeps it.

    `at` counts ops from 0; the number of ops stands for the end of the trace.
    """
    return violation.to_json()
