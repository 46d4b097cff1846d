"""Everything is killed, stopped, frozen, repeated and lost while a campaign runs; nothing is lost or counted twice.

`--faults N` says how many faults; `make chaos` has more than a usual run of the tests.
"""

import random
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from fuzzer.seeds import unit_seed
from tests.chaos.arena import Arena, pause, running_arena
from tests.chaos.faults import faults_in_order
from tests.services.processes import wait_until

pytestmark = [
    pytest.mark.needs_postgres,
    pytest.mark.needs_compiled,
    pytest.mark.slow,
    pytest.mark.timeout(7200),
]

SEED = 11
DEADLY = unit_seed(SEED, 8)
DRAWN_FROM = 2015
SETTINGS = (
    *("--kernel", "linux-4.0-rc7-mm1+dirty-on-swapin", "--world", "processes=2 pages=2 frames=8 slots=4"),
    *("--without", "steps,ksm,memcg", "--oracles", "lost-store", "--seed", str(SEED)),
    *("--seeds", "16", "--seed-ops", "50000"),
)
LOOK_AFTER = 10
END_SECONDS = 180


@pytest.fixture(scope="module")
def storm(root: Path, pytestconfig: pytest.Config, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A campaign through all faults, stopped and finished, and the same units done in peace."""
    with running_arena(root, DEADLY) as arena:
        try:
            return _storm(arena, pytestconfig.getoption("--faults"), tmp_path_factory.mktemp("peace") / "peace.db")
        except Exception as error:
            raise AssertionError(f"{error}\n{arena.logs()}") from error


def _storm(arena: Arena, number: int, peaceful: Path) -> dict[str, Any]:
    draw = random.Random(DRAWN_FROM)
    arena.ask("campaign", "new", "storm", *SETTINGS, "--canary-minutes", "0.1")
    arena.ask("campaign", "start", "storm")
    done: Counter[str] = Counter()
    ledgers = []
    started = time.monotonic()
    for fault in faults_in_order(number, draw):
        fault(arena, draw)
        done[fault.__name__] += 1
        arena.revive()
        pause(draw.uniform(0.1, 0.6))
        if done.total() % LOOK_AFTER == 0:
            ledgers.append(arena.ask("campaign", "ledger", "storm"))
    # Where faults are few the deadly seed may be at work still.
    wait_until(lambda: _ledger(arena)["seeds_quarantined"] == 1, "the deadly seed to be found", END_SECONDS)
    arena.ask("campaign", "stop", "storm")
    wait_until(lambda: _ledger(arena)["state"] == "stopped", "the campaign to come to its end", END_SECONDS)
    took = time.monotonic() - started
    shown = arena.ask("campaign", "show", "storm", "--events")
    peace = _peace(arena, _ops_planned(arena), str(peaceful))
    print(f"\n{done.total()} faults in {took:.0f} s: " + ", ".join(f"{n} {name}" for name, n in sorted(done.items())))
    print("events:", dict(Counter(event["what"] for event in shown["events"])))
    print("ledger:", shown["ledger"])
    return {"faults": done, "ledgers": [*ledgers, shown["ledger"]], "storm": shown, "peace": peace}


def _ledger(arena: Arena) -> Any:
    """The ledger as it is a moment later."""
    pause(1.0)
    arena.revive()
    return arena.ask("campaign", "ledger", "storm")


def _ops_planned(arena: Arena) -> int:
    """The budget of all units that were executed: the campaign's first ones."""
    schema = arena.database.rpartition("%3D")[2]
    [(ops,)] = arena.cluster.query(
        f"SELECT sum(ops)::bigint FROM {schema}.unit WHERE kind = 'fuzz' AND state IN ('done', 'quarantined')"
    )
    return int(str(ops))


def _peace(arena: Arena, ops: int, database: str) -> dict[str, Any]:
    """The same campaign, executed by the local pool; only the deadly seed kills there."""
    arena.service.ask(database, "campaign", "new", "storm", *SETTINGS, "--canary-minutes", "0", "--ops", str(ops))
    words = ("campaign", "start", "storm", "--local", "--jobs", "2")
    document: dict[str, Any] = arena.service.ask(database, *words, seconds=END_SECONDS * 20)
    return document


def test_the_ledger_balances_at_every_look(storm: dict[str, Any]) -> None:
    assert len(storm["ledgers"]) > 1
    assert all(ledger["balanced"] for ledger in storm["ledgers"]), storm["ledgers"]


def test_every_planned_seed_is_executed_once_but_for_the_deadly_one(storm: dict[str, Any]) -> None:
    ledger = storm["ledgers"][-1]
    assert ledger["seeds_quarantined"] == 1
    assert ledger["seeds_executed"] == ledger["seeds_planned"] - 1
    assert ledger["seeds_twice"] == ledger["seeds_missing"] == ledger["seeds_outstanding"] == 0
    assert ledger["samples"] == ledger["samples_explained"]


def test_the_deadly_seed_is_a_failure_of_its_own(storm: dict[str, Any]) -> None:
    for execution in (storm["storm"], storm["peace"]):
        [cell] = execution["cells"]
        assert [each["oracle"] for each in cell["failures"]].count("worker-death") == 1


def test_failures_coverage_and_counts_are_those_of_an_execution_in_peace(storm: dict[str, Any]) -> None:
    counts = [
        {each["id"]: each["count"] for each in storm[which]["cells"][0]["failures"]} for which in ("storm", "peace")
    ]
    assert counts[0] == counts[1]
    assert storm["storm"]["digest"] == storm["peace"]["digest"]


def test_as_many_faults_were_done_as_were_asked_for(storm: dict[str, Any], pytestconfig: pytest.Config) -> None:
    assert storm["faults"].total() == pytestconfig.getoption("--faults")


def test_canaries_were_caught_through_it_all(storm: dict[str, Any]) -> None:
    canary = storm["storm"]["canary"]
    assert canary["caught"] is not None
    assert canary["missed"] is None
