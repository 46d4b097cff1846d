"""Explanations on a terminal: simcore's own text, with the lines that matter in colour."""

from cli.output import Screen
from cli.verdicts import violation_document
from simcore.explain import Explanation

# The beginnings of lines, without their indentation, and how they are shown.
STYLES: tuple[tuple[str, str], ...] = (
    (">>>", "bold red"),
    ("?", "dim"),
    ("the life of", "bold"),
    ("step by step", "bold"),
)


def print_explanation(screen: Screen, text: str) -> None:
    """Print the text of an explanation."""
    for line in text.splitlines():
        screen.say(line, style=_style(line))


def _style(line: str) -> str:
    words = line.lstrip()
    if "SAYS NO" in words or "SAYS YES" in words:
        return "yellow"
    if words[:1].isdigit():
        return "bold"
    return next((style for beginning, style in STYLES if words.startswith(beginning)), "")


def explanation_document(explanation: Explanation) -> dict[str, object]:
    """An explanation as --json gives it: the steps, the last of which is the end of the trace."""
    return {
        "reference": explanation.reference,
        "violations": [violation_document(violation) for violation in explanation.violations],
        "steps": [
            {
                "number": step.number,
                "op": step.op,
                "result": step.result,
                "changes": list(step.changes),
                "decisions": list(step.decisions),
                "moment": step.moment,
            }
            for step in explanation.steps
        ],
    }
