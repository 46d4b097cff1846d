"""The heartbeat of a process: while it works, its leases last and everybody can see what it does."""

import threading
from contextlib import suppress
from datetime import timedelta

import structlog

from db import units
from db.clock import database_now
from db.database import Database
from db.errors import DatabaseError
from db.workers import forget_silent_workers, forget_worker, save_worker
from workers.identity import Identity

# Beats in the time of a lease: one may be late, or meet a busy database.
BEATS_PER_LEASE = 4
FORGET_AFTER = timedelta(days=1)

log = structlog.get_logger()


class Heart:
    """Beats in a thread of its own from start() to stop(). `held` says whether the unit in hand is still ours."""

    def __init__(self, database: Database, identity: Identity, lease: timedelta) -> None:
        self._database = database
        self._identity = identity
        self._lease = lease
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._unit: tuple[int, int] | None = None
        self._doing = "waiting for work"
        self._units_done = 0
        self._lost = False
        self._thread: threading.Thread | None = None

    @property
    def held(self) -> bool:
        """Whether no beat has found that the unit in hand is somebody else's."""
        return not self._lost

    def start(self) -> None:
        """Say that this process is there, and go on saying so."""
        self._forget_the_dead()
        self.beat()
        self._thread = threading.Thread(target=self._run, name="mmfuzz-heart", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Beat no more, and say that this process has gone."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
        try:
            with self._database.write() as session:
                forget_worker(session, self._identity.id)
        except DatabaseError as error:
            log.warning("could not sign off", worker=self._identity.id, error=str(error))

    def take(self, unit_id: int, fence: int, doing: str) -> None:
        """From now on the process has this unit in hand."""
        with self._lock:
            self._unit, self._doing, self._lost = (unit_id, fence), doing, False

    def drop(self, *, done: bool) -> None:
        """The process has nothing in hand any more."""
        with self._lock:
            self._unit, self._doing = None, "waiting for work"
            self._units_done += int(done)

    def say(self, doing: str) -> None:
        """What the process does, where it has no unit in hand."""
        with self._lock:
            self._doing = doing

    def beat(self) -> None:
        """Extend the lease and write the process's row, once. A database that is not there is waited for."""
        with self._lock:
            unit, doing, done = self._unit, self._doing, self._units_done
        try:
            with self._database.write() as session:
                now = database_now(session)
                held = unit is None or units.extend_lease(session, *unit, now, self._lease)
                record = self._identity.record(doing, unit[0] if unit else None, done)
                save_worker(session, record, now)
        except DatabaseError as error:
            log.warning("heartbeat failed", worker=self._identity.id, error=str(error))
            return
        with self._lock:
            if not held and self._unit == unit:
                self._lost = True

    def _forget_the_dead(self) -> None:
        """Processes that were killed could not sign off."""
        with suppress(DatabaseError), self._database.write() as session:
            forget_silent_workers(session, database_now(session) - FORGET_AFTER)

    def _run(self) -> None:
        pause = self._lease.total_seconds() / BEATS_PER_LEASE
        while not self._stopped.wait(pause):
            self.beat()
