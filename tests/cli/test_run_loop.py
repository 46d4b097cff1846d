"""The loop of a run: when it ends, and what happens when the database takes no more."""

from collections.abc import Sequence
from typing import Literal

import pytest

from cli.output import Screen
from cli.progress import LineProgress
from cli.recording import NoRecorder, Recorder
from cli.run_loop import Run, RunOutcome
from cli.run_options import RunOptions
from cli.run_report import RunReport
from cli.stopping import StopRequest
from db.errors import FullDatabaseError
from db.values import FailureRecord, RunTotals
from simcore.kernel_files import find_kernel
from simcore.world import World
from tests.cli.conftest import BEFORE, REFUSED


class FullDisk:
    """A recorder that takes one failure and then no more."""

    run_id: str | None = "run-0000000000"

    def __init__(self) -> None:
        self.taken = 0

    def save(self, failures: Sequence[FailureRecord], totals: RunTotals) -> None:
        """Take the first, refuse the second."""
        assert totals.traces > 0
        if self.taken:
            raise FullDatabaseError("no space is left", "/somewhere", "free some")
        self.taken += len(failures)

    def finish(self, state: Literal["done", "stopped"], *_: object) -> None:
        """Never called."""
        raise AssertionError(f"{state}: a run that cannot be stored is not finished")


def options(**changed: int | float | None) -> RunOptions:
    given: dict[str, int | float | None] = {"seconds": None, "ops": 6_000, "stop_after": None, "unit_ops": 2_000}
    given |= changed
    refused, before = find_kernel(REFUSED), find_kernel(BEFORE)
    fixed = {"kernel_spec": REFUSED, "kernel": refused, "reference": before, "world": World(), "engine": "swarm"}
    return RunOptions(**fixed, seed=1, jobs=1, length=40, oracles=None, checks=True, **given)  # type: ignore[arg-type]


def execute(asked: RunOptions, recorder: Recorder, stop: StopRequest | None = None) -> RunOutcome:
    progress = LineProgress(Screen(as_json=True))
    return Run(asked, {}, recorder, progress, stop or StopRequest(), lambda _: None).execute()


def test_a_budget_of_ops_is_used_up_in_whole_sequences() -> None:
    outcome = execute(options(), NoRecorder())
    assert outcome.ended_by == "ops"
    assert 6_000 <= outcome.total.ops < 6_000 + 3 * 40


def test_the_last_unit_is_as_small_as_the_budget_leaves() -> None:
    asked = options(ops=5_000)
    units = [asked.unit(number) for number in range(4)]
    assert [unit.ops if unit else None for unit in units] == [2_000, 2_000, 1_000, None]
    assert len({unit.seed for unit in units if unit}) == 3


@pytest.mark.parametrize(("changed", "ended_by"), [({"seconds": 0.0}, "seconds"), ({"stop_after": 2}, "stop_after")])
def test_time_and_failures_end_a_run(changed: dict[str, float], ended_by: str) -> None:
    outcome = execute(options(**changed), NoRecorder())
    assert outcome.ended_by == ended_by
    if ended_by == "stop_after":
        assert len(outcome.failures) == 2


def test_a_user_who_asked_before_the_start_gets_what_one_unit_found() -> None:
    stop = StopRequest()
    stop.made = True
    outcome = execute(options(), NoRecorder(), stop)
    assert outcome.ended_by == "user"
    assert outcome.total.traces > 0


def test_a_database_that_takes_no_more_ends_the_run_and_loses_no_failure() -> None:
    recorder = FullDisk()
    outcome = execute(options(), recorder)
    assert outcome.ended_by == "database"
    assert recorder.taken == 1
    assert len(outcome.failures) == 2
    report = RunReport(options(), outcome, "/somewhere")
    assert report.exit_code() == 4
    document = report.document({}, "/somewhere")
    assert "no space is left" in str(document["trouble"])
    # What is not stored is replayed from the trace itself.
    assert "<<'END'\nmmfuzz trace 1\n" in report.replay(outcome.failures[1])
