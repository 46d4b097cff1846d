"""The local pool: processes on this machine that claim units from the database, and a parent that watches them."""

import multiprocessing
import os
import signal
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.context import SpawnProcess
from pathlib import Path
from types import FrameType

import structlog

from db import units
from db.clock import database_now
from db.database import Database, open_database
from db.errors import DatabaseError
from workers.identity import Identity, children_of, this_process
from workers.logs import start_logging
from workers.spool import Spool
from workers.unit_worker import LEASE, UnitWorker

IDLE_SECONDS = 0.05
STOP_SECONDS = 30.0

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PoolSettings:
    """What every process of a pool is told. `spool` is a folder, None to give results up that cannot be stored."""

    database: str
    only: frozenset[str] | None
    versions: Mapping[str, str] = field(hash=False)
    lease: timedelta = LEASE
    spool: Path | None = None
    log_level: str = "error"


class LocalPool:
    """A number of processes; one that dies is replaced, and its unit is not waited for."""

    def __init__(self, database: Database, settings: PoolSettings, jobs: int) -> None:
        self._database = database
        self._settings = settings
        self._jobs = jobs
        self._context = multiprocessing.get_context("spawn")
        self._workers: dict[str, SpawnProcess] = {}
        self._started = 0
        self._parent = this_process("local", settings.versions)

    def start(self) -> None:
        """Start all processes."""
        while len(self._workers) < self._jobs:
            self._start_one()

    def watch(self) -> int:
        """Replace processes that died, and end their leases; how many."""
        dead = [owner for owner, process in self._workers.items() if not process.is_alive()]
        for owner in dead:
            process = self._workers.pop(owner)
            log.warning("a worker died", worker=owner, exit_code=process.exitcode)
            self._end_leases(owner)
            self._start_one()
        return len(dead)

    def stop(self) -> None:
        """Ask every process to finish; one that does not in time is killed. Units in hand are given back."""
        for process in self._workers.values():
            process.terminate()
        end = time.monotonic() + STOP_SECONDS
        for owner, process in self._workers.items():
            process.join(timeout=max(0.1, end - time.monotonic()))
            if process.is_alive():
                process.kill()
                process.join()
            if process.exitcode:
                self._end_leases(owner)
        self._workers.clear()

    def _start_one(self) -> None:
        self._started += 1
        owner = f"{children_of(self._parent)}{self._started}"
        process = self._context.Process(target=work_here, args=(self._settings, owner, os.getpid()), daemon=True)
        process.start()
        self._workers[owner] = process

    def _end_leases(self, owner: str) -> None:
        try:
            with self._database.write() as session:
                units.end_leases_of(session, owner, database_now(session))
        except DatabaseError as error:
            log.warning("a dead worker's lease runs on", worker=owner, error=str(error))


def work_here(settings: PoolSettings, owner: str, parent: int) -> None:
    """What a process of the pool does until it is asked to stop or its parent is gone."""
    start_logging(settings.log_level)
    stop = _StopSignal(parent)
    identity = this_process("local", settings.versions)
    named = Identity(owner, "local", identity.host, identity.pid, identity.started, identity.versions)
    with open_database(settings.database, "write") as database:
        spool = None if settings.spool is None else Spool(settings.spool, database.shown)
        worker = UnitWorker(
            database, named, lease=settings.lease, spool=spool, only=settings.only, go_on=lambda: not stop.made
        )
        worker.heart.start()
        try:
            _work(worker, stop)
        finally:
            worker.heart.stop()


class _StopSignal:
    """Whether SIGTERM has come or the parent has gone. Ctrl-C reaches the parent, too, which decides what it means."""

    def __init__(self, parent: int) -> None:
        self._asked = False
        self._parent = parent
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._ask)

    @property
    def made(self) -> bool:
        return self._asked or os.getppid() != self._parent

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self._asked = True


def _work(worker: UnitWorker, stop: _StopSignal) -> None:
    pause = IDLE_SECONDS
    while not stop.made:
        try:
            worker.deliver_spooled()
            busy = worker.work_once()
        except DatabaseError as error:
            log.warning("no work without the database", error=str(error))
            busy = False
            pause = 1.0
        if busy:
            pause = IDLE_SECONDS
        else:
            time.sleep(pause)
