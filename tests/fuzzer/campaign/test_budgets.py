"""What ends a campaign: each budget, and its user."""

from dataclasses import replace

import pytest

from db import units
from db.campaign_queries import count_failures
from db.database import Database
from fuzzer.campaign.spec import Budget
from fuzzer.results_version import RESULTS_VERSION
from tests.fuzzer.campaign.drawing import Drawing
from tests.fuzzer.campaign.fleet import LEASE, ORDERLY, STORMY, Faults
from tests.fuzzer.campaign.simulation import SPEC, Simulation, simulate
from workers.store import drain_campaign

SMALL = replace(SPEC, seeds_per_unit=2, budget=Budget(ops=24_000))


def stop(simulation: Simulation, campaign: str) -> None:
    """Do what `campaign stop` does."""
    with simulation.database.write() as session:
        drain_campaign(session, campaign, "user", simulation.clock.now())


def test_the_budget_of_ops_is_used_exactly(database: Database) -> None:
    simulation = simulate(database)
    campaign = simulation.add(replace(SPEC, budget=Budget(ops=12_345)))
    simulation.finish(campaign)
    stored = simulation.campaign(campaign)
    assert (stored.state, stored.ended_by, stored.ops_planned) == ("done", "ops", 12_345)
    assert simulation.ledger(campaign).ops == 12_345
    assert len(simulation.fleet.executed) == 13


def test_a_budget_of_no_ops_is_used_up_at_once(database: Database) -> None:
    simulation = simulate(database)
    campaign = simulation.add(replace(SPEC, budget=Budget(ops=0)))
    simulation.finish(campaign)
    assert simulation.campaign(campaign).ended_by == "ops"
    assert simulation.units(campaign) == []


def test_every_chosen_sample_is_minimized_before_the_budget_of_ops_is_used_up(database: Database) -> None:
    simulation = simulate(database, drawing=Drawing(fails_every=1), kinds=("fuzz",))
    campaign = simulation.add(replace(SPEC, budget=Budget(ops=10_000)))
    while simulation.outstanding(campaign) or not simulation.units(campaign):
        simulation.step()
    for _ in range(5):
        simulation.step()
    assert simulation.outstanding(campaign, "minimize") > 0
    assert simulation.campaign(campaign).state == "running"
    simulation.fleet.kinds = ("minimize",)
    simulation.finish(campaign)
    assert simulation.ledger(campaign).samples_explained == simulation.ledger(campaign).samples > 0


def test_the_budget_of_seconds_counts_the_time_it_was_running(database: Database) -> None:
    simulation = simulate(database, drawing=Drawing(fails_every=0))
    campaign = simulation.add(replace(SPEC, budget=Budget(seconds=120)))
    for _ in range(3):
        simulation.step()
    simulation.change_state(campaign, "paused")
    simulation.clock.advance(10_000)
    assert simulation.campaign(campaign).seconds < 60
    simulation.change_state(campaign, "running")
    simulation.finish(campaign)
    stored = simulation.campaign(campaign)
    assert (stored.state, stored.ended_by) == ("done", "seconds")
    assert 120 <= stored.seconds < 180


def test_the_budget_of_failures_counts_different_ones(database: Database) -> None:
    simulation = simulate(database, drawing=Drawing(fails_every=3))
    campaign = simulation.add(replace(SMALL, budget=Budget(failures=2)))
    simulation.finish(campaign)
    assert (simulation.campaign(campaign).state, simulation.campaign(campaign).ended_by) == ("done", "failures")
    with database.read() as session:
        assert count_failures(session, campaign) >= 2


def test_a_plateau_ends_it_when_nothing_was_new_for_so_many_ops(database: Database) -> None:
    simulation = simulate(database, drawing=Drawing(fails_every=0, rows=12))
    campaign = simulation.add(replace(SMALL, budget=Budget(plateau=15_000)))
    simulation.finish(campaign)
    stored, ledger = simulation.campaign(campaign), simulation.ledger(campaign)
    assert (stored.state, stored.ended_by) == ("done", "plateau")
    assert stored.news_at_ops > 0
    assert stored.news_at_ops + 15_000 <= ledger.ops < stored.news_at_ops + 45_000


