"""The loop of a run: when it ends, and what happens when the database takes no more."""

from collections.abc import Iterator
from pathlib import Path
from sqlite3 import Cursor

import pytest
from sqlalchemy import event, select

from cli.output import Screen
from cli.progress import LineProgress
from cli.run_loop import Run, RunOutcome
from cli.run_options import RunOptions
from cli.run_report import RunReport
from cli.stopping import StopRequest
from db.campaign_queries import ledger, list_campaigns
from db.clock import database_now
from db.database import Database, open_database
from db.models import UnitRow
from simcore.kernel_files import find_kernel
from simcore.world import World
from tests.cli.conftest import BEFORE, REFUSED

# One kind of failure, and worlds in which it is minimized in a moment.
SMALL = World(processes=2, pages=2, frames=8, slots=4)


def options(**changed: int | float | None) -> RunOptions:
    given: dict[str, int | float | None] = {"seconds": None, "ops": 6_000, "stop_after": None, "unit_ops": 2_000}
    given |= changed
    refused, before = find_kernel(REFUSED), find_kernel(BEFORE)
    fixed = {"kernel_spec": REFUSED, "kernel": refused, "reference": before, "world": SMALL, "engine": "swarm"}
    oracles = ("lost-store",)
    return RunOptions(**fixed, seed=1, jobs=1, length=40, oracles=oracles, checks=True, **given)  # type: ignore[arg-type]


def execute(asked: RunOptions, database: Database, stop: StopRequest | None = None) -> RunOutcome:
    progress = LineProgress(Screen(as_json=True))
    return Run(asked, {}, database, database.shown, progress, stop or StopRequest(), lambda _: None).execute()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with open_database(str(tmp_path / "run.db"), "write") as opened:
        yield opened


def test_a_budget_of_ops_is_used_up_in_whole_sequences(database: Database) -> None:
    outcome = execute(options(), database)
    assert outcome.ended_by == "ops"
    assert 6_000 <= outcome.total.ops < 6_000 + 3 * 40


def test_the_last_seed_is_as_small_as_the_budget_leaves(database: Database) -> None:
    execute(options(ops=5_000), database)
    with database.read() as session:
        units = session.execute(select(UnitRow.seed_count, UnitRow.ops).where(UnitRow.kind == "fuzz")).all()
    assert sum(count for count, _ in units) == 3
    assert sum(ops for _, ops in units) == 5_000


@pytest.mark.parametrize(("changed", "ended_by"), [({"seconds": 0.0}, "seconds"), ({"stop_after": 1}, "stop_after")])
def test_time_and_failures_end_a_run(changed: dict[str, float], ended_by: str, database: Database) -> None:
    outcome = execute(options(**changed), database)
    assert outcome.ended_by == ended_by
    if ended_by == "stop_after":
        assert outcome.failures


def test_a_user_who_asked_before_the_start_gets_an_end_in_order(database: Database) -> None:
    stop = StopRequest()
    stop.made = True
    outcome = execute(options(), database, stop)
    assert outcome.ended_by == "user"
    with database.read() as session:
        [campaign] = list_campaigns(session, database_now(session), runs=True)
        assert campaign.state == "stopped"
        assert ledger(session, campaign.id).balanced


def test_a_database_that_takes_no_more_ends_the_run_and_loses_no_failure(database: Database) -> None:
    """From the first failure on the file may not grow, which SQLite reports as it does a full disk."""

    def fill_the_disk(_connection: object, cursor: Cursor, statement: str, *_rest: object) -> None:
        if statement.startswith("INSERT INTO failure"):
            cursor.execute("PRAGMA max_page_count = 1")

    event.listen(database.engine, "before_cursor_execute", fill_the_disk)
    outcome = execute(options(), database)
    assert outcome.ended_by == "database"
    assert outcome.failures
    report = RunReport(options(), outcome, "/somewhere")
    assert report.exit_code() == 4
    document = report.document({}, "/somewhere")
    assert "full" in str(document["trouble"])
    # What is not stored is replayed from the trace itself.
    assert "<<'END'\nmmfuzz trace 1\n" in report.replay(outcome.failures[-1])
