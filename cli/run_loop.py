"""`mmfuzz run` as a campaign of one cell that lives as long as the command: started, driven to its end, and read back.

A run that is bounded by ops alone finds the same every time.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal, cast

from sqlalchemy.orm import Session

from cli.failure_text import AnyFailure
from cli.progress import Figures, RunProgress
from cli.run_options import RunOptions
from cli.stopping import StopRequest
from db import campaigns
from db.campaign_queries import failures_of_run, get_campaign, ledger, rows_of_run, unit_digest, unit_seconds
from db.clock import database_now
from db.database import Database
from db.errors import DatabaseError
from db.queries import get_run
from db.units import run_ids
from db.values import StoredFailure
from fuzzer.campaign.rows import unpack_rows
from simcore.rules import TOTAL_ROWS
from workers.campaigns import campaign_record
from workers.local_session import LocalSession

EndedBy = Literal["seconds", "ops", "stop_after", "user", "database"]
SECONDS_BETWEEN_LOOKS = 0.05


@dataclass(frozen=True, slots=True)
class RunTotals:
    """What a run has done. `rows` has a byte of 0 or 1 for each row; `fuzzing` is time of one process, in seconds."""

    traces: int = 0
    ops: int = 0
    rows: bytes = bytes(TOTAL_ROWS)
    digest: str = "unit-0000000000000000"
    fuzzing: float = 0.0


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run did and found. `trouble` is why the database took no more, None when it took all.

    `not_minimized` are failing traces that were chosen to be minimized when the run ended.
    """

    run_id: str | None
    ended_by: EndedBy
    seconds: float
    jobs: int
    total: RunTotals
    failures: tuple[AnyFailure, ...]
    trouble: DatabaseError | None = None
    not_minimized: int = 0

    @property
    def seconds_minimizing(self) -> float:
        """The time in which nothing was fuzzed: failures were minimized and explained, results stored."""
        return max(0.0, self.seconds - self.total.fuzzing / self.jobs)

    @property
    def ops_per_second(self) -> float:
        """The rate of fuzzing, without the time that all else took."""
        return rate(self.total.ops, self.total.fuzzing / self.jobs)

    @property
    def rows_covered(self) -> int:
        """How many rows decided something."""
        return sum(self.total.rows)


class Run:
    """A run that goes on; its sums and failures are the database's."""

    def __init__(
        self,
        options: RunOptions,
        versions: dict[str, str],
        database: Database,
        place: str,
        progress: RunProgress,
        stop: StopRequest,
        tell: Callable[[AnyFailure], None],
    ) -> None:
        self._options = options
        self._versions = versions
        self._database = database
        self._place = place
        self._progress = progress
        self._stop = stop
        self._tell = tell
        self._failures: dict[str, AnyFailure] = {}
        self._total = RunTotals()
        self._not_minimized = 0
        self._started = time.monotonic()
        self._looked = 0.0
        with database.write() as session:
            self._campaign_id, self.run_id = self._make(session)
        self._session = LocalSession(
            database,
            place,
            self._campaign_id,
            jobs=options.jobs,
            versions=versions,
            stopping=lambda: stop.made,
            on_stop="drain",
            each_step=self._look,
        )

    def execute(self) -> RunOutcome:
        """Run to the end, whoever brings it about. The database's trouble ends it, too, and is handed back."""
        try:
            self._session.run()
            ended_by = self._finish()
        except DatabaseError as error:
            for record in self._session.unsaved:
                self._failures.setdefault(record.id, record)
            return replace(self._outcome("database"), trouble=error)
        return self._outcome(ended_by)

    def _make(self, session: Session) -> tuple[str, str]:
        """Store the campaign and start it; its id and its run's."""
        now = database_now(session)
        record = campaign_record(
            f"run {now:%Y-%m-%d %H:%M:%S.%f}",
            self._options.campaign(),
            self._versions,
            now,
            origin="run",
            options=self._options.to_json(),
        )
        campaign_id = campaigns.add_campaign(session, record)
        campaigns.change_state(session, campaign_id, "running", now)
        return campaign_id, run_ids(session, campaign_id)[0]

    def _look(self) -> None:
        """Tell of failures that are new, and show how far the run is; not more often than anyone could read."""
        if time.monotonic() - self._looked < SECONDS_BETWEEN_LOOKS:
            return
        self._read()
        self._looked = time.monotonic()
        seconds = self._seconds()
        shares = used_share(seconds, self._options.seconds), used_share(self._total.ops, self._options.ops)
        self._progress.update(
            Figures(
                seconds,
                rate(self._total.ops, self._total.fuzzing / self._options.jobs),
                self._total.traces,
                self._total.ops,
                sum(self._total.rows),
                TOTAL_ROWS,
                len(self._failures),
                max(shares),
            )
        )

    def _read(self) -> None:
        with self._database.read() as session:
            run = get_run(session, self.run_id)
            self._total = RunTotals(
                run.traces,
                run.ops,
                unpack_rows(rows_of_run(session, self.run_id)),
                self._total.digest,
                unit_seconds(session, self._campaign_id),
            )
            failures = failures_of_run(session, self.run_id)
        self._keep(failures)

    def _keep(self, failures: tuple[StoredFailure, ...]) -> None:
        new = [failure for failure in failures if failure.id not in self._failures]
        self._failures |= {failure.id: failure for failure in failures}
        for failure in new:
            self._tell(failure)

    def _finish(self) -> EndedBy:
        self._read()
        with self._database.read() as session:
            ended_by = get_campaign(session, self._campaign_id, database_now(session)).ended_by
            self._total = replace(self._total, digest=unit_digest(session, self._campaign_id))
            self._not_minimized = ledger(session, self._campaign_id).samples_withdrawn
        assert ended_by is not None, "a run that is over was ended by something"
        return "stop_after" if ended_by == "failures" else cast(EndedBy, ended_by)

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _outcome(self, ended_by: EndedBy) -> RunOutcome:
        return RunOutcome(
            self.run_id,
            ended_by,
            self._seconds(),
            self._options.jobs,
            self._total,
            tuple(self._failures.values()),
            not_minimized=self._not_minimized,
        )


def used_share(done: float, budget: float | None) -> float:
    """How much of a budget is used up, 0 to 1; of no budget, nothing."""
    if budget is None:
        return 0.0
    return min(done / budget, 1.0) if budget > 0 else 1.0


def rate(number: int, seconds: float) -> float:
    """How many a second; 0 before any time has passed."""
    return number / seconds if seconds > 0 else 0.0
