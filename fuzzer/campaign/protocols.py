"""What the coordinator needs from outside: a store, a fleet and a clock. Whoever has these can run it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from fuzzer.campaign.fold import CellState
from fuzzer.campaign.plan import Cursor, UnitPlan
from fuzzer.campaign.spec import CampaignSpec
from fuzzer.campaign.work import UnitOutput

UnitKind = Literal["fuzz", "minimize", "canary"]
EndedBy = Literal["seconds", "ops", "failures", "plateau", "user"]


@dataclass(frozen=True, slots=True)
class ActiveCampaign:
    """A campaign that runs or is brought to its end.

    `priority` is its share now. `outstanding` counts units that are ready or leased, by kind. `folded` is the number
    behind the last one folded, `ops_folded` the ops of all below it.
    """

    id: str
    name: str
    spec: CampaignSpec
    priority: int
    draining: bool
    cursor: Cursor
    folded: int
    ops_folded: int
    news_at_ops: int
    seconds: float
    failures: int
    outstanding: Mapping[UnitKind, int] = field(hash=False)
    canary_asked: datetime | None


@dataclass(frozen=True, slots=True)
class LostUnit:
    """A unit whose worker has not been heard for longer than its lease. `is_part`: it was split off before."""

    id: int
    fence: int
    campaign_id: str
    kind: UnitKind
    number: int
    seed_start: int
    seed_count: int
    ops: int
    seed_ops: int
    attempt: int
    is_part: bool
    owner: str


@dataclass(frozen=True, slots=True)
class NumberedOutput:
    """What came out of a number of a campaign. `output` is None when all of it is quarantined.

    `unit_ids` are the units it consists of: several where one was split.
    """

    number: int
    cell: int
    output: UnitOutput | None
    unit_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class FoldedNumber:
    """A number folded in: which samples were chosen and which rows it reached first."""

    output: NumberedOutput
    chosen: tuple[int, ...]
    new_rows: bytes


@dataclass(frozen=True, slots=True)
class Fold:
    """All that folding some numbers changes. `states` are the cells' after it."""

    numbers: tuple[FoldedNumber, ...]
    states: Mapping[int, CellState] = field(hash=False)
    news_at_ops: int


class Clock(Protocol):
    """Tells the time by which leases are judged."""

    def now(self) -> datetime:
        """The time, with its time zone."""
        ...


class Store(Protocol):
    """Where campaigns and units are kept. Each method is one transaction, and changes nothing when it comes late."""

    def active_campaigns(self) -> Sequence[ActiveCampaign]:
        """Those that run or drain, in an order that stays."""
        ...

    def count_workers(self) -> int:
        """How many processes execute units now."""
        ...

    def lost_units(self, limit: int) -> Sequence[LostUnit]:
        """Units whose leases are over."""
        ...

    def offer_again(self, unit: LostUnit) -> None:
        """Make the unit ready."""
        ...

    def split(self, unit: LostUnit, parts: Sequence[tuple[int, int, int]], why: str) -> None:
        """Put parts, each (seed_start, seed_count, ops), in the unit's place."""
        ...

    def quarantine(self, unit: LostUnit, why: str) -> None:
        """Hand the unit out no more; one that fuzzes becomes a failure."""
        ...

    def outputs(self, campaign: ActiveCampaign, limit: int) -> Sequence[NumberedOutput]:
        """What came out of the numbers behind the fold, in order, up to the first that is not settled."""
        ...

    def cell_states(self, campaign: ActiveCampaign) -> Mapping[int, CellState]:
        """What is known of each cell."""
        ...

    def save_fold(self, campaign: ActiveCampaign, fold: Fold) -> None:
        """Keep a fold, with a unit to minimize each chosen sample."""
        ...

    def plan(self, campaign: ActiveCampaign, units: Sequence[UnitPlan], cursor: Cursor) -> None:
        """Add units, and move the campaign's cursor behind them."""
        ...

    def plan_canary(self, campaign: ActiveCampaign) -> None:
        """Add a unit that must fail."""
        ...

    def drain(self, campaign: ActiveCampaign, ended_by: EndedBy) -> None:
        """Plan no more, and take back what nobody has begun."""
        ...

    def finish(self, campaign: ActiveCampaign) -> None:
        """End a drained campaign: done, or stopped if its user ended it."""
        ...

    def ready_units(self) -> Mapping[UnitKind, int]:
        """How many units could be claimed now, by kind."""
        ...


class Fleet(Protocol):
    """Those who execute units. They look into the store themselves: what they are told is a hint and may be lost."""

    def hint(self, ready: Mapping[UnitKind, int]) -> int:
        """See to it that as many of them look as there are units to be had; how many had to be told."""
        ...
