"""What goes into the store and comes out of the queries: frozen values, never rows.

A record is checked when it is made, so that a value that no database takes is refused where it comes from.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from db.errors import BadRecordError, DamagedDatabaseError
from db.json_text import to_json_text
from db.models import CLASSES, VERDICTS
from db.types import BIGGEST
from simcore.errors import SimcoreError
from simcore.kernel import Kernel
from simcore.trace import Trace, parse_trace
from simcore.world import World

RunState = Literal["running", "done", "stopped", "died"]
Saved = Literal["new", "simpler", "known"]
"""What saving a failure changed: a first sight; a shorter trace for a known one; at most counts and times."""


@dataclass(frozen=True, slots=True)
class RunRecord:
    """A run as it starts. `options` is every option, given or derived; `rows_total` the rows of all rules."""

    kernel: Kernel
    world: World
    engine: str
    seed: int
    options: Mapping[str, object]
    versions: Mapping[str, str]
    rows_total: int
    started: datetime

    def __post_init__(self) -> None:
        _check_integer("seed", self.seed)
        _check_integer("rows_total", self.rows_total)
        _check_json("options", self.options)
        _check_json("versions", self.versions)
        _check_time("started", self.started)

    @property
    def id(self) -> str:
        """The run's id, "run-" and 10 hex digits: the digest of what was asked and when."""
        asked = [self.kernel.digest, self.kernel.name, str(self.world), self.engine, self.seed]
        text = to_json_text([*asked, dict(self.options), self.started.timestamp()])
        return "run-" + hashlib.sha256(text.encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What a run has done so far: whole sums, never differences. `seconds` is time spent fuzzing."""

    seconds: float = 0.0
    traces: int = 0
    ops: int = 0
    rows_covered: int = 0

    def __post_init__(self) -> None:
        for name in ("traces", "ops", "rows_covered"):
            _check_integer(name, getattr(self, name))


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """A failure as one run found it.

    `count` is how often the run has seen it in all, so that saving it again with the same count changes
    nothing. `reason` is the verdict in one sentence, `violation` the rest of what the oracle saw, `cause` the
    guilty rows, `reference` the kernel they were exchanged with, `minimization` what was tried. Mappings hold
    what JSON can hold.
    """

    id: str
    signature: str
    oracle: str
    cls: str
    kind: str
    kernel: Kernel
    original: Trace
    minimized: Trace
    reason: str
    violation: Mapping[str, object]
    cause: Mapping[str, object]
    minimization: Mapping[str, object]
    seed: int
    count: int
    options: Mapping[str, object]
    versions: Mapping[str, str]
    seen: datetime
    reference: Kernel | None = None
    verdict: str = "FAIL"

    def __post_init__(self) -> None:
        _check_one_of("class", self.cls, CLASSES)
        _check_one_of("verdict", self.verdict, VERDICTS)
        _check_text("reason", self.reason)
        _check_integer("seed", self.seed)
        _check_integer("count", self.count, least=1)
        for name in ("violation", "cause", "minimization", "options", "versions"):
            _check_json(name, getattr(self, name))
        _check_time("seen", self.seen)


@dataclass(frozen=True, slots=True)
class FailureFilter:
    """Which failures to list; what is None does not matter.

    `kernel` is a name or the beginning of a digest (krn-...), `signature` the beginning of one, `run` a run's
    whole id. `text` is what the minimized trace's text must contain, whatever the case of its letters.
    """

    oracle: str | None = None
    cls: str | None = None
    kind: str | None = None
    kernel: str | None = None
    signature: str | None = None
    text: str | None = None
    run: str | None = None


@dataclass(frozen=True, slots=True)
class StoredTrace:
    """A trace as it lies in the database; its text is kept for ever, whatever today's parser makes of it."""

    digest: str
    kernel_name: str
    world_text: str
    text: str
    ops: int

    def trace(self) -> Trace:
        """The trace itself. DamagedDatabaseError when the text is not the one the digest was made of."""
        try:
            trace = parse_trace(self.text, source=self.digest)
        except SimcoreError as error:
            raise self._damaged(str(error)) from error
        if trace.digest != self.digest:
            raise self._damaged(f"its text has the digest {trace.digest}")
        return trace

    def _damaged(self, why: str) -> DamagedDatabaseError:
        return DamagedDatabaseError(
            "a stored trace cannot be read", f"{self.digest} ({why})", "restore a copy of the database"
        )


@dataclass(frozen=True, slots=True)
class StoredFailure:
    """A failure with the shortest trace known for it; `count` and `runs` are over all runs."""

    id: str
    signature: str
    oracle: str
    cls: str
    kind: str
    kernel_name: str
    kernel_digest: str
    reference_digest: str | None
    original: StoredTrace
    minimized: StoredTrace
    verdict: str
    reason: str
    violation: dict[str, Any]
    cause: dict[str, Any]
    minimization: dict[str, Any]
    seed: int
    options: dict[str, Any]
    versions: dict[str, str]
    first_seen: datetime
    last_seen: datetime
    count: int
    runs: int


@dataclass(frozen=True, slots=True)
class StoredFinding:
    """One pair of traces by which a failure was found, and the run that first found it."""

    original_digest: str
    minimized_digest: str
    minimized_ops: int
    run: str
    seed: int


@dataclass(frozen=True, slots=True)
class StoredRun:
    """A run as far as it got. `heard` is when it last said that it runs; `failures` how many it found."""

    id: str
    kernel_name: str
    kernel_digest: str
    world_text: str
    engine: str
    seed: int
    options: dict[str, Any]
    versions: dict[str, str]
    state: str
    started: datetime
    heard: datetime
    ended: datetime | None
    seconds: float
    traces: int
    ops: int
    rows_covered: int
    rows_total: int
    failures: int


def _check_integer(name: str, value: int, least: int = 0) -> None:
    if not least <= value <= BIGGEST:
        raise BadRecordError(f"{name} out of range", str(value), f"it can be {least} to {BIGGEST} (63 bits)")


def _check_one_of(name: str, value: str, values: tuple[str, ...]) -> None:
    if value not in values:
        raise BadRecordError(f"no such {name}", repr(value), f"it can be {', '.join(values)}")


def _check_json(name: str, value: Mapping[str, object]) -> None:
    try:
        text = to_json_text(dict(value))
        text.encode()
    except (TypeError, ValueError) as error:
        raise BadRecordError(f"{name} cannot be written as JSON", str(error), "give what JSON has") from error
    if "\\u0000" in text:
        raise BadRecordError(f"{name} holds a NUL character", repr(text[:80]), "PostgreSQL has none")


def _check_text(name: str, value: str) -> None:
    if "\0" in value:
        raise BadRecordError(f"{name} holds a NUL character", repr(value[:80]), "PostgreSQL has none")


def _check_time(name: str, value: datetime) -> None:
    if value.tzinfo is None:
        raise BadRecordError(f"{name} has no time zone", value.isoformat(), "give an aware datetime")
