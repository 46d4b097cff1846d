"""Units as they are planned, claimed, settled and lost. Each change is one conditional UPDATE.

A claim raises the unit's fence, and only who holds the last fence can settle the unit, once. So a message that is
lost, late or repeated, a worker that was taken for dead, and two coordinators at once change nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from db.campaign_values import NewUnit, ResultRecord, StoredUnit
from db.campaigns import add_event, new_unit_row
from db.models import CampaignRow, RunRow, UnitResultRow, UnitRow
from db.results import rowcount
from db.upsert import insert_or_skip

# States in which a campaign's units are handed out.
WORKING = ("running", "draining")
# In which order kinds are claimed: samples are few, and wanted; canaries must not wait for what they vouch for.
KINDS_IN_ORDER = ("minimize", "canary", "fuzz")


def plan_units(
    session: Session, campaign_id: str, before: int, after: tuple[int, int, int], units: Sequence[NewUnit]
) -> bool:
    """Add the units from the campaign's cursor `before` on; False when another coordinator has moved it.

    `after` is the cursor behind them: next number, seeds and ops of all before it.
    """
    moved = (
        update(CampaignRow)
        .where(CampaignRow.id == campaign_id, CampaignRow.next_number == before, CampaignRow.state == "running")
        .values(next_number=after[0], seeds_planned=after[1], ops_planned=after[2])
    )
    if rowcount(session.execute(moved)) == 0:
        return False
    add_units(session, campaign_id, units)
    return True


def add_units(session: Session, campaign_id: str, units: Sequence[NewUnit], parent: int | None = None) -> None:
    """Insert units as ready."""
    runs = run_ids(session, campaign_id)
    for unit in units:
        seeds = (unit.seed_start, unit.seed_count)
        session.add(new_unit_row(campaign_id, runs[unit.cell], unit.kind, unit.number, seeds, unit.ops, parent))
    session.flush()


def run_ids(session: Session, campaign_id: str) -> dict[int, str]:
    """The campaign's runs by the numbers of their cells."""
    found = session.execute(select(RunRow.cell, RunRow.id).where(RunRow.campaign_id == campaign_id))
    return {cell: run_id for cell, run_id in found if cell is not None}


def claim_unit(
    session: Session, unit_id: int, owner: str, results_version: str, now: datetime, lease: timedelta
) -> StoredUnit | None:
    """Take a ready unit of a campaign that runs and has this results version; None when it is not to be had."""
    campaigns = select(CampaignRow.id).where(
        CampaignRow.state.in_(WORKING), CampaignRow.results_version == results_version
    )
    claimed = (
        update(UnitRow)
        .where(UnitRow.id == unit_id, UnitRow.state == "ready", UnitRow.campaign_id.in_(campaigns))
        .values(
            state="leased",
            attempt=UnitRow.attempt + 1,
            fence=UnitRow.fence + 1,
            lease_owner=owner,
            lease_until=now + lease,
        )
        .execution_options(synchronize_session=False)
    )
    if rowcount(session.execute(claimed)) == 0:
        return None
    return get_unit(session, unit_id)


def next_ready(
    session: Session,
    kinds: Sequence[str],
    results_version: str,
    only: Collection[str] | None = None,
    *,
    lock: bool = True,
) -> int | None:
    """The unit to be claimed next: samples to be minimized first, then canaries, then in the order of planning.

    `only` names the campaigns to look at, None for all that people made. With `lock` the unit is locked on PostgreSQL,
    and those that others are about to claim are passed over.
    """
    for kind in KINDS_IN_ORDER:
        if kind in kinds:
            # One query a kind: each reads its first row from an index, however many units are ready.
            statement = (
                select(UnitRow.id)
                .join(CampaignRow, CampaignRow.id == UnitRow.campaign_id)
                .where(UnitRow.state == "ready", UnitRow.kind == kind, *_served(results_version, only))
                .order_by(UnitRow.id)
                .limit(1)
            )
            if lock:
                statement = statement.with_for_update(of=UnitRow, skip_locked=True)
            if (found := session.execute(statement).scalar_one_or_none()) is not None:
                return found
    return None


def extend_lease(session: Session, unit_id: int, fence: int, now: datetime, lease: timedelta) -> bool:
    """Keep a unit for longer; False when it is somebody else's by now."""
    held = update(UnitRow).where(_held(unit_id, fence)).values(lease_until=now + lease)
    return rowcount(session.execute(held)) > 0


