"""What changes campaigns: making them, their states, their events.

Like all of the store, every function works inside the caller's transaction; every time is an argument.
"""

import hashlib
from datetime import datetime
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from db.campaign_values import CampaignRecord
from db.errors import BadRequestError, UnknownIdError
from db.json_text import to_json_text
from db.models import CampaignRow, EventRow, RunRow, UnitResultRow, UnitRow
from db.results import rowcount
from db.rows import run_columns
from db.store import save_kernel
from db.upsert import insert_or_skip
from db.values import RunRecord

# From which states each may follow.
FROM: Final[dict[str, tuple[str, ...]]] = {
    "running": ("new", "paused"),
    "paused": ("running", "draining"),
    "draining": ("running", "paused", "new"),
    "done": ("draining",),
    "stopped": ("draining",),
}
RUN_STATE_OF: Final = {"done": "done", "stopped": "stopped"}


class CampaignStateError(BadRequestError):
    """A campaign cannot do that from the state it is in."""


class NameTakenError(BadRequestError):
    """Another campaign has this name."""


def add_campaign(session: Session, record: CampaignRecord) -> str:
    """Store a campaign, not started, with a run for each cell; its id. NameTakenError."""
    if session.execute(select(CampaignRow.id).where(CampaignRow.name == record.name)).first():
        raise NameTakenError("there is a campaign of this name", record.name, "choose another, or `campaign clone` it")
    campaign_id = campaign_id_of(record)
    session.add(
        CampaignRow(
            id=campaign_id,
            name=record.name,
            origin=record.origin,
            spec=dict(record.spec),
            cloned_from=record.cloned_from,
            results_version=record.results_version,
            versions=dict(record.versions),
            weight=record.weight,
            seed=record.seed,
            state="new",
            created=record.created,
            seconds=0.0,
            next_number=0,
            seeds_planned=0,
            ops_planned=0,
            folded_number=0,
            news_at_ops=0,
        )
    )
    session.flush()
    for cell in record.cells:
        _add_cell(session, campaign_id, record, cell.number)
    add_event(session, campaign_id, record.created, "made", {})
    return campaign_id


def campaign_id_of(record: CampaignRecord) -> str:
    """The text "cmp-" and 10 hex digits: name, settings and time."""
    text = to_json_text([record.name, dict(record.spec), record.created.timestamp()])
    return "cmp-" + hashlib.sha256(text.encode()).hexdigest()[:10]


def change_state(session: Session, campaign_id: str, state: str, now: datetime, ended_by: str | None = None) -> bool:
    """Bring a campaign into a state; False when it is there already. CampaignStateError when it may not.

    One that was being brought to its end when it was paused goes on with that, and does not run again.
    """
    row = session.execute(
        select(CampaignRow).where(CampaignRow.id == campaign_id).with_for_update()
    ).scalar_one_or_none()
    if row is None:
        raise UnknownIdError("no such campaign", campaign_id, "list the campaigns to see their names")
    if state == "running" and row.ended_by is not None:
        state = "draining"
    if row.state == state:
        return False
    if row.state not in FROM[state]:
        raise CampaignStateError(
            "the campaign cannot do that",
            f"{row.name} is {row.state}",
            f"it can be {state} from {' or '.join(FROM[state])}",
        )
    _enter(row, state, now)
    if ended_by is not None:
        row.ended_by = ended_by
    session.flush()
    if state in RUN_STATE_OF:
        _end_runs(session, campaign_id, RUN_STATE_OF[state], now)
    add_event(session, campaign_id, now, state, {"ended_by": ended_by} if ended_by else {})
    return True


def set_weight(session: Session, campaign_id: str, weight: int, now: datetime) -> None:
    """Change a campaign's share of the workers."""
    session.execute(update(CampaignRow).where(CampaignRow.id == campaign_id).values(weight=weight))
    add_event(session, campaign_id, now, "weight", {"weight": weight})


def note_canary(session: Session, campaign_id: str, now: datetime, *, caught: bool) -> None:
    """Store what became of a canary."""
    changed = {"canary_caught": now} if caught else {"canary_missed": now}
    session.execute(update(CampaignRow).where(CampaignRow.id == campaign_id).values(changed))
    if not caught:
        add_event(session, campaign_id, now, "canary missed", {})


def add_event(session: Session, campaign_id: str, at: datetime, what: str, detail: dict[str, Any]) -> None:
    """Store that something happened."""
    session.add(EventRow(campaign_id=campaign_id, at=at, what=what, detail=detail))


def _enter(row: CampaignRow, state: str, now: datetime) -> None:
    """The times that go with a state: it runs from its start to a pause or its end."""
    runs = state in ("running", "draining")
    if row.running_since is not None and not runs:
        row.seconds += max(0.0, (now - row.running_since).total_seconds())
        row.running_since = None
    elif row.running_since is None and runs:
        row.running_since = now
        row.started = row.started or now
    if state in ("done", "stopped"):
        row.ended = now
    row.state = state


def _add_cell(session: Session, campaign_id: str, record: CampaignRecord, number: int) -> None:
    cell = record.cells[number]
    for kernel in (cell.kernel, cell.reference):
        if kernel is not None:
            save_kernel(session, kernel)
    options = dict(cell.options) | {"campaign": record.name, "cell": number}
    run = RunRecord(
        cell.kernel, cell.world, cell.engine, record.seed, options, record.versions, record.rows_total, record.created
    )
    values = run_columns(run) | {"campaign_id": campaign_id, "cell": number}
    assert insert_or_skip(session, RunRow, values), f"two cells of {record.name} have the run {run.id}"


def _end_runs(session: Session, campaign_id: str, state: str, now: datetime) -> None:
    took = (
        select(func.coalesce(func.sum(UnitResultRow.seconds), 0.0))
        .join(UnitRow, UnitRow.id == UnitResultRow.unit_id)
        .where(UnitRow.run_id == RunRow.id)
        .scalar_subquery()
    )
    ended = update(RunRow).where(RunRow.campaign_id == campaign_id, RunRow.state == "running")
    session.execute(ended.values(state=state, ended=now, heard=now, seconds=took))


def ask_canary(session: Session, campaign_id: str, asked_before: datetime | None, now: datetime) -> bool:
    """Plan a canary, unless one was asked for since `asked_before`; whether it was planned."""
    same = CampaignRow.canary_asked.is_(None) if asked_before is None else CampaignRow.canary_asked == asked_before
    asked = update(CampaignRow).where(CampaignRow.id == campaign_id, CampaignRow.state == "running", same)
    if rowcount(session.execute(asked.values(canary_asked=now))) == 0:
        return False
    before = select(func.count()).where(UnitRow.campaign_id == campaign_id, UnitRow.kind == "canary")
    number = session.execute(before).scalar_one()
    run_id = session.execute(select(RunRow.id).where(RunRow.campaign_id == campaign_id, RunRow.cell == 0)).scalar_one()
    session.add(new_unit_row(campaign_id, run_id, "canary", number))
    return True


def new_unit_row(
    campaign_id: str,
    run_id: str,
    kind: str,
    number: int,
    seeds: tuple[int, int] = (0, 0),
    ops: int = 0,
    parent: int | None = None,
) -> UnitRow:
    """A unit that is ready; `seeds` are its first seed's number and how many there are."""
    return UnitRow(
        campaign_id=campaign_id,
        run_id=run_id,
        kind=kind,
        number=number,
        seed_start=seeds[0],
        seed_count=seeds[1],
        ops=ops,
        parent_id=parent,
        state="ready",
        attempt=0,
        fence=0,
    )
