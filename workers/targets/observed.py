"""What the execution of a trace on a real kernel showed."""

from dataclasses import dataclass
from enum import IntEnum

Result = tuple[int, int, int, int]
"""errno (minus a signal's number for a load or store that one ended), value, number of the new process, reached."""
Row = tuple[int, ...]
"""An integer for each page of a process."""
Rows = tuple[Row | None, ...]
"""One row for each process; None for one that is not alive."""


class Status(IntEnum):
    """What became of a trace in the guest."""

    DONE = 0
    # A process of the world was killed; an op did not come back.
    DIED = 1
    STUCK = 2
    NOT_STARTED = 3
    # More was seen than fits into a message.
    TOO_MUCH = 4


@dataclass(frozen=True, slots=True)
class Observed:
    """A trace on a real kernel: what each op returned, and, where asked for, every page after each op.

    `states`, `smaps` and `counters` have an entry an op, or are empty; docs/conformance.md has their bits. `final` is
    what each process that lives read in all its pages after the last op. `clean`: nothing of the trace was left behind.
    """

    status: Status
    clean: bool
    results: tuple[Result, ...]
    alive: tuple[int, ...]
    states: tuple[Rows, ...]
    smaps: tuple[Rows, ...]
    counters: tuple[tuple[tuple[int, int], ...], ...]
    final: Rows
