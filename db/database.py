"""Opening a database, and the transactions on it."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session

from db import schema, sqlite
from db.errors import (
    ForeignDatabaseError,
    MissingDatabaseError,
    OlderSchemaError,
    UnreachableDatabaseError,
    UnwritableDatabaseError,
)
from db.json_text import to_json_text
from db.place import Place, find_place
from db.translate import translated

Access = Literal["read", "write"]

_CONNECT_TIMEOUT_SECONDS = 10

# One page of the smallest size. SQLite itself takes a file of one byte for an empty one and overwrites it.
_SMALLEST_FILE_BYTES = 512


@dataclass(frozen=True, slots=True)
class Database:
    """An open database: transactions that read, transactions that write.

    Keep both short: on SQLite writers wait for one another, and a long reader keeps the write-ahead log from
    being folded in. `writable` is False for a file that may only be looked at.
    """

    shown: str
    engine: Engine
    writable: bool

    @contextmanager
    def read(self) -> Iterator[Session]:
        """A session that asks; it sees the database as it is at its first query, whoever writes meanwhile."""
        reader = self.engine.execution_options(**self._one_moment())
        with translated(self.shown), Session(reader) as session:
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """A connection that sees what a `read` does, and whose rows may be read one by one, however many they are."""
        with translated(self.shown), sqlite.unchanged(self.engine), self.engine.connect() as connection:
            connection = connection.execution_options(**self._one_moment())
            with connection.begin():
                yield connection

    @contextmanager
    def write(self) -> Iterator[Session]:
        """A session whose work is stored whole at the end.

        An exception that leaves the block leaves nothing of it stored.
        """
        if not self.writable:
            raise _unwritable(self.shown)
        writer = self.engine.execution_options(**{sqlite.WRITES: True})
        with translated(self.shown), Session(writer) as session, session.begin():
            # A session begins at its first query; SQLite's write lock is wanted before that.
            session.connection()
            yield session

    def _one_moment(self) -> dict[str, Any]:
        """Options of a transaction on a server; SQLite's see one moment anyway."""
        server = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        return server if self.engine.dialect.name == "postgresql" else {}

    def facts(self) -> dict[str, str]:
        """What it is, for people: place, kind, schema, SQLite's journal mode, whether it is writable."""
        ask = "SELECT sqlite_version()" if self.engine.dialect.name == "sqlite" else "SHOW server_version"
        with translated(self.shown), self.engine.connect() as connection:
            version = connection.exec_driver_sql(ask).scalar_one()
            facts = {"place": self.shown, "kind": f"{self.engine.dialect.name} {version}"}
            facts["schema"] = schema.find_revision(connection, self.shown) or "none"
            if self.engine.dialect.name == "sqlite":
                facts["journal"] = connection.exec_driver_sql("PRAGMA journal_mode").scalar_one()
        return facts | {"writable": "yes" if self.writable else "no"}

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_database(
    target: str | os.PathLike[str], access: Access = "write", *, busy_timeout_seconds: float = 30.0
) -> Database:
    """Open the database at a path or URL, with its schema at the latest revision.

    For writing, a missing SQLite file is made; its folder is not. For reading, nothing is made:
    MissingDatabaseError when nothing was ever stored there. An older schema is brought up to date either way;
    OlderSchemaError when that would need writing a file that may only be read. Any refusal leaves the place
    as it was.
    """
    place = find_place(target)
    with translated(place.shown):
        if place.file is not None:
            return _open_file(place, access, busy_timeout_seconds)
        if place.url.get_backend_name() == "sqlite":
            return _with_schema(Database(place.shown, sqlite.memory_engine(), writable=True), "write")
        return _with_schema(Database(place.shown, _server_engine(place), writable=True), access)


def stored_revision(place: Place) -> str:
    """The schema's revision of what is stored at a place, which is not changed.

    MissingDatabaseError when nothing is; ForeignDatabaseError and others when it is not ours or cannot be used.
    """
    with translated(place.shown):
        if place.file is not None:
            revision = _look_at(place)
        elif place.url.get_backend_name() == "sqlite":
            revision = None
        else:
            with server_connection(place) as connection:
                revision = schema.find_revision(connection, place.shown)
    if revision is None:
        raise _missing(place.shown)
    return revision


@contextmanager
def server_connection(place: Place) -> Iterator[Connection]:
    """A connection to a server for one use."""
    engine = _server_engine(place)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def _open_file(place: Place, access: Access, busy_timeout_seconds: float) -> Database:
    """Open a SQLite file, after a look that changes nothing."""
    assert place.file is not None
    revision = _look_at(place)
    if access == "read" and revision is None:
        raise _missing(place.shown)
    writable = sqlite.may_write(place.file)
    if access == "write" and not writable:
        raise _unwritable(place.shown)
    if writable:
        engine = sqlite.file_engine(place.file, "create" if access == "write" else "write", busy_timeout_seconds)
    elif revision == schema.revisions()[-1]:
        engine = sqlite.file_engine(place.file, "look", busy_timeout_seconds)
        return Database(place.shown, engine, writable=False)
    else:
        raise OlderSchemaError(
            "the database has an older schema and cannot be written",
            place.shown,
            "let its owner open it once",
        )
    return _with_schema(Database(place.shown, engine, writable=True), "write")


def _look_at(place: Place) -> str | None:
    """The schema's revision in a SQLite file; None when the file is missing or empty."""
    assert place.file is not None
    if place.file.is_dir():
        raise UnreachableDatabaseError("a folder is no database", place.shown, "name a file in it")
    if not place.file.parent.is_dir():
        raise UnreachableDatabaseError(
            "the database's folder does not exist", place.shown, f"make {place.file.parent} or choose another"
        )
    if not place.file.exists() or place.file.stat().st_size == 0:
        return None
    if place.file.stat().st_size < _SMALLEST_FILE_BYTES:
        raise ForeignDatabaseError("this file is not a database", place.shown, "choose another; it was left as it is")
    engine = sqlite.file_engine(place.file, "look", busy_timeout_seconds=5.0)
    try:
        with engine.connect() as connection:
            return schema.find_revision(connection, place.shown)
    finally:
        engine.dispose()


def _with_schema(database: Database, access: Access) -> Database:
    """The database, its schema at the latest revision; closed again when it cannot be."""
    try:
        with database.engine.connect() as connection:
            revision = schema.find_revision(connection, database.shown)
        if revision is None and access == "read":
            raise _missing(database.shown)
        if revision != schema.revisions()[-1]:
            schema.upgrade(database.engine, database.shown)
    except BaseException:
        database.close()
        raise
    return database


def _server_engine(place: Place) -> Engine:
    waits = {} if "connect_timeout" in place.url.query else {"connect_timeout": _CONNECT_TIMEOUT_SECONDS}
    return create_engine(place.url, pool_pre_ping=True, json_serializer=to_json_text, connect_args=waits)


def _missing(shown: str) -> MissingDatabaseError:
    return MissingDatabaseError("there is no database", shown, "the first run that stores there makes it")


def _unwritable(shown: str) -> UnwritableDatabaseError:
    return UnwritableDatabaseError(
        "the database cannot be written",
        shown,
        "change the permissions of its file and folder or choose another",
    )
