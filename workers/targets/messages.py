"""What host and guest say to each other in the payloads of frames; guest/src/main.c is the other side."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

from simcore.constants import MAX_MM, VPN_SHIFT
from simcore.world import World
from workers.targets.errors import ChannelError
from workers.targets.observed import Observed, Result, Row, Rows, Status

OBSERVE_PAGES = 1
OBSERVE_SMAPS = 2
_BATCH = struct.Struct("<BI7BH")
_TRACE = struct.Struct("<HBBH")
_OUTCOME = struct.Struct("<hhBBB")
_PAGE_MASK = (1 << VPN_SHIFT) - 1


@dataclass(frozen=True, slots=True)
class Batch:
    """Traces of one world, as words for the core; `nonce` is a number that no batch of this guest had yet."""

    world: World
    traces: tuple[Sequence[int], ...]
    nonce: int
    pages: bool = True
    smaps: bool = False


@dataclass(frozen=True, slots=True)
class Ready:
    """What a guest says of itself. `lacks` names the ops that cannot be driven there, each with the reason."""

    release: str
    version: str
    op_table: str
    nodes: int
    swap: str
    lacks: dict[str, str]


def encode_batch(batch: Batch) -> bytes:
    """The payload of a RUN frame."""
    world = batch.world
    file = world.file if "tmpfs" in world.features else 0
    huge = world.huge if "thp" in world.features else 0
    options = OBSERVE_PAGES * batch.pages | OBSERVE_SMAPS * batch.smaps
    head = _BATCH.pack(
        options, batch.nonce, world.processes, world.pages, world.mergeable, file, huge, world.advised, world.memcgs,
        len(batch.traces),
    )  # fmt: skip
    return head + b"".join(struct.pack(f"<H{len(words)}I", len(words), *words) for words in batch.traces)


def decode_ready(payload: bytes) -> Ready:
    """The payload of a READY frame. ChannelError when something is missing."""
    fields = dict(line.partition("=")[::2] for line in payload.decode("utf-8", "replace").splitlines())
    try:
        return Ready(
            release=fields["release"],
            version=fields["version"],
            op_table=fields["ops"],
            nodes=int(fields["nodes"]),
            swap=fields["swap"],
            lacks=_lacks(fields["lacks"]),
        )
    except (KeyError, ValueError) as error:
        raise ChannelError(f"the guest's first message cannot be read: {error}") from error


def decode_trace(payload: bytes, batch: Batch) -> tuple[int, Observed]:
    """The payload of a TRACE frame: the trace's place in its batch, and what was seen."""
    try:
        return _TraceReader(payload, batch).read()
    except (struct.error, ValueError, IndexError) as error:
        raise ChannelError(f"the guest sent a trace that cannot be read: {error}") from error


def _lacks(text: str) -> dict[str, str]:
    """From `migrate: one NUMA node;collapse,split: no huge pages;`."""
    lacks: dict[str, str] = {}
    for part in filter(None, text.split(";")):
        ops, _, reason = part.partition(": ")
        lacks |= dict.fromkeys(ops.split(","), reason)
    return lacks


class _TraceReader:
    """Reads one trace's message from its start to its end."""

    def __init__(self, payload: bytes, batch: Batch) -> None:
        self._payload = payload
        self._at = 0
        self._batch = batch
        self._pages = batch.world.total_pages
        self._states: list[Row | None] = [None] * MAX_MM
        self._smaps: list[Row | None] = [None] * MAX_MM

    def read(self) -> tuple[int, Observed]:
        index, status, clean, done = self._unpack(_TRACE)
        results: list[Result] = []
        alive: list[int] = []
        states: list[Rows] = []
        smaps: list[Rows] = []
        counters = []
        for _ in range(done):
            errno, value, child, reached, living = self._unpack(_OUTCOME)
            results.append((errno, value, child, reached))
            alive.append(living)
            if self._batch.pages:
                counters.append(self._counters())
                states.append(self._rows(self._states, living, 5))
                if self._batch.smaps:
                    smaps.append(self._rows(self._smaps, living, 2))
        final = self._final(alive[-1] if alive else 1) if status == Status.DONE else ()
        if self._at != len(self._payload) and status != Status.TOO_MUCH:
            raise ValueError(f"{len(self._payload) - self._at} bytes too many")
        return index, Observed(
            Status(status), bool(clean), tuple(results), tuple(alive), tuple(states), tuple(smaps), tuple(counters),
            final,
        )  # fmt: skip

    def _unpack(self, form: struct.Struct) -> tuple[int, ...]:
        values = form.unpack_from(self._payload, self._at)
        self._at += form.size
        return values

    def _number(self, size: int) -> int:
        data = self._payload[self._at : self._at + size]
        if len(data) < size:
            raise ValueError("it ends too early")
        self._at += size
        return int.from_bytes(data, "little")

    def _counters(self) -> tuple[tuple[int, int], ...]:
        return tuple((self._number(1), self._number(2)) for _ in range(self._number(1)))

    def _rows(self, rows: list[Row | None], living: int, size: int) -> Rows:
        """Take what changed into the rows kept from the op before."""
        changed: dict[int, dict[int, int]] = {}
        for _ in range(self._number(1)):
            where = self._number(1)
            changed.setdefault(where >> VPN_SHIFT, {})[where & _PAGE_MASK] = self._number(size)
        for process in range(MAX_MM):
            if not living >> process & 1:
                rows[process] = None
                continue
            row = list(rows[process] or [0] * self._pages)
            for page, value in changed.get(process, {}).items():
                row[page] = value
            rows[process] = tuple(row)
        return _cut(rows)

    def _final(self, living: int) -> Rows:
        rows: list[Row | None] = [None] * MAX_MM
        for process in range(MAX_MM):
            if living >> process & 1:
                rows[process] = tuple(self._number(1) for _ in range(self._pages))
        return _cut(rows)


def _cut(rows: Sequence[Row | None]) -> Rows:
    """Without the processes at the end that are not alive, as readings have it."""
    last = max((number for number, row in enumerate(rows) if row is not None), default=-1)
    return tuple(rows[: last + 1])
