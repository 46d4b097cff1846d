"""How a service grows: the real coordinator on a real PostgreSQL, with simulated workers and a simulated clock.

Workers claim and settle units through the same functions as real ones; what they would compute takes simulated time.
Counted are the coordinator's time for each simulated second, the statements that change rows, and the messages.
"""

import heapq
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from redis import Redis
from sqlalchemy import event

from benchmarks._measure import Claim, Figures, spread
from db import campaigns, units
from db.campaign_values import ResultRecord, WorkerRecord
from db.database import Database, open_database
from db.workers import save_worker
from fuzzer.campaign.coordinator import Coordinator
from fuzzer.campaign.protocols import UnitKind
from fuzzer.campaign.rows import ROW_BYTES
from fuzzer.campaign.spec import CampaignSpec, make_pair
from fuzzer.results_version import RESULTS_VERSION
from simcore.kernel_files import find_kernel
from simcore.world import World
from tests.services.postgres import Cluster, running_cluster
from tests.services.redis import running_redis
from workers.campaigns import campaign_record
from workers.celery_app import KEY_PREFIX, QUEUE_NAMES, make_app
from workers.celery_fleet import CeleryFleet
from workers.heart import BEATS_PER_LEASE
from workers.store import DatabaseStore
from workers.unit_worker import LEASE

SIZES = (10, 100, 1_000, 10_000)
QUICK_SIZES = (10, 100)
UNIT_SECONDS = 60.0
SIMULATED_SECONDS = 120
QUICK_SECONDS = 70
CHANGES = ("INSERT", "UPDATE", "DELETE")
HEARTBEATS = 300
START = datetime(2026, 1, 1, tzinfo=UTC)


class SimulatedClock:
    """Shows what it is set to."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        """The time."""
        return self.time


@dataclass
class SimulatedFleet:
    """Workers that are told of units in order and take a unit's time for each."""

    database: Database
    clock: SimulatedClock
    workers: int
    told: int = 0
    busy: list[tuple[datetime, int, int]] = field(default_factory=list)
    done: int = 0

    def hint(self, ready: Mapping[UnitKind, int]) -> int:
        """Let as many messages wait as there are units."""
        missing = max(0, ready.get("fuzz", 0) - self.told)
        self.told += missing
        return missing

    def work(self) -> None:
        """Settle what is finished by now, and take as many units as there are idle workers."""
        now = self.clock.now()
        with self.database.write() as session:
            while self.busy and self.busy[0][0] <= now:
                _, unit_id, fence = heapq.heappop(self.busy)
                self.done += units.save_result(session, unit_id, fence, RESULT, now)
            while self.told and len(self.busy) < self.workers:
                self.told -= 1
                due = units.next_ready(session, ("fuzz",), RESULTS_VERSION)
                if due is None:
                    continue
                unit = units.claim_unit(session, due, "simulated", RESULTS_VERSION, now, 3 * LEASE)
                if unit is not None:
                    # Spread out, so that not all of them end in the same second.
                    spread_out = UNIT_SECONDS * (0.5 + unit.id % 97 / 97)
                    heapq.heappush(self.busy, (now + timedelta(seconds=spread_out), unit.id, unit.fence))


@dataclass(frozen=True, slots=True)
class Growth:
    """What one size of fleet costs, for each simulated second unless it says otherwise."""

    workers: int
    units: float
    coordinator_cpu: float
    slowest_tick: float
    coordinator_changes: float
    worker_changes: float
    heartbeats: float
    database_cpu: float

    def to_json(self) -> dict[str, float]:
        """The figures."""
        return {name: getattr(self, name) for name in self.__slots__}


RESULT = ResultRecord(
    100,
    1_000_000,
    20_000_000,
    bytes(ROW_BYTES),
    "unit-0123456789abcdef",
    [["lost-store", "anon", 3]],
    [],
    60.0,
    "simulated",
)


