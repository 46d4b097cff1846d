"""What SQLite needs that a server does not: files, pragmas, and transactions begun by hand.

Python's sqlite3 begins transactions by its own "legacy" rules (not before SELECT, DDL or SAVEPOINT), so it is
told to begin none, and an event sends BEGIN instead. A transaction that will write says BEGIN IMMEDIATE: one
that reads first and writes later fails with SQLITE_BUSY at once when another wrote in between, whatever the
busy timeout.
Source: SQLAlchemy 2.1, dialects/sqlite/base.py, "Enabling Non-Legacy SQLite Transactional Modes".
"""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote, unquote_to_bytes

from sqlalchemy import URL, Connection, Engine, create_engine, event

from db.errors import BusyDatabaseError
from db.json_text import to_json_text

WRITES = "mmfuzz_writes"
"""Execution option of connections whose transactions write."""

Mode = Literal["create", "write", "look"]

_WAL_TRIES = 200
_WAL_PAUSE_SECONDS = 0.02


def file_engine(file: Path, mode: Mode, busy_timeout_seconds: float) -> Engine:
    """An engine on a SQLite file, opened when first used.

    `create` makes the file when it is missing, `write` does not, `look` changes nothing on disk at all.
    """
    url = URL.create("sqlite", database="file:" + quote(os.fsencode(file)), query=_uri_options(file, mode))
    engine = create_engine(url, json_serializer=to_json_text, connect_args={"timeout": busy_timeout_seconds})
    _listen(engine, wal=mode != "look")
    return engine


def memory_engine() -> Engine:
    """An engine on a database of its own in memory, one per thread, gone with the process."""
    engine = create_engine("sqlite://", json_serializer=to_json_text)
    _listen(engine, wal=False)
    return engine


def may_write(file: Path) -> bool:
    """Whether the file can be written, or made when missing.

    The folder has to be writable too, for the -wal and -shm files beside the database.
    """
    effective = os.access in os.supports_effective_ids
    if not os.access(file.parent, os.W_OK | os.X_OK, effective_ids=effective):
        return False
    return not file.exists() or os.access(file, os.R_OK | os.W_OK, effective_ids=effective)


@contextmanager
def unchanged(engine: Engine) -> Iterator[None]:
    """Raise BusyDatabaseError at the end when a file that is looked at as immutable was written to meanwhile.

    SQLite takes no lock on such a file, so what was read may be of two states. On any other engine nothing is done.
    """
    if "immutable" not in engine.url.query:
        yield
        return
    file = Path(os.fsdecode(unquote_to_bytes(str(engine.url.database).removeprefix("file:"))))
    before = _state_of(file)
    yield
    if _state_of(file) != before:
        raise BusyDatabaseError("the database was changed while it was read", str(file), "try again")


def _state_of(file: Path) -> tuple[int, ...]:
    found = file.stat()
    return found.st_ino, found.st_size, found.st_mtime_ns


def _uri_options(file: Path, mode: Mode) -> dict[str, str]:
    """SQLite's URI parameters for a mode; see https://www.sqlite.org/uri.html.

    Even a read-only connection leaves -wal and -shm files beside a WAL database. Without a -wal nobody has
    the database open for writing, so that it can be looked at as immutable, which leaves nothing.
    """
    if mode != "look":
        return {"uri": "true", "mode": "rwc" if mode == "create" else "rw"}
    if file.with_name(file.name + "-wal").exists():
        return {"uri": "true", "mode": "ro"}
    return {"uri": "true", "mode": "ro", "immutable": "1"}


def _listen(engine: Engine, *, wal: bool) -> None:
    @event.listens_for(engine, "connect")
    def prepare(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None
        if wal:
            _switch_to_wal(connection)
        # In WAL mode NORMAL loses no commit when a process dies; a power cut may cost the last ones.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA foreign_keys=ON")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        writes = connection.get_execution_options().get(WRITES, False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _switch_to_wal(connection: sqlite3.Connection) -> None:
    """Put the file in write-ahead mode, for good; costs nothing when it is already.

    Where two processes make the same file at once, SQLite answers BUSY here without calling its busy handler
    (the lock is upgraded), so that the waiting has to be done by hand.
    """
    for _ in range(_WAL_TRIES):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            time.sleep(_WAL_PAUSE_SECONDS)
    connection.execute("PRAGMA journal_mode=WAL")
