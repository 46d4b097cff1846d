"""The fold's side of the database: results in order, what is known of each cell, and what a fold changes.

A fold is one transaction with the campaign's cursor as its key: of two coordinators that fold the same results, one
changes nothing.
"""

from collections.abc import Collection
from datetime import datetime
from itertools import groupby

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from db.campaign_values import (
    CellAccount,
    FoldRecord,
    ResultRecord,
    SampleRecord,
    StoredResult,
    StoredSample,
)
from db.campaigns import new_unit_row
from db.models import (
    CampaignRow,
    CorpusRow,
    FailureRow,
    KernelRow,
    RunFailureRow,
    RunKeyRow,
    RunRow,
    SampleRow,
    TraceRow,
    UnitResultRow,
    UnitRow,
)
from db.results import rowcount
from db.store import save_trace
from db.units import run_ids
from db.upsert import insert_or_merge, insert_or_skip, table_of
from db.values import FailureRecord
from simcore.trace import parse_trace

_SETTLED = ("done", "quarantined")


def next_results(session: Session, campaign_id: str, limit: int) -> tuple[StoredResult, ...]:
    """The results behind the campaign's fold, in the order of numbers and seeds, up to the first number that is not
    settled in all its parts. Of the last number all parts are there.
    """
    folded = select(CampaignRow.folded_number).where(CampaignRow.id == campaign_id).scalar_subquery()
    statement = (
        select(UnitRow, UnitResultRow, RunRow.cell)
        .join(RunRow, RunRow.id == UnitRow.run_id)
        .outerjoin(UnitResultRow, UnitResultRow.unit_id == UnitRow.id)
        .where(
            UnitRow.campaign_id == campaign_id,
            UnitRow.kind == "fuzz",
            UnitRow.state != "split",
            UnitRow.number >= folded,
            UnitRow.number < folded + limit,
        )
        .order_by(UnitRow.number, UnitRow.seed_start)
    )
    found: list[StoredResult] = []
    for _, rows in groupby(session.execute(statement), key=lambda row: row[0].number):
        parts = list(rows)
        if any(unit.state not in _SETTLED for unit, _, _ in parts):
            break
        found += [_stored_result(unit, result, cell) for unit, result, cell in parts]
    return tuple(found)


def cell_accounts(session: Session, campaign_id: str) -> tuple[CellAccount, ...]:
    """The accounts of all cells as folded so far."""
    runs = session.execute(select(RunRow).where(RunRow.campaign_id == campaign_id).order_by(RunRow.cell)).scalars()
    return tuple(_account(session, run) for run in runs)


def save_fold(session: Session, campaign_id: str, fold: FoldRecord, now: datetime) -> bool:
    """Store a fold with the units that minimize its samples; False when another coordinator came first."""
    moved = (
        update(CampaignRow)
        .where(CampaignRow.id == campaign_id, CampaignRow.folded_number == fold.folded_before)
        .values(folded_number=fold.folded_after, news_at_ops=fold.news_at_ops)
    )
    if rowcount(session.execute(moved)) == 0:
        return False
    runs = run_ids(session, campaign_id)
    lock_failures_of(session, [account.run_id for account in fold.accounts])
    for account in fold.accounts:
        _save_account(session, account, now)
    for sample in fold.samples:
        _save_sample(session, campaign_id, runs[sample.cell], sample)
    for entry in fold.corpus:
        values = {"unit_id": entry.unit_id, "run_id": runs[entry.cell], "rows": entry.rows, "new_rows": entry.new_rows}
        insert_or_skip(session, CorpusRow, values)
    folded = update(table_of(UnitResultRow)).where(UnitResultRow.unit_id.in_(fold.unit_ids))
    session.execute(folded.values(samples=None))
    for account in fold.accounts:
        recount(session, account.run_id, now)
    return True


def get_sample(session: Session, sample_id: int) -> StoredSample:
    """A sample and its trace."""
    row, text = session.execute(
        select(SampleRow, TraceRow.text)
        .join(TraceRow, TraceRow.digest == SampleRow.trace_digest)
        .where(SampleRow.id == sample_id)
    ).one()
    return StoredSample(row.id, row.run_id, text, row.count, row.found)


def explain_sample(session: Session, sample_id: int, failure: FailureRecord, now: datetime) -> None:
    """Store which failure a sample is; the failure itself is stored already."""
    explained = update(SampleRow).where(SampleRow.id == sample_id).values(failure_id=failure.id)
    session.execute(explained)
    run_id = session.execute(select(SampleRow.run_id).where(SampleRow.id == sample_id)).scalar_one()
    recount(session, run_id, now)


