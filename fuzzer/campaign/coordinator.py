"""The coordinator: what is to be done next for every campaign, decided anew from the store at every tick.

It keeps nothing between ticks, so it can be killed at any moment, and several can run at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fuzzer.campaign.fold import fold
from fuzzer.campaign.plan import UnitPlan, halves, next_unit
from fuzzer.campaign.poison import judge_loss, reason_of
from fuzzer.campaign.protocols import (
    ActiveCampaign,
    Clock,
    EndedBy,
    Fleet,
    Fold,
    FoldedNumber,
    LostUnit,
    Store,
)

# Units that are planned ahead for each process: one it works on, and some that wait while a tick passes.
UNITS_PER_WORKER = 4
LEAST_WINDOW = 8
MOST_PLANNED_AT_ONCE = 500
MOST_FOLDED_AT_ONCE = 200
MOST_LOST_AT_ONCE = 200


@dataclass(frozen=True, slots=True)
class Tick:
    """What a tick did, in numbers. `idle` when nothing changed; `draining` campaigns wait for their last units."""

    lost: int = 0
    folded: int = 0
    planned: int = 0
    hinted: int = 0
    ended: int = 0
    campaigns: int = 0
    draining: int = 0

    @property
    def idle(self) -> bool:
        """Whether nothing changed."""
        return not (self.lost or self.folded or self.planned or self.hinted or self.ended)


class Coordinator:
    """Plans units and folds results for all campaigns in a store."""

    def __init__(self, store: Store, fleet: Fleet, clock: Clock) -> None:
        self._store = store
        self._fleet = fleet
        self._clock = clock

    def tick(self) -> Tick:
        """Do all that is due."""
        lost = self._settle_losses()
        campaigns = self._store.active_campaigns()
        folded = sum([self._fold(campaign) for campaign in campaigns])
        if folded:
            campaigns = self._store.active_campaigns()
        ended = sum([self._end(campaign) for campaign in campaigns])
        if ended:
            campaigns = self._store.active_campaigns()
        planned = self._top_up(campaigns)
        draining = sum(campaign.draining for campaign in campaigns)
        return Tick(lost, folded, planned, self._hint(), ended, len(campaigns), draining)

    def _settle_losses(self) -> int:
        lost = self._store.lost_units(MOST_LOST_AT_ONCE)
        for unit in lost:
            self._settle_loss(unit)
        return len(lost)

    def _settle_loss(self, unit: LostUnit) -> None:
        judgement = judge_loss(unit)
        if judgement == "again":
            self._store.offer_again(unit)
        elif judgement == "quarantine":
            self._store.quarantine(unit, reason_of(unit))
        else:
            parts = halves(unit.seed_start, unit.seed_count, unit.ops, unit.seed_ops)
            self._store.split(unit, parts, reason_of(unit))

    def _fold(self, campaign: ActiveCampaign) -> int:
        """Fold in what is there; how many numbers."""
        outputs = self._store.outputs(campaign, MOST_FOLDED_AT_ONCE)
        if not outputs:
            return 0
        states = dict(self._store.cell_states(campaign))
        ops, news = campaign.ops_folded, campaign.news_at_ops
        folded = []
        for each in outputs:
            if each.output is None:
                folded.append(FoldedNumber(each, (), b""))
                continue
            step = fold(states[each.cell], each.output)
            states[each.cell] = step.state
            ops += each.output.ops
            news = ops if step.is_news else news
            folded.append(FoldedNumber(each, step.chosen, step.new_rows))
        self._store.save_fold(campaign, Fold(tuple(folded), states, news))
        return len(folded)

    def _end(self, campaign: ActiveCampaign) -> int:
        """Drain a campaign that has used up its budget, end one that is drained; 1 if either."""
        if not campaign.draining:
            ended_by = spent_budget(campaign)
            if ended_by is not None:
                self._store.drain(campaign, ended_by)
            return int(ended_by is not None)
        if sum(campaign.outstanding.values()) > 0 or self._store.outputs(campaign, 1):
            return 0
        self._store.finish(campaign)
        return 1

    def _top_up(self, campaigns: Sequence[ActiveCampaign]) -> int:
        """Plan units for the campaigns that run, each up to its share of the window; how many."""
        running = [campaign for campaign in campaigns if not campaign.draining and _has_more(campaign)]
        for campaign in campaigns:
            if not campaign.draining:
                self._plan_canary(campaign)
        if not running:
            return 0
        window = max(LEAST_WINDOW, UNITS_PER_WORKER * self._store.count_workers())
        total = sum(campaign.priority for campaign in running)
        planned = 0
        for campaign in running:
            share = -(-window * campaign.priority // total)
            wanted = min(share - campaign.outstanding.get("fuzz", 0), MOST_PLANNED_AT_ONCE)
            planned += self._plan(campaign, wanted)
        return planned

    def _plan(self, campaign: ActiveCampaign, wanted: int) -> int:
        units: list[UnitPlan] = []
        cursor = campaign.cursor
        while len(units) < wanted and (unit := next_unit(campaign.spec, cursor)) is not None:
            units.append(unit)
            cursor = cursor.after(unit)
        if units:
            self._store.plan(campaign, units, cursor)
        return len(units)

    def _plan_canary(self, campaign: ActiveCampaign) -> None:
        minutes = campaign.spec.canary_minutes
        if not minutes or campaign.outstanding.get("canary", 0):
            return
        asked = campaign.canary_asked
        if asked is None or self._clock.now() - asked >= timedelta(minutes=minutes):
            self._store.plan_canary(campaign)

    def _hint(self) -> int:
        return self._fleet.hint(self._store.ready_units())


def _has_more(campaign: ActiveCampaign) -> bool:
    """Whether there is anything left to plan: others have the share of a campaign that has nothing."""
    return next_unit(campaign.spec, campaign.cursor) is not None


def spent_budget(campaign: ActiveCampaign) -> EndedBy | None:
    """Which budget is used up; None while there is some of each.

    The budget of ops is used up when all of it is planned and executed, and every chosen sample is minimized.
    """
    budget = campaign.spec.budget
    if budget.failures is not None and campaign.failures >= budget.failures:
        return "failures"
    if budget.plateau is not None and campaign.ops_folded - campaign.news_at_ops >= budget.plateau:
        return "plateau"
    if budget.seconds is not None and campaign.seconds >= budget.seconds:
        return "seconds"
    executed = not _has_more(campaign) and campaign.folded == campaign.cursor.number
    return "ops" if executed and not campaign.outstanding.get("minimize") else None
