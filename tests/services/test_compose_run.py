"""The services of docker-compose.yml do a campaign: their own commands, a real Redis, a real PostgreSQL."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.services import compose
from tests.services.postgres import INSTALLED, find_postgres
from tests.services.processes import wait_until
from tests.services.redis import PROGRAMS, find_redis
from tests.services.stack import Stack

pytestmark = [pytest.mark.needs_postgres, pytest.mark.slow, pytest.mark.timeout(600)]

# Every character that could be taken for something else on the way through URLs, shells and files.
PASSWORD = "p@ss/w:rd %41'\"?#"
WORKERS = 2
CAMPAIGN_SECONDS = 240
# Each look is a process of its own, and the machine may be small.
LOOK_SECONDS = 1.0
KERNEL = "linux-4.0-rc7-mm1+dirty-on-swapin"
# One kind of failure in a world in which it is minimized in a moment.
WORLD = ("--world", "processes=2 pages=2 frames=8 slots=4", "--oracles", "lost-store")
# A unit takes about as long as it takes to tell a worker of it.
UNITS = ("--seeds", "10", "--seed-ops", "20000")


@pytest.fixture(scope="module")
def stack(root: Path) -> Iterator[Stack]:
    redis, postgres = find_redis(), find_postgres()
    if redis is None:
        pytest.skip(f"neither {' nor '.join(PROGRAMS)} is on the PATH")
    if postgres is None:
        pytest.skip(f"PostgreSQL's initdb is neither on the PATH nor below {INSTALLED}")
    services = compose.read(root / "docker-compose.yml", {"MMFUZZ_POSTGRES_PASSWORD": PASSWORD})
    made = Stack(services, root, redis, postgres)
    try:
        yield made
    finally:
        made.close()


@pytest.fixture
def running(stack: Stack) -> Stack:
    """The stack with all its services up."""
    if not stack.processes:
        stack.up(worker=WORKERS)
    return stack


def ask(stack: Stack, *words: str) -> Any:
    """The document that a command gives where the coordinator runs, while all services run."""
    stack.check()
    done = stack.run("coordinator", *words, "--json")
    assert done.returncode in {0, 1}, f"{words}: {done.stdout}{done.stderr}"
    return json.loads(done.stdout)


def start(stack: Stack, campaign: str, *settings: str) -> None:
    """Make a campaign and start it."""
    ask(stack, "campaign", "new", campaign, "--kernel", KERNEL, *WORLD, *UNITS, *settings)
    ask(stack, "campaign", "start", campaign)


def ledger_of(stack: Stack, campaign: str) -> Any:
    """The campaign's ledger at this moment, which balances."""
    time.sleep(LOOK_SECONDS)
    ledger = ask(stack, "campaign", "ledger", campaign)
    assert ledger["balanced"], ledger
    return ledger


def finish(stack: Stack, campaign: str, state: str = "done") -> Any:
    """The campaign's ledger when it is over; it balances at every look before that."""
    try:
        wait_until(lambda: ledger_of(stack, campaign)["state"] == state, f"{campaign} to be {state}", CAMPAIGN_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}\n{stack.logs()}") from error
    return ledger_of(stack, campaign)


def test_services_start_in_their_order_and_are_healthy(running: Stack) -> None:
    assert list(running.processes)[-2:] == ["coordinator", "worker"]
    for name in ("redis", "postgres", "coordinator"):
        wait_until(lambda name=name: running.is_healthy(name), f"{name} to be healthy")  # type: ignore[misc]
    running.check()


def test_two_workers_do_a_campaign_and_its_ledger_balances(running: Stack) -> None:
    start(running, "whole", "--seed", "1", "--ops", "600000")
    ledger = finish(running, "whole")
    assert ledger["seeds_executed"] == ledger["seeds_planned"] == 30
    assert ledger["units_outstanding"] == ledger["units_quarantined"] == 0
    assert ledger["ops"] >= 600_000


def test_stopped_services_leave_nothing_behind_and_go_on_where_they_were(running: Stack) -> None:
    start(running, "endless", "--seed", "2", "--ops", "1000000000")
    wait_until(lambda: ledger_of(running, "endless")["seeds_executed"] > 0, "the first results")
    assert running.down() == {
        "worker": [0] * WORKERS,
        "coordinator": [0],
        "migrate": [0],
        "postgres": [0],
        "redis": [0],
    }, "each ends by itself within its grace period"
    assert running.left() == []
    running.up(worker=WORKERS)
    before = ledger_of(running, "endless")["seeds_executed"]
    wait_until(lambda: ledger_of(running, "endless")["seeds_executed"] > before, "more results")
    ask(running, "campaign", "stop", "endless")
    ledger = finish(running, "endless", "stopped")
    assert ledger["seeds_executed"] == ledger["seeds_planned"] > before
