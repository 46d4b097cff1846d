"""A trace: a kernel's name, a world and a list of ops; as a value, as text, and as words for the core.

The text is what people read, mail and edit, and its digest is the trace's identity:

    mmfuzz trace 1
    kernel linux-4.5
    world processes=1 pages=1 frames=4 slots=2 memcgs=1 mergeable=0 swap=disk
    write 0 0 1        # process 0 stores token 1 to its page 0
    begin reclaim      # reclaim's path starts,
    step kswapd        # and goes on by one phase
    read 0 0 @1        # by the second thread of process 0

The core skips an op that does not apply. The text is strict: what cannot be meant is an error with line and
column.
"""

import hashlib
import re
from array import array
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from simcore.constants import WHOLE_AREA
from simcore.errors import TraceError, UnknownName, WorldError, quoted, unknown_name
from simcore.kernel_class import bad_kernel_name, is_kernel_name
from simcore.ops import OP_BY_NAME, actor_numbers
from simcore.trace_op import AREA_WORD, Op, decode_op, encode_op, find_mistake, signature
from simcore.world import World

__all__ = ["HEADER", "Op", "Trace", "decode", "encode", "format_trace", "parse_trace", "read_trace"]

VERSION = 1
MAGIC = "mmfuzz trace"
HEADER = f"{MAGIC} {VERSION}"


@dataclass(frozen=True, slots=True)
class Trace:
    """Ops, the world they run in, and the name of the kernel they run on."""

    kernel: str
    world: World
    ops: tuple[Op, ...] = ()

    @property
    def digest(self) -> str:
        """The trace's identity: "trc-" and 16 hex digits of the SHA-256 of its canonical text."""
        return "trc-" + hashlib.sha256(format_trace(self).encode()).hexdigest()[:16]


def format_trace(trace: Trace) -> str:
    """The canonical text, from which parse_trace makes the same trace; TraceError when none can."""
    if not is_kernel_name(trace.kernel):
        raise TraceError(bad_kernel_name(trace.kernel))
    for number, op in enumerate(trace.ops, start=1):
        mistake = find_mistake(op, trace.world)
        if mistake is not None:
            raise TraceError(f"op {number}, `{op}`: {mistake.message}")
    lines = [HEADER, f"kernel {trace.kernel}", f"world {trace.world}", *map(str, trace.ops)]
    return "\n".join(lines) + "\n"


def parse_trace(text: str, source: str = "<trace>") -> Trace:
    """The trace of a text. TraceError names source, line and column, and says what would be right."""
    parser = _Parser(source)
    for number, line in enumerate(text.split("\n"), start=1):
        parser.take_line(number, line.removesuffix("\r"))
    return parser.finish()


def read_trace(path: Path) -> Trace:
    """The trace in a file. TraceError when it cannot be read, too."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise TraceError(f"cannot be read: {error.strerror}", source=str(path)) from error
    except UnicodeDecodeError as error:
        raise TraceError("not a trace: not even text in UTF-8", source=str(path)) from error
    return parse_trace(text, str(path))


def encode(trace: Trace) -> "array[int]":
    """The ops as words for the core, 32 bits each. TraceError for an op that does not fit into one."""
    return array("I", map(encode_op, trace.ops))


def decode(words: Iterable[int], kernel: str, world: World) -> Trace:
    """The trace of the core's words. TraceError for a word that no op has."""
    return Trace(kernel, world, tuple(map(decode_op, words)))


@dataclass(frozen=True, slots=True)
class _Word:
    """A word of a line, and the column it starts at, counted from 1."""

    text: str
    column: int


