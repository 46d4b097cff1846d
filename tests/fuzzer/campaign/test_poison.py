"""A seed that kills its worker is found, put away alone and told; everything else is done."""

from dataclasses import replace

import pytest

from db import units
from db.database import Database
from db.queries import list_failures
from fuzzer.campaign.plan import halves
from fuzzer.campaign.poison import LAST_ATTEMPTS, MOST_ATTEMPTS, judge_loss, reason_of
from fuzzer.campaign.protocols import LostUnit
from fuzzer.campaign.spec import Budget
from fuzzer.results_version import RESULTS_VERSION
from fuzzer.seeds import unit_seed
from tests.fuzzer.campaign.drawing import Drawing
from tests.fuzzer.campaign.fleet import LEASE
from tests.fuzzer.campaign.simulation import SPEC, simulate

KILLER = 37
LAST = ["again", "again", "again", "again", "quarantine"]
UNIT = LostUnit(
    id=1,
    fence=1,
    campaign_id="cmp-0000000001",
    kind="fuzz",
    number=5,
    seed_start=32,
    seed_count=64,
    ops=64_000,
    seed_ops=1000,
    attempt=1,
    is_part=False,
    owner="worker-7",
)


@pytest.mark.parametrize(
    ("changes", "judgements"),
    [
        ({}, ["again", "again", "split", "split"]),
        ({"is_part": True}, ["split", "split"]),
        ({"seed_count": 1}, LAST),
        ({"seed_count": 1, "is_part": True}, LAST),
        ({"kind": "minimize", "seed_count": 0}, LAST),
        ({"kind": "canary", "seed_count": 0}, LAST),
    ],
)
def test_a_lost_unit_is_judged_by_how_often_it_was_lost(changes: dict[str, object], judgements: list[str]) -> None:
    lost = replace(UNIT, **changes)  # type: ignore[arg-type]
    assert [judge_loss(replace(lost, attempt=attempt + 1)) for attempt in range(len(judgements))] == judgements


def test_the_reason_says_what_was_lost_how_often_and_by_whom() -> None:
    assert reason_of(UNIT) == "seeds 32 to 95 lost the worker once, the last one worker-7"
    sample = replace(UNIT, kind="minimize", number=9, attempt=3)
    assert reason_of(sample) == "minimizing sample 9 lost the worker 3 times, the last one worker-7"


def test_one_seed_of_64_that_kills_costs_thirteen_workers(database: Database) -> None:
    # Units of 1, 1, 2, 2, ... 32, 32 seeds come first: 126, and the next unit has 64.
    spec = replace(SPEC, engines=(("swarm", 1),), seeds_per_unit=64, budget=Budget(ops=190_000))
    killer = 126 + KILLER
    simulation = simulate(database, killers={killer}, drawing=Drawing(fails_every=0))
    campaign = simulation.add(spec)
    simulation.finish(campaign)
    halvings = 6  # 64, 32, 16, 8, 4 and 2 seeds are halved, the first after MOST_ATTEMPTS, the others at once
    assert simulation.fleet.deaths == MOST_ATTEMPTS + (halvings - 1) + LAST_ATTEMPTS == 13
    assert simulation.fleet.executed == {seed: 1 for seed in range(190) if seed != killer}
    quarantined = [unit for unit in simulation.units(campaign) if unit.state == "quarantined"]
    assert [(unit.seed_start, unit.seed_count) for unit in quarantined] == [(killer, 1)]
    ledger = simulation.ledger(campaign)
    assert ledger.balanced
    assert (ledger.seeds_quarantined, ledger.seeds_executed, ledger.ops) == (1, 189, 189_000)
    assert simulation.campaign(campaign).state == "done"


def test_a_seed_that_kills_is_a_failure_that_says_how_to_draw_it_again(database: Database) -> None:
    simulation = simulate(database, killers={3}, drawing=Drawing(fails_every=0))
    campaign = simulation.add(replace(SPEC, budget=Budget(ops=6_000)))
    simulation.finish(campaign)
    with database.read() as session:
        (failure,) = list_failures(session)
    assert (failure.cls, failure.verdict, failure.oracle, failure.count) == ("crash", "UNKNOWN", "worker-death", 1)
    assert failure.seed == failure.options["unit_seed"] == unit_seed(SPEC.seed, 3)
    assert failure.options["unit_ops"] == SPEC.seed_ops
    assert "seeds 3 to 3 lost the worker 5 times" in failure.reason


def test_two_seeds_of_one_unit_that_kill_are_both_found(database: Database) -> None:
    # The units have 1, 1, 2, 2, 4 and 4 seeds.
    killers = {10, 13}
    simulation = simulate(database, killers=killers)
    campaign = simulation.add(replace(SPEC, engines=(("swarm", 1),), budget=Budget(ops=14_000)))
    simulation.finish(campaign)
    quarantined = [unit.seed_start for unit in simulation.units(campaign) if unit.state == "quarantined"]
    assert sorted(quarantined) == sorted(killers)
    assert simulation.fleet.executed == {seed: 1 for seed in range(14) if seed not in killers}
    assert simulation.ledger(campaign).balanced


def test_a_unit_of_nothing_but_killers_is_folded_as_nothing(database: Database) -> None:
    simulation = simulate(database, killers={0, 2, 3})
    campaign = simulation.add(replace(SPEC, engines=(("swarm", 1),), budget=Budget(ops=10_000)))
    simulation.finish(campaign)
    ledger = simulation.ledger(campaign)
    assert ledger.balanced
    assert ledger.units_folded == simulation.campaign(campaign).next_number
    assert simulation.fleet.executed == {seed: 1 for seed in range(10) if seed not in {0, 2, 3}}


@pytest.mark.parametrize("judgement", ["again", "split", "quarantine"])
def test_a_judgement_that_comes_late_does_nothing_to_the_unit_of_another_worker(
    database: Database, judgement: str
) -> None:
    simulation = simulate(database, idle=True)
    campaign = simulation.add()
    simulation.step()
    unit = simulation.units(campaign)[-1]
    store = simulation.store

    def claim(worker: str) -> None:
        with database.write() as session:
            units.claim_unit(session, unit.id, worker, RESULTS_VERSION, simulation.clock.now(), LEASE)

    claim("worker-1")
    simulation.clock.advance(LEASE.total_seconds() + 1)
    (lost,) = store.lost_units(10)
    store.offer_again(lost)
    claim("worker-2")
    before = simulation.units(campaign)
    parts = halves(lost.seed_start, 2, 2 * lost.seed_ops, lost.seed_ops)
    late = {
        "again": lambda: store.offer_again(lost),
        "split": lambda: store.split(lost, parts, "late"),
        "quarantine": lambda: store.quarantine(lost, "late"),
    }
    late[judgement]()
    after = simulation.units(campaign)
    assert [(u.id, u.state, u.fence) for u in after] == [(u.id, u.state, u.fence) for u in before]
    assert (after[-1].state, after[-1].lease_owner) == ("leased", "worker-2")
