"""The Redis of the tests does what its methods say."""

import time
from collections.abc import Iterator

import pytest

from tests.services.redis import RedisServer, running_redis


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    with running_redis() as started:
        yield started


def test_data_survive_a_kill_and_the_url_stays(server: RedisServer) -> None:
    url = server.url()
    server.ask("SET", "key", "kept")
    server.restart()
    assert server.ask("EXISTS", "key") == ":1"
    assert server.url() == url


def test_data_survive_a_stop(server: RedisServer) -> None:
    server.ask("SET", "key", "kept")
    server.stop()
    assert not server.answers()
    server.start()
    assert server.ask("EXISTS", "key") == ":1"


def test_restart_without_data_comes_back_empty(server: RedisServer) -> None:
    server.ask("SET", "key", "lost")
    server.restart(keep_data=False)
    assert server.ask("EXISTS", "key") == ":0"


def test_paused_server_is_silent_and_goes_on_where_it_was(server: RedisServer) -> None:
    server.ask("SET", "key", "kept")
    server.pause()
    started = time.monotonic()
    assert not server.answers()
    assert time.monotonic() - started > 0.5, "a paused server must hang, not refuse"
    server.resume()
    assert server.ask("EXISTS", "key") == ":1"


def test_server_refuses_instead_of_throwing_data_away() -> None:
    with running_redis() as small:
        small.ask("SET", "key", "kept")
        assert small.ask("CONFIG", "SET", "maxmemory", "1") == "+OK"
        assert small.ask("SET", "other", "refused").startswith("-OOM")
        assert small.ask("EXISTS", "key") == ":1"


def test_nothing_is_left_of_a_server() -> None:
    with running_redis() as brief:
        process = brief.process
        assert process.members() == [process.pid]
    assert process.members() == []
    assert not brief.folder.exists()


def test_session_server_is_empty_for_each_test(redis_url: str, redis_server: RedisServer) -> None:
    assert redis_url == redis_server.url(0)
    assert redis_server.ask("DBSIZE") == ":0"
