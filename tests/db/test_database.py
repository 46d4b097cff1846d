"""Opening: what is made, what is refused, and that a refusal changes nothing."""

import os
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from pathlib import Path

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from db import schema, sqlite
from db.database import Access, open_database
from db.errors import (
    BusyDatabaseError,
    DamagedDatabaseError,
    DatabaseError,
    ForeignDatabaseError,
    FullDatabaseError,
    MissingDatabaseError,
    UnreachableDatabaseError,
    UnwritableDatabaseError,
)
from db.models import KernelRow

AsNobody = Callable[[], AbstractContextManager[None]]

KERNEL = "INSERT INTO kernel (digest, name, doc, rules) VALUES ('{digest}', '{name}', '', '{{}}')"


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def _insert(target: str | Path, digest: str, name: str = "k", then: Callable[[Session], object] | None = None) -> None:
    with open_database(target) as database, database.write() as session:
        session.execute(text(KERNEL.format(digest=digest, name=name)))
        if then is not None:
            then(session)


def _digests(target: str | Path, access: Access = "read") -> list[str]:
    with open_database(target, access) as database, database.read() as session:
        return list(session.execute(select(KernelRow.digest).order_by(KernelRow.digest)).scalars())


def test_database_is_made_by_the_first_writer_and_kept(target: str) -> None:
    _insert(target, "krn-1")
    assert _digests(target) == ["krn-1"]
    assert _digests(target, "write") == ["krn-1"]


def test_database_tells_what_it_is(target: str) -> None:
    with open_database(target) as database:
        facts = database.facts()
    assert facts["kind"].split()[0] == database.engine.dialect.name
    assert int(facts["kind"].split()[1].split(".")[0]) >= 3
    assert facts["place"] == database.shown
    assert facts["schema"] == schema.revisions()[-1]
    assert facts["writable"] == "yes"


def test_database_that_is_missing_is_not_made_by_a_reader(target: str, tmp_path: Path) -> None:
    with pytest.raises(MissingDatabaseError, match="there is no database"):
        open_database(target, "read")
    assert _files(tmp_path) == {}


def test_empty_file_is_missing_to_a_reader_and_used_by_a_writer(tmp_path: Path) -> None:
    file = tmp_path / "mmfuzz.db"
    file.touch()
    with pytest.raises(MissingDatabaseError):
        open_database(file, "read")
    assert _files(tmp_path) == {"mmfuzz.db": b""}
    _insert(file, "krn-1")
    assert _digests(file) == ["krn-1"]


def test_file_name_may_hold_what_a_uri_may_not(tmp_path: Path) -> None:
    file = tmp_path / "a ?b#c%41&mode=ro ü\N{SNOWMAN}.db"
    _insert(file, "krn-1")
    assert _digests(f"sqlite:///{tmp_path}/x.db", "write") == []
    assert _digests(file) == ["krn-1"]
    assert file.exists()


def test_file_name_may_be_no_utf8(tmp_path: Path) -> None:
    file = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.db"))
    _insert(file, "krn-1")
    assert file.exists()
    assert _digests(file) == ["krn-1"]


def test_sqlite_in_memory_is_served_and_forgotten() -> None:
    with open_database("sqlite://") as database:
        with database.write() as session:
            session.execute(text(KERNEL.format(digest="krn-1", name="k")))
        with database.read() as session:
            assert session.execute(select(KernelRow.digest)).scalars().all() == ["krn-1"]
    assert _digests("sqlite://", "write") == []


@pytest.mark.parametrize("access", ["read", "write"])
@pytest.mark.parametrize(
    "content", [b"x", b"dear diary,\n" * 1000, b"\x00" * 4096, b"SQLite format 2\x00" + b"\x01" * 5000]
)
def test_file_that_is_no_database_is_refused_and_left_as_it_was(tmp_path: Path, access: Access, content: bytes) -> None:
    file = tmp_path / "diary.txt"
    file.write_bytes(content)
    with pytest.raises(ForeignDatabaseError, match="not a database") as error:
        open_database(file, access)
    assert str(file) in str(error.value)
    assert _files(tmp_path) == {"diary.txt": content}