def give_back(session: Session, unit_id: int, fence: int) -> bool:
    """Make a unit ready again that was left without fault; False when it is somebody else's by now."""
    held = update(UnitRow).where(_held(unit_id, fence))
    changed = held.values(state="ready", lease_until=None, attempt=UnitRow.attempt - 1)
    return rowcount(session.execute(changed)) > 0


def give_back_all(session: Session, owners: str) -> int:
    """Make the units ready again that are held by workers whose ids begin like this, as give_back() does; how many."""
    held = update(UnitRow).where(UnitRow.state == "leased", UnitRow.lease_owner.startswith(owners, autoescape=True))
    changed = held.values(state="ready", lease_until=None, attempt=UnitRow.attempt - 1)
    return rowcount(session.execute(changed))


def settle_unit(session: Session, unit_id: int, fence: int) -> bool:
    """Mark a unit done; False when the fence is not its last or it is settled already.

    A unit whose lease was lost but that nobody has claimed since still has the fence, and is settled.
    """
    settled = (
        update(UnitRow)
        .where(UnitRow.id == unit_id, UnitRow.fence == fence, UnitRow.state.in_(("leased", "ready")))
        .values(state="done", lease_until=None)
    )
    return rowcount(session.execute(settled)) > 0


def save_result(session: Session, unit_id: int, fence: int, result: ResultRecord, now: datetime) -> bool:
    """Settle a unit that fuzzed, with its result, or change nothing and return False."""
    if not settle_unit(session, unit_id, fence):
        return False
    values = {
        "unit_id": unit_id,
        "seeds": result.seeds,
        "traces": result.traces,
        "ops": result.ops,
        "rows": result.rows,
        "digest": result.digest,
        "counts": result.counts,
        "samples": result.samples,
        "seconds": result.seconds,
        "worker": result.worker,
        "recorded": now,
    }
    assert insert_or_skip(session, UnitResultRow, values), f"unit {unit_id} was settled without a result before"
    return True


def in_scope(only: Collection[str] | None) -> ColumnElement[bool]:
    """Whether a campaign is one of those named; without names, whether it is one that people made."""
    return CampaignRow.origin == "campaign" if only is None else CampaignRow.id.in_(only)


def _served(results_version: str, only: Collection[str] | None) -> tuple[ColumnElement[bool], ...]:
    """Which campaigns' units can be claimed."""
    return CampaignRow.state.in_(WORKING), CampaignRow.results_version == results_version, in_scope(only)


def lost_leases(
    session: Session, now: datetime, limit: int, only: Collection[str] | None = None
) -> tuple[StoredUnit, ...]:
    """Units whose workers have not been heard for longer than their leases."""
    statement = (
        _units()
        .join(CampaignRow, CampaignRow.id == UnitRow.campaign_id)
        .where(UnitRow.state == "leased", UnitRow.lease_until < now, in_scope(only))
        .order_by(UnitRow.id)
        .limit(limit)
    )
    return tuple(_stored(*row) for row in session.execute(statement))


def end_leases_of(session: Session, owner: str, now: datetime) -> int:
    """End the leases of a worker that is known to be dead, so that nobody waits for them; how many."""
    ended = update(UnitRow).where(UnitRow.state == "leased", UnitRow.lease_owner == owner)
    return rowcount(session.execute(ended.values(lease_until=now - timedelta(seconds=1))))


def owners_of_leases(session: Session, owners: str) -> tuple[str, ...]:
    """The workers whose ids begin like this that have units in hand."""
    held = select(UnitRow.lease_owner).where(
        UnitRow.state == "leased", UnitRow.lease_owner.startswith(owners, autoescape=True)
    )
    return tuple(owner for owner in session.execute(held.distinct()).scalars() if owner is not None)


def offer_again(session: Session, unit: StoredUnit, now: datetime) -> bool:
    """Make a unit ready whose lease was lost; False when it is not any more what it was."""
    lost = update(UnitRow).where(_held(unit.id, unit.fence)).values(state="ready", lease_until=None)
    if rowcount(session.execute(lost)) == 0:
        return False
    add_event(session, unit.campaign_id, now, "lease lost", _particulars(unit))
    return True


