"""The migrations make what the models say, on both kinds of database."""

import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError

from db import schema
from db.database import Access, Database, open_database
from db.errors import DamagedDatabaseError, ForeignDatabaseError, NewerSchemaError, OlderSchemaError
from db.migrations.draft import draft_revision
from db.models import Base
from db.place import find_place


def _execute(database: Database, statement: str) -> None:
    with database.write() as session:
        session.execute(text(statement))


def _shape(connection: Connection) -> dict[str, Any]:
    """Everything the database says about our tables, in a form that can be compared."""
    found = inspect(connection)
    return {
        table: {
            "columns": {c["name"]: (str(c["type"]), c["nullable"]) for c in found.get_columns(table)},
            "primary": found.get_pk_constraint(table)["constrained_columns"],
            "indexes": sorted((i["name"], i["column_names"]) for i in found.get_indexes(table)),
            "foreign": sorted(
                (f["name"], f["constrained_columns"], f["referred_table"]) for f in found.get_foreign_keys(table)
            ),
            "unique": sorted((u["name"], u["column_names"]) for u in found.get_unique_constraints(table)),
            "checks": sorted((c["name"], c["sqltext"]) for c in found.get_check_constraints(table)),
        }
        for table in Base.metadata.tables
    }


def _made_from_models(target: str) -> Engine:
    engine = create_engine(find_place(target).url)
    Base.metadata.create_all(engine)
    return engine


def test_schema_upgraded_from_nothing_has_no_difference_to_the_models(database: Database) -> None:
    with database.engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []
        assert schema.find_revision(connection, "here") == schema.revisions()[-1]


def test_schema_upgraded_from_nothing_has_every_constraint_of_the_models(
    database: Database, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if database.engine.dialect.name == "sqlite":
        other = str(tmp_path / "models.db")
    else:
        other = request.getfixturevalue("cluster").new_database()
    from_models = _made_from_models(other)
    with from_models.connect() as expected, database.engine.connect() as migrated:
        assert _shape(migrated) == _shape(expected)
    from_models.dispose()


def test_schema_numbers_its_revisions_without_a_gap() -> None:
    assert schema.revisions() == tuple(f"{n:04}" for n in range(1, len(schema.revisions()) + 1))


def test_schema_upgraded_twice_does_not_change(target: str) -> None:
    with open_database(target) as database:
        assert schema.upgrade(database.engine, "here") is False


def test_every_column_and_table_carries_a_comment() -> None:
    for table in Base.metadata.tables.values():
        assert table.comment, table.name
        for column in table.columns:
            assert column.comment, f"{table.name}.{column.name}"


def test_every_constraint_has_a_name() -> None:
    for table in Base.metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, f"{table.name}: {constraint}"


@pytest.mark.parametrize("access", ["read", "write"])
def test_newer_schema_is_refused_and_left_alone(target: str, access: Access) -> None:
    with open_database(target) as database:
        _execute(database, f"UPDATE {schema.VERSION_TABLE} SET version_num = '9999'")
    with pytest.raises(NewerSchemaError, match=r"it is at 9999, this release knows 0001 to \d{4}"):
        open_database(target, access)
    engine = create_engine(find_place(target).url)
    with engine.connect() as connection:
        assert connection.execute(text(f"SELECT version_num FROM {schema.VERSION_TABLE}")).scalar() == "9999"
    engine.dispose()


def test_lost_revision_is_told_as_damage(target: str) -> None:
    with open_database(target) as database:
        _execute(database, f"DELETE FROM {schema.VERSION_TABLE}")
    with pytest.raises(DamagedDatabaseError):
        open_database(target)


@pytest.mark.parametrize("access", ["read", "write"])
def test_tables_of_others_are_refused_and_left_alone(target: str, access: Access) -> None:
    engine = create_engine(find_place(target).url)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE letters (x INTEGER)"))
    with pytest.raises(ForeignDatabaseError, match="letters"):
        open_database(target, access)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == ["letters"]
    engine.dispose()


def test_upgrade_that_fails_leaves_the_database_empty(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_connection: Connection) -> None:
        raise RuntimeError("after the last table")

    with monkeypatch.context() as patched:
        patched.setattr(schema, "_check_foreign_keys", fail)
        with pytest.raises(RuntimeError, match="after the last table"):
            open_database(target)
    engine = create_engine(find_place(target).url)
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    open_database(target).close()


A_KERNEL = "INSERT INTO kernel (digest, name, doc, rules) VALUES ('krn-1', 'k', '', '{}')"
A_RUN = """
INSERT INTO run (id, kernel_digest, kernel_name, world, world_text, engine, seed, options, versions, state,
    started, heard, seconds, traces, ops, rows_covered, rows_total)
VALUES ('run-1', 'krn-1', 'k', '{}', '', 'random', 1, '{}', '{}', 'running',
    '2026-01-01', '2026-01-01', 0, 0, 0, 0, 0)
"""

NEXT_REVISION = """
import sqlalchemy as sa
from alembic import op

revision = "{number:04}"
down_revision = "{before:04}"


def upgrade() -> None:
    # Copying a table that others point to is the hardest thing a migration does on SQLite.
    with op.batch_alter_table("kernel", recreate="auto") as table:
        table.add_column(sa.Column("mood", sa.Text(), nullable=False, server_default="calm"))
        table.alter_column("doc", existing_type=sa.Text(), nullable=True)
"""


@pytest.fixture
def next_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """Call it, and from then on the program is a release with one revision more."""
    migrations = tmp_path / "migrations 100%"
    shutil.copytree(schema.MIGRATIONS, migrations)
    number = len(schema.revisions()) + 1
    revision = NEXT_REVISION.format(number=number, before=number - 1)
    (migrations / "versions" / f"{number:04}_mood.py").write_text(revision)

    def release() -> None:
        monkeypatch.setattr(schema, "MIGRATIONS", migrations)
        schema.revisions.cache_clear()

    yield release
    monkeypatch.undo()
    schema.revisions.cache_clear()


A_TRACE = """
INSERT INTO trace (digest, kernel_name, world, world_text, text, ops) VALUES ('trc-1', 'k', '{}', '', '', 0)
"""
A_FAILURE = """
INSERT INTO failure (id, signature, oracle, class, kind, kernel_digest, kernel_name, original_digest, minimized_digest,
    verdict, reason, violation, cause, minimization, seed, options, versions, first_seen, last_seen)
VALUES ('{id}', '{id}', 'o', '{cls}', 'anon', 'krn-1', 'k', 'trc-1', 'trc-1', 'FAIL', '', '{{}}', '{{}}', '{{}}', 1,
    '{{}}', '{{}}', '2026-01-01', '2026-01-01')
"""
A_SIGHTING = """
INSERT INTO run_failure (run_id, failure_id, count, first_seen, last_seen)
VALUES ('run-1', 'fail-1', 1, '2026-01-01', '2026-01-01')
"""


@pytest.fixture
def first_release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], None]]:
    """The program is the release whose schema was 0001, until it is called."""
    migrations = tmp_path / "first"
    shutil.copytree(schema.MIGRATIONS, migrations)
    for later in (migrations / "versions").glob("000[2-9]_*.py"):
        later.unlink()
    monkeypatch.setattr(schema, "MIGRATIONS", migrations)
    schema.revisions.cache_clear()

    def update() -> None:
        monkeypatch.undo()
        schema.revisions.cache_clear()

    yield update
    update()


