"""Where a run's results are kept: in the database while it goes on, or nowhere."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol

from cli.run_options import RunOptions
from db.database import Database
from db.store import finish_run, report_run, save_failures, start_run
from db.values import FailureRecord, RunRecord, RunTotals
from simcore.rules import TOTAL_ROWS

SECONDS_BETWEEN_REPORTS = 5.0


class Recorder(Protocol):
    """Takes what a run does. `run_id` is None where nothing is kept."""

    run_id: str | None

    def save(self, failures: Sequence[FailureRecord], totals: RunTotals) -> None:
        """Keep failures, and how far the run has come. A failure that is kept already gets its new count."""
        ...

    def finish(self, state: Literal["done", "stopped"], failures: Sequence[FailureRecord], totals: RunTotals) -> None:
        """Keep the run's end."""
        ...


class NoRecorder:
    """Keeps nothing."""

    run_id: str | None = None

    def save(self, failures: Sequence[FailureRecord], totals: RunTotals) -> None:
        """Drop it."""

    def finish(self, state: Literal["done", "stopped"], failures: Sequence[FailureRecord], totals: RunTotals) -> None:
        """Drop it."""


class DatabaseRecorder:
    """Keeps everything in an open database, each call in one transaction."""

    def __init__(self, database: Database, options: RunOptions, versions: dict[str, str]) -> None:
        self._database = database
        record = RunRecord(
            options.kernel,
            options.world,
            options.engine,
            options.seed,
            options.to_json(),
            versions,
            TOTAL_ROWS,
            now(),
        )
        with database.write() as session:
            self._run = start_run(session, record)
        self.run_id: str | None = self._run

    def save(self, failures: Sequence[FailureRecord], totals: RunTotals) -> None:
        """Store failures and totals."""
        with self._database.write() as session:
            save_failures(session, self._run, failures)
            report_run(session, self._run, totals, now())

    def finish(self, state: Literal["done", "stopped"], failures: Sequence[FailureRecord], totals: RunTotals) -> None:
        """Store the last counts and the end."""
        with self._database.write() as session:
            save_failures(session, self._run, failures)
            finish_run(session, self._run, state, totals, now())


def now() -> datetime:
    """The time, as the database keeps it."""
    return datetime.now(UTC)
