"""The PostgreSQL of the tests does what its methods say."""

import time
from collections.abc import Iterator

import psycopg
import pytest

from tests.services.postgres import Cluster, running_cluster

pytestmark = pytest.mark.needs_postgres

PASSWORD = "p@ss/word %41"


@pytest.fixture(scope="module")
def server() -> Iterator[Cluster]:
    with running_cluster(password=PASSWORD) as started:
        yield started


@pytest.fixture
def url(server: Cluster) -> str:
    """A database with one table and one row."""
    made = server.new_database()
    with psycopg.connect(made) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 7 AS number")
    return made


def _number(url: str) -> int:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT number FROM kept").fetchone()
    assert row is not None
    return int(row[0])


def test_databases_are_apart(server: Cluster, url: str) -> None:
    with pytest.raises(psycopg.errors.UndefinedTable):
        _number(server.new_database())
    assert _number(url) == 7


def test_data_survive_a_kill(server: Cluster, url: str) -> None:
    server.restart()
    assert _number(url) == 7


def test_data_survive_a_stop_that_cuts_off_who_is_connected(server: Cluster, url: str) -> None:
    with psycopg.connect(url) as connection:
        server.stop()
        with pytest.raises(psycopg.OperationalError):
            connection.execute("SELECT 1")
    assert not server.answers()
    server.start()
    assert _number(url) == 7


def test_paused_server_is_silent_and_goes_on_where_it_was(server: Cluster, url: str) -> None:
    server.pause()
    started = time.monotonic()
    assert not server.answers()
    assert time.monotonic() - started > 1, "a paused server must hang, not refuse"
    server.resume()
    assert _number(url) == 7


def test_password_is_needed(server: Cluster) -> None:
    assert server.answers()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url(password="wrong"))


def test_nothing_is_left_of_a_server() -> None:
    with running_cluster() as brief, psycopg.connect(brief.url()):
        process = brief.process
        assert len(process.members()) > 2
    assert process.members() == []
    assert not brief.folder.exists()


def test_session_server_gives_each_test_a_database(cluster: Cluster) -> None:
    assert cluster.new_database() != cluster.new_database()
