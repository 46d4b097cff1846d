"""One reading: a trace run on a real kernel, and what the kernel showed of every page after every op.

A file of readings has one JSON object a line, compressed with gzip where its name ends with .gz. This module knows
their form and nothing of the simulator.
"""

import gzip
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, NoReturn, cast

import msgspec

from fuzzer.conform.errors import ReadingError
from simcore.errors import unknown_name
from simcore.ops import OP_BY_NAME

ReadOp = tuple[str, int, int, int]
"""Name, process, page, token; 0 stands where the op has no such argument."""
Result = tuple[int, int, int, int]
"""errno, value, number of the new process, and whether the op got what it was driven for."""
States = tuple[tuple[int, ...] | None, ...]
"""An integer for each page of each process; None for a process that is not alive."""
Counts = tuple[tuple[int, int], ...]
"""Counter and how much it grew."""

PROCESSES = 3
SMALL_PAGES = 12
HUGE_PAGES = 18
# The page number by which an op means the whole 2 MiB area.
AREA = 18


@dataclass(frozen=True, slots=True)
class Again:
    """What the second run showed after one op, where that was something else."""

    res: Result
    st: States
    vm: Counts
    sm: States = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A trace and what was read after each of its ops; fields as in the file.

    `thp`: the 2 MiB area exists, `hp`: it had MADV_HUGEPAGE. `st`, `sm`, `res`, `vm` have one entry an op. `fin`: what
    each live process read in all its pages after the last op. `det`: two runs showed the same; if not, `alt` has the
    second run's entries where they differed.
    """

    id: int
    thp: int
    hp: int
    ops: tuple[ReadOp, ...]
    res: tuple[Result, ...]
    st: tuple[States, ...]
    vm: tuple[Counts, ...]
    fin: tuple[tuple[int, ...] | None, ...]
    det: int
    xdet: int = 1
    sm: tuple[States, ...] = ()
    alt: dict[str, object] = field(default_factory=dict, hash=False)
    dm: int = 0

    @property
    def pages(self) -> int:
        """Pages of a process."""
        return HUGE_PAGES if self.thp else SMALL_PAGES

    @property
    def values(self) -> list[int]:
        """What was read at the end, process by process, page by page."""
        return [value for row in self.fin if row for value in row]


def read_file(path: Path) -> Iterator[tuple[int, Reading]]:
    """The readings of a file, each with its line from 1. ReadingError names file, line and field."""
    decoder = msgspec.json.Decoder(Reading)
    for line, text in _lines(path):
        if text.strip():
            yield line, _decode(decoder, text, str(path), line)


def second_run(reading: Reading) -> Reading:
    """The same trace as the second run showed it; the reading itself where both showed the same."""
    if not reading.alt:
        return reading
    last = msgspec.convert(reading.alt.get("fin", reading.fin), tuple[tuple[int, ...] | None, ...])
    again = {int(op): msgspec.convert(value, Again) for op, value in reading.alt.items() if op != "fin"}
    picked = [again.get(i) for i in range(len(reading.ops))]
    return replace(
        reading,
        res=tuple(a.res if a else old for a, old in zip(picked, reading.res, strict=True)),
        st=tuple(a.st if a else old for a, old in zip(picked, reading.st, strict=True)),
        vm=tuple(a.vm if a else old for a, old in zip(picked, reading.vm, strict=True)),
        sm=tuple(a.sm if a else old for a, old in zip(picked, reading.sm, strict=False)),
        fin=last,
    )


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    number = 0
    try:
        with _open(path) as file:
            for number, text in enumerate(file, start=1):
                yield number, text
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ReadingError(f"not whole, or not gzip: {error}", source=str(path), line=number + 1) from error
    except OSError as error:
        raise ReadingError(f"cannot be read: {error.strerror}", source=str(path)) from error


def _open(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")


def _decode(decoder: "msgspec.json.Decoder[Reading]", text: bytes, source: str, line: int) -> Reading:
    try:
        reading = decoder.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ReadingError(f"not a reading: {error}", source=source, line=line) from error
    _check(reading, source, line)
    return reading


def _check(reading: Reading, source: str, line: int) -> None:
    def fail(name: str, message: str) -> NoReturn:
        raise ReadingError(f"trace {reading.id}, field {name}: {message}", source=source, line=line)

    ops = len(reading.ops)
    for name in ("res", "st", "vm"):
        if len(getattr(reading, name)) != ops:
            fail(name, f"{len(getattr(reading, name))} entries for {ops} ops; there is one for each")
    if reading.sm and len(reading.sm) != ops:
        fail("sm", f"{len(reading.sm)} entries for {ops} ops; there is one for each")
    for i, op in enumerate(reading.ops):
        wrong = _op_mistake(op, reading)
        if wrong:
            fail(f"ops[{i}]", wrong)
    for name in ("st", "sm"):
        for i, states in enumerate(getattr(reading, name)):
            wrong = _states_mistake(states, reading.pages)
            if wrong:
                fail(f"{name}[{i}]", wrong)


def _op_mistake(op: ReadOp, reading: Reading) -> str | None:
    name, process, page, token = op
    if name not in OP_BY_NAME:
        return unknown_name("op", name, OP_BY_NAME)
    if not 0 <= process < PROCESSES:
        return f"process {process}; it can be 0 to {PROCESSES - 1}"
    if not 0 <= page < reading.pages and not (reading.thp and page == AREA):
        return f"page {page}; it can be 0 to {reading.pages - 1}{f', or {AREA} for the area' if reading.thp else ''}"
    return None if 0 <= token < 256 else f"token {token}; it can be 0 to 255"


def _states_mistake(states: States, pages: int) -> str | None:
    if len(states) > PROCESSES:
        return f"{len(states)} processes; there are at most {PROCESSES}"
    for process, row in enumerate(states):
        if row is not None and len(row) != pages:
            return f"P{process} has {len(row)} pages; it has {pages}"
    return None
