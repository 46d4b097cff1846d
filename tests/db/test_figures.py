"""The figures of the service are those of its rows, on each kind of database."""

from datetime import UTC, datetime, timedelta

import pytest

from db import campaigns, units
from db.campaign_queries import get_campaign, ledger
from db.campaign_values import StoredCampaign, WorkerRecord
from db.clock import database_now
from db.database import Database
from db.figures import CAMPAIGN_STATES, ServiceFigures, canary_is_missed, database_size, service_figures
from db.workers import save_worker
from fuzzer.results_version import RESULTS_VERSION
from tests.workers.executed import SEEDS, add_campaign, finish_campaign, start_campaign


def figures(database: Database) -> ServiceFigures:
    with database.read() as session:
        return service_figures(session)


def stored(database: Database, campaign_id: str) -> StoredCampaign:
    with database.read() as session:
        return get_campaign(session, campaign_id, database_now(session))


def test_of_an_empty_database_all_is_nothing(database: Database) -> None:
    found = figures(database)
    assert found.states == dict.fromkeys(CAMPAIGN_STATES, 0)
    assert (found.campaigns, found.workers, found.leases_over) == ((), (), 0)
    assert found.size > 0
    assert abs(found.now - datetime.now(UTC)) < timedelta(seconds=60)


def test_campaigns_are_counted_by_state_and_those_at_work_are_told(database: Database, target: str) -> None:
    add_campaign(database, "new")
    waiting, over = add_campaign(database, "waiting"), add_campaign(database, "over")
    start_campaign(database, waiting)
    start_campaign(database, over)
    finish_campaign(database, target, over)
    found = figures(database)
    assert {state: number for state, number in found.states.items() if number} == {"new": 1, "running": 1, "done": 1}
    (running,) = found.campaigns
    assert running.campaign.name == "waiting"
    assert running.units == {("fuzz", "ready"): SEEDS}
    assert (running.traces, running.ops, running.failures, running.rows_covered) == (0, 0, 0, {0: 0, 1: 0})
    assert running.campaign.next_number == SEEDS


def test_sums_are_those_of_the_ledger(database: Database, target: str) -> None:
    campaign_id = add_campaign(database, "over")
    start_campaign(database, campaign_id)
    finish_campaign(database, target, campaign_id)
    # A campaign that is over is not told any more, so it is brought back to look at what it has.
    with database.write() as session:
        session.connection().exec_driver_sql("UPDATE campaign SET state = 'paused', ended = NULL")
        counted = ledger(session, campaign_id)
    (found,) = figures(database).campaigns
    assert (found.ops, found.traces) == (counted.ops, counted.traces)
    assert found.campaign.folded_number == counted.units_done == SEEDS
    assert found.units == {}
    assert found.failures > 0
    assert set(found.rows_covered) == {0, 1}
    assert all(rows > 0 for rows in found.rows_covered.values())


def test_units_of_the_silent_are_counted_until_somebody_sees_to_them(database: Database) -> None:
    start_campaign(database, add_campaign(database, "mine"))
    with database.write() as session:
        now = database_now(session)
        for ago in (timedelta(seconds=90), timedelta(0)):
            unit_id = units.next_ready(session, ("fuzz",), RESULTS_VERSION)
            assert unit_id is not None
            lease = timedelta(seconds=60)
            assert units.claim_unit(session, unit_id, "somebody", RESULTS_VERSION, now - ago, lease)
    found = figures(database)
    assert found.leases_over == 1
    assert found.campaigns[0].units == {("fuzz", "ready"): SEEDS - 2, ("fuzz", "leased"): 2}


def test_processes_are_told_with_their_silence_and_clocks(database: Database) -> None:
    with database.write() as session:
        now = database_now(session)
        heard = now - timedelta(seconds=30)
        clock = heard + timedelta(seconds=5)
        record = WorkerRecord("w", "celery", "h", 1, RESULTS_VERSION, {}, heard, "waiting for work", None, 3, clock)
        save_worker(session, record, heard)
    (worker,) = figures(database).workers
    assert worker.silent == pytest.approx(30, abs=10)
    assert worker.clock_ahead == pytest.approx(5)
    assert (worker.units_done, worker.role) == (3, "celery")


def test_the_size_grows_with_what_is_stored(database: Database) -> None:
    with database.read() as session:
        before = database_size(session)
    for number in range(20):
        add_campaign(database, f"campaign {number}")
    with database.read() as session:
        assert database_size(session) > before


def test_a_canary_is_missed_until_the_next_is_caught(database: Database) -> None:
    campaign_id = add_campaign(database, "mine")
    assert not canary_is_missed(stored(database, campaign_id))
    # Of each: minutes after the first, whether it was caught, whether the last was missed then.
    for minutes, caught, missed in ((0, False, True), (1, True, False), (2, False, True), (3, True, False)):
        at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
        with database.write() as session:
            campaigns.note_canary(session, campaign_id, at, caught=caught)
        assert canary_is_missed(stored(database, campaign_id)) is missed
