"""What can be asked of the database: failures, traces, runs and kernels, as values.

Ids are taken whole or by any beginning that fits one row only, with their prefix ("fail-3f") or without it
("3f"). Lists come with the newest first.
"""

import re

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from db.errors import AmbiguousIdError, BadFilterError, UnknownIdError
from db.models import CLASSES, FailureRow, FailureTraceRow, KernelRow, RunFailureRow, RunRow, TraceRow
from db.rows import stored_failure, stored_kernel, stored_run, stored_trace
from db.types import Big
from db.values import FailureFilter, StoredFailure, StoredFinding, StoredRun, StoredTrace
from simcore.kernel import Kernel

_CANDIDATES_SHOWN = 5

_ALL = FailureFilter()

_Original = aliased(TraceRow)
_Minimized = aliased(TraceRow)


def list_failures(
    session: Session, wanted: FailureFilter = _ALL, limit: int | None = None
) -> tuple[StoredFailure, ...]:
    """The failures that match, those seen last first. BadFilterError for a class that does not exist."""
    statement = _failures().where(*_conditions(wanted))
    statement = statement.order_by(FailureRow.last_seen.desc(), FailureRow.id).limit(limit)
    return tuple(stored_failure(*row) for row in session.execute(statement))


def get_failure(session: Session, failure_id: str) -> StoredFailure:
    """One failure by the beginning of its id. UnknownIdError or AmbiguousIdError when that is not one."""
    found = _complete(session, FailureRow.id, "failure", "fail-", failure_id)
    row = session.execute(_failures().where(FailureRow.id == found)).one()
    return stored_failure(*row)


def list_findings(session: Session, failure_id: str) -> tuple[StoredFinding, ...]:
    """Every pair of traces ever found for a failure (its whole id), the shortest minimized one first."""
    statement = (
        select(FailureTraceRow, TraceRow.ops)
        .join(TraceRow, TraceRow.digest == FailureTraceRow.minimized_digest)
        .where(FailureTraceRow.failure_id == failure_id)
        .order_by(TraceRow.ops, FailureTraceRow.minimized_digest, FailureTraceRow.original_digest)
    )
    return tuple(
        StoredFinding(row.original_digest, row.minimized_digest, ops, row.run_id, row.seed)
        for row, ops in session.execute(statement)
    )


def get_trace(session: Session, digest: str) -> StoredTrace:
    """One trace by the beginning of its digest."""
    found = _complete(session, TraceRow.digest, "trace", "trc-", digest)
    return stored_trace(session.execute(select(TraceRow).where(TraceRow.digest == found)).scalar_one())


def get_kernel(session: Session, digest: str) -> Kernel:
    """One kernel by the beginning of its digest."""
    found = _complete(session, KernelRow.digest, "kernel", "krn-", digest)
    return stored_kernel(session.execute(select(KernelRow).where(KernelRow.digest == found)).scalar_one())


def list_runs(session: Session, limit: int | None = None) -> tuple[StoredRun, ...]:
    """Runs, the last started first."""
    statement = _runs().order_by(RunRow.started.desc(), RunRow.id).limit(limit)
    return tuple(stored_run(*row) for row in session.execute(statement))


def get_run(session: Session, run_id: str) -> StoredRun:
    """One run by the beginning of its id."""
    found = _complete(session, RunRow.id, "run", "run-", run_id)
    return stored_run(*session.execute(_runs().where(RunRow.id == found)).one())


def _failures() -> Select[FailureRow, TraceRow, TraceRow, int, int]:
    """Failures with both traces, how often they were seen and in how many runs."""
    seen = (
        select(
            RunFailureRow.failure_id,
            # PostgreSQL sums 64-bit integers as NUMERIC.
            func.sum(RunFailureRow.count).cast(Big).label("count"),
            func.count().label("runs"),
        )
        .group_by(RunFailureRow.failure_id)
        .subquery()
    )
    return (
        select(FailureRow, _Original, _Minimized, seen.c["count"], seen.c.runs)
        .join(_Original, _Original.digest == FailureRow.original_digest)
        .join(_Minimized, _Minimized.digest == FailureRow.minimized_digest)
        .join(seen, seen.c.failure_id == FailureRow.id)
    )


def _runs() -> Select[RunRow, int]:
    """Runs with the number of failures they saw."""
    failures = select(func.count()).where(RunFailureRow.run_id == RunRow.id).scalar_subquery()
    return select(RunRow, failures)


def _conditions(wanted: FailureFilter) -> list[ColumnElement[bool]]:
    """The filter as conditions on `_failures`."""
    if wanted.cls is not None and wanted.cls not in CLASSES:
        raise BadFilterError("no such class", repr(wanted.cls), f"it can be {', '.join(CLASSES)}")
    conditions: list[ColumnElement[bool]] = []
    for column, value in (
        (FailureRow.oracle, wanted.oracle),
        (FailureRow.cls, wanted.cls),
        (FailureRow.kind, wanted.kind),
    ):
        if value is not None:
            conditions.append(column == value)
    if wanted.kernel is not None:
        conditions.append(_kernel_is(wanted.kernel))
    if wanted.signature is not None:
        conditions.append(FailureRow.signature.startswith(wanted.signature, autoescape=True))
    if wanted.text is not None:
        conditions.append(_Minimized.text.icontains(wanted.text, autoescape=True))
    if wanted.run is not None:
        seen = select(RunFailureRow.failure_id).where(RunFailureRow.run_id == wanted.run)
        conditions.append(FailureRow.id.in_(seen))
    return conditions


def _kernel_is(name_or_digest: str) -> ColumnElement[bool]:
    if name_or_digest.startswith("krn-"):
        return FailureRow.kernel_digest.startswith(name_or_digest, autoescape=True)
    # The digest is of the rows alone: the kernel may have failed under another name first.
    so_named = select(RunRow.kernel_digest).where(RunRow.kernel_name == name_or_digest)
    return (FailureRow.kernel_name == name_or_digest) | FailureRow.kernel_digest.in_(so_named)


def _complete(session: Session, column: InstrumentedAttribute[str], noun: str, prefix: str, given: str) -> str:
    """The whole id that begins as given."""
    beginning = given if given.startswith(prefix) else prefix + given
    if re.fullmatch("[0-9a-f]+", beginning.removeprefix(prefix)) is None:
        raise UnknownIdError(f"not the id of a {noun}", repr(given), f"it is {prefix} and hex digits")
    found = session.execute(
        select(column).where(column.startswith(beginning)).order_by(column).limit(_CANDIDATES_SHOWN + 1)
    )
    ids = found.scalars().all()
    if beginning in ids or len(ids) == 1:
        return beginning if beginning in ids else ids[0]
    if not ids:
        raise UnknownIdError(f"no such {noun} is stored", given, f"list the {noun}s to see their ids")
    shown = ", ".join(ids[:_CANDIDATES_SHOWN]) + (", ..." if len(ids) > _CANDIDATES_SHOWN else "")
    raise AmbiguousIdError(f"more than one {noun} begins like this", f"{given} ({shown})", "give more digits")
