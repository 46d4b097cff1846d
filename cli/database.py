"""Opening the database that the settings name, and looking at one without touching it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.orm import Session

from cli.settings import choose_database, inherited_environment, make_default_folder
from db import schema, sqlite
from db.backup import Backup, back_up
from db.database import Database, open_database
from db.errors import MissingDatabaseError
from db.place import Place, find_place
from db.translate import translated

_LOOK_TIMEOUT_SECONDS = 5.0

SchemaState = Literal["missing", "older", "current"]


@dataclass(frozen=True, slots=True)
class DatabaseState:
    """A database as it lies there. `file` is None on a server; `damage` is what SQLite's own check complains of."""

    shown: str
    file: Path | None
    revision: str | None
    latest: str
    writable: bool
    damage: tuple[str, ...] = ()

    @property
    def schema(self) -> SchemaState:
        """missing: nothing was stored there yet; older: the next command that writes brings it up to date."""
        if self.revision is None:
            return "missing"
        return "current" if self.revision == self.latest else "older"


def open_to_write(target: str) -> Database:
    """The database, made when it is missing and brought up to date."""
    make_default_folder(target)
    return open_database(target, "write")


def open_to_read(target: str) -> Database:
    """The database, which must be there; of an older schema it is brought up to date if it can be written."""
    _require_default_folder(target)
    return open_database(target, "read")


def copy_to(file: Path, target: str) -> Backup:
    """Copy the database, which must be there, to a file, which must not; its schema stays what it is."""
    _require_default_folder(target)
    return back_up(target, file.absolute(), inherited_environment())


def look_at(target: str) -> DatabaseState:
    """What is at a place; changes nothing. The errors of db say why it cannot be used."""
    place = find_place(target)
    latest = schema.revisions()[-1]
    if place.file is not None and not place.file.exists():
        return DatabaseState(place.shown, place.file, None, latest, _may_be_made(place.file))
    with _looking(place) as connection:
        revision = schema.find_revision(connection, place.shown)
        writable = place.file is None or sqlite.may_write(place.file)
        return DatabaseState(place.shown, place.file, revision, latest, writable, _damage(connection))


@contextmanager
def look_into(target: str) -> Iterator[Session]:
    """A session on a database of the current schema that changes nothing."""
    with _looking(find_place(target)) as connection, Session(connection) as session:
        yield session


def nearest_folder(file: Path) -> Path:
    """The folder that holds a file, or that the folders on the way to it would be made in."""
    return next(folder for folder in file.parents if folder.is_dir())


def _require_default_folder(target: str) -> None:
    """Tell it as what it is when not even the folder of the default database is there."""
    file = find_place(target).file
    if file is not None and not file.parent.exists() and target == choose_database(None):
        raise MissingDatabaseError("nothing was ever stored", str(file), "the first run that stores makes it")


def _may_be_made(file: Path) -> bool:
    return sqlite.may_write(nearest_folder(file) / file.name)


@contextmanager
def _looking(place: Place) -> Iterator[Connection]:
    with translated(place.shown):
        engine = _looking_engine(place)
        try:
            with engine.connect() as connection:
                yield connection
        finally:
            engine.dispose()


def _looking_engine(place: Place) -> Engine:
    if place.file is not None:
        return sqlite.file_engine(place.file, "look", _LOOK_TIMEOUT_SECONDS)
    waits = {} if "connect_timeout" in place.url.query else {"connect_timeout": int(_LOOK_TIMEOUT_SECONDS)}
    return create_engine(place.url, connect_args=waits)


def _damage(connection: Connection) -> tuple[str, ...]:
    if connection.dialect.name != "sqlite":
        return ()
    said = connection.exec_driver_sql("PRAGMA quick_check(5)").scalars().all()
    return tuple(str(line) for line in said if line != "ok")
