"""Copies of a PostgreSQL database by pg_dump: they can be restored, and nothing secret is shown."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from db import schema, store
from db.backup import back_up
from db.database import Database, open_database
from db.errors import BadFileError, MissingDatabaseError, ProgramError, UnreachableDatabaseError, UnwritableFileError
from tests.services.postgres import Cluster, find_postgres, running_cluster

pytestmark = pytest.mark.needs_postgres

Dump = Callable[[Database], dict[str, list[tuple[Any, ...]]]]

PASSWORD = "it's a \\ secret%"


@pytest.fixture(scope="module")
def guarded() -> Iterator[Cluster]:
    """A server that asks for a password."""
    with running_cluster(password=PASSWORD) as server:
        yield server


@pytest.fixture
def environment() -> dict[str, str]:
    """An environment in which the server's own programs are found, and nothing else is said."""
    programs = find_postgres()
    assert programs is not None
    return {"PATH": f"{programs}:{os.environ['PATH']}"}


def fill(url: str, records: Any) -> None:
    with open_database(url) as database, database.write() as session:
        run = store.start_run(session, records.run())
        store.save_failures(session, run, [records.failure(number) for number in range(3)])


def everything(url: str, dump: Dump) -> dict[str, list[tuple[Any, ...]]]:
    with open_database(url, "read") as database:
        return dump(database)


