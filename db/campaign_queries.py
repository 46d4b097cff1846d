"""What can be asked about campaigns: their state, ledger, cells, workers and events."""

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from db.campaign_values import Ledger, RunSetup, StoredCampaign, StoredEvent, StoredWorker
from db.errors import AmbiguousIdError, UnknownIdError
from db.models import (
    CampaignRow,
    EventRow,
    RunFailureRow,
    RunKeyRow,
    RunRow,
    SampleRow,
    UnitResultRow,
    UnitRow,
    WorkerRow,
)
from db.queries import list_failures
from db.types import Big
from db.units import in_scope
from db.values import FailureFilter, StoredFailure

_SHOWN = 5


def list_campaigns(
    session: Session,
    now: datetime,
    *,
    states: tuple[str, ...] | None = None,
    only: Collection[str] | None = None,
    runs: bool = False,
) -> tuple[StoredCampaign, ...]:
    """Campaigns, the last made first: those of `only`, else those that people made; with `runs` really all."""
    statement = select(CampaignRow).order_by(CampaignRow.created.desc(), CampaignRow.id)
    if states is not None:
        statement = statement.where(CampaignRow.state.in_(states))
    if not runs:
        statement = statement.where(in_scope(only))
    return tuple(_stored(row, now) for row in session.execute(statement).scalars())


def get_campaign(session: Session, name_or_id: str, now: datetime) -> StoredCampaign:
    """A campaign by its name, its id, or the beginning of its id."""
    named = select(CampaignRow).where((CampaignRow.name == name_or_id) | (CampaignRow.id == name_or_id))
    rows = session.execute(named).scalars().all()
    if not rows and name_or_id.startswith("cmp-"):
        begins = select(CampaignRow).where(CampaignRow.id.startswith(name_or_id, autoescape=True))
        rows = session.execute(begins.limit(_SHOWN + 1)).scalars().all()
    if len(rows) == 1:
        return _stored(rows[0], now)
    if rows:
        raise AmbiguousIdError("more than one campaign begins like this", name_or_id, "give more digits")
    names = session.execute(
        select(CampaignRow.name)
        .where(CampaignRow.origin == "campaign")
        .order_by(CampaignRow.created.desc())
        .limit(_SHOWN)
    )
    known = ", ".join(names.scalars()) or "none yet"
    raise UnknownIdError("no such campaign", name_or_id, f"`campaign list` shows them all (the latest: {known})")


def run_setup(session: Session, run_id: str) -> RunSetup:
    """What a worker has to know of a cell."""
    row = session.execute(select(RunRow).where(RunRow.id == run_id)).scalar_one()
    assert row.campaign_id is not None, f"run {run_id} is a cell of a campaign"
    return RunSetup(
        row.id, row.campaign_id, row.seed, row.kernel_digest, row.kernel_name, row.world_text, row.engine, row.options
    )


def settled_keys(session: Session, run_id: str, least_later_samples: int) -> frozenset[tuple[str, str]]:
    """The oracles and kinds of a cell of which so many later samples were chosen."""
    found = select(RunKeyRow.oracle, RunKeyRow.kind).where(
        RunKeyRow.run_id == run_id, RunKeyRow.later_samples >= least_later_samples
    )
    return frozenset((oracle, kind) for oracle, kind in session.execute(found))


def outstanding_units(session: Session, campaign_id: str) -> dict[str, int]:
    """How many units of each kind are ready or leased."""
    statement = (
        select(UnitRow.kind, func.count())
        .where(UnitRow.campaign_id == campaign_id, UnitRow.state.in_(("ready", "leased")))
        .group_by(UnitRow.kind)
    )
    # dict() would take the result for a mapping, since it has keys().
    return dict(iter(session.execute(statement)))


def count_failures(session: Session, campaign_id: str) -> int:
    """How many different failures the campaign has seen."""
    runs = select(RunRow.id).where(RunRow.campaign_id == campaign_id)
    counted = select(func.count(RunFailureRow.failure_id.distinct())).where(RunFailureRow.run_id.in_(runs))
    return session.execute(counted).scalar_one()


