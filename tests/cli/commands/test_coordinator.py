"""`mmfuzz coordinator` as a user runs it: what keeps it from starting, what does not, and how it ends."""

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

from tests.cli.commands.conftest import count, going_on, make, wait_while
from tests.cli.conftest import Shell
from tests.services.postgres import Cluster, running_cluster
from tests.services.processes import free_port, wait_until
from workers.broker import broker_state
from workers.celery_app import KEY_PREFIX, QUEUE_NAMES

NOBODY = "redis://:hush@127.0.0.1:1/0"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    """A PostgreSQL that wants a password."""
    with running_cluster(password="right") as server:
        yield server


def started(mmfuzz: Shell) -> Path:
    """A campaign that runs and of which nothing is planned; the database's file."""
    make(mmfuzz, "mine")
    assert mmfuzz("campaign", "start", "mine").code == 0
    return mmfuzz.database


def ends_in_order(process: Any) -> str:
    """Ask it to stop and wait; what it logged."""
    process.send_signal(signal.SIGTERM)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "coordinator stopped" in err
    assert "Traceback" not in err
    return str(err)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], ["no broker was named", "--broker", "MMFUZZ_BROKER_URL"]),
        (["--broker", "amqp://:hush@host/0"], ["not a broker's URL: amqp://:***@host/0", "redis://HOST:PORT/DB"]),
        (["--broker", "redis://:hush@host:port/0"], ["redis://:***@host:port/0"]),
        (["--broker", "redis://:hu/sh@host/0"], ["redis://:***@host/0"]),
        (["--broker", NOBODY, "--every", "0"], ["--every"]),
        (["--broker", NOBODY, "--metrics", "70000"], ["--metrics"]),
        (["--broker", NOBODY, "--database", "mysql://x/y"], ["mysql", "postgresql://"]),
    ],
)
def test_wrong_usage_is_told_and_nothing_is_made(mmfuzz: Shell, arguments: list[str], said: list[str]) -> None:
    done = mmfuzz("coordinator", *arguments)
    assert done.code == 3, done.err
    assert all(each in done.err for each in said), done.err
    assert "Traceback" not in done.err
    assert "hush" not in done.err
    assert "hu/sh" not in done.err
    assert not mmfuzz.database.exists()


def test_a_database_that_is_down_at_the_start_is_told(mmfuzz: Shell) -> None:
    place = f"postgresql+psycopg://me:secret@127.0.0.1:{free_port()}/mine"
    done = mmfuzz("coordinator", "--broker", NOBODY, "--database", place)
    assert done.code == 4, done.err
    assert place.replace("secret", "***") in done.err
    assert "secret" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.needs_postgres
def test_a_wrong_password_of_the_database_is_told_without_it(mmfuzz: Shell, guarded: Cluster) -> None:
    done = mmfuzz("coordinator", "--broker", NOBODY, "--database", guarded.url(password="wrong-secret"))
    assert done.code == 4, done.err
    assert "password authentication failed" in done.err
    assert "wrong-secret" not in done.err
    assert "Traceback" not in done.err


def test_a_taken_port_for_metrics_is_told_and_nobody_is_signed_on(mmfuzz: Shell) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = mmfuzz("coordinator", "--broker", NOBODY, "--metrics", port)
    assert done.code == 4, done.err
    assert f"127.0.0.1:{port} (Address already in use)" in done.err
    assert "--metrics" in done.err
    assert count(mmfuzz.database, "worker") == 0


def waiting(broker: str) -> int:
    """The messages that wait for workers that fuzz."""
    return broker_state(broker, QUEUE_NAMES, KEY_PREFIX).queues["units"]


def test_it_plans_and_tells_the_workers_until_it_is_asked_to_stop(mmfuzz: Shell, redis_url: str) -> None:
    file, port = started(mmfuzz), free_port()
    options = ("--broker", redis_url, "--every", 0.1, "--metrics", port)
    with going_on(mmfuzz, "coordinator", *options) as process:
        wait_while(process, lambda: waiting(redis_url) >= 8, "workers are told")
        assert count(file, "worker WHERE role = 'coordinator'") == 1
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30) as answer:
            assert b'mmfuzz_units_planned_total{campaign="mine"} 8' in answer.read()
        ends_in_order(process)
    assert waiting(redis_url) == 8
    assert count(file, "worker") == 0


def test_a_broker_that_is_not_there_is_waited_for(mmfuzz: Shell) -> None:
    file = started(mmfuzz)
    with going_on(mmfuzz, "coordinator", "--broker", NOBODY, "--every", 0.1) as process:
        wait_while(process, lambda: count(file, "unit") >= 8, "units are planned")
        err = ends_in_order(process)
    assert "the broker cannot be told" in err
    assert "hush" not in err
    assert count(file, "worker") == 0


@pytest.mark.needs_postgres
def test_a_database_that_goes_away_is_waited_for(mmfuzz: Shell, redis_url: str) -> None:
    with running_cluster() as server:
        place = server.new_database()
        make(mmfuzz, "mine", "--database", place)
        with going_on(mmfuzz, "coordinator", "--broker", redis_url, "--every", 0.1, "--database", place) as process:
            schema = place.rpartition("%3D")[2]
            heard = f"SELECT 1 FROM {schema}.worker"
            wait_while(process, lambda: bool(server.query(heard)), "the coordinator is there")
            server.restart()
            assert mmfuzz("campaign", "start", "mine", "--database", place).code == 0
            wait_until(lambda: waiting(redis_url) >= 8, "workers are told")
            ends_in_order(process)
