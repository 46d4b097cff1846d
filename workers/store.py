"""The coordinator's store: the database. Every method is one transaction."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import cast

import structlog
from sqlalchemy.orm import Session

from db import campaign_queries, campaigns, folds, units
from db.campaign_values import NewUnit, StoredCampaign, StoredUnit
from db.database import Database
from db.store import save_failures
from fuzzer.campaign.fold import CellState
from fuzzer.campaign.plan import Cursor, UnitPlan
from fuzzer.campaign.protocols import (
    ActiveCampaign,
    Clock,
    EndedBy,
    Fold,
    LostUnit,
    NumberedOutput,
    UnitKind,
)
from fuzzer.errors import CampaignError
from fuzzer.results_version import RESULTS_VERSION
from fuzzer.seeds import unit_seed
from simcore.world import World
from workers.records import crash_record
from workers.results import cell_state, fold_record, numbered_outputs
from workers.specs import Specs

log = structlog.get_logger()

# A worker that was not heard for this long is not counted when work is planned ahead.
WORKER_SILENCE = timedelta(seconds=60)


class DatabaseStore:
    """Campaigns and units in a database: those named by `only`, None for all that people made.

    `least_workers` counts as many workers where fewer have said that they are there.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        only: Collection[str] | None = None,
        least_workers: int = 1,
    ) -> None:
        self._database = database
        self._clock = clock
        self._only = None if only is None else frozenset(only)
        self._least_workers = least_workers
        self._specs = Specs()

    def active_campaigns(self) -> Sequence[ActiveCampaign]:
        """Those that run or drain, the oldest first; not those of another results version, which are not ours."""
        with self._database.read() as session:
            found = campaign_queries.list_campaigns(session, self._clock.now(), states=units.WORKING, only=self._only)
            ours = [campaign for campaign in reversed(found) if campaign.results_version == RESULTS_VERSION]
            return [active for campaign in ours if (active := self._active_or_none(session, campaign)) is not None]

    def count_workers(self) -> int:
        """How many processes said lately that they execute units."""
        with self._database.read() as session:
            heard = campaign_queries.count_workers(session, self._clock.now() - WORKER_SILENCE)
        return max(heard, self._least_workers)

    def lost_units(self, limit: int) -> Sequence[LostUnit]:
        """Units whose leases are over."""
        with self._database.read() as session:
            lost = units.lost_leases(session, self._clock.now(), limit, self._only)
            return [self._lost(session, unit) for unit in lost]

    def offer_again(self, unit: LostUnit) -> None:
        """Make the unit ready."""
        with self._database.write() as session:
            stored = units.get_unit(session, unit.id)
            if stored is not None and stored.fence == unit.fence:
                units.offer_again(session, stored, self._clock.now())

    def split(self, unit: LostUnit, parts: Sequence[tuple[int, int, int]], why: str) -> None:
        """Put parts in the unit's place."""
        with self._database.write() as session:
            stored = units.get_unit(session, unit.id)
            if stored is None or stored.fence != unit.fence:
                return
            cell = self._specs.setup(session, stored.run_id).options["cell"]
            new = [NewUnit(cell, "fuzz", unit.number, start, count, ops) for start, count, ops in parts]
            units.split_unit(session, stored, new, why, self._clock.now())

    def quarantine(self, unit: LostUnit, why: str) -> None:
        """Hand the unit out no more. A seed becomes a failure of class crash; a canary counts as missed."""
        now = self._clock.now()
        with self._database.write() as session:
            stored = units.get_unit(session, unit.id)
            if stored is None or stored.fence != unit.fence or not units.quarantine_unit(session, stored, why, now):
                return
            if unit.kind == "canary":
                campaigns.note_canary(session, unit.campaign_id, now, caught=False)
            elif unit.kind == "fuzz":
                self._save_crash(session, stored, why, now)

    def outputs(self, campaign: ActiveCampaign, limit: int) -> Sequence[NumberedOutput]:
        """What came out of the numbers behind the fold."""
        with self._database.read() as session:
            return numbered_outputs(folds.next_results(session, campaign.id, limit))

    def cell_states(self, campaign: ActiveCampaign) -> Mapping[int, CellState]:
        """What is known of each cell."""
        with self._database.read() as session:
            return {account.cell: cell_state(account) for account in folds.cell_accounts(session, campaign.id)}

    def save_fold(self, campaign: ActiveCampaign, fold: Fold) -> None:
        """Keep a fold, unless another coordinator has folded these numbers meanwhile."""
        with self._database.write() as session:
            accounts = folds.cell_accounts(session, campaign.id)
            folds.save_fold(session, campaign.id, fold_record(campaign.folded, fold, accounts), self._clock.now())

    def plan(self, campaign: ActiveCampaign, units_: Sequence[UnitPlan], cursor: Cursor) -> None:
        """Add units, unless another coordinator has moved the cursor meanwhile."""
        new = [NewUnit(u.cell, "fuzz", u.number, u.seed_start, u.seed_count, u.ops) for u in units_]
        after = (cursor.number, cursor.seeds, cursor.ops)
        with self._database.write() as session:
            units.plan_units(session, campaign.id, campaign.cursor.number, after, new)

    def plan_canary(self, campaign: ActiveCampaign) -> None:
        """Add a unit that must fail, unless another coordinator has just done so."""
        with self._database.write() as session:
            campaigns.ask_canary(session, campaign.id, campaign.canary_asked, self._clock.now())

    def drain(self, campaign: ActiveCampaign, ended_by: EndedBy) -> None:
        """Plan no more, and take back what nobody has begun."""
        with self._database.write() as session:
            drain_campaign(session, campaign.id, ended_by, self._clock.now())

    def finish(self, campaign: ActiveCampaign) -> None:
        """End a drained campaign."""
        with self._database.write() as session:
            now = self._clock.now()
            stored = campaign_queries.get_campaign(session, campaign.id, now)
            if stored.state == "draining":
                state = "stopped" if stored.ended_by == "user" else "done"
                campaigns.change_state(session, campaign.id, state, now)

    def ready_units(self) -> Mapping[UnitKind, int]:
        """How many units could be claimed now, by kind."""
        with self._database.read() as session:
            found = units.count_ready(session, RESULTS_VERSION, self._only)
            return {cast(UnitKind, kind): number for kind, number in found.items()}

    def _active_or_none(self, session: Session, campaign: StoredCampaign) -> ActiveCampaign | None:
        """The campaign, None for one whose settings cannot be read: it must not hinder the others."""
        try:
            return self._active(session, campaign)
        except CampaignError as error:
            log.error("a campaign is left alone", campaign=campaign.name, error=str(error))
            return None

    def _active(self, session: Session, campaign: StoredCampaign) -> ActiveCampaign:
        spec = self._specs.spec(session, campaign)
        counts_failures = spec.budget.failures is not None
        outstanding = campaign_queries.outstanding_units(session, campaign.id)
        return ActiveCampaign(
            id=campaign.id,
            name=campaign.name,
            spec=spec,
            priority=campaign.weight,
            draining=campaign.state == "draining",
            cursor=Cursor(campaign.next_number, campaign.seeds_planned, campaign.ops_planned),
            folded=campaign.folded_number,
            ops_folded=campaign_queries.folded_ops(session, campaign.id),
            news_at_ops=campaign.news_at_ops,
            seconds=campaign.seconds,
            failures=campaign_queries.count_failures(session, campaign.id) if counts_failures else 0,
            outstanding={cast(UnitKind, kind): number for kind, number in outstanding.items()},
            canary_asked=campaign.canary_asked,
        )

    def _lost(self, session: Session, unit: StoredUnit) -> LostUnit:
        options = self._specs.setup(session, unit.run_id).options
        return LostUnit(
            id=unit.id,
            fence=unit.fence,
            campaign_id=unit.campaign_id,
            kind=cast(UnitKind, unit.kind),
            number=unit.number,
            seed_start=unit.seed_start,
            seed_count=unit.seed_count,
            ops=unit.ops,
            seed_ops=options["seed_ops"],
            attempt=unit.attempt,
            is_part=unit.is_part,
            owner=unit.owner or "nobody",
        )

    def _save_crash(self, session: Session, unit: StoredUnit, why: str, now: datetime) -> None:
        setup = self._specs.setup(session, unit.run_id)
        kernel = self._specs.kernel(session, setup.kernel_digest)
        seed = unit_seed(setup.campaign_seed, unit.seed_start)
        options = setup.options | {"engine": setup.engine}
        record = crash_record(unit, kernel, World.parse(setup.world_text), options, why, seed, now)
        save_failures(session, unit.run_id, [record])


def drain_campaign(session: Session, campaign_id: str, ended_by: EndedBy, now: datetime) -> None:
    """Let a campaign come to its end: nothing more is planned, and what nobody has begun is taken back.

    A run's user waits for it, so samples that nobody has begun to minimize are taken back, too.
    """
    if campaigns.change_state(session, campaign_id, "draining", now, ended_by):
        units.withdraw_unstarted(session, campaign_id)
        if ended_by != "ops" and campaign_queries.get_campaign(session, campaign_id, now).origin == "run":
            units.withdraw_samples(session, campaign_id)
