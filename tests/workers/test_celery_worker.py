"""A real Celery worker on a real Redis: limits, stops, and messages that say nothing."""

import json
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy import select

from db.campaign_queries import list_workers
from db.clock import database_now
from db.database import open_database
from db.models import UnitRow
from tests.services.processes import OwnProcess, send_to, wait_until
from tests.services.service import Service
from workers.celery_app import KEY_PREFIX, QUEUE_NAMES, TASK, Limits, make_app
from workers.celery_fleet import CeleryFleet

pytestmark = [pytest.mark.needs_compiled, pytest.mark.slow]

# One unit that takes minutes, so that it is in hand whenever something is done to its worker.
SAME = ("--kernel", "linux-4.5", "--oracles", "lost-store", "--seed", "1", "--seeds", "1")
LONG = (*SAME, "--seed-ops", "1000000000", "--ops", "1000000000")
SHORT = (*SAME, "--seed-ops", "20000", "--ops", "100000", "--world", "processes=1 pages=2")


@pytest.fixture
def service(root: Path, redis_url: str, tmp_path: Path) -> Service:
    return Service(tmp_path, root, redis_url)


@pytest.fixture
def database(service: Service) -> str:
    return str(service.folder / "service.db")


@contextmanager
def running(service: Service, database: str, *words: str) -> Iterator[tuple[OwnProcess, OwnProcess]]:
    """A coordinator and a worker with these options."""
    coordinator = service.start("coordinator", database, "coordinator", "--every", "0.2")
    worker = service.start_worker("worker", database, *words)
    try:
        yield coordinator, worker
    finally:
        worker.end()
        coordinator.end()


def units(database: str) -> list[tuple[str, int, int]]:
    with open_database(database, "read") as opened, opened.read() as session:
        rows = session.execute(select(UnitRow.state, UnitRow.attempt, UnitRow.fence).order_by(UnitRow.id))
        return [(state, attempt, fence) for state, attempt, fence in rows]


def start(service: Service, database: str, settings: tuple[str, ...]) -> None:
    service.ask(database, "campaign", "new", "it", *settings, "--canary-minutes", "0")
    service.ask(database, "campaign", "start", "it")


def is_any(database: str, wanted: Callable[[tuple[str, int, int]], bool]) -> bool:
    return any(wanted(unit) for unit in units(database))


def test_a_message_is_small_json_and_says_nothing_but_that_there_is_work(redis_url: str) -> None:
    app = make_app(redis_url)
    assert CeleryFleet(app).hint({"fuzz": 1, "minimize": 1}) == 2
    client = Redis.from_url(redis_url)
    [text] = client.lrange(KEY_PREFIX + QUEUE_NAMES["units"], 0, -1)
    assert len(text) < 1000
    message = json.loads(text)
    assert message["content-type"] == "application/json"
    assert message["headers"]["task"] == TASK
    assert client.llen(KEY_PREFIX + QUEUE_NAMES["minimize"]) == 1


def test_as_many_messages_wait_as_there_are_units_however_often_they_are_counted(redis_url: str) -> None:
    fleet, client = CeleryFleet(make_app(redis_url)), Redis.from_url(redis_url)
    queue = KEY_PREFIX + QUEUE_NAMES["units"]
    assert [fleet.hint({"fuzz": 5, "canary": 1}) for _ in range(3)] == [6, 0, 0]
    assert client.llen(queue) == 6
    client.delete(queue)
    assert fleet.hint({"fuzz": 5, "canary": 1}) == 6
    assert fleet.hint({"fuzz": 2}) == 0
    assert fleet.hint({}) == 0
    assert client.llen(queue) == 6


def test_a_broker_that_is_not_there_is_told_nothing_and_costs_no_exception(tmp_path: Path) -> None:
    app = make_app(f"redis+socket://{tmp_path}/no.sock")
    assert CeleryFleet(app).hint({"fuzz": 1}) == 0


@pytest.mark.parametrize("hard", [10, 660])
def test_the_visibility_timeout_is_above_the_time_limit_wherever_celery_looks(hard: int, redis_url: str) -> None:
    conf: Any = make_app(redis_url, Limits(hard_seconds=hard)).conf
    assert conf.broker_transport_options["visibility_timeout"] > hard
    assert conf.visibility_timeout > hard
    assert conf.result_backend_transport_options["visibility_timeout"] > hard


def test_an_idle_worker_is_known_before_it_has_anything_to_do(service: Service, database: str) -> None:
    service.ask(database, "db", "upgrade")
    with running(service, database, "--concurrency", "2"):

        def there() -> bool:
            with open_database(database, "read") as opened, opened.read() as session:
                return [each.role for each in list_workers(session, database_now(session))].count("celery") == 2

        wait_until(there, "both processes to say that they are there")


def test_a_stopped_worker_gives_back_what_it_has_in_hand(service: Service, database: str) -> None:
    start(service, database, LONG)
    with running(service, database) as (_, worker):
        wait_until(lambda: is_any(database, lambda unit: unit[0] == "leased"), "the unit to be claimed")
        # The first asks for a soft shutdown, the second does not wait for it.
        worker.send(signal.SIGQUIT)
        time.sleep(1.0)
        worker.send(signal.SIGQUIT)
        worker.wait(60)
        given_back = [unit for unit in units(database) if unit[2] == 1]
        assert given_back
        assert all((state, attempt) == ("ready", 0) for state, attempt, _ in given_back)


def test_a_process_that_is_killed_loses_its_lease_at_once(service: Service, database: str) -> None:
    start(service, database, LONG)
    with running(service, database, "--lease", "3600") as (_, worker):
        wait_until(lambda: is_any(database, lambda unit: unit[0] == "leased"), "the unit to be claimed")
        send_to([pid for pid in worker.members() if pid != worker.pid], signal.SIGKILL)
        wait_until(lambda: is_any(database, lambda unit: unit[2] > 1), "the unit to be claimed again")


def test_a_unit_over_the_time_limit_is_taken_away(service: Service, database: str) -> None:
    start(service, database, LONG)
    with running(service, database, "--time-limit", "2", "--lease", "3600"):
        wait_until(lambda: is_any(database, lambda unit: unit[2] > 1), "the unit to be claimed again")


def test_a_worker_goes_on_when_redis_was_emptied(service: Service, database: str, redis_url: str) -> None:
    service.ask(database, "db", "upgrade")
    with running(service, database):
        Redis.from_url(redis_url).flushall()
        start(service, database, SHORT)
        Redis.from_url(redis_url).flushall()
        done = service.ask(database, "campaign", "watch", "it", "--every", "0.3")
    assert done["state"] == "done"
    assert done["ledger"]["balanced"]
