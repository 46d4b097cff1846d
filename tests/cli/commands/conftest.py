"""Small campaigns for the commands, and the services they may need."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

# Commands are forked from this process: what is imported here need not be imported by each of them.
import cli.commands.campaign
import cli.commands.doctor  # noqa: F401
import workers.celery_fleet  # noqa: F401
from tests.cli.conftest import REFUSED, Shell
from tests.services.fixtures import cluster as cluster
from tests.services.fixtures import redis_server as redis_server
from tests.services.fixtures import redis_url as redis_url
from tests.services.processes import wait_until

WORLD = "processes=2 pages=2 frames=8 slots=4 memcgs=1 mergeable=0 swap=disk"
# Eleven units, and some fifteen samples to minimize: a second or two.
SMALL: tuple[object, ...] = (
    *("--kernel", REFUSED, "--world", WORLD, "--without", "steps,ksm,memcg", "--oracles", "lost-store", "--seed", 1),
    *("--ops", 20_000, "--seed-ops", 1_000, "--seeds", 2, "--canary-minutes", 0),
)


def make(shell: Shell, name: str, *more: object) -> Any:
    """Make a small campaign; what the command says."""
    done = shell("campaign", "new", name, *SMALL, *more, "--json")
    assert done.code == 0, done.err
    return done.json


def change(file: Path, statement: str, *values: object) -> None:
    """Change rows of a SQLite file behind mmfuzz's back."""
    with closing(sqlite3.connect(file)) as connection, connection:
        assert connection.execute(statement, values).rowcount > 0, statement


def count(file: Path, table: str) -> int:
    """The number of rows; 0 where the table, or the file, is not there yet."""
    try:
        with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
            return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])
    except sqlite3.OperationalError:
        return 0


@contextmanager
def going_on(shell: Shell, *arguments: object) -> Iterator["Popen[str]"]:
    """A command that is still at work, and is killed at the end if it is then."""
    with shell.start(*arguments) as process:
        try:
            yield process
        finally:
            process.kill()


def wait_while(process: "Popen[str]", happened: Callable[[], bool], what: str) -> None:
    """Return once it has happened; a command that ends before has failed."""
    try:
        wait_until(lambda: process.poll() is not None or happened(), what)
        assert process.poll() is None, what
    except AssertionError as error:
        process.kill()
        raise AssertionError(f"{error}: {process.communicate()}") from error


@pytest.fixture(scope="session")
def finished(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, Any]:
    """The command where the small campaign `one` was executed to its end, and what that said."""
    shell = Shell(root, tmp_path_factory.mktemp("finished"))
    make(shell, "one")
    done = shell("campaign", "start", "one", "--local", "--json")
    assert done.code == 1, done.err
    return shell, done.json
