"""What a service costs: the same campaign by two Celery workers and by the local pool with two processes, in turn.

The workers have a real Redis and PostgreSQL, and a coordinator, on the same machine. What these use of the processors
is counted from /proc over the whole campaign.
"""

import os
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks._measure import Claim, Figures, spread
from tests.services.postgres import Cluster, running_cluster
from tests.services.processes import OwnProcess
from tests.services.redis import RedisServer, running_redis
from tests.services.service import Service

WORKERS = 2
OPS = 480_000_000
QUICK_OPS = 3_000_000
ROUNDS = 2
# The failures of this oracle are few and minimized soon; nearly all of the time is fuzzing.
SETTINGS = ("--kernel", "linux-4.0-rc7-mm1", "--oracles", "lost-store", "--seed", "1", "--canary-minutes", "0")
PATIENCE_SECONDS = 600
WANTED_SHARE = 0.95
MOST_OVERHEAD = 0.03
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Round:
    """One campaign: ops a second from start to end, and the share of all processors that others than workers took."""

    rate: float
    digest: str
    overhead: float = 0.0


def main(quick: bool = False) -> Figures:
    """Measure both in turn, after one round that is not counted."""
    rounds, warm_up = (1, 0) if quick else (ROUNDS, 1)
    ops = QUICK_OPS if quick else OPS
    pooled: list[Round] = []
    served: list[Round] = []
    with TemporaryDirectory(prefix="mmfuzz-bench-") as folder, running_redis() as redis, running_cluster() as cluster:
        service = Service(Path(folder), ROOT, redis.url())
        for number in range(rounds + warm_up):
            pooled.append(_by_pool(service, number, ops))
            served.append(_by_celery(service, redis, cluster, number, ops))
            assert pooled[-1].digest == served[-1].digest, "both did the same"
    ratios = [s.rate / p.rate for s, p in zip(served[warm_up:], pooled[warm_up:], strict=True)]
    overheads = [each.overhead for each in served[warm_up:]]
    print(f"{ops:,} ops by {WORKERS} processes, {rounds} rounds")
    print(f"  local pool      {spread([each.rate for each in pooled[warm_up:]]).median / 1e6:8.2f} M ops/s")
    print(f"  Celery workers  {spread([each.rate for each in served[warm_up:]]).median / 1e6:8.2f} M ops/s")
    print(f"  share           {spread(ratios).median:8.3f} of the pool's, {min(ratios):.3f} to {max(ratios):.3f}")
    print(f"  coordinator and servers {spread(overheads).median:.4f} of the processors")
    claims = [
        Claim("Celery workers' ops a second, of the local pool's", spread(ratios), "x", WANTED_SHARE),
        Claim("processors left to workers", spread([1 - each for each in overheads]), "x", 1 - MOST_OVERHEAD),
    ]
    return {"claims": [claim.to_json() for claim in claims], "overhead": spread(overheads).to_json()}


def _by_pool(service: Service, number: int, ops: int) -> Round:
    database = str(service.folder / f"pool{number}.db")
    service.ask(database, "campaign", "new", "same", *SETTINGS, "--ops", str(ops))
    words = ("campaign", "start", "same", "--local", "--jobs", str(WORKERS))
    report = service.ask(database, *words, seconds=PATIENCE_SECONDS)
    return Round(report["ops"] / report["seconds"], report["digest"])


def _by_celery(service: Service, redis: RedisServer, cluster: Cluster, number: int, ops: int) -> Round:
    database = cluster.new_database()
    service.ask(database, "campaign", "new", "same", *SETTINGS, "--ops", str(ops))
    coordinator = service.start(f"coordinator{number}", database, "coordinator")
    workers = [service.start_worker(f"worker{number}-{index}", database) for index in range(WORKERS)]
    try:
        servers = [redis.process, cluster.process, coordinator]
        before, started = _cpu_seconds(servers), time.monotonic()
        service.ask(database, "campaign", "start", "same")
        report = service.ask(database, "campaign", "watch", "same", "--every", "5", seconds=PATIENCE_SECONDS)
        took = time.monotonic() - started
        used = _cpu_seconds(servers) - before
        return Round(report["ops"] / report["seconds"], report["digest"], used / (took * (os.cpu_count() or 1)))
    finally:
        for process in (coordinator, *workers):
            process.end()


def _cpu_seconds(processes: Iterable[OwnProcess]) -> float:
    """User and system time of all members, and of the children they have waited for."""
    ticks = 0
    for process in processes:
        for pid in process.members():
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(map(int, fields[11:15]))
    return ticks / os.sysconf("SC_CLK_TCK")
