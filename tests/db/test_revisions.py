"""What a release of any revision stored is there after the upgrade, and today's queries read it."""

import importlib
import inspect
import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Boolean, Connection, Double, Engine, LargeBinary, Text, column, create_engine, table, text
from sqlalchemy import inspect as look_into

from db import queries, schema, sqlite
from db.database import Database, open_database
from db.errors import UnreadableError
from db.export_rows import export_rows
from db.models import Base
from db.place import find_place
from db.portable import Kind, read_value
from db.types import Big, Document, UTCDateTime

Row = dict[str, Any]
Tables = dict[str, list[Row]]

TYPES: dict[Kind, Any] = {
    "text": Text(),
    "integer": Big,
    "number": Double(),
    "boolean": Boolean(),
    "time": UTCDateTime(),
    "binary": LargeBinary(),
    "json": Document,
}

# By revision and table, what later revisions make of a row. What is not here must be as it was.
CHANGED: dict[tuple[str, str], Callable[[Row], Row]] = {}


@dataclass(frozen=True, slots=True)
class Past:
    """What a release stored: its revision, the kinds of all columns, and the rows by table."""

    revision: str
    kinds: dict[str, dict[str, Kind]]
    tables: Tables


def read_past(path: Path) -> Past:
    """The data in an export."""
    header, *lines = map(json.loads, path.read_text("utf-8").splitlines())
    tables: Tables = {name: [] for name in header["tables"]}
    for line in lines[:-1]:
        tables[line["table"]].append(line["row"])
    assert lines[-1] == {"end": {name: len(rows) for name, rows in tables.items()}}
    assert header["schema"] == path.stem
    return Past(header["schema"], header["tables"], tables)


PASTS = [read_past(path) for path in sorted((Path(__file__).parent / "revisions").glob("*.jsonl"))]


def engine_of(target: str) -> Engine:
    """An engine on a place where nothing is."""
    place = find_place(target)
    return create_engine(place.url) if place.file is None else sqlite.file_engine(place.file, "create", 5.0)


def store(connection: Connection, past: Past) -> None:
    """Store the rows of the past, whatever points to what."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SET LOCAL session_replication_role = replica"))
    for name, rows in past.tables.items():
        kinds = past.kinds[name]
        into = table(name, *(column(each, TYPES[kind]) for each, kind in kinds.items()))
        values = [{each: read_value(kinds[each], value) for each, value in row.items()} for row in rows]
        connection.execute(into.insert(), values)


@pytest.fixture(params=PASTS, ids=lambda past: past.revision)
def past(request: pytest.FixtureRequest, target: str) -> Past:
    """What a release stored; it lies at `target`, at that release's revision."""
    stored: Past = request.param
    engine = engine_of(target)
    with schema._migrating(engine) as connection:
        command.upgrade(schema.alembic_config(connection), stored.revision)
        store(connection, stored)
    engine.dispose()
    return stored


@pytest.fixture
def upgraded(past: Past, target: str) -> Iterator[Database]:
    """The database with what a release stored, opened by this one."""
    assert past.tables
    with open_database(target) as database:
        yield database


def exported(database: Database) -> Tables:
    """Every row that is stored, in the form of an export."""
    lines: list[bytes] = []
    export_rows(database, "all", "0", lines.append)
    tables: Tables = {name: [] for name in Base.metadata.tables}
    for line in map(json.loads, lines[1:-1]):
        tables[line["table"]].append(line["row"])
    return tables


def as_later(past: Past, name: str, row: Row) -> Row:
    """What must be there of a row."""
    change = CHANGED.get((past.revision, name))
    return row if change is None else change(row)


def test_data_of_a_revision_have_every_column_and_a_row_of_every_table(past: Past, target: str) -> None:
    engine = engine_of(target)
    found = look_into(engine)
    columns = {
        name: {each["name"] for each in found.get_columns(name)}
        for name in found.get_table_names()
        if name != schema.VERSION_TABLE
    }
    engine.dispose()
    assert {name: set(kinds) for name, kinds in past.kinds.items()} == columns
    empty = [name for name, rows in past.tables.items() if not rows]
    assert not empty, f"tests/db/revisions/{past.revision}.jsonl has no row of {', '.join(empty)}; see README.md there"


def test_every_row_of_an_older_revision_is_as_it_was(past: Past, upgraded: Database) -> None:
    found = exported(upgraded)
    for name, rows in past.tables.items():
        key = [each.name for each in Base.metadata.tables[name].primary_key.columns]
        by_key = {tuple(row[each] for each in key): row for row in found[name]}
        for row in rows:
            expected = as_later(past, name, row)
            there = by_key[tuple(expected[each] for each in key)]
            assert {each: there[each] for each in expected} == expected
        assert len(by_key) == len(rows), f"{name} has other rows than before"


def test_upgraded_from_an_older_revision_has_no_difference_to_the_models(upgraded: Database) -> None:
    with upgraded.engine.connect() as connection:
        options = {"version_table": schema.VERSION_TABLE, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata) == []
        assert schema.find_revision(connection, "here") == schema.revisions()[-1]
        if connection.dialect.name == "sqlite":
            assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
            assert connection.exec_driver_sql("PRAGMA foreign_key_check").all() == []


def test_queries_read_the_failures_and_runs_of_an_older_revision(past: Past, upgraded: Database) -> None:
    sightings = past.tables["run_failure"]
    counts: Counter[str] = Counter()
    for row in sightings:
        counts[row["failure_id"]] += row["count"]
    with upgraded.read() as session:
        failures = queries.list_failures(session)
        assert {each.id: each.count for each in failures} == counts
        for failure in failures:
            assert queries.get_failure(session, failure.id) == failure
            findings = queries.list_findings(session, failure.id)
            pairs = {(each.original_digest, each.minimized_digest) for each in findings}
            assert (failure.original.digest, failure.minimized.digest) in pairs
        runs = queries.list_runs(session)
        assert {run.id: run.failures for run in runs} == {
            row["id"]: sum(each["run_id"] == row["id"] for each in sightings) for row in past.tables["run"]
        }
        assert [queries.get_run(session, run.id) for run in runs] == list(runs)


def test_queries_read_the_traces_and_kernels_of_an_older_revision(past: Past, upgraded: Database) -> None:
    with upgraded.read() as session:
        for row in past.tables["trace"]:
            assert len(queries.get_trace(session, row["digest"]).trace().ops) == row["ops"]
        for row in past.tables["kernel"]:
            try:
                assert queries.get_kernel(session, row["digest"]).name == row["name"]
            except UnreadableError as error:
                # Rules are older or newer than the schema. One that says nothing of a rule is told.
                assert "use the release that stored it" in str(error)  # noqa: PT017


def test_queries_that_ask_for_nothing_answer_about_an_older_revision(upgraded: Database) -> None:
    asked = 0
    for path in Path(queries.__file__).parent.glob("*queries.py"):
        module = importlib.import_module(f"db.{path.stem}")
        for name, query in inspect.getmembers(module, inspect.isfunction):
            needed = [each.name for each in inspect.signature(query).parameters.values() if each.default is each.empty]
            if name.startswith("list_") and needed == ["session"]:
                with upgraded.read() as session:
                    query(session)
                asked += 1
    assert asked >= 2