def ledger(session: Session, campaign_id: str) -> Ledger:
    """The campaign's ledger, counted from its units, results and samples."""
    units = _units_by_state(session, campaign_id)
    seeds = _seeds_by_state(session, campaign_id)
    results = _result_sums(session, campaign_id)
    samples = _sample_counts(session, campaign_id)
    folded = session.execute(select(CampaignRow.folded_number).where(CampaignRow.id == campaign_id)).scalar_one()
    planned = units["done"] + units["ready"] + units["leased"] + units["quarantined"]
    seeds_left = seeds["ready"] + seeds["leased"]
    twice, missing = _check_ranges(session, campaign_id)
    # Numbers whose units were withdrawn stay planned in the cursor, and are told apart here.
    seeds_planned = (
        session.execute(select(CampaignRow.seeds_planned).where(CampaignRow.id == campaign_id)).scalar_one()
        - seeds["withdrawn"]
    )
    return Ledger(
        units_planned=planned,
        units_done=units["done"],
        units_outstanding=units["ready"] + units["leased"],
        units_quarantined=units["quarantined"],
        units_withdrawn=units["withdrawn"],
        units_folded=folded,
        seeds_planned=seeds_planned,
        seeds_executed=results["seeds"],
        seeds_outstanding=seeds_left,
        seeds_quarantined=seeds["quarantined"],
        seeds_withdrawn=seeds["withdrawn"],
        seeds_twice=twice,
        seeds_missing=missing,
        results=results["results"],
        traces=results["traces"],
        ops=results["ops"],
        samples=sum(samples.values()),
        samples_explained=samples["done"],
        samples_waiting=samples["ready"] + samples["leased"],
        samples_quarantined=samples["quarantined"],
        samples_withdrawn=samples["withdrawn"],
    )


def list_events(session: Session, campaign_id: str, limit: int = 50) -> tuple[StoredEvent, ...]:
    """What happened to a campaign, the last first."""
    statement = select(EventRow).where(EventRow.campaign_id == campaign_id).order_by(EventRow.id.desc()).limit(limit)
    return tuple(StoredEvent(row.at, row.what, row.detail) for row in session.execute(statement).scalars())


def list_workers(session: Session, now: datetime, heard_since: datetime | None = None) -> tuple[StoredWorker, ...]:
    """Processes at work, those heard last first."""
    statement = select(WorkerRow).order_by(WorkerRow.heard.desc(), WorkerRow.id)
    if heard_since is not None:
        statement = statement.where(WorkerRow.heard >= heard_since)
    return tuple(
        StoredWorker(
            row.id,
            row.role,
            row.host,
            row.pid,
            row.results_version,
            row.versions,
            row.started,
            row.heard,
            (now - row.heard).total_seconds(),
            row.doing,
            row.unit_id,
            row.units_done,
            row.clock_ahead,
        )
        for row in session.execute(statement).scalars()
    )


def _stored(row: CampaignRow, now: datetime) -> StoredCampaign:
    running = 0.0 if row.running_since is None else max(0.0, (now - row.running_since).total_seconds())
    return StoredCampaign(
        row.id,
        row.name,
        row.origin,
        row.spec,
        row.cloned_from,
        row.results_version,
        row.weight,
        row.seed,
        row.state,
        row.ended_by,
        row.created,
        row.started,
        row.ended,
        row.seconds + running,
        row.next_number,
        row.seeds_planned,
        row.ops_planned,
        row.folded_number,
        row.news_at_ops,
        row.canary_asked,
        row.canary_caught,
        row.canary_missed,
    )


class _Counts(dict[str, int]):
    """Numbers by name; 0 for what was not counted."""

    def __missing__(self, _key: str) -> int:
        return 0


def _fuzz(campaign_id: str) -> ColumnElement[bool]:
    return (UnitRow.campaign_id == campaign_id) & (UnitRow.kind == "fuzz")


def _by_state(session: Session, statement: Select[str, int]) -> _Counts:
    return _Counts({state: int(number) for state, number in session.execute(statement)})


def _units_by_state(session: Session, campaign_id: str) -> _Counts:
    statement = select(UnitRow.state, func.count()).where(_fuzz(campaign_id)).group_by(UnitRow.state)
    return _by_state(session, statement)


def _seeds_by_state(session: Session, campaign_id: str) -> _Counts:
    seeds = func.sum(UnitRow.seed_count).cast(Big)
    return _by_state(session, select(UnitRow.state, seeds).where(_fuzz(campaign_id)).group_by(UnitRow.state))


