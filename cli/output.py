"""What is printed and where: results on stdout, notes and progress on stderr.

With --json the only thing on stdout is one document. Without it, results are lines and tables: drawn by rich on a
terminal, plain and never cut or wrapped anywhere else.
"""

import errno
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.errors import InfrastructureTrouble, OutputGone


class Screen:
    """Where a command prints. `say` and `table` are for people and silent with --json, `document` is for --json."""

    def __init__(self, as_json: bool) -> None:
        self.as_json = as_json
        self.out = _console(stderr=False)
        self.err = _console(stderr=True)

    def say(self, line: str | Text = "", style: str = "") -> None:
        """Print a line of the result, on a terminal in a style of rich's."""
        if not self.as_json:
            with _written():
                self.out.print(line, style=style, soft_wrap=True)

    def table(self, headings: Sequence[str], rows: Sequence[Sequence[object]], right: Sequence[str] = ()) -> None:
        """Print a table; columns named in `right` are numbers. Without rows nothing is printed."""
        if self.as_json or not rows:
            return
        texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
        if self.out.is_terminal:
            with _written():
                self.out.print(_drawn_table(headings, texts, right))
            return
        for line in plain_table(headings, texts, right):
            self.say(line)

    def document(self, value: object) -> None:
        """Print the one JSON document of the command, with --json."""
        if self.as_json:
            with _written():
                sys.stdout.write(to_json(value) + "\n")
                sys.stdout.flush()

    def note(self, line: str | Text, style: str = "") -> None:
        """Print a line that is not part of the result, on stderr; work goes on where nobody reads it."""
        with suppress(OutputGone, InfrastructureTrouble), _written():
            self.err.print(line, style=style, soft_wrap=True)

    def announce(self, line: str | Text, style: str = "") -> None:
        """Print a line that people want with the result, and that --json keeps off stdout."""
        if self.as_json:
            self.note(line, style)
        else:
            self.say(line, style)


@contextmanager
def bytes_on_stdout() -> Iterator[Callable[[bytes], object]]:
    """What writes bytes of the result on stdout as they are; at the end all of them are handed out."""

    def write(content: bytes) -> None:
        with _written():
            sys.stdout.buffer.write(content)

    yield write
    with _written():
        sys.stdout.buffer.flush()


def to_json(value: object) -> str:
    """The value as JSON for people and programs: indented, keys in the order given."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def plain_table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str] = ()) -> Iterator[str]:
    """The lines of a table without drawing: columns two blanks apart, nothing cut."""
    lines = [[heading.upper() for heading in headings], *rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(headings))]
    for line in lines:
        cells = [
            cell.rjust(width) if heading in right else cell.ljust(width)
            for cell, width, heading in zip(line, widths, headings, strict=True)
        ]
        yield "  ".join(cells).rstrip()


def plural(number: int, noun: str, nouns: str | None = None) -> str:
    """A number and its noun: 1 failure, 12,345 ops."""
    return f"{number:,} {noun if number == 1 else nouns or noun + 's'}"


def _drawn_table(headings: Sequence[str], rows: Sequence[Sequence[str]], right: Sequence[str]) -> Table:
    table = Table(box=None, header_style="bold", pad_edge=False, padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading, justify="right" if heading in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell) for cell in row))
    return table


class _Console(Console):
    """rich's, without its own way to leave when nobody reads any more."""

    def on_broken_pipe(self) -> None:
        raise OutputGone


def _console(*, stderr: bool) -> Console:
    return _Console(stderr=stderr, highlight=False, markup=False, emoji=False)


@contextmanager
def _written() -> Iterator[None]:
    """Turn what can go wrong with our output into our errors."""
    try:
        yield
    except OSError as error:
        if error.errno == errno.EPIPE:
            raise OutputGone from error
        raise InfrastructureTrouble(f"the output cannot be written: {error.strerror}") from error
