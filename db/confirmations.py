"""What became of failures on real kernels. A verdict is added, and never changed: the next try is another."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.errors import BadRecordError
from db.json_text import to_json_text
from db.models import CONFIRMATIONS, FORMS, SWAPS, ConfirmationRow
from db.upsert import insert_or_skip


@dataclass(frozen=True, slots=True)
class ConfirmationRecord:
    """The verdict on a failure on one real kernel with one swap device.

    `failure_id` and `trace_digest` are stored already. `form` is the one that failed, None where none did; `failed` of
    `runs` did, and of `unknown` more nothing is known. `console` is the kernel's own report.
    """

    failure_id: str
    trace_digest: str
    target: str
    kernel_sha256: str
    release: str
    swap: str
    verdict: str
    form: str | None
    failed: int
    runs: int
    unknown: int
    reason: str
    console: str | None
    versions: Mapping[str, str]
    at: datetime

    def __post_init__(self) -> None:
        for name, value, values in (
            ("swap device", self.swap, SWAPS),
            ("verdict", self.verdict, CONFIRMATIONS),
            ("form", self.form, (*FORMS, None)),
        ):
            if value not in values:
                raise BadRecordError(f"no such {name}", repr(value), f"it can be {', '.join(map(str, values))}")
        if (self.verdict == "confirmed") != (self.form is not None):
            raise BadRecordError("a form that does not fit", repr(self.form), "give the form that failed, if one did")
        if not 0 <= self.failed <= self.runs or self.unknown < 0:
            counts = f"{self.failed} of {self.runs}, {self.unknown} unknown"
            raise BadRecordError("counts that cannot be", counts, "give failed runs among those that are known")
        for name, text in (("reason", self.reason), ("console", self.console)):
            if text is not None and "\0" in text:
                raise BadRecordError(f"{name} holds a NUL character", repr(text[:80]), "PostgreSQL has none")
        if self.at.tzinfo is None:
            raise BadRecordError("at has no time zone", self.at.isoformat(), "give an aware datetime")

    @property
    def id(self) -> str:
        """The id, "cnf-" and 10 hex digits: the digest of what was tried, and when."""
        tried = [self.failure_id, self.trace_digest, self.target, self.kernel_sha256, self.swap, self.at.timestamp()]
        return "cnf-" + hashlib.sha256(to_json_text(tried).encode()).hexdigest()[:10]


@dataclass(frozen=True, slots=True)
class StoredConfirmation:
    """A verdict as it lies in the database."""

    id: str
    failure_id: str
    trace_digest: str
    target: str
    kernel_sha256: str
    release: str
    swap: str
    verdict: str
    form: str | None
    failed: int
    runs: int
    unknown: int
    reason: str
    console: str | None
    versions: dict[str, str]
    at: datetime


def save_confirmation(session: Session, record: ConfirmationRecord) -> bool:
    """Add a verdict; whether it was new. One that is there stays as it is."""
    columns = asdict(record) | {"id": record.id, "versions": dict(record.versions)}
    return insert_or_skip(session, ConfirmationRow, columns)


def list_confirmations(session: Session, failure_id: str) -> tuple[StoredConfirmation, ...]:
    """The verdicts on a failure (its whole id), the last one first."""
    statement = (
        select(ConfirmationRow)
        .where(ConfirmationRow.failure_id == failure_id)
        .order_by(ConfirmationRow.at.desc(), ConfirmationRow.id)
    )
    return tuple(_stored(row) for row in session.execute(statement).scalars())


def _stored(row: ConfirmationRow) -> StoredConfirmation:
    return StoredConfirmation(**{name: getattr(row, name) for name in StoredConfirmation.__slots__})
