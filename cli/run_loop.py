"""The loop of `mmfuzz run`: unit after unit, failure after failure, until a budget is used up or the user stops it.

The clock is read here and nowhere below. A run that is bounded by ops alone finds the same every time.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

from cli.progress import Figures, RunProgress
from cli.recording import SECONDS_BETWEEN_REPORTS, Recorder, now
from cli.records import FailureRecords
from cli.run_options import RunOptions
from cli.stopping import StopRequest
from cli.units import unit_results
from db.errors import DatabaseError
from db.values import FailureRecord, RunTotals
from fuzzer.failure import Failure
from fuzzer.merge import merge_results
from fuzzer.triage import Triage
from fuzzer.unit import UnitResult
from simcore.rules import TOTAL_ROWS

EndedBy = Literal["seconds", "ops", "stop_after", "user", "database"]


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What a run did and found. `trouble` is why the database took no more, None when it took all."""

    run_id: str | None
    ended_by: EndedBy
    seconds: float
    seconds_minimizing: float
    total: UnitResult
    failures: tuple[FailureRecord, ...]
    trouble: DatabaseError | None = None

    @property
    def ops_per_second(self) -> float:
        """The rate of fuzzing, without the time that failures took to be minimized and explained."""
        return rate(self.total.ops, self.seconds - self.seconds_minimizing)

    @property
    def rows_covered(self) -> int:
        """How many rows decided something."""
        return sum(self.total.rows)


class Run:
    """A run that goes on; its sums and failures belong to it alone."""

    def __init__(
        self,
        options: RunOptions,
        versions: dict[str, str],
        recorder: Recorder,
        progress: RunProgress,
        stop: StopRequest,
        tell: Callable[[FailureRecord], None],
    ) -> None:
        self._options = options
        self._recorder = recorder
        self._progress = progress
        self._stop = stop
        self._tell = tell
        self._triage = Triage(options.kernel, options.reference, versions=versions)
        self._records = FailureRecords(options)
        self._total = UnitResult()
        self._seconds_minimizing = 0.0
        self._started = time.monotonic()
        self._reported = self._started

    def execute(self) -> RunOutcome:
        """Run to the end, whoever brings it about. The database's trouble ends it, too, and is handed back."""
        try:
            ended_by = self._take_units()
            self._finish(ended_by)
        except DatabaseError as error:
            return replace(self._outcome("database"), trouble=error)
        return self._outcome(ended_by)

    def _take_units(self) -> EndedBy:
        results = unit_results(self._options.unit, self._options.jobs)
        try:
            for result in results:
                for _ in self._take(result):
                    if ended_by := self._ended_by():
                        return ended_by
        finally:
            # A generator is closed by whoever stops early; unit_results ends its processes then.
            results.close()
        return "ops"

    def _take(self, result: UnitResult) -> Iterator[None]:
        """Fold a unit in; gives way after each failure and at the end, so that the run can end there."""
        self._total = merge_results([self._total, replace(result, failures=())])
        for failure in self._explained(result):
            self._keep(failure)
            self._show()
            yield
        self._report()
        self._show()
        yield

    def _explained(self, result: UnitResult) -> Iterator[Failure]:
        """The failures that are new, and the time it took to know them."""
        failures = self._triage.take(result)
        while True:
            started = time.monotonic()
            failure = next(failures, None)
            self._seconds_minimizing += time.monotonic() - started
            if failure is None:
                return
            yield failure

    def _keep(self, failure: Failure) -> None:
        """Store a new failure at once, and tell it."""
        record = self._records.record(failure, now())
        self._recorder.save([record], self._totals())
        self._tell(record)

    def _report(self) -> None:
        """Store how far the run has come, now and then."""
        if time.monotonic() - self._reported >= SECONDS_BETWEEN_REPORTS:
            self._recorder.save(self._all_records(), self._totals())
            self._reported = time.monotonic()

    def _finish(self, ended_by: EndedBy) -> None:
        state: Literal["done", "stopped"] = "stopped" if ended_by == "user" else "done"
        self._recorder.finish(state, self._all_records(), self._totals())

    def _ended_by(self) -> EndedBy | None:
        if self._stop.made:
            return "user"
        if self._options.stop_after is not None and len(self._triage.failures) >= self._options.stop_after:
            return "stop_after"
        if self._options.seconds is not None and self._seconds() >= self._options.seconds:
            return "seconds"
        return None

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _totals(self) -> RunTotals:
        return RunTotals(self._seconds(), self._total.traces, self._total.ops, sum(self._total.rows))

    def _all_records(self) -> list[FailureRecord]:
        return [self._records.record(failure, now()) for failure in self._triage.failures]

    def _show(self) -> None:
        seconds = self._seconds()
        shares = used_share(seconds, self._options.seconds), used_share(self._total.ops, self._options.ops)
        self._progress.update(
            Figures(
                seconds,
                rate(self._total.ops, seconds - self._seconds_minimizing),
                self._total.traces,
                self._total.ops,
                sum(self._total.rows),
                TOTAL_ROWS,
                len(self._triage.failures),
                max(shares),
            )
        )

    def _outcome(self, ended_by: EndedBy) -> RunOutcome:
        failures = tuple(self._all_records())
        return RunOutcome(
            self._recorder.run_id, ended_by, self._seconds(), self._seconds_minimizing, self._total, failures
        )


def used_share(done: float, budget: float | None) -> float:
    """How much of a budget is used up, 0 to 1; of no budget, nothing."""
    if budget is None:
        return 0.0
    return min(done / budget, 1.0) if budget > 0 else 1.0


def rate(number: int, seconds: float) -> float:
    """How many a second; 0 before any time has passed."""
    return number / seconds if seconds > 0 else 0.0
