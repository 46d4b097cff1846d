"""What changes the database: runs, and the failures they find.

Every function works inside the caller's transaction (`Database.write`) and can be repeated: saving what is
already there changes nothing. Sums are kept by their parts, one row per run, and never counted up. Traces and
kernels are only ever added.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import CursorResult, case, select, update
from sqlalchemy.orm import Session

from db.errors import UnknownIdError
from db.models import FailureRow, FailureTraceRow, KernelRow, RunFailureRow, RunRow, TraceRow
from db.rows import (
    failure_columns,
    kernel_columns,
    pair_columns,
    run_columns,
    sighting_columns,
    totals_columns,
    trace_columns,
)
from db.upsert import insert_or_merge, insert_or_skip, table_of
from db.values import FailureRecord, RunRecord, RunTotals, Saved
from simcore.kernel import Kernel
from simcore.trace import Trace


def start_run(session: Session, run: RunRecord) -> str:
    """Store a run as running, with its kernel; its id."""
    save_kernel(session, run.kernel)
    insert_or_skip(session, RunRow, run_columns(run))
    return run.id


def report_run(session: Session, run_id: str, totals: RunTotals, heard: datetime) -> None:
    """Store how far a running run has come. A report that comes after the run's end changes nothing."""
    changed = totals_columns(totals) | {"heard": heard, "state": "running", "ended": None}
    _update_run(session, run_id, changed, from_states=("running", "died"))


def finish_run(
    session: Session, run_id: str, state: Literal["done", "stopped"], totals: RunTotals, ended: datetime
) -> None:
    """Store a run's end: done, or stopped by its user. The first end stays."""
    changed = totals_columns(totals) | {"heard": ended, "ended": ended, "state": state}
    _update_run(session, run_id, changed, from_states=("running", "died"))


def declare_dead(session: Session, silent_since: datetime) -> int:
    """Mark as died every running run that has not been heard since; how many.

    One that reports again is running again.
    """
    silent = (RunRow.state == "running") & (RunRow.heard < silent_since)
    statement = update(RunRow).where(silent).values(state="died", ended=RunRow.heard)
    return _rowcount(session.execute(statement))


def save_kernel(session: Session, kernel: Kernel) -> str:
    """Store a kernel unless one with the same rows is there; its digest."""
    insert_or_skip(session, KernelRow, kernel_columns(kernel))
    return kernel.digest


def save_trace(session: Session, trace: Trace) -> str:
    """Store a trace unless it is there; its digest."""
    insert_or_skip(session, TraceRow, trace_columns(trace))
    return trace.digest


def save_failure(session: Session, run_id: str, failure: FailureRecord) -> Saved:
    """Store what a run found, with its kernels and traces; what that changed.

    A failure shows the finding with the shortest minimized trace; of equally short ones the one whose text is the
    shortest, then the first by text and by what it was drawn as, so that the order of storing does not matter.
    """
    return save_failures(session, run_id, [failure])[0]


def save_failures(session: Session, run_id: str, failures: Iterable[FailureRecord]) -> tuple[Saved, ...]:
    """Store what a run found, each as by `save_failure`, in the order given.

    Rows are written in the order of their keys, so that transactions that save the same failures at the same
    time wait for one another instead of deadlocking.
    """
    records = tuple(failures)
    _require_run(session, run_id)
    kernels = {k.digest: k for r in records for k in (r.kernel, r.reference) if k is not None}
    traces = {t.digest: t for r in records for t in (r.original, r.minimized)}
    for digest in sorted(kernels):
        save_kernel(session, kernels[digest])
    for digest in sorted(traces):
        save_trace(session, traces[digest])
    in_order = sorted(range(len(records)), key=lambda i: records[i].id)
    saved = {i: _save_finding(session, run_id, records[i]) for i in in_order}
    return tuple(saved[i] for i in range(len(records)))


def _save_finding(session: Session, run_id: str, record: FailureRecord) -> Saved:
    """Store one failure whose run, kernels and traces are stored."""
    saved = _save_failure_row(session, record)
    insert_or_skip(session, FailureTraceRow, pair_columns(run_id, record))
    insert_or_merge(session, RunFailureRow, sighting_columns(run_id, record), _later_of_both)
    return saved


def _save_failure_row(session: Session, record: FailureRecord) -> Saved:
    values = failure_columns(record)
    if insert_or_skip(session, FailureRow, values | {"first_seen": record.seen, "last_seen": record.seen}):
        return "new"
    # Locked until the transaction ends: of two runs with shorter traces the shortest must win. Its trace is
    # asked for afterwards, not joined: PostgreSQL, having waited for the lock, would look for the old row's
    # trace beside the changed row and find none. SQLite has one writer anyway, and leaves FOR UPDATE out.
    locked = select(
        FailureRow.minimized_digest, FailureRow.original_digest, FailureRow.first_seen, FailureRow.last_seen
    )
    row = session.execute(locked.where(FailureRow.id == record.id).with_for_update()).one()
    shown = session.execute(select(TraceRow).where(TraceRow.digest == row.minimized_digest)).scalar_one()
    new = trace_columns(record.minimized)
    simpler = _rank(new["ops"], new["text"], record.original.digest) < _rank(shown.ops, shown.text, row.original_digest)
    changed = dict(values) if simpler else {}
    changed["first_seen"] = min(row.first_seen, record.seen)
    changed["last_seen"] = max(row.last_seen, record.seen)
    table = table_of(FailureRow)
    session.execute(update(table).where(table.c.id == record.id).values(changed))
    return "simpler" if simpler else "known"


def _rank(ops: int, text: str, original_digest: str) -> tuple[int, int, str, str]:
    """What orders findings of one failure: a total order, so the one shown is the least of all that were stored."""
    return ops, len(text), text, original_digest


def _later_of_both(old: Any, new: Any) -> dict[str, Any]:
    """The larger count and the wider span of two reports of one run, in whatever order they come."""
    return {
        "count": case((new["count"] > old["count"], new["count"]), else_=old["count"]),
        "first_seen": case((new.first_seen < old.first_seen, new.first_seen), else_=old.first_seen),
        "last_seen": case((new.last_seen > old.last_seen, new.last_seen), else_=old.last_seen),
    }


def _update_run(session: Session, run_id: str, changed: dict[str, Any], from_states: tuple[str, ...]) -> None:
    statement = update(RunRow).where(RunRow.id == run_id, RunRow.state.in_(from_states)).values(changed)
    if _rowcount(session.execute(statement)) == 0:
        _require_run(session, run_id)


def _require_run(session: Session, run_id: str) -> None:
    if session.execute(select(RunRow.id).where(RunRow.id == run_id)).first() is None:
        raise UnknownIdError("no such run", run_id, "start the run before storing what it did")


def _rowcount(result: Any) -> int:
    assert isinstance(result, CursorResult)
    return result.rowcount
