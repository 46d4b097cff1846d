"""Copies of a SQLite file: whole, of one moment, checked; or none."""

import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from db import backup, schema, sqlite, store
from db.backup import back_up
from db.database import Database, open_database
from db.errors import (
    BadFileError,
    BusyDatabaseError,
    DamagedDatabaseError,
    ForeignDatabaseError,
    MissingDatabaseError,
    NewerSchemaError,
    UnwritableFileError,
)
from db.models import KernelRow
from tests.db.limits import FORK, JOIN_SECONDS, in_child

AsNobody = Callable[[], AbstractContextManager[None]]
Dump = Callable[[Database], dict[str, list[tuple[Any, ...]]]]

KERNEL = "INSERT INTO kernel (digest, name, doc, rules) VALUES (:digest, :digest, :doc, '{}')"


def insert(database: Database, *digests: str, doc: str = "") -> None:
    with database.write() as session:
        for digest in digests:
            session.execute(text(KERNEL), {"digest": digest, "doc": doc})


def digests(file: Path) -> list[str]:
    with open_database(file, "read") as database, database.read() as session:
        return list(session.execute(select(KernelRow.digest).order_by(KernelRow.digest)).scalars())


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A closed database of about 2 MB."""
    file = tmp_path / "mmfuzz.db"
    with open_database(file) as database:
        insert(database, *(f"krn-{n:03}" for n in range(100)), doc="x" * 20_000)
    return file


def test_copy_has_everything_and_is_used_like_any_other(tmp_path: Path, records: Any, dump: Dump) -> None:
    with open_database(tmp_path / "mmfuzz.db") as database:
        with database.write() as session:
            run = store.start_run(session, records.run())
            store.save_failures(session, run, [records.failure(number) for number in range(5)])
        # What was written is in the -wal file only, while the database is open.
        made = back_up(tmp_path / "mmfuzz.db", tmp_path / "copy.db", {})
        everything = dump(database)
    assert made.form == "sqlite"
    assert made.revision == schema.revisions()[-1]
    assert made.size_bytes == (tmp_path / "copy.db").stat().st_size
    assert names(tmp_path) == ["copy.db", "mmfuzz.db"]
    with open_database(tmp_path / "copy.db") as copy:
        assert dump(copy) == everything
        with copy.write() as session:
            assert store.save_failure(session, run, records.failure(1)) == "known"


def test_copy_while_others_write_is_of_one_moment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each transaction adds a kernel and a run of it, so that in every state there are as many of both."""
    monkeypatch.setattr(backup, "_PAGES_AT_ONCE", 1)
    file = tmp_path / "mmfuzz.db"
    a_run = text("""
        INSERT INTO run (id, kernel_digest, kernel_name, world, world_text, engine, seed, options, versions, state,
            started, heard, seconds, traces, ops, rows_covered, rows_total)
        VALUES (:id, :id, 'k', '{}', '', 'random', 1, '{}', '{}', 'running', '2026-01-01', '2026-01-01', 0, 0, 0, 0, 0)
    """)

    def write_for_ever(first: int, commits: Any) -> None:
        with open_database(file) as database:
            while True:
                with database.write() as session:
                    session.execute(text(KERNEL), {"digest": f"krn-{first}", "doc": "x" * 4000})
                    session.execute(a_run, {"id": f"krn-{first}"})
                commits.value = first = first + 1

    with open_database(file) as database:
        insert(database, *(f"old-{n}" for n in range(100)), doc="x" * 20_000)
    commits = FORK.Value("q", 0)
    writer = FORK.Process(target=write_for_ever, args=(0, commits), daemon=True)
    writer.start()
    for number in range(3):
        before = commits.value
        while commits.value == before:
            pass
        back_up(file, tmp_path / f"copy-{number}.db", {})
        after = commits.value
        assert after > before + 1, "nothing was written meanwhile"
        with closing(sqlite3.connect(tmp_path / f"copy-{number}.db")) as copy:
            kernels, runs = copy.execute("SELECT (SELECT count(*) FROM kernel), (SELECT count(*) FROM run)").fetchone()
            assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
        assert kernels == runs + 100
        assert before <= runs <= after
    writer.kill()
    writer.join(JOIN_SECONDS)