def test_class_conformance_comes_with_0002_and_everything_stored_stays(
    target: str, first_release: Callable[[], None]
) -> None:
    with open_database(target) as database:
        for statement in (A_KERNEL, A_RUN, A_TRACE, A_FAILURE.format(id="fail-1", cls="cost"), A_SIGHTING):
            _execute(database, statement)
        with pytest.raises(IntegrityError):
            _execute(database, A_FAILURE.format(id="fail-2", cls="conformance"))
    first_release()
    with open_database(target) as database:
        _execute(database, A_FAILURE.format(id="fail-2", cls="conformance"))
        with pytest.raises(IntegrityError):
            _execute(database, A_FAILURE.format(id="fail-3", cls="taste"))
        with database.read() as session:
            assert session.execute(text("SELECT id, class FROM failure ORDER BY id")).all() == [
                ("fail-1", "cost"),
                ("fail-2", "conformance"),
            ]
            assert session.execute(text("SELECT failure_id FROM run_failure")).all() == [("fail-1",)]


@pytest.mark.parametrize("access", ["read", "write"])
def test_older_schema_is_brought_up_to_date_with_its_data(
    target: str, access: Access, next_release: Callable[[], None]
) -> None:
    with open_database(target) as database:
        _execute(database, A_KERNEL)
        _execute(database, A_RUN)
    next_release()
    with open_database(target, access) as database, database.read() as session:
        assert session.execute(text("SELECT name, mood FROM kernel")).all() == [("k", "calm")]
        assert session.execute(text("SELECT id FROM run")).all() == [("run-1",)]


def test_older_schema_that_cannot_be_written_is_refused(
    open_folder: Path,
    as_nobody: Callable[[], AbstractContextManager[None]],
    next_release: Callable[[], None],
) -> None:
    file = open_folder / "mmfuzz.db"
    open_database(file).close()
    file.chmod(0o444)
    next_release()
    with as_nobody(), pytest.raises(OlderSchemaError, match="cannot be written"):
        open_database(file, "read")


def test_draft_of_a_revision_makes_what_the_models_have_more(target: str, next_release: Callable[[], None]) -> None:
    before = len(schema.revisions())
    next_release()
    drafted = draft_revision("one time more").read_text()
    # The models know nothing of the column the release before added.
    assert "batch_op.drop_column('mood')" in drafted
    assert "batch_op.alter_column('doc'" in drafted
    schema.revisions.cache_clear()
    with open_database(target) as database, database.engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
        assert schema.find_revision(connection, "here") == f"{before + 2:04}"


def test_sqlite_keeps_foreign_keys_on_after_an_upgrade(tmp_path: Path) -> None:
    with open_database(tmp_path / "mmfuzz.db") as database, database.write() as session:
        assert session.execute(text("PRAGMA foreign_keys")).scalar() == 1
        assert sqlite3.sqlite_version_info >= (3, 35)
