"""The processes of a service, and the database by which it is judged: all real, all to be killed."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from celery import Celery
from redis import Redis

from tests.services.postgres import Cluster, running_cluster
from tests.services.processes import OwnProcess, processes_in
from tests.services.redis import RedisServer, running_redis
from tests.services.service import Service
from workers.celery_app import KEY_PREFIX, QUEUE_NAMES, make_app

WORKERS = 2
PROCESSES = 2
# Short, so that what is lost is missed soon; heartbeats come four times as often.
LEASE_SECONDS = 4
DEADLY = Path(__file__).with_name("deadly.py")


class Arena:
    """Redis, PostgreSQL, a coordinator and workers, which keep what they must in `service.spool`."""

    def __init__(self, service: Service, redis: RedisServer, cluster: Cluster) -> None:
        self.service = service
        self.redis = redis
        self.cluster = cluster
        self.database = cluster.new_database()
        self.app: Celery = make_app(redis.url())
        service.spool.mkdir()
        _mount_small_disk(service.spool)
        self.coordinator = self._start_coordinator()
        self.workers = [self._start_worker(number) for number in range(WORKERS)]

    def restart_coordinator(self) -> None:
        """Kill it with -9 and start another."""
        self.coordinator.end()
        self.coordinator = self._start_coordinator()

    def restart_worker(self, number: int) -> None:
        """Kill a worker with all of its processes, and start another."""
        self.workers[number].end()
        self.workers[number] = self._start_worker(number)

    def children(self) -> list[int]:
        """The processes that execute units."""
        return [pid for worker in self.workers for pid in worker.members() if pid != worker.pid]

    def ask(self, *words: str) -> Any:
        """The document that a command prints."""
        return self.service.ask(self.database, *words)

    def messages(self, queue: str = "units") -> "tuple[Redis, str]":
        """Redis and the key under which a queue's messages lie."""
        return Redis.from_url(self.redis.url(), socket_timeout=5), KEY_PREFIX + QUEUE_NAMES[queue]

    @contextmanager
    def full_spool(self) -> Iterator[None]:
        """Inside, nothing can be written where workers keep results.

        Where we may mount, the spool is a disk of its own that is filled; else a file stands in the folder's place.
        """
        spool = self.service.spool
        if spool.is_mount():
            filler = spool / "filler"
            with suppress(OSError), filler.open("wb", buffering=0) as out:
                while True:
                    out.write(bytes(4096))
            yield
            filler.unlink()
            return
        beside = spool.with_name("spool-before")
        spool.rename(beside)
        spool.touch()
        yield
        spool.unlink()
        beside.rename(spool)

    def revive(self) -> None:
        """Start what ended by itself, as a service manager would."""
        if not self.coordinator.running:
            self.restart_coordinator()
        for number, worker in enumerate(self.workers):
            if not worker.running:
                self.restart_worker(number)

    def close(self) -> None:
        """Kill all."""
        for process in (self.coordinator, *self.workers):
            process.end()
        if self.service.spool.is_mount():
            subprocess.run(["umount", self.service.spool], check=True)

    def logs(self) -> str:
        """The end of what each process printed."""
        processes = (self.coordinator, *self.workers)
        return "\n".join(f"--- {process.folder.name}\n{process.output()}" for process in processes)

    def _start_coordinator(self) -> OwnProcess:
        words = ("coordinator", "--every", "0.3")
        return self.service.start("coordinator", self.database, *words)

    def _start_worker(self, number: int) -> OwnProcess:
        words = ("worker", "--concurrency", str(PROCESSES), "--lease", str(LEASE_SECONDS))
        return self.service.start(f"worker{number}", self.database, *words)


@contextmanager
def running_arena(root: Path, deadly_seed: int) -> Iterator[Arena]:
    """A service that runs; at the end nothing of it is left."""
    with TemporaryDirectory(prefix="mmfuzz-chaos-") as name, running_redis() as redis, running_cluster() as cluster:
        folder = Path(name)
        variables = {"MMFUZZ_DEADLY_SEED": str(deadly_seed)}
        arena = Arena(Service(folder, root, redis.url(), (str(DEADLY),), variables), redis, cluster)
        try:
            yield arena
        finally:
            arena.close()
            assert processes_in(folder) == []


def kill(pid: int, number: signal.Signals) -> bool:
    """Send a signal to a process; False when it has ended by itself."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def pause(seconds: float) -> None:
    """Let what was done take effect."""
    time.sleep(seconds)


def _mount_small_disk(folder: Path) -> None:
    """A disk of 256 kB in the folder's place, as far as we may; a result takes a few kB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(folder)]
    subprocess.run(command, capture_output=True, check=False)