def test_writer_does_not_wait_for_a_copy(filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = backup._copy_pages
    during: list[str] = []

    def copy_and_write(source: sqlite3.Connection, *others: Any) -> None:
        with open_database(filled, busy_timeout_seconds=0.05) as database:
            insert(database, "krn-during")
            during.append("written")
        pages(source, *others)

    monkeypatch.setattr(backup, "_copy_pages", copy_and_write)
    back_up(filled, tmp_path / "copy.db", {})
    assert during == ["written"]
    assert "krn-during" in digests(filled)
    assert "krn-during" not in digests(tmp_path / "copy.db")


def test_copy_does_not_change_an_older_schema(filled: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '0001'")
    assert back_up(filled, tmp_path / "copy.db", {}).revision == "0001"
    for file in (filled, tmp_path / "copy.db"):
        with closing(sqlite3.connect(file)) as connection:
            assert connection.execute(f"SELECT version_num FROM {schema.VERSION_TABLE}").fetchone() == ("0001",)


def test_copy_is_as_private_as_the_database(filled: Path, tmp_path: Path) -> None:
    for mode in (0o600, 0o640):
        filled.chmod(mode)
        back_up(filled, tmp_path / f"copy-{mode}.db", {})
        assert (tmp_path / f"copy-{mode}.db").stat().st_mode & 0o777 == mode


def test_what_is_there_is_not_overwritten(filled: Path, tmp_path: Path) -> None:
    (tmp_path / "letter").write_text("dear friend")
    for name in ("letter", "mmfuzz.db"):
        with pytest.raises(BadFileError, match=f"a file is there already: .*{name}"):
            back_up(filled, tmp_path / name, {})
    assert (tmp_path / "letter").read_text() == "dear friend"
    assert len(digests(filled)) == 100


def test_place_without_a_database_of_ours_is_told_and_nothing_is_made(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "theirs.db")) as connection:
        connection.execute("CREATE TABLE letters (x)")
    with pytest.raises(ForeignDatabaseError, match="letters"):
        back_up(tmp_path / "theirs.db", tmp_path / "copy.db", {})
    for target in (str(tmp_path / "missing.db"), "sqlite://"):
        with pytest.raises(MissingDatabaseError):
            back_up(target, tmp_path / "copy.db", {})
    assert names(tmp_path) == ["theirs.db"]


def test_newer_schema_is_refused(filled: Path, tmp_path: Path) -> None:
    with closing(sqlite3.connect(filled)) as connection, connection:
        connection.execute(f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(NewerSchemaError, match="9999"):
        back_up(filled, tmp_path / "copy.db", {})
    assert names(tmp_path) == ["mmfuzz.db"]


def test_damage_is_found_in_the_copy_and_the_copy_is_not_kept(filled: Path, tmp_path: Path) -> None:
    content = bytearray(filled.read_bytes())
    middle = len(content) // 2 // 4096 * 4096
    content[middle : middle + 4096] = b"\xaa" * 4096
    filled.write_bytes(content)
    with pytest.raises(DamagedDatabaseError, match=r"the copy is damaged, as the database may be: .*copy.db"):
        back_up(filled, tmp_path / "copy.db", {})
    assert names(tmp_path) == ["mmfuzz.db"]


def test_disk_that_fills_up_leaves_no_copy(filled: Path, small_disk: Path) -> None:
    with pytest.raises(UnwritableFileError, match=f"no space is left for the file: {small_disk}/copy.db"):
        back_up(filled, small_disk / "copy.db", {})
    assert names(small_disk) == []


def test_limit_of_files_leaves_no_copy(filled: Path, tmp_path: Path) -> None:
    def copy() -> None:
        back_up(filled, tmp_path / "copy.db", {})

    assert in_child(copy, (resource.RLIMIT_FSIZE, 500_000)).startswith("UnwritableFileError: the copy cannot be made")
    assert names(tmp_path) == ["mmfuzz.db"]


@pytest.fixture
def shielded(open_folder: Path) -> Iterator[Path]:
    """A database that may be read only, in a folder that may be read only, and a folder `copies` beside."""
    file = open_folder / "mmfuzz.db"
    with open_database(file) as database:
        insert(database, "krn-1")
    file.chmod(0o444)
    copies = open_folder / "copies"
    copies.mkdir()
    copies.chmod(0o777)
    open_folder.chmod(0o555)
    yield file
    open_folder.chmod(0o755)


def test_database_that_may_only_be_read_is_copied(shielded: Path, as_nobody: AsNobody) -> None:
    with as_nobody():
        back_up(shielded, shielded.parent / "copies" / "copy.db", {})
        assert digests(shielded.parent / "copies" / "copy.db") == ["krn-1"]
    assert names(shielded.parent) == ["copies", "mmfuzz.db"]


def test_change_below_a_copy_that_takes_no_lock_is_told(shielded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pages = backup._copy_pages

    def copy_and_change(source: sqlite3.Connection, *others: Any) -> None:
        pages(source, *others)
        shutil.copystat(__file__, shielded)

    monkeypatch.setattr(backup, "_copy_pages", copy_and_change)
    monkeypatch.setattr(sqlite, "may_write", lambda _file: False)
    copies = shielded.parent / "copies"
    with pytest.raises(BusyDatabaseError, match="changed while it was read"):
        back_up(shielded, copies / "copy.db", {})
    assert names(copies) == []


def test_copy_does_not_wait_for_a_writer_that_holds_the_lock(
    filled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backup, "_BUSY_TIMEOUT_SECONDS", 0.1)
    with closing(sqlite3.connect(filled, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("DELETE FROM kernel")
        back_up(filled, tmp_path / "copy.db", {})
        other.execute("ROLLBACK")
    assert len(digests(tmp_path / "copy.db")) == 100
