"""The broker is looked at: told apart whether it is there, whose mistake it is when not, and how it is set up."""

import socket
import time
from collections.abc import Iterator

import pytest
import redis

from tests.services.processes import free_port
from tests.services.redis import RedisServer, running_redis
from workers.broker import BadBrokerUrlError, BrokerError, broker_state, check_broker, check_url, shown_url
from workers.celery_app import KEY_PREFIX, QUEUE_NAMES, make_app
from workers.celery_fleet import CeleryFleet

SECRET = "hush"


@pytest.fixture(scope="module")
def guarded() -> Iterator[RedisServer]:
    """A server of this module's own that wants a password. It is no longer to be asked without."""
    with running_redis() as server:
        assert server.ask("CONFIG", "SET", "requirepass", SECRET) == "+OK"
        yield server


def test_messages_are_counted_under_the_keys_that_celery_uses(redis_url: str) -> None:
    assert broker_state(redis_url, QUEUE_NAMES, KEY_PREFIX).queues == {"units": 0, "minimize": 0, "qemu": 0}
    sent = CeleryFleet(make_app(redis_url)).hint({"fuzz": 1, "canary": 1, "minimize": 1})
    assert sent == 3
    assert broker_state(redis_url, QUEUE_NAMES, KEY_PREFIX).queues == {"units": 2, "minimize": 1, "qemu": 0}


def test_looking_changes_nothing(redis_url: str, redis_server: RedisServer) -> None:
    CeleryFleet(make_app(redis_url)).hint({"fuzz": 1})
    before = redis_server.ask("DBSIZE")
    check_broker(redis_url)
    broker_state(redis_url, QUEUE_NAMES, KEY_PREFIX)
    assert redis_server.ask("DBSIZE") == before


def test_the_state_is_what_the_server_is_set_to() -> None:
    with running_redis() as server:
        good = broker_state(server.url(), QUEUE_NAMES, KEY_PREFIX)
        assert (good.eviction, good.append_only, good.memory_limit) == ("noeviction", True, 0)
        assert good.version[0].isdecimal()
        for name, value in (("maxmemory-policy", "allkeys-lru"), ("appendonly", "no"), ("maxmemory", "100mb")):
            assert server.ask("CONFIG", "SET", name, value) == "+OK"
        bad = broker_state(server.url(), QUEUE_NAMES, KEY_PREFIX)
        assert (bad.eviction, bad.append_only, bad.memory_limit) == ("allkeys-lru", False, 100 * 2**20)


def test_the_right_password_opens_and_is_not_shown(guarded: RedisServer) -> None:
    url = f"redis://:{SECRET}@127.0.0.1:{guarded.port}/0"
    check_broker(url)
    assert broker_state(url, QUEUE_NAMES, KEY_PREFIX).shown == f"redis://:***@127.0.0.1:{guarded.port}/0"


@pytest.mark.parametrize("login", ["", ":wrong-secret@", "someone:wrong-secret@"])
def test_a_wrong_password_is_told_without_it(guarded: RedisServer, login: str) -> None:
    with pytest.raises(BrokerError) as raised:
        check_broker(f"redis://{login}127.0.0.1:{guarded.port}/0")
    message = str(raised.value)
    assert f"127.0.0.1:{guarded.port}" in message
    assert "password" in message
    assert "wrong-secret" not in message


def test_nothing_there_is_told_with_the_place() -> None:
    port = free_port()
    with pytest.raises(BrokerError, match=f"redis://127.0.0.1:{port}/0 .*refused"):
        check_broker(f"redis://127.0.0.1:{port}/0")


def test_a_broker_that_is_silent_is_given_up_within_five_seconds() -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        started = time.monotonic()
        with pytest.raises(BrokerError, match="does not answer"):
            check_broker(f"redis://127.0.0.1:{silent.getsockname()[1]}/0")
        assert time.monotonic() - started < 5


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:6379",
        "http://localhost/0",
        "amqp://localhost/0",
        "unix:///run/redis.sock",
        "redis://localhost:port/0",
        "redis://localhost:70000/0",
        "redis://[::1/0",
        "redis://localhost/first",
        "redis://localhost/0?visibility_timeout=1",
        "redis://:hush@localhost:port/0",
        "redis://:hu/sh@localhost/0",
        "redis://:hu#sh@localhost/0",
        "redis://localhost/0?password=hush",
    ],
)
def test_what_can_be_no_url_of_a_broker_is_told_without_passwords(url: str) -> None:
    for check in (check_url, check_broker):
        with pytest.raises(BadBrokerUrlError) as raised:
            check(url)
        assert "not a broker's URL" in str(raised.value)
        assert "redis://HOST:PORT/DB" in str(raised.value)
        assert "hu" not in str(raised.value)
        assert "sh@" not in str(raised.value)


@pytest.mark.parametrize(
    "url",
    ["redis://localhost", "redis://localhost:6379/15", "rediss://u:p@h/0?ssl_cert_reqs=none", "redis://:a%40b@h:1/"],
)
def test_what_celery_takes_is_taken(url: str) -> None:
    check_url(url)
    make_app(url).connection_for_write()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://host:6379/0", "redis://host:6379/0"),
        ("redis://user@host/0", "redis://user@host/0"),
        ("redis://:pw@host:6379/0", "redis://:***@host:6379/0"),
        ("redis://user:pw@host/0", "redis://user:***@host/0"),
        ("redis://:p@w@host/0", "redis://:***@host/0"),
        ("redis://:p/w:1@host/0", "redis://:***@host/0"),
        (":pw@host", ":***@host"),
        ("redis://h/0?ssl_password=pw&ssl_ca_certs=x", "redis://h/0?ssl_password=***&ssl_ca_certs=x"),
    ],
)
def test_a_shown_url_has_no_password(url: str, shown: str) -> None:
    assert shown_url(url) == shown


def test_keys_that_are_no_queues_are_told(redis_url: str) -> None:
    redis.Redis.from_url(redis_url).set(KEY_PREFIX + QUEUE_NAMES["units"], "not a list")
    with pytest.raises(BrokerError, match="WRONGTYPE"):
        broker_state(redis_url, QUEUE_NAMES, KEY_PREFIX)