@pytest.mark.parametrize("access", ["read", "write"])
@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_database_of_another_program_is_refused_and_left_as_it_was(
    tmp_path: Path, access: Access, journal: str
) -> None:
    file = tmp_path / "letters.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA journal_mode={journal}")
        connection.execute("CREATE TABLE letters (x)")
    before = _files(tmp_path)
    with pytest.raises(ForeignDatabaseError, match="letters"):
        open_database(file, access)
    assert _files(tmp_path) == before


@pytest.mark.parametrize("access", ["read", "write"])
def test_folder_is_no_database(tmp_path: Path, access: Access) -> None:
    with pytest.raises(UnreachableDatabaseError, match="a folder is no database"):
        open_database(tmp_path, access)


@pytest.mark.parametrize("access", ["read", "write"])
def test_folder_that_is_missing_is_not_made(tmp_path: Path, access: Access) -> None:
    with pytest.raises(UnreachableDatabaseError, match="folder does not exist"):
        open_database(tmp_path / "missing" / "mmfuzz.db", access)
    assert _files(tmp_path) == {}


def test_folder_that_cannot_be_written_is_refused_for_writing(open_folder: Path, as_nobody: AsNobody) -> None:
    open_folder.chmod(0o555)
    with as_nobody(), pytest.raises(UnwritableDatabaseError, match="cannot be written"):
        open_database(open_folder / "mmfuzz.db")
    assert _files(open_folder) == {}


def test_file_that_cannot_be_written_is_refused_for_writing(open_folder: Path, as_nobody: AsNobody) -> None:
    file = open_folder / "mmfuzz.db"
    _insert(file, "krn-1")
    file.chmod(0o444)
    before = _files(open_folder)
    with as_nobody(), pytest.raises(UnwritableDatabaseError, match="change the permissions"):
        open_database(file)
    assert _files(open_folder) == before


@pytest.mark.parametrize("folder_mode", [0o755, 0o555])
def test_file_that_cannot_be_written_can_be_read_and_leaves_no_trace(
    open_folder: Path, as_nobody: AsNobody, folder_mode: int
) -> None:
    file = open_folder / "mmfuzz.db"
    _insert(file, "krn-1")
    file.chmod(0o444)
    open_folder.chmod(folder_mode)
    before = _files(open_folder)
    with as_nobody():
        assert _digests(file) == ["krn-1"]
        with (
            open_database(file, "read") as database,
            pytest.raises(UnwritableDatabaseError),
            database.write(),
        ):
            pass
    assert _files(open_folder) == before


@pytest.mark.parametrize("access", ["read", "write"])
def test_file_that_cannot_be_read_is_told_so(open_folder: Path, as_nobody: AsNobody, access: Access) -> None:
    file = open_folder / "mmfuzz.db"
    _insert(file, "krn-1")
    file.chmod(0o000)
    with as_nobody(), pytest.raises(UnreachableDatabaseError, match="check the place, the permissions"):
        open_database(file, access)


def test_server_that_does_not_answer_is_told_without_the_password() -> None:
    with pytest.raises(UnreachableDatabaseError, match="that it runs") as error:
        open_database("postgresql://me:secret@127.0.0.1:1/name")
    assert "secret" not in str(error.value)


