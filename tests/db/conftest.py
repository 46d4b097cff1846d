"""A database for each test, on SQLite and on a PostgreSQL server of our own, and records to fill it with."""

import os
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest

from db import schema
from db.database import Database, open_database

POSTGRES_FOLDERS = "/usr/lib/postgresql"


class Cluster:
    """A PostgreSQL server in a folder of its own, without fsync, on a free port of the loopback."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self.programs = programs
        self.folder = folder
        self.databases = 0
        # Root may not run a server; the folder is given to someone who may.
        self.user = _server_user()
        if self.user is not None:
            shutil.chown(folder, self.user)

    def start(self) -> None:
        """Make the cluster, start its server and wait until it answers."""
        self._run("initdb", "--no-sync", "--auth=trust", "--username=mmfuzz", "--encoding=UTF8", "--locale=C")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        settings = f"-p {self.port} -c listen_addresses=127.0.0.1 -c fsync=off -k {self.folder}"
        self._run("pg_ctl", "--wait", f"--log={self.folder}/log", f"--options={settings}", "start")

    def stop(self) -> None:
        """Stop the server at once."""
        self._run("pg_ctl", "--mode=immediate", "stop")

    def new_database(self) -> str:
        """The URL of an empty database."""
        self.databases += 1
        name = f"test_{self.databases}"
        address = f"mmfuzz@127.0.0.1:{self.port}"
        with psycopg.connect(f"postgresql://{address}/postgres", autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return f"postgresql://{address}/{name}"

    def _run(self, program: str, *args: str) -> None:
        command = [str(self.programs / program), f"--pgdata={self.folder}/data", *args]
        # pg_ctl's server inherits the pipes, so output goes to a file.
        with (self.folder / "output").open("a") as output:
            done = subprocess.run(
                command,
                cwd=self.folder,
                user=self.user,
                stdout=output,
                stderr=output,
                timeout=60,
                check=False,
            )
        assert done.returncode == 0, (self.folder / "output").read_text()


def _server_user() -> str | None:
    return "postgres" if os.geteuid() == 0 else None


def _server_programs() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(Path(POSTGRES_FOLDERS).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).parent if on_path else None


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    programs = _server_programs()
    if programs is None:
        pytest.skip(f"PostgreSQL's initdb is neither on the PATH nor below {POSTGRES_FOLDERS}")
    with tempfile.TemporaryDirectory(prefix="mmfuzz-pg-") as folder:
        server = Cluster(programs, Path(folder))
        server.start()
        yield server
        server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgres)])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The place of a database that does not exist yet, of each kind."""
    if request.param == "postgresql":
        server: Cluster = request.getfixturevalue("cluster")
        return server.new_database()
    return str(tmp_path / "mmfuzz.db")


@pytest.fixture
def database(target: str) -> Iterator[Database]:
    """An open, empty database of each kind."""
    with open_database(target) as opened:
        yield opened


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Within, file permissions count even when the tests run as root."""
    # Read once and kept; the migrations may lie where only root can read.
    schema.revisions()
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def as_nobody() -> Callable[[], AbstractContextManager[None]]:
    return _as_nobody


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that `as_nobody` can reach and write; pytest's own belong to one user alone."""
    with tempfile.TemporaryDirectory(prefix="mmfuzz-db-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        yield folder
        folder.chmod(0o755)
