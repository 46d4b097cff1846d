"""Which schema a database has, and bringing it to ours.

A database is ours when it has the version table; whatever else has tables belongs to somebody else and is
refused. One transaction takes a schema from any revision to the latest: killed at any moment, it leaves the
old one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Final

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, inspect, text

from db.errors import DamagedDatabaseError, ForeignDatabaseError, NewerSchemaError
from db.sqlite import WRITES

VERSION_TABLE: Final = "mmfuzz_schema"
MIGRATIONS: Final = Path(__file__).parent / "migrations"

# Any number will do, as long as nobody else locks by it on the same server.
_MIGRATION_LOCK: Final = 0x6D6D_6675_7A7A


@cache
def revisions() -> tuple[str, ...]:
    """Every revision this release knows, oldest first."""
    newest_first = ScriptDirectory(str(MIGRATIONS)).walk_revisions()
    return tuple(script.revision for script in newest_first)[::-1]


def find_revision(connection: Connection, place: str) -> str | None:
    """The revision of the database's schema; None when it has no tables at all.

    ForeignDatabaseError, NewerSchemaError or DamagedDatabaseError when it cannot be used. Changes nothing.
    """
    tables = inspect(connection).get_table_names()
    if VERSION_TABLE not in tables:
        _refuse_tables(tables, place)
        return None
    stored = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalars().all()
    if len(stored) != 1:
        raise DamagedDatabaseError("the schema's revision is not known", place, "restore a copy of the database")
    revision = str(stored[0])
    if revision not in revisions():
        known = f"it is at {revision}, this release knows {revisions()[0]} to {revisions()[-1]}"
        raise NewerSchemaError(
            "the database was written by a later release",
            f"{place} ({known})",
            "update mmfuzz; nothing was changed",
        )
    return revision


def upgrade(engine: Engine, place: str) -> bool:
    """Bring the schema to the latest revision, making the tables where there are none; whether it changed.

    Processes that do this at the same time wait for one another.
    """
    with _migrating(engine) as connection:
        if find_revision(connection, place) == revisions()[-1]:
            return False
        command.upgrade(alembic_config(connection), "head")
        _check_foreign_keys(connection)
        return True


def alembic_config(connection: Connection) -> Config:
    """Alembic's settings for our migrations, on a connection that is in a transaction."""
    config = Config()
    # Alembic interpolates its settings like an .ini file.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config


@contextmanager
def _migrating(engine: Engine) -> Iterator[Connection]:
    """A connection in a write transaction that nobody else migrates beside; committed at the end."""
    with engine.connect().execution_options(**{WRITES: True}) as connection:
        if engine.dialect.name == "postgresql":
            with connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
                yield connection
        else:
            with _foreign_keys_off(connection), connection.begin():
                yield connection


@contextmanager
def _foreign_keys_off(connection: Connection) -> Iterator[None]:
    """SQLite alters a table by copying and dropping it, which must not reach the rows that point to it.

    The pragma does nothing inside a transaction, so it is set around it.
    """
    raw = connection.connection.cursor()
    raw.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        raw.execute("PRAGMA foreign_keys=ON")
        raw.close()


def _check_foreign_keys(connection: Connection) -> None:
    if connection.dialect.name == "sqlite":
        broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        assert not broken, f"the migration left rows that point nowhere: {broken[:5]}"


def _refuse_tables(tables: list[str], place: str) -> None:
    if tables:
        shown = ", ".join(sorted(tables)[:5]) + (", ..." if len(tables) > 5 else "")
        raise ForeignDatabaseError(
            "the database is not mmfuzz's",
            f"{place} (it holds {shown})",
            "choose another place; nothing was changed",
        )
