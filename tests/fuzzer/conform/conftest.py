"""Readings made by the simulator itself, so that it agrees with them until a test changes one."""

import gzip
import json
from collections.abc import Callable, Sequence
from copy import deepcopy
from pathlib import Path
from typing import Any

import msgspec
import pytest

from fuzzer.conform.reading import Reading
from fuzzer.conform.replay import ERRNO, Move, prepare, run_move, word_of
from fuzzer.conform.world import Source, base_world
from simcore.core import new_machine
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel

Record = dict[str, Any]
PAGES = 12
BATCH = 15
OPS = (
    "write 0 0 101", "write 0 1 101", "drain 0", "ksm_scan", "fork 0", "write 1 1 2", "madv_pageout 0 1", "read 0 4",
    "migrate 0 0", "madv_free 0 1", "drain 0", "gup_write 0 8 3", "read 0 10", "clear_soft_dirty 0", "write 0 5 4",
    "drain 0", "reclaim", "read 0 5", "mlock 0 6", "madv_dontneed 0 6", "swapoff_on", "exit 1", "read 1 0",
)  # fmt: skip


@pytest.fixture(scope="session")
def kernel() -> Kernel:
    """The kernel that reads."""
    return find_kernel("linux-6.1")


def parse_op(line: str) -> list[Any]:
    """`write 0 1 2` as a record has it."""
    name, *numbers = line.split()
    given = [int(number) for number in numbers]
    return [name, *given, *[0] * (3 - len(given))]


def make_record(
    kernel: Kernel, lines: Sequence[str], *, number: int = 0, swap: str = "zram", sm: bool = False
) -> Record:
    """What the simulator shows when it runs these ops, in the form of a file of readings."""
    machine = new_machine()
    source = Source("made-up", "main", "6.1", "virtio" if swap == "virtio" else "zram")
    prepare(machine, kernel.rows, base_world(source, BATCH))
    ops = [parse_op(line) for line in lines]
    record: Record = {"id": number, "thp": 0, "hp": 0, "ops": ops, "res": [], "st": [], "vm": [], "det": 1, "xdet": 1}
    record |= {"sm": []} if sm else {}
    for name, process, page, token in ops:
        choices = () if name == "reclaim" else None
        errno = ERRNO[run_move(machine, Move(word_of((name, process, page, token)), choices))]
        states = machine.page_states()
        value = machine.last_value() if name == "read" else 0
        if name == "migrate" and not errno:
            value = states[process][page] >> 27 & 1
        child = len(states) - 1 if name == "fork" and not errno else 0
        record["res"].append([errno, value, child, 1])
        record["st"].append([row or None for row in states])
        record["vm"].append([[0, 1]] if name == "reclaim" else [])
        if sm:
            record["sm"].append([row or None for row in machine.smaps_states()])
    values = machine.final_values()
    alive = [bool(row) for row in machine.page_states()]
    rows = [values[PAGES * sum(alive[:i]) :][:PAGES] if is_alive else None for i, is_alive in enumerate(alive)]
    return record | {"fin": rows}


@pytest.fixture(scope="session")
def _made(kernel: Kernel) -> Record:
    return make_record(kernel, OPS)


@pytest.fixture
def record(_made: Record) -> Record:
    """A record of many ops, to be changed."""
    return deepcopy(_made)


@pytest.fixture(scope="session")
def _made_with_smaps(kernel: Kernel) -> Record:
    return make_record(kernel, ("write 0 0 1", "madv_free 0 0", "drain 0", "read 0 8"), sm=True)


@pytest.fixture
def smaps_record(_made_with_smaps: Record) -> Record:
    """A record with what smaps showed, to be changed."""
    return deepcopy(_made_with_smaps)


@pytest.fixture
def reading(record: Record) -> Reading:
    """The same as a reading."""
    return msgspec.convert(record, Reading)


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Writes records to a file of the name that readings have, and gives its path."""

    def write(*records: Record, name: str = "main-6.1-zram.jsonl.gz") -> Path:
        path = tmp_path / name
        text = "".join(json.dumps(each) + "\n" for each in records).encode()
        path.write_bytes(gzip.compress(text, mtime=0) if path.suffix == ".gz" else text)
        return path

    return write
