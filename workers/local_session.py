"""A campaign executed here, with no server: a coordinator and its workers in this process and in others beside it."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Literal

from db import campaigns
from db.campaign_queries import get_campaign
from db.clock import database_now
from db.database import Database
from db.values import FailureRecord
from fuzzer.campaign.coordinator import Coordinator
from workers.clock import DatabaseClock
from workers.fleet import LookingFleet
from workers.identity import this_process
from workers.local_pool import LocalPool, PoolSettings
from workers.spool import Spool
from workers.store import DatabaseStore, drain_campaign
from workers.unit_worker import LEASE, UnitWorker

IDLE_SECONDS = 0.02

OnStop = Literal["pause", "drain"]
"""What a wish to stop means: to give back what is in hand and go on another time, or to end for good."""


class LocalSession:
    """Runs one campaign of a database to its end, or until it is stopped or paused by whomever.

    With one job units are executed in this process, else in `jobs` others. `stopping` says whether the user wants to
    stop, `each_step` is called between steps.
    """

    def __init__(
        self,
        database: Database,
        place: str,
        campaign_id: str,
        *,
        jobs: int,
        versions: Mapping[str, str],
        stopping: Callable[[], bool],
        on_stop: OnStop,
        each_step: Callable[[], None],
        lease: timedelta = LEASE,
        spool: Path | None = None,
        log_level: str = "error",
    ) -> None:
        self._database = database
        self._campaign_id = campaign_id
        self._stopping = stopping
        self._on_stop = on_stop
        self._stop_asked = False
        self._each_step = each_step
        self._jobs = jobs
        only = frozenset({campaign_id})
        clock = DatabaseClock(database)
        store = DatabaseStore(database, clock, only=only, least_workers=jobs)
        self._coordinator = Coordinator(store, LookingFleet(), clock)
        self._pool = LocalPool(database, PoolSettings(place, only, versions, lease, spool, log_level), jobs)
        self._worker = UnitWorker(
            database,
            this_process("local", versions),
            lease=lease,
            spool=None if spool is None else Spool(spool, database.shown),
            only=only,
            go_on=lambda: on_stop == "drain" or not stopping(),
        )

    @property
    def unsaved(self) -> tuple[FailureRecord, ...]:
        """Failures found in this process that the database did not take."""
        return tuple(self._worker.unsaved)

    def run(self) -> str:
        """Go on until the campaign is over or paused; the state it is in then."""
        if self._jobs == 1:
            return self._run_here()
        return self._run_beside()

    def _run_here(self) -> str:
        self._worker.heart.start()
        try:
            while True:
                idle = self._coordinator.tick().idle
                if (state := self._state()) not in ("running", "draining"):
                    return state
                busy = self._worker.work_once()
                self._each_step()
                if idle and not busy:
                    time.sleep(IDLE_SECONDS)
        finally:
            self._worker.heart.stop()

    def _run_beside(self) -> str:
        self._pool.start()
        try:
            while True:
                idle = self._coordinator.tick().idle
                if (state := self._state()) not in ("running", "draining"):
                    return state
                self._pool.watch()
                self._each_step()
                time.sleep(IDLE_SECONDS if not idle else 5 * IDLE_SECONDS)
        finally:
            self._pool.stop()

    def _state(self) -> str:
        """The campaign's state, after the user's wish was seen to."""
        if self._stopping() and not self._stop_asked:
            self._stop_asked = True
            self._see_to_stop()
        with self._database.read() as session:
            return get_campaign(session, self._campaign_id, database_now(session)).state

    def _see_to_stop(self) -> None:
        with self._database.write() as session:
            now = database_now(session)
            state = get_campaign(session, self._campaign_id, now).state
            if state == "running" and self._on_stop == "drain":
                drain_campaign(session, self._campaign_id, "user", now)
            elif state in ("running", "draining") and self._on_stop == "pause":
                campaigns.change_state(session, self._campaign_id, "paused", now)