def main(quick: bool = False) -> Figures:
    """Measure each size; print a table."""
    with running_cluster() as cluster, running_redis() as redis:
        size = message_size(redis.url())
        growths = [_grow(cluster, workers, QUICK_SECONDS if quick else SIMULATED_SECONDS) for workers in _sizes(quick)]
        beat = _heartbeat_seconds(cluster)
    print(f"simulated: units of {UNIT_SECONDS:.0f} s, heartbeats every {_beat_seconds():.0f} s, ticks every second")
    print("  workers  units/s  coordinator CPU  slowest tick  its rows/s  workers' rows/s  heartbeats/s  database CPU")
    for each in growths:
        print(
            f"  {each.workers:7,}  {each.units:7.1f}  {each.coordinator_cpu:13.1%}  {each.slowest_tick:10.3f} s"
            f"  {each.coordinator_changes:10,.0f}  {each.worker_changes:15,.0f}  {each.heartbeats:12,.0f}"
            f"  {each.database_cpu:11.1%}"
        )
    print(f"  a message has {size} bytes; a heartbeat takes {1000 * beat:.1f} ms of worker and database together")
    largest = growths[-1]
    claim = Claim(
        f"coordinator's CPU with {largest.workers:,} workers", spread([largest.coordinator_cpu]), "of a processor"
    )
    return {"claims": [claim.to_json()], "growth": [each.to_json() for each in growths], "message_bytes": size}


def message_size(url: str) -> int:
    """The bytes of one task message as they lie in Redis, for a unit of the largest number."""
    CeleryFleet(make_app(url)).hint({"fuzz": 1})
    [message] = Redis.from_url(url).lrange(KEY_PREFIX + QUEUE_NAMES["units"], 0, -1)
    return len(message)


def _sizes(quick: bool) -> tuple[int, ...]:
    return QUICK_SIZES if quick else SIZES


def _beat_seconds() -> float:
    return LEASE.total_seconds() / BEATS_PER_LEASE


def _grow(cluster: Cluster, workers: int, seconds: int) -> Growth:
    clock = SimulatedClock()
    with open_database(cluster.new_database()) as database:
        _start_campaign(database, clock)
        fleet = SimulatedFleet(database, clock, workers)
        coordinator = Coordinator(DatabaseStore(database, clock, least_workers=workers), fleet, clock)
        with _counted_changes(database) as changes:
            used = slowest = 0.0
            own = 0
            server = _cpu_seconds(cluster)
            for _ in range(seconds):
                before, began, wall = changes[0], time.process_time(), time.monotonic()
                coordinator.tick()
                used += time.process_time() - began
                slowest = max(slowest, time.monotonic() - wall)
                own += changes[0] - before
                fleet.work()
                clock.time += timedelta(seconds=1)
            return Growth(
                workers,
                fleet.done / seconds,
                used / seconds,
                slowest,
                own / seconds,
                (changes[0] - own) / seconds,
                workers / _beat_seconds(),
                (_cpu_seconds(cluster) - server) / seconds,
            )


def _start_campaign(database: Database, clock: SimulatedClock) -> None:
    pair = make_pair(find_kernel("linux-4.0-rc7-mm1"))
    # Small sizes are over after a few units of the first rounds; what is measured is the long run.
    spec = CampaignSpec((pair,), (World(),), 1, seeds_per_unit=1, canary_minutes=0)
    with database.write() as session:
        record = campaign_record("growing", spec, {}, clock.now())
        campaign_id = campaigns.add_campaign(session, record)
        campaigns.change_state(session, campaign_id, "running", clock.now())


@contextmanager
def _counted_changes(database: Database) -> Iterator[list[int]]:
    """Counts rows inserted, updated and deleted."""
    changes = [0]

    def count(_connection: Any, cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.lstrip().upper().startswith(CHANGES):
            changes[0] += max(cursor.rowcount, 0)

    event.listen(database.engine, "after_cursor_execute", count)
    yield changes
    event.remove(database.engine, "after_cursor_execute", count)


def _heartbeat_seconds(cluster: Cluster) -> float:
    """The time of one heartbeat, one after the other."""
    with open_database(cluster.new_database()) as database:
        started = time.monotonic()
        for number in range(HEARTBEATS):
            record = WorkerRecord(
                f"worker{number % 50}", "celery", "here", 1, "x", {}, START, "waiting", None, 0, START
            )
            with database.write() as session:
                units.extend_lease(session, 1, 1, START, LEASE)
                save_worker(session, record, START)
        return (time.monotonic() - started) / HEARTBEATS


def _cpu_seconds(cluster: Cluster) -> float:
    ticks = 0
    for pid in cluster.process.members():
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