@pytest.mark.needs_postgres
def test_database_that_the_server_does_not_have_is_told(request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("cluster").new_database()
    with pytest.raises(UnreachableDatabaseError, match="does not exist"):
        open_database(url.replace("/postgres?", "/missing?"))


@pytest.mark.needs_postgres
def test_role_that_may_not_make_tables_is_told(request: pytest.FixtureRequest) -> None:
    url = request.getfixturevalue("cluster").new_database()
    guest = url.replace("mmfuzz@", "guest@")
    with open_database(url) as database:
        with database.write() as session:
            session.execute(text("CREATE ROLE guest LOGIN"))
        with pytest.raises(UnwritableDatabaseError, match="no schema has been selected"):
            open_database(guest)
        with database.write() as session:
            schema_name = session.execute(text("SELECT current_schema()")).scalar_one()
            session.execute(text(f"GRANT USAGE ON SCHEMA {schema_name} TO guest"))
    with pytest.raises(UnwritableDatabaseError, match="permission denied"):
        open_database(guest)


def test_transaction_left_by_an_exception_stores_nothing(target: str) -> None:
    with pytest.raises(ZeroDivisionError):
        _insert(target, "krn-1", then=lambda _session: 1 / 0)
    assert _digests(target) == []


def test_reader_sees_one_state_however_often_it_asks(tmp_path: Path) -> None:
    file = tmp_path / "mmfuzz.db"
    _insert(file, "krn-1")
    with open_database(file, "read") as database, database.read() as session:
        assert session.execute(select(KernelRow.digest)).scalars().all() == ["krn-1"]
        _insert(file, "krn-2")
        assert session.execute(select(KernelRow.digest)).scalars().all() == ["krn-1"]


def test_savepoint_of_a_write_undoes_only_its_own_part(target: str) -> None:
    with open_database(target) as database, database.write() as session:
        session.execute(text(KERNEL.format(digest="krn-1", name="k")))
        with session.begin_nested() as savepoint:
            session.execute(text(KERNEL.format(digest="krn-2", name="k")))
            savepoint.rollback()
    assert _digests(target) == ["krn-1"]


def test_sqlite_file_is_in_wal_mode_with_foreign_keys_on(tmp_path: Path) -> None:
    with open_database(tmp_path / "mmfuzz.db") as database, database.read() as session:
        pragmas = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
        }
        assert database.facts()["journal"] == "wal"
    assert pragmas == {"journal_mode": "wal", "foreign_keys": 1, "synchronous": 1, "busy_timeout": 30_000}


def test_lock_held_by_another_is_told_after_the_busy_timeout(tmp_path: Path) -> None:
    file = tmp_path / "mmfuzz.db"
    open_database(file).close()
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with open_database(file, busy_timeout_seconds=0.05) as database:
            with pytest.raises(BusyDatabaseError, match="stayed locked"), database.write():
                pass
            with database.read() as session:
                assert session.execute(select(KernelRow.digest)).scalars().all() == []


def test_full_disk_is_told_and_nothing_is_stored(tmp_path: Path) -> None:
    file = tmp_path / "mmfuzz.db"

    def fill(session: Session) -> None:
        session.execute(text("PRAGMA max_page_count=1"))
        for n in range(100):
            session.execute(text(KERNEL.format(digest=f"krn-full-{n}", name="k" * 2000)))

    with pytest.raises(FullDatabaseError, match="no space is left"):
        _insert(file, "krn-1", then=fill)
    assert _digests(file) == []


def test_damaged_file_is_told(tmp_path: Path) -> None:
    file = tmp_path / "mmfuzz.db"
    for n in range(50):
        _insert(file, f"krn-{n}", "k" * 500)
    content = bytearray(file.read_bytes())
    content[2 * 4096 :] = b"\xaa" * (len(content) - 2 * 4096)
    file.write_bytes(content)
    with pytest.raises(DamagedDatabaseError, match="restore a copy"):
        _digests(file)


def test_database_left_by_a_killed_writer_is_read_from_its_log(open_folder: Path) -> None:
    """A copy made while a writer has it open is what a kill leaves: the rows are in the -wal file only."""
    file, copy = open_folder / "mmfuzz.db", open_folder / "copy"
    copy.mkdir()
    with open_database(file) as database:
        with database.write() as session:
            session.execute(text(KERNEL.format(digest="krn-1", name="k")))
        for path in open_folder.glob("mmfuzz.db*"):
            shutil.copy(path, copy / path.name)
    assert (copy / "mmfuzz.db-wal").stat().st_size > 0
    assert _digests(copy / "mmfuzz.db") == ["krn-1"]


def test_errors_of_the_folder_have_one_root_and_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(DatabaseError) as error:
        open_database(tmp_path)
    assert str(error.value) == f"{error.value.what}: {error.value.value}; {error.value.remedy}"
    assert sqlite.WRITES
