"""Databases with a campaign to work for, and the services."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest

from db import campaigns
from db.database import Database, open_database
from fuzzer.campaign.coordinator import Coordinator
from fuzzer.campaign.spec import Budget, CampaignSpec, make_pair
from simcore.kernel_files import find_kernel
from simcore.world import World
from tests.services.fixtures import cluster as cluster
from tests.services.fixtures import redis_server as redis_server
from tests.services.fixtures import redis_url as redis_url
from workers.campaigns import campaign_record
from workers.clock import DatabaseClock
from workers.fleet import LookingFleet
from workers.store import DatabaseStore

SMALL = World(processes=2, pages=2, frames=8, slots=4, memcgs=1, mergeable=0)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A running campaign in a SQLite database, with one tick of its coordinator made."""

    place: str
    database: Database
    id: str

    def tick(self) -> None:
        """Let a coordinator do what is due."""
        clock = DatabaseClock(self.database)
        Coordinator(DatabaseStore(self.database, clock), LookingFleet(), clock).tick()


@contextmanager
def started_campaign(place: Path) -> Iterator[Campaign]:
    """The refused patch in a small world, 8 seeds of 20,000 ops, and canaries."""
    spec = CampaignSpec(
        kernels=(make_pair(find_kernel("linux-4.0-rc7-mm1+dirty-on-swapin")),),
        worlds=(SMALL,),
        seed=3,
        without=(("steps",),),
        oracles=("lost-store",),
        budget=Budget(ops=160_000),
        seed_ops=20_000,
        seeds_per_unit=4,
    )
    with open_database(place, "write") as database:
        now = datetime.now(UTC)
        with database.write() as session:
            campaign_id = campaigns.add_campaign(session, campaign_record("small", spec, {}, now))
            campaigns.change_state(session, campaign_id, "running", now)
        made = Campaign(str(place), database, campaign_id)
        made.tick()
        yield made


@pytest.fixture
def campaign(tmp_path: Path) -> Iterator[Campaign]:
    """A campaign that was just started."""
    with started_campaign(tmp_path / "work.db") as started:
        yield started