def restore(file: Path, url: str, environment: dict[str, str]) -> None:
    command = ["pg_restore", "--exit-on-error", f"--dbname={url}", str(file)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_copy_of_a_database_is_restored_into_an_empty_one(
    guarded: Cluster, tmp_path: Path, records: Any, dump: Dump, environment: dict[str, str]
) -> None:
    for name in ("ours", "restored"):
        guarded.execute(f"CREATE DATABASE {name}")
    fill(guarded.url("ours"), records)
    made = back_up(guarded.url("ours") + "?application_name=it%27s%20%5C%20me", tmp_path / "copy.dump", environment)
    assert (made.form, made.revision) == ("pg_dump", schema.revisions()[-1])
    assert made.size_bytes == (tmp_path / "copy.dump").stat().st_size
    assert PASSWORD not in made.shown
    restore(tmp_path / "copy.dump", guarded.url("restored"), environment)
    assert everything(guarded.url("restored"), dump) == everything(guarded.url("ours"), dump)


def test_copy_of_a_schema_of_its_own_has_nothing_of_others(
    cluster: Cluster, tmp_path: Path, records: Any, dump: Dump, environment: dict[str, str]
) -> None:
    theirs, ours = cluster.new_database(), cluster.new_database()
    for url in (theirs, ours):
        fill(url, records)
    back_up(ours, tmp_path / "copy.dump", environment)
    before = everything(ours, dump)
    own = ours.partition("search_path%3D")[2]
    cluster.execute(f"DROP SCHEMA {own} CASCADE")
    # The other schema is still there, so that pg_restore would fail if it were in the copy.
    restore(tmp_path / "copy.dump", cluster.url(), environment)
    assert everything(ours, dump) == before


def test_copy_needs_a_database_of_ours_and_a_file_that_is_not_there(
    cluster: Cluster, tmp_path: Path, environment: dict[str, str]
) -> None:
    url = cluster.new_database()
    with pytest.raises(MissingDatabaseError, match="there is no database"):
        back_up(url, tmp_path / "copy.dump", environment)
    open_database(url).close()
    (tmp_path / "letter").write_text("dear friend")
    with pytest.raises(BadFileError, match="there already"):
        back_up(url, tmp_path / "letter", environment)
    with pytest.raises(UnreachableDatabaseError, match="does not exist"):
        back_up(cluster.url("missing"), tmp_path / "copy.dump", environment)
    assert names(tmp_path) == ["letter"]


class Programs:
    """Programs in place of PostgreSQL's, in a folder that is the whole PATH."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {"PATH": str(folder)}
        for name in ("sh", "cat", "env", "sleep"):
            (folder / name).symlink_to(str(shutil.which(name)))

    def write(self, name: str, *lines: str, release: str = "99.1 (Mine 99.1-1)") -> None:
        """A program that says its release when asked, and otherwise does what the lines of shell say."""
        version = f'if [ "$1" = --version ]; then echo "{name} (PostgreSQL) {release}"; exit 0; fi'
        (self.folder / name).write_text("\n".join(["#!/bin/sh", version, *lines]) + "\n")
        (self.folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path) -> Programs:
    """Programs that do nothing and succeed."""
    folder = tmp_path / "bin"
    folder.mkdir()
    made = Programs(folder)
    made.write("pg_dump", 'for each; do case $each in --file=*) echo copy > "${each#--file=}";; esac; done')
    made.write("pg_restore")
    return made


@pytest.fixture
def refused(cluster: Cluster, tmp_path: Path, programs: Programs) -> Callable[[], str]:
    """Call it for what is said when no copy can be made."""
    url = cluster.new_database()
    open_database(url).close()

    def copy() -> str:
        with pytest.raises((ProgramError, UnwritableFileError)) as error:
            back_up(url, tmp_path / "copies" / "copy.dump", programs.environment)
        assert names(tmp_path / "copies") == []
        return f"{type(error.value).__name__}: {error.value}"

    (tmp_path / "copies").mkdir()
    return copy


def test_program_that_is_missing_is_told(programs: Programs, refused: Callable[[], str]) -> None:
    (programs.folder / "pg_restore").unlink()
    assert "pg_restore is not on the PATH; install PostgreSQL's client programs, release" in refused()
    (programs.folder / "pg_dump").unlink()
    assert "pg_dump is not on the PATH" in refused()


def test_program_that_is_older_than_the_server_is_told(programs: Programs, refused: Callable[[], str]) -> None:
    programs.write("pg_dump", release="9.6.24")
    said = refused()
    assert "older than the server" in said
    assert f"{programs.folder}/pg_dump is of release 9, the server of " in said
    assert "or later" in said


def test_program_that_fails_is_told_with_its_last_words(programs: Programs, refused: Callable[[], str]) -> None:
    programs.write("pg_dump", "echo 'pg_dump: error: permission denied for table letters' >&2", "exit 1")
    assert "permission denied for table letters" in refused()
    programs.write("pg_dump", "kill -9 $$")
    assert "ended by SIGKILL" in refused()
    (programs.folder / "pg_dump").write_text("\x7fELF")
    assert "pg_dump cannot be run" in refused()


def test_copy_that_pg_restore_cannot_read_is_not_kept(programs: Programs, refused: Callable[[], str]) -> None:
    programs.write("pg_restore", "echo 'pg_restore: error: could not read from input file' >&2", "exit 1")
    assert "pg_restore failed" in refused()


def test_disk_that_is_full_is_told_as_such(programs: Programs, refused: Callable[[], str]) -> None:
    programs.write("pg_dump", "echo 'pg_dump: error: could not write: No space left on device' >&2", "exit 1")
    assert refused().startswith("UnwritableFileError: no space is left for the file")
    programs.write("pg_dump", "kill -XFSZ $$")
    assert refused().startswith("UnwritableFileError: no space is left for the file")


def test_no_secret_stands_on_a_command_line(guarded: Cluster, tmp_path: Path, programs: Programs) -> None:
    guarded.execute("CREATE DATABASE secrets")
    url = guarded.url("secrets")
    open_database(url).close()
    seen = tmp_path / "seen"
    programs.write(
        "pg_dump",
        f'for each; do echo "$each"; done > {seen}',
        f"env > {seen}.env",
        'for each; do case $each in --file=*) echo copy > "${each#--file=}";; esac; done',
    )
    back_up(f"{url}?sslmode=prefer", tmp_path / "copy.dump", programs.environment)
    arguments, variables = seen.read_text(), (tmp_path / "seen.env").read_text()
    assert PASSWORD not in arguments
    assert "@" not in arguments
    assert "--dbname=sslmode='prefer'\n" in arguments
    assert f"PGPASSWORD={PASSWORD}\n" in variables
    assert "PGDATABASE=secrets\n" in variables
    with pytest.raises(ProgramError, match="sslpassword"):
        back_up(f"{url}?sslpassword=hush", tmp_path / "other.dump", programs.environment)
    assert json.dumps(names(tmp_path)).count("dump") == 1
