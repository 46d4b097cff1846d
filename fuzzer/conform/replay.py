"""Run a reading's trace in the simulator, and say after each op what both show.

Where the real kernel's reclaim had a choice that the trace does not decide, the simulator is told to take the same
branch: see follow_choices().
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fuzzer.conform.observables import CLASS_MASK, PRESENT, ZERO_PAGE
from fuzzer.conform.reading import AREA, Reading, ReadOp, States
from fuzzer.conform.world import pagemap_is_by_head
from simcore.constants import (
    FOLLOW_ANY,
    FOLLOW_CACHE,
    FOLLOW_KEEP,
    FOLLOW_KEEP_SWAPBACKED,
    FOLLOW_TAKE,
    RESULT_BLOCKED,
    RESULT_EAGAIN,
    RESULT_EBUSY,
    RESULT_EFAULT,
    RESULT_EINVAL,
    RESULT_ENOENT,
    RESULT_ENOMEM,
    RESULT_OK,
    RESULT_SIGBUS,
    RESULT_SKIPPED,
    VPN_SHIFT,
    WHOLE_AREA,
)
from simcore.core import NEEDS
from simcore.ops import OP_BY_NAME
from simcore.trace_op import Op, encode_op
from simcore.world import World

# What the simulator's results are as errno. A blocked op ends nowhere, which no errno says.
ERRNO: dict[int, int] = {
    RESULT_OK: 0,
    RESULT_SKIPPED: 3,
    RESULT_BLOCKED: -1,
    RESULT_EINVAL: 22,
    RESULT_ENOMEM: 12,
    RESULT_EAGAIN: 11,
    RESULT_EFAULT: 14,
    RESULT_ENOENT: 2,
    RESULT_SIGBUS: -7,
    RESULT_EBUSY: 16,
}
SWAPBACKED = 1 << 5
IN_MEMORY = 1 << 25
NODE = 27
# memory.high=0 twice is how the readings drove reclaim.
RECLAIM_ROUNDS = 2
# The vmstat counter pglazyfree grows only when a batch is drained.
PGLAZYFREE = 0


@dataclass(frozen=True, slots=True)
class Move:
    """One op for the machine: its word, and, for a reclaim, what it is to do with each page (FOLLOW_*, by ptep).

    `drains`: the reading shows that pages left the batches meanwhile.
    """

    word: int
    choices: tuple[int, ...] | None = None
    drains: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """What the simulator showed after one op: errno, the value of a read or a migrate, and every page."""

    errno: int
    value: int
    states: list[list[int]]
    smaps: list[list[int]]


def prepare(machine: Any, rows: bytes, world: World) -> None:
    """The machine at the start of a trace in this world, on the kernel of these rows."""
    machine.set_pagemap_by_head(pagemap_is_by_head(world))
    machine.load_kernel(rows)
    machine.set_world(world.encode(), NEEDS)
    machine.start(0)
    # Frames are told apart from those of the last call, which was about another trace.
    machine.page_states()


def steps(machine: Any, reading: Reading) -> Iterator[Step]:
    """Run the ops of a reading on a prepared machine; what is shown after each."""
    for op, move in zip(reading.ops, moves(reading), strict=True):
        yield run_step(machine, op, move, smaps=bool(reading.sm))


def moves(reading: Reading) -> Iterator[Move]:
    """The ops of a reading as they are run, with the branches that the real kernel took."""
    for op, states, counts in zip(reading.ops, reading.st, reading.vm, strict=True):
        if op[0] == "reclaim":
            yield Move(word_of(op), follow_choices(states), any(counter == PGLAZYFREE for counter, _ in counts))
        else:
            yield Move(word_of(op))


def run_step(machine: Any, op: ReadOp, move: Move, *, smaps: bool = False) -> Step:
    """Run one op; what is shown after it."""
    errno = ERRNO[run_move(machine, move)]
    shown = machine.page_states()
    return Step(errno, _value(machine, op, shown), shown, machine.smaps_states() if smaps else [])


def run_move(machine: Any, move: Move) -> int:
    """Run one op as it was driven; its RESULT_* code. I/O has ended when a reading is made."""
    result: int = 0
    if move.choices is None:
        result = machine.op(move.word)
        machine.end_writes()
        return result
    machine.follow(move.choices, move.drains)
    for _ in range(RECLAIM_ROUNDS):
        result = machine.op(move.word)
        machine.end_writes()
    machine.follow([])
    return result


def follow_choices(states: States) -> tuple[int, ...]:
    """For each ptep, what reclaim did with the page in the reading: a FOLLOW_* code."""
    choices = [0] * (len(states) << VPN_SHIFT)
    for process, row in enumerate(states):
        for page, state in enumerate(row or ()):
            choices[process << VPN_SHIFT | page] = _choice(state)
    return tuple(choices)


def _choice(state: int) -> int:
    kind = state & CLASS_MASK
    if kind == PRESENT:
        return FOLLOW_KEEP_SWAPBACKED if state & SWAPBACKED else FOLLOW_KEEP
    if kind == ZERO_PAGE:
        return FOLLOW_ANY
    # Where no page is mapped, the bit tells of the page of the slot, or of the file's page.
    return FOLLOW_CACHE if state & IN_MEMORY else FOLLOW_TAKE


def trace_op(op: ReadOp) -> Op:
    """The op as a trace has it: the area's page number is another, and arguments it does not take are left out."""
    name, process, page, token = op
    given = {"process": process, "page": WHOLE_AREA if page == AREA else page, "token": token}
    return Op(name, tuple(given[kind] for kind in OP_BY_NAME[name].args))


def read_op(op: Op) -> ReadOp:
    """The op as a reading has it: the inverse of trace_op()."""
    given = dict(zip(OP_BY_NAME[op.name].args, op.args, strict=True))
    page = given.get("page", 0)
    return op.name, given.get("process", 0), AREA if page == WHOLE_AREA else page, given.get("token", 0)


def word_of(op: ReadOp) -> int:
    """The op's word for the core."""
    word = _WORDS.get(op)
    if word is None:
        word = _WORDS[op] = encode_op(trace_op(op))
    return word


# Ops repeat: with three processes and few tokens there are some thousands.
_WORDS: dict[ReadOp, int] = {}


def _value(machine: Any, op: ReadOp, shown: list[list[int]]) -> int:
    """The token that a read saw; for a migrate, the node of the page it asked for."""
    if op[0] == "read":
        return int(machine.last_value())
    if op[0] != "migrate" or op[1] >= len(shown) or op[2] >= len(shown[op[1]]):
        return 0
    return shown[op[1]][op[2]] >> NODE & 1
