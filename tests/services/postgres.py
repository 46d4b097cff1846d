"""A PostgreSQL server of our own, which tests may stop, kill, freeze and start again."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from tests.services.processes import PATIENCE_SECONDS, OwnProcess, free_port, wait_until

INSTALLED = "/usr/lib/postgresql"
ANSWER_SECONDS = 2


class Cluster:
    """A server in a folder of its own, without fsync, on one port of the loopback for all its life.

    Its one user is its superuser. Without a password everybody is let in; with one, only who knows it.
    """

    def __init__(
        self,
        programs: Path,
        folder: Path,
        *,
        user: str = "mmfuzz",
        password: str | None = None,
        options: Sequence[str] = (),
    ) -> None:
        self.programs = programs
        self.folder = folder
        self.user = user
        self.password = password
        self.options = tuple(options)
        self.port = free_port()
        self.databases = 0
        self._process: OwnProcess | None = None
        # Root may not run a server; the folder is given to someone who may.
        self.runs_as = _server_user()
        self._give_away(folder)

    @property
    def process(self) -> OwnProcess:
        """The server's process; it must have been started."""
        assert self._process is not None, "the server was not started"
        return self._process

    def url(self, database: str = "postgres", *, password: str | None = None) -> str:
        """The URL of a database, with the right password unless another is given."""
        secret = self.password if password is None else password
        login = self.user if secret is None else f"{self.user}:{quote(secret, safe='')}"
        return f"postgresql://{login}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it, make its data first if there are none, and wait until it answers."""
        if not (self.folder / "data").exists():
            self._initialize()
        own = [f"-p{self.port}", "-clisten_addresses=127.0.0.1", "-cfsync=off", f"-k{self.folder}"]
        command = [f"{self.programs}/postgres", "-D", f"{self.folder}/data", *self.options, *own]
        self._process = OwnProcess(self.folder, command, self.folder / "log", user=self.runs_as)
        wait_until(self._answers_or_died, f"PostgreSQL on port {self.port}")
        assert self.process.running, f"PostgreSQL ended at once:\n{self.process.output()}"

    def stop(self) -> None:
        """End it in an orderly way; who is connected is cut off."""
        self.process.resume()
        self.process.send(signal.SIGINT)
        self.process.wait()
        self.process.end()

    def kill(self) -> None:
        """End it as kill -9 of all its processes does."""
        self.process.end()

    def restart(self) -> None:
        """Start it again after kill -9, or where it was stopped before. It recovers what was committed."""
        self.kill()
        self.start()

    def pause(self) -> None:
        """Freeze it: connections stay open and nothing answers."""
        self.process.pause()

    def resume(self) -> None:
        """Let it go on."""
        self.process.resume()

    def answers(self) -> bool:
        """Whether it lets its user in."""
        try:
            psycopg.connect(self.url(), connect_timeout=ANSWER_SECONDS).close()
        except psycopg.OperationalError:
            return False
        return True

    def new_database(self) -> str:
        """The URL of an empty schema, which is to us what a database is, and much faster made."""
        self.databases += 1
        name = f"test_{self.databases}"
        self.execute(f"CREATE SCHEMA {name}")
        return f"{self.url()}?options=-csearch_path%3D{name}"

    def execute(self, statement: str) -> None:
        """Run one statement as its superuser."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())

    def query(self, statement: str) -> list[tuple[object, ...]]:
        """The rows of one statement."""
        with psycopg.connect(self.url()) as connection:
            return connection.execute(statement.encode()).fetchall()

    def _answers_or_died(self) -> bool:
        return not self.process.running or self.answers()

    def _initialize(self) -> None:
        command = [str(self.programs / "initdb"), f"--pgdata={self.folder}/data", f"--username={self.user}"]
        command += ["--no-sync", "--encoding=UTF8", "--locale=C"]
        if self.password is None:
            command.append("--auth=trust")
        else:
            secret = self.folder / "password"
            secret.write_text(self.password)
            self._give_away(secret)
            command += ["--auth=scram-sha-256", f"--pwfile={secret}"]
        done = subprocess.run(
            command,
            cwd=self.folder,
            user=self.runs_as,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr

    def _give_away(self, path: Path) -> None:
        if self.runs_as is not None:
            shutil.chown(path, self.runs_as)


def _server_user() -> str | None:
    """Who runs the server: we, unless we are root."""
    if os.geteuid() != 0:
        return None
    names = {user.pw_name for user in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def find_postgres() -> Path | None:
    """The folder of the newest installed server's programs."""
    found = sorted(Path(INSTALLED).glob("*/bin/initdb"), key=lambda path: int(path.parts[-3]))
    on_path = shutil.which("initdb")
    if found:
        return found[-1].parent
    return Path(on_path).resolve().parent if on_path else None


@contextmanager
def running_cluster(
    *, user: str = "mmfuzz", password: str | None = None, options: Sequence[str] = ()
) -> Iterator[Cluster]:
    """A started server; at the end nothing of it is left. Skips the test where none is installed."""
    programs = find_postgres()
    if programs is None:
        pytest.skip(f"PostgreSQL's initdb is neither on the PATH nor below {INSTALLED}")
    with tempfile.TemporaryDirectory(prefix="mmfuzz-pg-") as folder:
        server = Cluster(programs, Path(folder), user=user, password=password, options=options)
        try:
            server.start()
            yield server
        finally:
            server.kill()
