"""Small campaigns in a database, executed in this process."""

from db import campaigns
from db.clock import database_now
from db.database import Database
from fuzzer.campaign.coordinator import Coordinator
from fuzzer.campaign.spec import Budget, CampaignSpec, make_pair
from simcore.kernel_files import find_kernel
from simcore.world import World
from workers.campaigns import campaign_record
from workers.clock import DatabaseClock
from workers.fleet import LookingFleet
from workers.local_session import LocalSession
from workers.store import DatabaseStore

WORLD = "processes=2 pages=2 frames=8 slots=4 memcgs=1 mergeable=0 swap=disk"
SEEDS = 5
SEED_OPS = 200


def add_campaign(database: Database, name: str) -> str:
    """A campaign of two cells that is not started: five seeds of two hundred ops; its id."""
    spec = CampaignSpec(
        kernels=(make_pair(find_kernel("linux-4.0-rc7-mm1+dirty-on-swapin")),),
        worlds=(World.parse(WORLD),),
        seed=1,
        without=(("steps", "ksm", "memcg"),),
        engines=(("swarm", 1), ("random", 1)),
        oracles=("lost-store",),
        budget=Budget(ops=SEEDS * SEED_OPS),
        seed_ops=SEED_OPS,
        seeds_per_unit=1,
        canary_minutes=0,
    )
    with database.write() as session:
        return campaigns.add_campaign(session, campaign_record(name, spec, {}, database_now(session)))


def start_campaign(database: Database, campaign_id: str) -> None:
    """Let a campaign run, and plan its units."""
    with database.write() as session:
        campaigns.change_state(session, campaign_id, "running", database_now(session))
    clock = DatabaseClock(database)
    store = DatabaseStore(database, clock, only={campaign_id})
    Coordinator(store, LookingFleet(), clock).tick()


def finish_campaign(database: Database, place: str, campaign_id: str) -> None:
    """Execute a started campaign to its end."""
    session = LocalSession(
        database,
        place,
        campaign_id,
        jobs=1,
        versions={},
        stopping=lambda: False,
        on_stop="pause",
        each_step=lambda: None,
    )
    assert session.run() == "done"