def split_unit(session: Session, unit: StoredUnit, parts: Sequence[NewUnit], why: str, now: datetime) -> bool:
    """Put parts in a unit's place; False when it is not any more what it was."""
    split = update(UnitRow).where(_held(unit.id, unit.fence)).values(state="split", lease_until=None, note=why)
    if rowcount(session.execute(split)) == 0:
        return False
    add_units(session, unit.campaign_id, parts, parent=unit.id)
    add_event(session, unit.campaign_id, now, "split", _particulars(unit) | {"why": why})
    return True


def quarantine_unit(session: Session, unit: StoredUnit, why: str, now: datetime) -> bool:
    """Hand a unit out no more; False when it is not any more what it was."""
    out = update(UnitRow).where(_held(unit.id, unit.fence)).values(state="quarantined", lease_until=None, note=why)
    if rowcount(session.execute(out)) == 0:
        return False
    add_event(session, unit.campaign_id, now, "quarantined", _particulars(unit) | {"why": why})
    return True


def withdraw_unstarted(session: Session, campaign_id: str) -> int:
    """Take back the units that nobody ever claimed, the last planned first up to the first that was; how many.

    What was claimed once, and all before it, is finished, so that what a campaign did is always its first units.
    """
    started = select(UnitRow.number).where(
        UnitRow.campaign_id == campaign_id,
        UnitRow.kind == "fuzz",
        (UnitRow.fence > 0) | (UnitRow.parent_id.is_not(None)),
    )
    last_started = session.execute(started.order_by(UnitRow.number.desc()).limit(1)).scalar_one_or_none()
    behind = UnitRow.number > (-1 if last_started is None else last_started)
    unstarted = update(UnitRow).where(UnitRow.campaign_id == campaign_id, UnitRow.state == "ready", UnitRow.fence == 0)
    taken = unstarted.where(((UnitRow.kind == "fuzz") & behind) | (UnitRow.kind == "canary"))
    return rowcount(session.execute(taken.values(state="withdrawn")))


def withdraw_samples(session: Session, campaign_id: str) -> int:
    """Take back the samples that nobody has begun to minimize; how many.

    The first stays when no failure is known and none will be from what is in hand: something did fail.
    """
    minimize = (UnitRow.campaign_id == campaign_id) & (UnitRow.kind == "minimize")
    unstarted = minimize & (UnitRow.state == "ready") & (UnitRow.fence == 0)
    begun = session.execute(select(UnitRow.id).where(minimize, UnitRow.fence > 0).limit(1)).first()
    first = select(UnitRow.id).where(unstarted).order_by(UnitRow.id).limit(1)
    kept = [] if begun else session.execute(first).scalars().all()
    withdrawn = update(UnitRow).where(unstarted, UnitRow.id.not_in(kept))
    return rowcount(session.execute(withdrawn.values(state="withdrawn")))


def count_ready(session: Session, results_version: str, only: Collection[str] | None = None) -> dict[str, int]:
    """How many units could be claimed now, by kind."""
    statement = (
        select(UnitRow.kind, func.count())
        .join(CampaignRow, CampaignRow.id == UnitRow.campaign_id)
        .where(UnitRow.state == "ready", *_served(results_version, only))
        .group_by(UnitRow.kind)
    )
    # dict() would take the result for a mapping, since it has keys().
    return dict(iter(session.execute(statement)))


def get_unit(session: Session, unit_id: int) -> StoredUnit | None:
    """One unit by its number in the table."""
    row = session.execute(_units().where(UnitRow.id == unit_id)).first()
    return None if row is None else _stored(*row)


def _held(unit_id: int, fence: int) -> ColumnElement[bool]:
    return (UnitRow.id == unit_id) & (UnitRow.fence == fence) & (UnitRow.state == "leased")


def _units() -> Select[UnitRow]:
    return select(UnitRow).execution_options(populate_existing=True)


def _stored(row: UnitRow) -> StoredUnit:
    return StoredUnit(
        row.id,
        row.campaign_id,
        row.run_id,
        row.kind,
        row.number,
        row.seed_start,
        row.seed_count,
        row.ops,
        row.state,
        row.attempt,
        row.fence,
        row.lease_owner,
        row.parent_id is not None,
    )


def _particulars(unit: StoredUnit) -> dict[str, object]:
    return {
        "unit": unit.id,
        "kind": unit.kind,
        "number": unit.number,
        "seed_start": unit.seed_start,
        "seed_count": unit.seed_count,
        "attempt": unit.attempt,
        "owner": unit.owner,
    }
