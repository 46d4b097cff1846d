"""A process's work: whatever happens to a unit, it is settled by who holds it, once."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select, update

from db import campaign_queries, units
from db.campaign_digest import campaign_digest
from db.clock import database_now
from db.models import CampaignRow, UnitResultRow, UnitRow
from fuzzer.results_version import RESULTS_VERSION
from tests.workers.conftest import Campaign, started_campaign
from tests.workers.test_spool import result
from workers.identity import this_process
from workers.spool import Spool
from workers.unit_worker import UnitWorker

FUZZ = ("fuzz",)


def worker(campaign: Campaign, spool: Path | None = None, go_on: Callable[[], bool] = lambda: True) -> UnitWorker:
    kept = None if spool is None else Spool(spool, campaign.database.shown)
    return UnitWorker(campaign.database, this_process("local", {}), spool=kept, go_on=go_on)


def work_to_the_end(campaign: Campaign, *workers: UnitWorker) -> None:
    """Tick and work in turn until the campaign is over."""
    for _ in range(1000):
        campaign.tick()
        with campaign.database.read() as session:
            now = database_now(session)
            if campaign_queries.get_campaign(session, campaign.id, now).state in ("done", "stopped"):
                return
        for each in workers:
            each.work_once()
    raise AssertionError("the campaign does not end")


def states(campaign: Campaign, kind: str = "fuzz") -> dict[int, str]:
    with campaign.database.read() as session:
        rows = session.execute(select(UnitRow.number, UnitRow.state).where(UnitRow.kind == kind))
        return dict(iter(rows))


def first_unit(campaign: Campaign) -> int:
    with campaign.database.read() as session:
        return session.execute(select(func.min(UnitRow.id)).where(UnitRow.kind == "fuzz")).scalar_one()


def test_one_worker_brings_a_campaign_to_its_end(campaign: Campaign) -> None:
    work_to_the_end(campaign, worker(campaign))
    with campaign.database.read() as session:
        ledger = campaign_queries.ledger(session, campaign.id)
        stored = campaign_queries.get_campaign(session, campaign.id, database_now(session))
    assert ledger.balanced
    assert ledger.seeds_executed == 8
    assert ledger.samples_explained == ledger.samples > 0
    assert stored.ended_by == "ops"
    assert stored.canary_caught is not None


def test_several_workers_find_what_one_finds(campaign: Campaign, tmp_path: Path) -> None:
    digests = []
    with started_campaign(tmp_path / "alone.db") as other:
        for each, number in ((campaign, 3), (other, 1)):
            work_to_the_end(each, *(worker(each) for _ in range(number)))
            with each.database.read() as session:
                digests.append(campaign_digest(session, each.id))
    assert digests[0] == digests[1]


def test_a_worker_that_is_to_stop_gives_its_unit_back_without_a_loss(campaign: Campaign) -> None:
    answers = iter([True, False])
    stopping = worker(campaign, go_on=lambda: next(answers, False))
    for _ in range(4):
        stopping.work_once(FUZZ)
    with campaign.database.read() as session:
        assert session.execute(select(func.max(UnitRow.attempt))).scalar_one() <= 1
    assert "leased" not in states(campaign).values()


def test_a_unit_that_another_claimed_meanwhile_is_not_settled_by_the_first(campaign: Campaign) -> None:
    unit_id = first_unit(campaign)

    def lose_the_lease() -> bool:
        """Between two seeds: the lease ends, the unit is offered again and claimed by somebody else."""
        with campaign.database.write() as session:
            now = database_now(session)
            held = units.get_unit(session, unit_id)
            assert held is not None
            if held.owner != "the other":
                units.offer_again(session, held, now)
                assert units.claim_unit(session, unit_id, "the other", RESULTS_VERSION, now, timedelta(hours=1))
        return True

    slow = worker(campaign, go_on=lose_the_lease)
    assert slow.work_once(FUZZ)
    with campaign.database.read() as session:
        unit = units.get_unit(session, unit_id)
        assert unit is not None
        assert (unit.state, unit.owner) == ("leased", "the other")
        assert session.execute(select(func.count()).select_from(UnitResultRow)).scalar_one() == 0


def test_samples_do_not_wait_behind_units_that_fuzz(campaign: Campaign) -> None:
    one = worker(campaign)
    assert one.work_once(FUZZ)
    campaign.tick()
    waiting = states(campaign, "minimize")
    assert set(waiting.values()) == {"ready"}
    assert "ready" in states(campaign).values()
    for _ in waiting:
        assert one.work_once()
    assert set(states(campaign, "minimize").values()) == {"done"}


def test_a_unit_that_is_done_is_not_claimed_again(campaign: Campaign) -> None:
    one, number = worker(campaign), len(states(campaign))
    assert [one.work_once(FUZZ) for _ in range(number + 2)] == [True] * number + [False] * 2
    with campaign.database.read() as session:
        assert session.execute(select(func.max(UnitRow.fence)).where(UnitRow.kind == "fuzz")).scalar_one() == 1


def test_results_are_spooled_while_the_database_is_away_and_delivered_once(campaign: Campaign, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    database = Path(campaign.place)
    away = database.with_name("away.db")
    calls = 0

    def take_the_database_away() -> bool:
        nonlocal calls
        calls += 1
        if calls == 1:
            campaign.database.engine.dispose()
            database.rename(away)
            database.mkdir()
        return True

    busy = worker(campaign, spool, take_the_database_away)
    assert busy.work_once(FUZZ)
    assert len(list(spool.glob("unit-*.json"))) == 1
    assert busy.deliver_spooled() == 0
    database.rmdir()
    away.rename(database)
    assert states(campaign)[0] == "leased"
    assert busy.deliver_spooled() == 1
    assert states(campaign)[0] == "done"
    assert list(spool.iterdir()) == []
    work_to_the_end(campaign, worker(campaign, spool))
    with campaign.database.read() as session:
        assert campaign_queries.ledger(session, campaign.id).balanced


def test_a_result_that_comes_too_late_is_dropped(campaign: Campaign, tmp_path: Path) -> None:
    one = worker(campaign, tmp_path)
    unit_id = first_unit(campaign)
    assert one.work_once(FUZZ)
    with campaign.database.read() as session:
        row = session.execute(select(UnitResultRow).where(UnitResultRow.unit_id == unit_id)).scalar_one()
        kept = (row.recorded, row.digest)
    Spool(tmp_path, campaign.database.shown).put(unit_id, 1, result())
    assert one.deliver_spooled() == 1
    with campaign.database.read() as session:
        row = session.execute(select(UnitResultRow).where(UnitResultRow.unit_id == unit_id)).scalar_one()
        assert (row.recorded, row.digest) == kept


def test_campaigns_of_another_results_version_are_left_alone(campaign: Campaign) -> None:
    with campaign.database.write() as session:
        session.execute(update(CampaignRow).values(results_version="results-0-of-yore"))
    one = worker(campaign)
    assert not one.work_once()
    campaign.tick()
    assert set(states(campaign).values()) == {"ready"}


@pytest.mark.parametrize("state", ["paused", "stopped"])
def test_nothing_is_claimed_of_a_campaign_that_rests(campaign: Campaign, state: str) -> None:
    with campaign.database.write() as session:
        ended = database_now(session) if state == "stopped" else None
        session.execute(update(CampaignRow).values(state=state, ended=ended))
    assert not worker(campaign).work_once()
