"""Explanations on a terminal: simcore's own text, with the lines that matter in colour."""

from cli.output import Screen

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
