"""Campaigns executed by a simulated fleet, to their end or for some time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from random import Random
from typing import Any, cast

from sqlalchemy import select

from db import campaigns
from db.campaign_digest import campaign_digest
from db.campaign_queries import get_campaign, ledger, outstanding_units
from db.campaign_values import Ledger, StoredCampaign
from db.database import Database
from db.models import UnitRow
from fuzzer.campaign.coordinator import Coordinator
from fuzzer.campaign.protocols import Store
from fuzzer.campaign.spec import Budget, CampaignSpec
from tests.fuzzer.campaign.drawing import PAIR, WORLD
from tests.fuzzer.campaign.fleet import SimulatedClock, SimulatedFleet
from workers.campaigns import campaign_record
from workers.store import DatabaseStore

MOST_STEPS = 3000
_NUMBERS = count(1)

SPEC = CampaignSpec(
    kernels=(PAIR,),
    worlds=(WORLD,),
    seed=11,
    engines=(("swarm", 2), ("random", 1)),
    budget=Budget(ops=60_700),
    seed_ops=1000,
    seeds_per_unit=8,
    canary_minutes=0,
)
"""61 seeds in units of up to 8, the last of which does 700 ops."""


class InterruptedStore:
    """A store that calls `before` and `after` around each of its methods, with the method's name."""

    def __init__(self, store: Store, before: Callable[[str], None], after: Callable[[str], None]) -> None:
        self._store = store
        self._before = before
        self._after = after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)

        def interrupted(*args: object) -> object:
            self._before(name)
            result = method(*args)
            self._after(name)
            return result

        return interrupted


def as_store(store: InterruptedStore) -> Store:
    """The store for the type checker, which does not see through __getattr__."""
    return cast(Store, store)


@dataclass
class Simulation:
    """A database with campaigns, one fleet and the clock of both. `seed` decides all that is left to chance."""

    database: Database
    fleet: SimulatedFleet
    clock: SimulatedClock
    least_workers: int = 1

    def __post_init__(self) -> None:
        self._tick = self.coordinator().tick

    @property
    def store(self) -> DatabaseStore:
        """A store as a coordinator makes it when it starts."""
        return DatabaseStore(self.database, self.clock, least_workers=self.least_workers)

    def coordinator(self, store: Store | None = None) -> Coordinator:
        """A coordinator that knows nothing yet."""
        return Coordinator(store or self.store, self.fleet, self.clock)

    def add(self, spec: CampaignSpec = SPEC, **changes: Any) -> str:
        """Make a campaign and start it; its id."""
        record = campaign_record(f"campaign {next(_NUMBERS)}", spec, {}, self.clock.now())
        with self.database.write() as session:
            campaign_id = campaigns.add_campaign(session, replace(record, **changes))
            campaigns.change_state(session, campaign_id, "running", self.clock.now())
        return campaign_id

    def change_state(self, campaign_id: str, state: str) -> None:
        """Do what a user does."""
        with self.database.write() as session:
            campaigns.change_state(session, campaign_id, state, self.clock.now())

    def step(self, tick: Callable[[], object] | None = None) -> None:
        """A tick of the coordinator (of the simulation's own, if none is given), then the fleet's work."""
        (tick or self._tick)()
        self.fleet.step()
        self.clock.advance(self.fleet.random.uniform(2, 14))

    def finish(self, *campaign_ids: str, tick: Callable[[], object] | None = None) -> None:
        """Go on until these campaigns are over."""
        for _ in range(MOST_STEPS):
            if all(self.campaign(each).state in ("done", "stopped") for each in campaign_ids):
                return
            self.step(tick)
        raise AssertionError([(self.campaign(each), self.ledger(each)) for each in campaign_ids])

    def campaign(self, campaign_id: str) -> StoredCampaign:
        """The campaign as it stands."""
        with self.database.read() as session:
            return get_campaign(session, campaign_id, self.clock.now())

    def ledger(self, campaign_id: str) -> Ledger:
        """The campaign's ledger."""
        with self.database.read() as session:
            return ledger(session, campaign_id)

    def digest(self, campaign_id: str) -> str:
        """All that the campaign has found."""
        with self.database.read() as session:
            return campaign_digest(session, campaign_id)

    def units(self, campaign_id: str, kind: str = "fuzz") -> Sequence[UnitRow]:
        """The rows of the campaign's units of a kind, in the order of planning."""
        wanted = select(UnitRow).where(UnitRow.campaign_id == campaign_id, UnitRow.kind == kind)
        with self.database.read() as session:
            return session.execute(wanted.order_by(UnitRow.id)).scalars().all()

    def outstanding(self, campaign_id: str, kind: str = "fuzz") -> int:
        """How many of them are ready or leased."""
        with self.database.read() as session:
            return outstanding_units(session, campaign_id).get(kind, 0)


def simulate(database: Database, seed: int = 0, *, least_workers: int = 1, **fleet: Any) -> Simulation:
    """A simulation in which chance follows from the seed; `fleet` are fields of SimulatedFleet."""
    clock = SimulatedClock()
    return Simulation(database, SimulatedFleet(database, clock, Random(seed), **fleet), clock, least_workers)