class _Parser:
    """Takes a trace's lines one by one; keeps what they said so far."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.line = 1
        self.header: _Word | None = None
        self.kernel: str | None = None
        self.world: World | None = None
        self.ops: list[Op] = []

    def take_line(self, number: int, line: str) -> None:
        """Add what one line says."""
        self.line = number
        words = self._split(line.partition("#")[0])
        if not words:
            return
        if self.header is None:
            self._take_header(words)
        elif words[0].text == "kernel":
            self._take_kernel(words)
        elif words[0].text == "world":
            self._take_world(words)
        else:
            self._take_op(words)

    def finish(self) -> Trace:
        """The trace, when every line has been taken."""
        if self.header is None:
            self._fail(1, f"the trace is empty; its first line is `{HEADER}`")
        if self.kernel is None:
            self._fail(1, "the trace ends without its kernel line: `kernel NAME`")
        if self.world is None:
            self._fail(1, f"the trace ends without its world line, such as `world {World()}`")
        return Trace(self.kernel, self.world, tuple(self.ops))

    def _fail(self, column: int, message: str) -> NoReturn:
        raise TraceError(message, source=self.source, line=self.line, column=column)

    def _split(self, line: str) -> list[_Word]:
        stray = re.search(r"[^\t -~]", line)
        if stray:
            shown = f"U+{ord(stray[0]):04X}"
            self._fail(stray.start() + 1, f"the character {shown} ({stray[0]!a}); outside comments all is ASCII")
        return [_Word(match[0], match.start() + 1) for match in re.finditer(r"[^\t ]+", line)]

    def _take_header(self, words: list[_Word]) -> None:
        self.header = words[0]
        said = " ".join(word.text for word in words)
        version = said.removeprefix(f"{MAGIC} ")
        if said == HEADER:
            return
        if version != said and _is_number(version):
            what_to_do = "use a newer mmfuzz" if int(version) > VERSION else "there was no such version"
            self._fail(words[2].column, f"trace version {version}; this mmfuzz reads {VERSION}: {what_to_do}")
        self._fail(words[0].column, f"not a trace: it starts with {quoted(said)} instead of `{HEADER}`")

    def _take_kernel(self, words: list[_Word]) -> None:
        if self.kernel is not None:
            self._fail(words[0].column, f"a second kernel line; the trace is for {self.kernel}")
        if len(words) != 2:
            self._fail(words[0].column, "a kernel line is `kernel NAME`, a name without blanks")
        if not is_kernel_name(words[1].text):
            self._fail(words[1].column, bad_kernel_name(words[1].text))
        self.kernel = words[1].text

    def _take_world(self, words: list[_Word]) -> None:
        if self.world is not None:
            self._fail(words[0].column, f"a second world line; the trace has `world {self.world}`")
        try:
            self.world = World.parse(" ".join(word.text for word in words[1:]))
        except (WorldError, UnknownName) as error:
            # A feature can only be wrong in `without`.
            field = error.field if isinstance(error, WorldError) else "without"
            self._fail(_column_of_field(words, field), str(error))

    def _take_op(self, words: list[_Word]) -> None:
        if self.world is None or self.kernel is None:
            self._fail(words[0].column, "the kernel line and the world line come before the first op")
        begin = words[0] if words[0].text == "begin" else None
        if begin is not None and len(words) == 1:
            self._fail(begin.column, "begin what? It is `begin` and an op, such as `begin reclaim`")
        name, *args = words[1:] if begin else words
        thread = args.pop() if args and args[-1].text.startswith("@") else None
        numbers = self._read_args(name, args, self.world)
        op = Op(name.text, numbers, self._read_thread(thread), begin is not None)
        self._check_op(op, self.world, {"begin": begin, "name": name, "thread": thread, **dict(enumerate(args))})
        self.ops.append(op)

    def _read_args(self, name: _Word, words: list[_Word], world: World) -> tuple[int, ...]:
        spec = OP_BY_NAME.get(name.text)
        if spec is None or len(words) != len(spec.args):
            # Not to be read; the op's check says why.
            return (0,) * len(words)
        actors = actor_numbers(world.processes)
        numbers = []
        for kind, word in zip(spec.args, words, strict=True):
            if kind == "actor" and word.text not in actors:
                self._fail(word.column, unknown_name("actor", word.text, actors))
            if kind == "page" and word.text == AREA_WORD:
                numbers.append(WHOLE_AREA)
                continue
            if kind != "actor" and not _is_number(word.text):
                self._fail(word.column, f"{quoted(word.text)} cannot be a {kind}; it is `{signature(spec)}`")
            numbers.append(actors[word.text] if kind == "actor" else int(word.text))
        return tuple(numbers)

    def _read_thread(self, word: _Word | None) -> int:
        if word is None:
            return 0
        if not _is_number(word.text[1:]):
            self._fail(word.column, f"thread {quoted(word.text)}; a process has the threads @0 and @1")
        return int(word.text[1:])

    def _check_op(self, op: Op, world: World, words: dict[int | str, _Word | None]) -> None:
        mistake = find_mistake(op, world)
        if mistake is not None:
            word = words[mistake.part]
            assert word is not None, "an op has a mistake in a word it does not have"
            self._fail(word.column, mistake.message)


def _is_number(text: str) -> bool:
    # Nine digits are more than any argument has, and fewer than Python refuses to convert.
    return text.isascii() and text.isdigit() and len(text) <= 9


def _column_of_field(words: list[_Word], field: str | None) -> int:
    """Where a field of the world line stands; the line's first word if it was not given."""
    return next((w.column for w in reversed(words) if w.text.partition("=")[0] == field), words[0].column)