def _result_sums(session: Session, campaign_id: str) -> _Counts:
    columns = (UnitResultRow.seeds, UnitResultRow.traces, UnitResultRow.ops)
    statement = (
        select(func.count(), *(func.coalesce(func.sum(column), 0).cast(Big) for column in columns))
        .select_from(UnitResultRow)
        .join(UnitRow, UnitRow.id == UnitResultRow.unit_id)
        .where(_fuzz(campaign_id))
    )
    numbers = session.execute(statement).one()
    return _Counts(zip(("results", "seeds", "traces", "ops"), map(int, numbers), strict=True))


def _sample_counts(session: Session, campaign_id: str) -> _Counts:
    """The samples by the state of the units that minimize them; a sample without a failure is not done."""
    statement = (
        select(UnitRow.state, func.count())
        .join(SampleRow, (SampleRow.id == UnitRow.number) & (UnitRow.kind == "minimize"))
        .where(UnitRow.campaign_id == campaign_id, (UnitRow.state != "done") | SampleRow.failure_id.is_not(None))
        .group_by(UnitRow.state)
    )
    counts = _by_state(session, statement)
    chosen = (
        select(func.count())
        .select_from(SampleRow)
        .join(RunRow, RunRow.id == SampleRow.run_id)
        .where(RunRow.campaign_id == campaign_id)
    )
    counts["lost"] = session.execute(chosen).scalar_one() - sum(counts.values())
    return counts


def _check_ranges(session: Session, campaign_id: str) -> tuple[int, int]:
    """Seeds that two units cover, and seeds below the cursor that none does: both must be 0."""
    ranges = session.execute(
        select(UnitRow.seed_start, UnitRow.seed_count)
        .where(_fuzz(campaign_id), UnitRow.state != "split")
        .order_by(UnitRow.seed_start)
    )
    twice = missing = end = 0
    for start, count in ranges:
        twice += max(0, min(end, start + count) - start)
        missing += max(0, start - end)
        end = max(end, start + count)
    planned = session.execute(select(CampaignRow.seeds_planned).where(CampaignRow.id == campaign_id)).scalar_one()
    return twice, missing + max(0, planned - end)


def folded_ops(session: Session, campaign_id: str) -> int:
    """The ops of all units folded in."""
    ops = func.coalesce(func.sum(RunRow.ops), 0).cast(Big)
    return int(session.execute(select(ops).where(RunRow.campaign_id == campaign_id)).scalar_one())


def count_workers(session: Session, heard_since: datetime) -> int:
    """How many processes that execute units were heard since."""
    counted = select(func.count()).where(WorkerRow.heard >= heard_since, WorkerRow.role != "coordinator")
    return session.execute(counted).scalar_one()


def unit_seconds(session: Session, campaign_id: str) -> float:
    """The time that all units that fuzzed took, in one process each."""
    seconds = (
        select(func.coalesce(func.sum(UnitResultRow.seconds), 0.0))
        .join(UnitRow, UnitRow.id == UnitResultRow.unit_id)
        .where(_fuzz(campaign_id))
    )
    return float(session.execute(seconds).scalar_one())


def unit_digest(session: Session, campaign_id: str) -> str:
    """The digests of all results, as merge_results() would have them."""
    digests = select(UnitResultRow.digest).join(UnitRow, UnitRow.id == UnitResultRow.unit_id).where(_fuzz(campaign_id))
    total = sum(int(digest.removeprefix("unit-"), 16) for digest in session.execute(digests).scalars())
    return f"unit-{total % (1 << 64):016x}"


def rows_of_run(session: Session, run_id: str) -> bytes:
    """The rows that a cell has reached, packed; none before anything was folded."""
    return session.execute(select(RunRow.rows_seen).where(RunRow.id == run_id)).scalar_one() or b""


def failures_of_run(session: Session, run_id: str) -> tuple[StoredFailure, ...]:
    """What one cell has found, in the order in which it was; counts are the cell's own."""
    seen = {
        row.failure_id: row
        for row in session.execute(select(RunFailureRow).where(RunFailureRow.run_id == run_id)).scalars()
    }
    found = list_failures(session, FailureFilter(run=run_id))
    in_order = sorted(found, key=lambda failure: (seen[failure.id].first_seen, failure.id))
    return tuple(replace(failure, count=seen[failure.id].count, runs=1) for failure in in_order)
