"""The figures of the whole service at one moment, for monitoring: cheap enough to be asked for every few seconds.

What is done is read from the accounts of cells, what is outstanding through an index; nothing counts all units.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.campaign_queries import count_failures, list_campaigns, list_workers
from db.campaign_values import StoredCampaign, StoredWorker
from db.clock import database_now
from db.models import RunRow, UnitRow
from db.types import Big

CAMPAIGN_STATES = ("new", "running", "paused", "draining", "done", "stopped")


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """A campaign that runs, drains or is paused. `units` are those outstanding, by kind and state."""

    campaign: StoredCampaign
    units: Mapping[tuple[str, str], int] = field(hash=False)
    traces: int
    ops: int
    rows_covered: Mapping[int, int] = field(hash=False)
    failures: int


@dataclass(frozen=True, slots=True)
class ServiceFigures:
    """What there is at `now`, by the database's clock. `states` counts campaigns; `size` is in bytes."""

    now: datetime
    states: Mapping[str, int] = field(hash=False)
    campaigns: tuple[CampaignFigures, ...]
    workers: tuple[StoredWorker, ...]
    leases_over: int
    size: int


def service_figures(session: Session) -> ServiceFigures:
    """All figures, from one transaction."""
    now = database_now(session)
    found = list_campaigns(session, now)
    states = dict.fromkeys(CAMPAIGN_STATES, 0)
    for campaign in found:
        states[campaign.state] += 1
    alive = [campaign for campaign in found if campaign.state in ("running", "draining", "paused")]
    over = select(func.count()).where(UnitRow.state == "leased", UnitRow.lease_until < now)
    return ServiceFigures(
        now,
        states,
        tuple(_figures(session, campaign) for campaign in alive),
        list_workers(session, now),
        session.execute(over).scalar_one(),
        database_size(session),
    )


def canary_is_missed(campaign: StoredCampaign) -> bool:
    """Whether the last canary of a campaign went unseen."""
    caught, missed = campaign.canary_caught, campaign.canary_missed
    return missed is not None and (caught is None or missed > caught)


def database_size(session: Session) -> int:
    """The bytes the database takes on its disk; of a SQLite file without what still stands in its -wal file."""
    if session.get_bind().dialect.name == "postgresql":
        return int(session.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    pages, size = (session.execute(text(f"PRAGMA {name}")).scalar_one() for name in ("page_count", "page_size"))
    return int(pages) * int(size)


def _figures(session: Session, campaign: StoredCampaign) -> CampaignFigures:
    outstanding = (
        select(UnitRow.kind, UnitRow.state, func.count())
        .where(UnitRow.state.in_(("ready", "leased")), UnitRow.campaign_id == campaign.id)
        .group_by(UnitRow.kind, UnitRow.state)
    )
    sums = select(_sum(RunRow.traces), _sum(RunRow.ops)).where(RunRow.campaign_id == campaign.id)
    traces, ops = session.execute(sums).one()
    rows = select(RunRow.cell, RunRow.rows_covered).where(RunRow.campaign_id == campaign.id)
    return CampaignFigures(
        campaign,
        {(kind, state): number for kind, state, number in session.execute(outstanding)},
        traces,
        ops,
        {cell: covered for cell, covered in session.execute(rows) if cell is not None},
        count_failures(session, campaign.id),
    )


def _sum(column: InstrumentedAttribute[int]) -> ColumnElement[int]:
    return func.coalesce(func.sum(column), 0).cast(Big)
