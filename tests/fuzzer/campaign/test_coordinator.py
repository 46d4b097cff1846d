"""What the coordinator plans, shares out and tells the fleet, by the simulated clock."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import update

from db import units
from db.campaigns import set_weight
from db.database import Database
from db.models import CampaignRow
from fuzzer.campaign.coordinator import LEAST_WINDOW, UNITS_PER_WORKER
from fuzzer.campaign.plan import Cursor, next_unit
from fuzzer.campaign.poison import LAST_ATTEMPTS
from fuzzer.campaign.spec import Budget, CampaignSpec
from fuzzer.results_version import RESULTS_VERSION
from tests.fuzzer.campaign.drawing import Drawing
from tests.fuzzer.campaign.fleet import LEASE, ORDERLY, START, Faults
from tests.fuzzer.campaign.simulation import SPEC, simulate

OTHER_VERSION = "results-0-00000000"
QUIET = Drawing(fails_every=0)
ENDLESS = replace(SPEC, budget=Budget(), seeds_per_unit=1)


def with_canaries(minutes: float) -> CampaignSpec:
    """A campaign without end, of small units and with canaries."""
    return replace(ENDLESS, canary_minutes=minutes)


def test_no_more_units_are_outstanding_than_the_window_has(database: Database) -> None:
    simulation = simulate(database, idle=True, least_workers=5)
    campaign = simulation.add(ENDLESS)
    for _ in range(5):
        simulation.step()
        assert simulation.outstanding(campaign) == 5 * UNITS_PER_WORKER


def test_the_window_is_filled_up_and_not_exceeded_while_units_are_done(database: Database) -> None:
    simulation = simulate(database, workers=3, drawing=QUIET)
    campaign = simulation.add(ENDLESS)
    coordinator = simulation.coordinator()
    for _ in range(12):
        coordinator.tick()
        assert simulation.outstanding(campaign) == LEAST_WINDOW
        simulation.fleet.step()
        simulation.clock.advance(10)
    assert len(simulation.fleet.executed) > 12


def test_units_are_those_of_the_plan(database: Database) -> None:
    simulation = simulate(database, drawing=QUIET)
    campaign = simulation.add()
    simulation.finish(campaign)
    cursor, planned = Cursor(), []
    while (unit := next_unit(SPEC, cursor)) is not None:
        planned.append((unit.number, unit.seed_start, unit.seed_count, unit.ops))
        cursor = cursor.after(unit)
    stored = [(unit.number, unit.seed_start, unit.seed_count, unit.ops) for unit in simulation.units(campaign)]
    assert stored == planned


def test_campaigns_share_the_workers_by_their_priorities(database: Database) -> None:
    simulation = simulate(database, workers=4, least_workers=4, drawing=QUIET)
    high = simulation.add(replace(ENDLESS, priority=3))
    low = simulation.add(replace(ENDLESS, seed=12))
    while simulation.ledger(low).units_done < 12:
        simulation.step()
        assert simulation.outstanding(high) <= 3 * UNITS_PER_WORKER
        assert simulation.outstanding(low) <= UNITS_PER_WORKER
    assert 2.4 < simulation.ledger(high).units_done / simulation.ledger(low).units_done < 3.6


def test_a_priority_that_is_changed_counts_from_then_on(database: Database) -> None:
    simulation = simulate(database, idle=True, least_workers=4)
    first, second = simulation.add(ENDLESS), simulation.add(replace(ENDLESS, seed=12))
    simulation.step()
    assert [simulation.outstanding(each) for each in (first, second)] == [8, 8]
    with database.write() as session:
        set_weight(session, second, 7, simulation.clock.now())
    simulation.step()
    assert [simulation.outstanding(each) for each in (first, second)] == [8, 14]


def test_a_canary_is_planned_at_once_and_then_every_canary_minutes(database: Database) -> None:
    simulation = simulate(database, kinds=("canary",))
    campaign = simulation.add(with_canaries(10))
    coordinator, asked = simulation.coordinator(), []
    while simulation.clock.now() - START < timedelta(minutes=31):
        coordinator.tick()
        asked.append(simulation.campaign(campaign).canary_asked)
        for seconds in (20, 40):
            simulation.fleet.step()
            simulation.clock.advance(seconds)
    canaries = simulation.units(campaign, "canary")
    assert sorted({time for time in asked if time}) == [START + timedelta(minutes=10 * number) for number in range(4)]
    assert [unit.number for unit in canaries] == list(range(4))
    assert simulation.campaign(campaign).canary_caught is not None
    assert simulation.campaign(campaign).canary_missed is None


def test_only_one_canary_is_outstanding(database: Database) -> None:
    simulation = simulate(database, idle=True)
    campaign = simulation.add(with_canaries(1))
    for _ in range(10):
        simulation.step()
        simulation.clock.advance(90)
        assert simulation.outstanding(campaign, "canary") == 1
    assert len(simulation.units(campaign, "canary")) == 1


def test_no_canary_is_planned_for_a_campaign_that_wants_none(database: Database) -> None:
    simulation = simulate(database)
    campaign = simulation.add(with_canaries(0))
    for _ in range(5):
        simulation.step()
        simulation.clock.advance(3600)
    assert simulation.units(campaign, "canary") == []


def test_a_canary_that_loses_every_worker_was_missed(database: Database) -> None:
    simulation = simulate(database, faults=Faults(death=1.0), kinds=("canary",), spares=False)
    campaign = simulation.add(with_canaries(1e5))
    for _ in range(LAST_ATTEMPTS + 1):
        simulation.step()
        simulation.clock.advance(LEASE.total_seconds())
    (canary,) = simulation.units(campaign, "canary")
    assert canary.state == "quarantined"
    assert simulation.campaign(campaign).canary_missed is not None


def test_hints_that_were_lost_are_repeated_and_others_are_not(database: Database) -> None:
    simulation = simulate(database, idle=True)
    simulation.add(ENDLESS)
    coordinator = simulation.coordinator()
    assert coordinator.tick().hinted == LEAST_WINDOW
    assert coordinator.tick().hinted == 0
    simulation.fleet.messages -= 3
    assert coordinator.tick().hinted == 3
    assert simulation.fleet.messages == LEAST_WINDOW


def test_hints_alone_find_every_unit_to_its_worker(database: Database) -> None:
    simulation = simulate(database, faults=replace(ORDERLY, looks=0.0), drawing=QUIET)
    campaign = simulation.add()
    simulation.finish(campaign)
    assert simulation.ledger(campaign).balanced


def test_a_tick_with_nothing_to_do_is_idle(database: Database) -> None:
    simulation = simulate(database, idle=True)
    assert simulation.coordinator().tick().idle
    simulation.add(ENDLESS)
    first, second = simulation.coordinator().tick(), simulation.coordinator().tick()
    assert (first.idle, first.planned, first.campaigns) == (False, LEAST_WINDOW, 1)
    assert (second.idle, second.planned) == (True, 0)


def test_a_campaign_of_another_results_version_is_never_claimed(database: Database) -> None:
    simulation = simulate(database, drawing=QUIET)
    foreign, ours = simulation.add(ENDLESS), simulation.add(replace(SPEC, seed=12))
    simulation.coordinator().tick()
    with database.write() as session:
        session.execute(update(CampaignRow).where(CampaignRow.id == foreign).values(results_version=OTHER_VERSION))
    simulation.finish(ours)
    assert {unit.state for unit in simulation.units(foreign)} == {"ready"}
    assert {unit.fence for unit in simulation.units(foreign)} == {0}


def test_a_campaign_of_another_results_version_is_left_to_others(database: Database) -> None:
    simulation = simulate(database)
    foreign = simulation.add(results_version=OTHER_VERSION)
    assert simulation.coordinator().tick().idle
    assert simulation.units(foreign) == []
    assert simulation.campaign(foreign).state == "running"


@pytest.mark.parametrize(("version", "had"), [(RESULTS_VERSION, True), (OTHER_VERSION, False)])
def test_a_worker_of_another_results_version_gets_no_unit(database: Database, version: str, had: bool) -> None:
    simulation = simulate(database, idle=True)
    campaign = simulation.add()
    simulation.step()
    unit = simulation.units(campaign)[0]
    with database.write() as session:
        claimed = units.claim_unit(session, unit.id, "worker-1", version, simulation.clock.now(), LEASE)
        assert (claimed is not None) == had
        assert (units.next_ready(session, ("fuzz",), version) is not None) == had
