"""What processes say of themselves."""

from datetime import datetime

from sqlalchemy import delete
from sqlalchemy.orm import Session

from db.campaign_values import WorkerRecord
from db.models import WorkerRow
from db.results import rowcount
from db.upsert import insert_or_merge


def save_worker(session: Session, worker: WorkerRecord, now: datetime) -> None:
    """Store that a process is there and what it does; `now` is the database's time."""
    values = {
        "id": worker.id,
        "role": worker.role,
        "host": worker.host,
        "pid": worker.pid,
        "results_version": worker.results_version,
        "versions": dict(worker.versions),
        "started": worker.started,
        "heard": now,
        "doing": worker.doing,
        "unit_id": worker.unit_id,
        "units_done": worker.units_done,
        "clock_ahead": (worker.clock - now).total_seconds(),
    }
    changing = ("heard", "doing", "unit_id", "units_done", "clock_ahead")
    insert_or_merge(session, WorkerRow, values, lambda _old, new: {name: new[name] for name in changing})


def forget_worker(session: Session, worker_id: str) -> None:
    """Take out a process that ended in order."""
    session.execute(delete(WorkerRow).where(WorkerRow.id == worker_id))


def forget_silent_workers(session: Session, silent_since: datetime) -> int:
    """Take out processes not heard for long; how many."""
    return rowcount(session.execute(delete(WorkerRow).where(WorkerRow.heard < silent_since)))
