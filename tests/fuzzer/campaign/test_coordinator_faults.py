"""Whatever a fleet and its coordinators do wrong, a campaign ends with what an orderly fleet finds: no seed is lost,
and none counts twice.
"""

from collections.abc import Callable
from itertools import cycle
from random import Random

import pytest

from db.database import Database, open_database
from fuzzer.campaign.coordinator import Coordinator
from fuzzer.campaign.poison import MOST_ATTEMPTS
from tests.fuzzer.campaign.fleet import STORMY, Faults
from tests.fuzzer.campaign.simulation import SPEC, InterruptedStore, Simulation, as_store, simulate

SEEDS = 61
STORMS = range(3)
# Which of the store's calls a coordinator dies at, or is overtaken at.
INTERRUPTIONS = 0.1


class Death(Exception):  # noqa: N818 - it is what happens
    """The coordinator is killed."""


@pytest.fixture(scope="module")
def orderly_digest() -> str:
    """The digest of the campaign executed by a fleet in which nothing goes wrong."""
    with open_database("sqlite://") as database:
        simulation = simulate(database)
        campaign = simulation.add()
        simulation.finish(campaign)
        assert simulation.fleet.deaths == simulation.fleet.refused == 0
        assert_all_is_done(simulation, campaign)
        return simulation.digest(campaign)


def assert_all_is_done(simulation: Simulation, campaign: str) -> None:
    """Every planned seed was executed and counted once."""
    ledger, stored = simulation.ledger(campaign), simulation.campaign(campaign)
    assert ledger.balanced, ledger
    assert (stored.state, stored.ended_by) == ("done", "ops")
    assert simulation.fleet.executed == dict.fromkeys(range(SEEDS), 1)
    assert (ledger.seeds_executed, ledger.ops) == (SEEDS, SPEC.budget.ops)
    assert ledger.units_folded == stored.next_number
    assert ledger.samples == ledger.samples_explained > 3


def interrupted(simulation: Simulation, before: Callable[[str], None], after: Callable[[str], None]) -> Coordinator:
    """A coordinator around whose calls of the store something happens."""
    return simulation.coordinator(as_store(InterruptedStore(simulation.store, before, after)))


@pytest.mark.parametrize("seed", STORMS)
def test_a_stormy_fleet_finds_what_an_orderly_one_does(database: Database, seed: int, orderly_digest: str) -> None:
    simulation = simulate(database, seed, faults=STORMY)
    campaign = simulation.add()
    simulation.finish(campaign)
    assert simulation.fleet.deaths > 0
    assert simulation.fleet.refused > 0
    assert_all_is_done(simulation, campaign)
    assert simulation.digest(campaign) == orderly_digest


@pytest.mark.parametrize(
    "faults",
    [
        pytest.param(Faults(hint_lost=1.0), id="no hint arrives"),
        pytest.param(Faults(hint_repeated=1.0, looks=0.0), id="every hint comes twice"),
        pytest.param(Faults(slow=0.5), id="half are taken for dead"),
        pytest.param(Faults(settles_twice=1.0), id="all settle twice"),
    ],
)
def test_one_fault_alone_changes_nothing(database: Database, faults: Faults, orderly_digest: str) -> None:
    simulation = simulate(database, 1, faults=faults)
    campaign = simulation.add()
    simulation.finish(campaign)
    assert_all_is_done(simulation, campaign)
    assert simulation.digest(campaign) == orderly_digest


def test_a_unit_that_is_given_back_often_is_no_suspect(database: Database, orderly_digest: str) -> None:
    simulation = simulate(database, 1, faults=Faults(gives_back=0.6, death=0.05))
    campaign = simulation.add()
    simulation.finish(campaign)
    assert simulation.fleet.deaths > 0
    assert max(unit.fence for unit in simulation.units(campaign)) > MOST_ATTEMPTS
    assert {unit.state for unit in simulation.units(campaign)} == {"done"}
    assert simulation.digest(campaign) == orderly_digest


def test_two_coordinators_that_take_turns_do_what_one_does(database: Database, orderly_digest: str) -> None:
    simulation = simulate(database, 3, faults=STORMY)
    campaign = simulation.add()
    turns = cycle([simulation.coordinator(), simulation.coordinator()])
    simulation.finish(campaign, tick=lambda: next(turns).tick())
    assert_all_is_done(simulation, campaign)
    assert simulation.digest(campaign) == orderly_digest


@pytest.mark.parametrize("seed", STORMS[:2])
def test_coordinators_that_overtake_each_other_do_what_one_does(
    database: Database, seed: int, orderly_digest: str
) -> None:
    simulation = simulate(database, seed, faults=STORMY)
    campaign = simulation.add()
    other, chance = simulation.coordinator(), Random(seed)
    overtaken = 0

    def overtake(_method: str) -> None:
        nonlocal overtaken
        if chance.random() < INTERRUPTIONS:
            overtaken += not other.tick().idle

    first = interrupted(simulation, overtake, lambda _method: None)
    simulation.finish(campaign, tick=first.tick)
    assert overtaken > 0
    assert_all_is_done(simulation, campaign)
    assert simulation.digest(campaign) == orderly_digest


@pytest.mark.parametrize("seed", STORMS[:2])
def test_a_coordinator_can_be_killed_at_any_moment(database: Database, seed: int, orderly_digest: str) -> None:
    simulation = simulate(database, seed, faults=STORMY)
    campaign = simulation.add()
    chance, died_at = Random(seed), set()

    def die(method: str) -> None:
        if chance.random() < INTERRUPTIONS / 5:
            died_at.add(method)
            raise Death(method)

    coordinator = interrupted(simulation, die, die)

    def tick() -> None:
        nonlocal coordinator
        try:
            coordinator.tick()
        except Death:
            coordinator = interrupted(simulation, die, die)

    simulation.finish(campaign, tick=tick)
    assert len(died_at) > 2
    assert_all_is_done(simulation, campaign)
    assert simulation.digest(campaign) == orderly_digest