def test_the_first_budget_that_is_used_up_ends_it(database: Database) -> None:
    simulation = simulate(database)
    campaign = simulation.add(replace(SMALL, budget=Budget(seconds=1e6, ops=9_000, failures=1000, plateau=10**9)))
    simulation.finish(campaign)
    assert simulation.campaign(campaign).ended_by == "ops"


@pytest.mark.parametrize("faults", [ORDERLY, STORMY], ids=["orderly", "stormy"])
def test_a_campaign_that_its_user_ends_has_done_its_first_units_and_no_others(
    database: Database, faults: Faults
) -> None:
    simulation = simulate(database, 1, faults=faults, least_workers=6)
    campaign = simulation.add(replace(SMALL, budget=Budget(ops=60_000)))
    simulation.step()
    simulation.step()
    stop(simulation, campaign)
    simulation.finish(campaign)
    stored, ledger = simulation.campaign(campaign), simulation.ledger(campaign)
    assert (stored.state, stored.ended_by) == ("stopped", "user")
    assert ledger.balanced
    assert ledger.units_withdrawn > 0
    assert stored.folded_number == stored.next_number - ledger.units_withdrawn
    assert set(simulation.fleet.executed) == set(range(ledger.seeds_planned))
    assert {unit.state for unit in simulation.units(campaign)} == {"done", "withdrawn"}


def test_a_campaign_that_was_ended_plans_no_more(database: Database) -> None:
    simulation = simulate(database, idle=True)
    campaign = simulation.add(replace(SMALL, canary_minutes=1))
    coordinator = simulation.coordinator()
    coordinator.tick()
    stop(simulation, campaign)
    simulation.clock.advance(600)
    assert coordinator.tick().planned == 0
    assert {unit.state for unit in simulation.units(campaign)} == {"withdrawn"}
    assert {unit.state for unit in simulation.units(campaign, "canary")} == {"withdrawn"}


def test_a_campaign_that_is_paused_on_its_way_to_the_end_goes_on_to_it(database: Database) -> None:
    simulation = simulate(database, least_workers=6)
    campaign = simulation.add(SMALL)
    simulation.step()
    stop(simulation, campaign)
    planned = simulation.campaign(campaign).next_number
    simulation.change_state(campaign, "paused")
    simulation.change_state(campaign, "running")
    simulation.finish(campaign)
    stored, ledger = simulation.campaign(campaign), simulation.ledger(campaign)
    assert (stored.state, stored.ended_by, stored.next_number) == ("stopped", "user", planned)
    assert ledger.balanced
    assert stored.folded_number == planned - ledger.units_withdrawn


def test_a_paused_campaign_hands_out_nothing_and_takes_what_is_in_hand(database: Database) -> None:
    simulation = simulate(database)
    campaign = simulation.add(SMALL)
    simulation.step()
    in_hand = {each.unit.id for each in simulation.fleet.in_hand}
    assert in_hand
    simulation.change_state(campaign, "paused")
    ready = next(unit for unit in simulation.units(campaign) if unit.state == "ready")
    with database.write() as session:
        assert units.claim_unit(session, ready.id, "w", RESULTS_VERSION, simulation.clock.now(), LEASE) is None
    for _ in range(15):
        simulation.step()
    assert {unit.id for unit in simulation.units(campaign) if unit.state == "done"} == in_hand
    assert simulation.campaign(campaign).state == "paused"


def test_a_campaign_that_was_paused_and_resumed_finds_the_same(database: Database) -> None:
    digests = []
    for pauses in (0, 3):
        simulation = simulate(database, 1, faults=STORMY)
        campaign = simulation.add(SMALL)
        for _ in range(pauses):
            for state in ("paused", "running"):
                simulation.step()
                simulation.change_state(campaign, state)
                simulation.step()
        simulation.finish(campaign)
        assert simulation.ledger(campaign).balanced
        digests.append(simulation.digest(campaign))
    assert digests[0] == digests[1]
