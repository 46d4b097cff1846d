"""What can be wrong with the input of simcore, told to the person who gave it.

A message says what happened, with which value, and what would be right. What the simulated kernel does wrong
is never an exception: it is a violation that an oracle reports.
"""

from collections.abc import Iterable
from difflib import get_close_matches


class SimcoreError(Exception):
    """Bad input to simcore: the root of all below."""


class WorldError(SimcoreError):
    """A world that cannot be. `field` is the field at fault, None when it is the whole."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class KernelError(SimcoreError):
    """A kernel that cannot be: a class, a file or a table with a mistake."""


class TraceError(SimcoreError):
    """A trace that cannot be; `line` and `column` count from 1, and are None where there is no text."""

    def __init__(
        self, message: str, *, source: str = "<trace>", line: int | None = None, column: int | None = None
    ) -> None:
        place = [source, *(str(number) for number in (line, column) if number is not None)]
        super().__init__(f"{':'.join(place)}: {message}")
        self.line = line
        self.column = column


class UnknownName(SimcoreError):  # noqa: N818 - it reads as what happened
    """A name that nothing has. `existing` are the names there are."""

    def __init__(self, kind: str, name: str, existing: Iterable[str]) -> None:
        self.kind = kind
        self.name = name
        self.existing = tuple(existing)
        super().__init__(unknown_name(kind, name, self.existing))


def unknown_name(kind: str, name: str, existing: Iterable[str]) -> str:
    """The sentence about a name that nothing has: unknown op 'raed'; did you mean 'read'? There are: ..."""
    names = tuple(existing)
    close = get_close_matches(name, names, n=3, cutoff=0.6)
    meant = f"; did you mean {' or '.join(repr(match) for match in close)}?" if close else "."
    listed = f"There are: {', '.join(names)}" if names else "There are none"
    return f"unknown {kind} {quoted(name)}{meant} {listed}"


def quoted(text: str) -> str:
    """The text in quotes, cut where it is too long for a message."""
    return repr(text) if len(text) <= 60 else f"{text[:60]!r}..."