def lock_failures_of(session: Session, run_ids_: Collection[str]) -> None:
    """Let nobody else count failures of these runs' kernels before the transaction ends.

    Runs of one kernel share failures, so without that two transactions could wait for each other on PostgreSQL.
    """
    kernels = select(RunRow.kernel_digest).where(RunRow.id.in_(run_ids_))
    locked = select(KernelRow.digest).where(KernelRow.digest.in_(kernels)).order_by(KernelRow.digest)
    session.execute(locked.with_for_update(key_share=True)).all()


def recount(session: Session, run_id: str, now: datetime) -> None:
    """Set how often each failure of a cell was seen, from its samples and the account of its keys.

    Each sample counts for the failure that it is; all else that failed with its key goes to the key's first sample.
    """
    session.flush()
    keys = {
        (key.oracle, key.kind): key.count
        for key in session.execute(select(RunKeyRow).where(RunKeyRow.run_id == run_id)).scalars()
    }
    samples = session.execute(
        select(SampleRow.oracle, SampleRow.kind, SampleRow.failure_id)
        .where(SampleRow.run_id == run_id, SampleRow.failure_id.is_not(None))
        .order_by(SampleRow.oracle, SampleRow.kind, SampleRow.number, SampleRow.unit_id, SampleRow.position)
    )
    counts: dict[str, int] = {}
    for key, rows in groupby(samples, key=lambda row: (row.oracle, row.kind)):
        failures = [row.failure_id for row in rows]
        for failure in failures[1:]:
            counts[failure] = counts.get(failure, 0) + 1
        counts[failures[0]] = counts.get(failures[0], 0) + max(1, keys.get(key, 0) - len(failures) + 1)
    for failure in sorted(counts):
        _set_count(session, run_id, failure, counts[failure], now)


def _set_count(session: Session, run_id: str, failure_id: str, count: int, now: datetime) -> None:
    values = {"run_id": run_id, "failure_id": failure_id, "count": count, "first_seen": now, "last_seen": now}
    old = session.execute(
        select(RunFailureRow.count).where(RunFailureRow.run_id == run_id, RunFailureRow.failure_id == failure_id)
    ).scalar_one_or_none()
    if old == count:
        return
    insert_or_merge(
        session, RunFailureRow, values, lambda _old, new: {"count": new["count"], "last_seen": new.last_seen}
    )
    seen = update(FailureRow).where(FailureRow.id == failure_id, FailureRow.last_seen < now)
    session.execute(seen.values(last_seen=now))


def _save_account(session: Session, account: CellAccount, now: datetime) -> None:
    covered = int.from_bytes(account.rows_seen, "little").bit_count()
    session.execute(
        update(RunRow)
        .where(RunRow.id == account.run_id)
        .values(
            traces=account.traces,
            ops=account.ops,
            rows_seen=account.rows_seen,
            rows_again=account.rows_again,
            rows_covered=covered,
            units=account.units,
            heard=now,
        )
    )
    for (oracle, kind), (count, later) in sorted(account.keys.items()):
        values = {"run_id": account.run_id, "oracle": oracle, "kind": kind, "count": count, "later_samples": later}
        insert_or_merge(
            session, RunKeyRow, values, lambda _old, new: {"count": new["count"], "later_samples": new.later_samples}
        )


def _save_sample(session: Session, campaign_id: str, run_id: str, sample: SampleRecord) -> None:
    digest = save_trace(session, parse_trace(sample.trace_text, "<a sample>"))
    row = SampleRow(
        run_id=run_id,
        unit_id=sample.unit_id,
        number=sample.number,
        position=sample.position,
        oracle=sample.oracle,
        kind=sample.kind,
        count=sample.count,
        trace_digest=digest,
        found=dict(sample.found),
    )
    session.add(row)
    session.flush()
    session.add(new_unit_row(campaign_id, run_id, "minimize", row.id))


def _account(session: Session, run: RunRow) -> CellAccount:
    keys = session.execute(select(RunKeyRow).where(RunKeyRow.run_id == run.id)).scalars()
    assert run.cell is not None, f"run {run.id} is a cell of a campaign"
    return CellAccount(
        run.cell,
        run.id,
        run.units or 0,
        run.traces,
        run.ops,
        run.rows_seen or b"",
        run.rows_again or b"",
        {(key.oracle, key.kind): (key.count, key.later_samples) for key in keys},
    )


def _stored_result(unit: UnitRow, result: UnitResultRow | None, cell: int | None) -> StoredResult:
    assert cell is not None, f"unit {unit.id} belongs to a cell"
    if result is None:
        return StoredResult(unit.id, cell, unit.number, unit.seed_start, None)
    record = ResultRecord(
        result.seeds,
        result.traces,
        result.ops,
        result.rows,
        result.digest,
        result.counts,
        result.samples or [],
        result.seconds,
        result.worker,
    )
    return StoredResult(unit.id, cell, unit.number, unit.seed_start, record)
