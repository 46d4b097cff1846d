"""A copy of a database, made while others write to it: whole, of one moment, and checked."""

import shutil
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Final, Literal

from db import pg_dump, schema, sqlite
from db.database import stored_revision
from db.errors import BusyDatabaseError, DamagedDatabaseError, UnwritableFileError
from db.new_file import full_file, new_file
from db.place import Place, find_place
from db.translate import translated

_BUSY_TIMEOUT_SECONDS: Final = 30.0

# 4 MB with pages of the usual size. Between two steps the user can interrupt.
_PAGES_AT_ONCE: Final = 1024


@dataclass(frozen=True, slots=True)
class Backup:
    """A copy that was made. `form` says what can read it: SQLite and mmfuzz itself, or pg_restore."""

    shown: str
    file: Path
    form: Literal["sqlite", "pg_dump"]
    revision: str
    size_bytes: int


def back_up(target: str | PathLike[str], file: Path, environment: Mapping[str, str]) -> Backup:
    """Copy the database at a path or URL, as it is at one moment, to a file that must not exist.

    The database is not changed; an older schema stays what it is. SQLite is copied page by page and the copy
    checked; PostgreSQL by its own pg_dump, found on the PATH of `environment`, which is also the environment
    it gets. An exception leaves nothing at `file`.
    """
    place = find_place(target)
    revision = stored_revision(place)
    with new_file(file) as part:
        if place.file is not None:
            _copy(place, part, file)
            revision = _check(part, file)
            shutil.copymode(place.file, part)
        else:
            pg_dump.dump(place, part, file, environment)
        size = part.stat().st_size
    return Backup(place.shown, file, "pg_dump" if place.file is None else "sqlite", revision, size)


def _copy(place: Place, part: Path, file: Path) -> None:
    """Copy the pages of a SQLite file, the log's included.

    A read transaction is held meanwhile. Without it, SQLite begins again whenever another process has written.
    Source: sqlite3_backup_step(), which ends a transaction only if it began it.
    """
    assert place.file is not None
    mode: Literal["write", "look"] = "write" if sqlite.may_write(place.file) else "look"
    engine = sqlite.file_engine(place.file, mode, _BUSY_TIMEOUT_SECONDS)
    try:
        with translated(place.shown), sqlite.unchanged(engine), engine.connect() as connection:
            connection.exec_driver_sql(f"SELECT version_num FROM {schema.VERSION_TABLE}").all()
            source = connection.connection.driver_connection
            assert isinstance(source, sqlite3.Connection)
            assert source.in_transaction
            with closing(sqlite3.connect(part, isolation_level=None)) as copy:
                # Nothing is to be rolled back to, and new_file() waits for the disk.
                copy.execute("PRAGMA journal_mode=OFF")
                copy.execute("PRAGMA synchronous=OFF")
                _copy_pages(source, copy, place.shown, file)
    finally:
        engine.dispose()


def _copy_pages(source: sqlite3.Connection, copy: sqlite3.Connection, shown: str, file: Path) -> None:
    try:
        source.backup(copy, pages=_PAGES_AT_ONCE, progress=lambda *_pages: None)
    except sqlite3.Error as error:
        match error.sqlite_errorcode & 0xFF:
            case sqlite3.SQLITE_FULL:
                raise full_file(file) from error
            case sqlite3.SQLITE_BUSY | sqlite3.SQLITE_LOCKED:
                raise BusyDatabaseError("the database stayed locked by others", shown, "try again") from error
            case _:
                raise UnwritableFileError(
                    "the copy cannot be made",
                    f"{shown} to {file} ({error})",
                    "check both disks; nothing was left of it",
                ) from error


def _check(part: Path, file: Path) -> str:
    """The schema's revision in a copy that SQLite finds whole. DamagedDatabaseError when it does not."""
    engine = sqlite.file_engine(part, "look", _BUSY_TIMEOUT_SECONDS)
    try:
        with translated(str(file)), engine.connect() as connection:
            said = connection.exec_driver_sql("PRAGMA integrity_check(3)").scalars().all()
            if said != ["ok"]:
                raise DamagedDatabaseError(
                    "the copy is damaged, as the database may be",
                    f"{file} ({'; '.join(map(str, said))})",
                    "look at the database with `mmfuzz db check`; the copy was not kept",
                )
            revision = schema.find_revision(connection, str(file))
            assert revision is not None, "the copy has no schema"
            return revision
    finally:
        engine.dispose()
