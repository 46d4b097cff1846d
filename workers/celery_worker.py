"""A Celery worker: a parent that receives hints and watches over its processes, and processes that execute units."""

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import structlog
from billiard.exceptions import TimeLimitExceeded, WorkerLostError
from celery import Celery, signals

from db import units
from db.clock import database_now
from db.database import Database, open_database
from db.errors import DatabaseError
from workers.celery_app import QUEUE_NAMES, QUEUES, TASK, Limits, make_app
from workers.identity import Identity, child_process, children_of, this_process
from workers.spool import Spool
from workers.unit_worker import LEASE, UnitWorker

log = structlog.get_logger()

# How often a process looks whether results in its spool can be delivered while it has nothing else to do.
SPOOL_SECONDS = 10.0
# When it is looked which processes are gone: one that ran out of time is told of first and killed then, and a busy
# machine may take its time with that.
DEATH_SECONDS = (1.0, 5.0, 20.0)


@dataclass(frozen=True, slots=True)
class WorkerSettings:
    """What a Celery worker is told. `queues` are names of QUEUE_NAMES."""

    broker: str
    database: str
    queues: tuple[str, ...]
    concurrency: int
    spool: Path
    versions: Mapping[str, str] = field(hash=False)
    lease: timedelta = LEASE
    limits: Limits = field(default_factory=Limits)


class Child:
    """One process of the worker: its database, heartbeat and spool, opened when the database is first there."""

    def __init__(self, settings: WorkerSettings, parent: Identity) -> None:
        self._parent = parent
        served = [QUEUE_NAMES[name] for name in settings.queues]
        self._kinds = [kind for kind, queue in QUEUES.items() if queue in served]
        self._settings = settings
        self._database: Database | None = None
        self._worker: UnitWorker | None = None
        self._lock = threading.Lock()

    def work(self) -> None:
        """Execute the unit that is due, if there is one. Without a database it stays where it is."""
        try:
            with self._lock:
                worker = self._open()
                worker.deliver_spooled()
                if not worker.work_once(self._kinds):
                    log.debug("nothing to be had")
        except DatabaseError as error:
            log.warning("no database", error=str(error))

    def start(self) -> None:
        """Say that the process is there, and deliver what is spooled now and then, from a thread of its own."""
        threading.Thread(target=self._keep_delivering, name="mmfuzz-spool", daemon=True).start()

    def close(self) -> None:
        """Sign off."""
        if self._worker is not None:
            self._worker.heart.stop()
        if self._database is not None:
            self._database.close()

    def _open(self) -> UnitWorker:
        if self._worker is None:
            settings = self._settings
            self._database = open_database(settings.database, "read")
            spool = Spool(settings.spool, self._database.shown)
            identity = child_process(self._parent)
            self._worker = UnitWorker(self._database, identity, lease=settings.lease, spool=spool)
            self._worker.heart.start()
        return self._worker

    def _keep_delivering(self) -> None:
        while True:
            if self._lock.acquire(blocking=False):
                try:
                    self._open().deliver_spooled()
                except DatabaseError as error:
                    log.debug("no database", error=str(error))
                finally:
                    self._lock.release()
            time.sleep(SPOOL_SECONDS)


def run_worker(settings: WorkerSettings) -> int:
    """Run a Celery worker until it is asked to stop; its exit code."""
    app = make_app(settings.broker, settings.limits)
    identity = this_process("celery", settings.versions)
    _add_task(app, settings, identity)
    argv = [
        "--quiet",
        "worker",
        f"--queues={','.join(QUEUE_NAMES[name] for name in settings.queues)}",
        f"--concurrency={settings.concurrency}",
        "--pool=prefork",
        "--without-gossip",
        "--without-mingle",
        "--loglevel=WARNING",
        f"--hostname=mmfuzz-{os.getpid()}@%h",
    ]
    try:
        app.worker_main(argv)
    except SystemExit as done:
        return done.code if isinstance(done.code, int) else int(done.code is not None)
    finally:
        _give_back(settings, identity)
    return 0


def _add_task(app: Celery, settings: WorkerSettings, identity: Identity) -> None:
    children: list[Child] = []

    @app.task(name=TASK, ignore_result=True)
    def execute_unit() -> None:
        children[0].work()

    # Signals hold their receivers weakly unless told otherwise, and these live in no module.
    @signals.worker_ready.connect(weak=False)
    def tell(**_: Any) -> None:
        log.info("worker ready", queues=list(settings.queues), processes=settings.concurrency)

    @signals.worker_process_init.connect(weak=False)
    def begin(**_: Any) -> None:
        children[:] = [Child(settings, identity)]
        children[0].start()

    @signals.worker_process_shutdown.connect(weak=False)
    def end(**_: Any) -> None:
        for child in children:
            child.close()

    @signals.task_failure.connect(weak=False)
    def mourn(exception: BaseException | None = None, **_: Any) -> None:
        """In the parent: a process died, or is about to be killed for its time."""
        if isinstance(exception, WorkerLostError | TimeLimitExceeded):
            log.warning("a process was lost", why=str(exception))
            for seconds in DEATH_SECONDS:
                later = threading.Timer(seconds, _end_leases_of_dead, (settings, identity))
                # Not waited for when the worker ends.
                later.daemon = True
                later.start()

    del execute_unit, tell, begin, end, mourn


def _give_back(settings: WorkerSettings, identity: Identity) -> None:
    """At the end: what processes had in hand when they were stopped is left to others, and counts no loss."""
    try:
        with open_database(settings.database, "read") as database, database.write() as session:
            given = units.give_back_all(session, children_of(identity))
    except DatabaseError as error:
        log.warning("units in hand wait for their leases", error=str(error))
        return
    log.info("worker stopped", given_back=given)


def _end_leases_of_dead(settings: WorkerSettings, identity: Identity) -> None:
    """Nobody need wait for the leases of processes that are gone."""
    try:
        with open_database(settings.database, "read") as database, database.write() as session:
            now = database_now(session)
            for owner in units.owners_of_leases(session, children_of(identity)):
                if not Path(f"/proc/{owner.rpartition('/')[2]}").exists():
                    units.end_leases_of(session, owner, now)
    except DatabaseError as error:
        log.warning("leases of the dead run on", error=str(error))
