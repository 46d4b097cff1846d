"""`mmfuzz worker` as a user runs it: what keeps it from starting, and a campaign that it executes."""

import signal
from typing import Any

import pytest

from tests.cli.commands.conftest import count, going_on, make, wait_while
from tests.cli.conftest import Shell
from tests.services.processes import free_port, wait_until
from tests.services.redis import running_redis

NOBODY = "redis://:hush@127.0.0.1:1/0"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], ["no broker was named", "--broker", "MMFUZZ_BROKER_URL"]),
        (["--broker", "http://:hush@host/0"], ["not a broker's URL: http://:***@host/0", "redis://HOST:PORT/DB"]),
        (["--broker", "redis://:hu/sh@host/0"], ["redis://:***@host/0"]),
        (["--broker", NOBODY, "--queues", "unitz"], ["--queues unitz", "units, minimize, qemu"]),
        (["--broker", NOBODY, "--queues", ","], ["--queues", "units, minimize, qemu"]),
        (["--broker", NOBODY, "--concurrency", "0"], ["--concurrency"]),
        (["--broker", NOBODY, "--lease", "0.5"], ["--lease"]),
    ],
)
def test_wrong_usage_is_told(mmfuzz: Shell, arguments: list[str], said: list[str]) -> None:
    done = mmfuzz("worker", *arguments)
    assert done.code == 3, done.err
    assert all(each in done.err for each in said), done.err
    assert "Traceback" not in done.err
    assert "hush" not in done.err
    assert "hu/sh" not in done.err


def test_a_database_that_nobody_made_is_told_and_not_made(mmfuzz: Shell, redis_url: str) -> None:
    done = mmfuzz("worker", "--broker", redis_url)
    assert done.code == 4, done.err
    assert "nothing was ever stored" in done.err
    assert not mmfuzz.database.exists()


def test_a_database_that_is_down_at_the_start_is_told(mmfuzz: Shell, redis_url: str) -> None:
    place = f"postgresql+psycopg://me:secret@127.0.0.1:{free_port()}/mine"
    done = mmfuzz("worker", "--broker", redis_url, "--database", place)
    assert done.code == 4, done.err
    assert place.replace("secret", "***") in done.err
    assert "secret" not in done.err
    assert "Traceback" not in done.err


def test_a_broker_that_is_down_at_the_start_is_told_without_its_password(mmfuzz: Shell) -> None:
    assert mmfuzz("db", "upgrade").code == 0
    done = mmfuzz("worker", MMFUZZ_BROKER_URL=NOBODY)
    assert done.code == 4, done.err
    assert "redis://:***@127.0.0.1:1/0" in done.err
    assert "hush" not in done.err
    assert "Traceback" not in done.err


def test_a_wrong_password_of_the_broker_is_told_without_it(mmfuzz: Shell) -> None:
    assert mmfuzz("db", "upgrade").code == 0
    with running_redis() as server:
        assert server.ask("CONFIG", "SET", "requirepass", "right") == "+OK"
        done = mmfuzz("worker", "--broker", f"redis://:wrong-secret@127.0.0.1:{server.port}/0")
    assert done.code == 4, done.err
    assert f"redis://:***@127.0.0.1:{server.port}/0" in done.err
    assert "password" in done.err
    assert "wrong-secret" not in done.err


def test_a_worker_and_a_coordinator_find_what_one_process_finds(
    mmfuzz: Shell, redis_url: str, finished: tuple[Shell, Any]
) -> None:
    make(mmfuzz, "mine")
    assert mmfuzz("campaign", "start", "mine").code == 0
    file = mmfuzz.database
    with (
        going_on(mmfuzz, "worker", "--broker", redis_url, "--log-level", "warning") as worker,
        going_on(mmfuzz, "coordinator", "--broker", redis_url, "--every", 0.1) as coordinator,
    ):
        wait_while(worker, lambda: count(file, "campaign WHERE state = 'done'") == 1, "the campaign is done")
        assert count(file, "worker WHERE role = 'celery'") == 1
        for process in (coordinator, worker):
            process.send_signal(signal.SIGTERM)
        wait_until(lambda: worker.poll() is not None and coordinator.poll() is not None, "both have ended")
        assert (worker.returncode, coordinator.returncode) == (0, 0), worker.communicate()
    shown = mmfuzz("campaign", "show", "mine", "--json").json
    assert (shown["digest"], shown["ledger"]["balanced"]) == (finished[1]["digest"], True)
    assert count(file, "worker") == 0
