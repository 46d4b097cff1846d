"""An export goes into an empty database whole, or not at all."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    Double,
    ForeignKey,
    LargeBinary,
    MetaData,
    Table,
    Text,
    insert,
    select,
)

from db import store
from db.database import Database, open_database
from db.errors import BadFileError, FilledDatabaseError
from db.export_rows import export_rows
from db.import_rows import import_rows, read_header
from db.models import Base
from db.types import Document, RowNumber, UTCDateTime
from tests.db.conftest import Records

Dump = Callable[[Database], dict[str, list[tuple[Any, ...]]]]


def export(database: Database) -> list[bytes]:
    lines: list[bytes] = []
    export_rows(database, "all", "1.2.3", lines.append)
    return lines


def load(database: Database, lines: list[bytes]) -> dict[str, int]:
    return import_rows(database, read_header(lines, "the file"))


@pytest.fixture(scope="module")
def exported() -> tuple[bytes, ...]:
    """The export of a run with three failures."""
    records = Records()
    with open_database("sqlite://") as source:
        with source.write() as session:
            run = store.start_run(session, records.run())
            store.save_failures(session, run, [records.failure(n, reference=None) for n in range(3)])
        return tuple(export(source))


@pytest.fixture
def lines(exported: tuple[bytes, ...]) -> list[bytes]:
    """The lines of that export, to be changed."""
    return list(exported)


def test_export_comes_back_as_it_was(database: Database, lines: list[bytes], records: Any) -> None:
    rows = load(database, lines)
    assert rows == json.loads(lines[-1])["end"]
    assert export(database) == lines
    with database.write() as session:
        assert store.save_failure(session, records.run().id, records.failure(1)) == "known"


def test_database_that_holds_anything_is_refused_and_left(
    database: Database, lines: list[bytes], records: Any, dump: Dump
) -> None:
    with database.write() as session:
        store.save_trace(session, records.trace("reclaim"))
    before = dump(database)
    with pytest.raises(FilledDatabaseError, match=r"not empty: .* \(1 in table trace\)"):
        load(database, lines)
    assert dump(database) == before


HEADERS = (
    (b"", "not an export: the file; give a file that `mmfuzz db export` wrote"),
    (b"SQLite format 3\x00\xff", "not an export"),
    (b"[1]\n", "not an export"),
    (b'{"format": "letter"}\n', "not an export"),
    (b'{"format": "mmfuzz export", "version": 2}\n', r"another form: the file \(version 2\); this release reads 1"),
    (b'{"format": "mmfuzz export", "version": 1, "schema": "0000"}\n', "another schema: the file .it is at 0000"),
)


@pytest.mark.parametrize(("header", "said"), HEADERS)
def test_file_that_is_no_export_is_told(header: bytes, said: str) -> None:
    with pytest.raises(BadFileError, match=said):
        read_header([header], "the file")


def test_export_of_failures_only_is_told(lines: list[bytes]) -> None:
    with pytest.raises(BadFileError, match="failures only: the file; import one of everything"):
        read_header([lines[0].replace(b'"all"', b'"failures"')], "the file")


def change(lines: list[bytes], table: str, **columns: object) -> int:
    """Change the first row of a table, or take a column out (...); the row's line."""
    number = next(n for n, line in enumerate(lines) if json.loads(line).get("table") == table)
    line = json.loads(lines[number])
    line["row"] = {name: value for name, value in (line["row"] | columns).items() if value is not ...}
    lines[number] = json.dumps(line).encode()
    return number + 1


CHANGES: tuple[tuple[dict[str, object], str], ...] = (
    ({"seed": "1"}, "run.seed: '1' is not an integer of 64 bits"),
    ({"seed": 2**63}, "run.seed: 9223372036854775808 is not an integer"),
    ({"seed": True}, "run.seed: True is not an integer"),
    ({"seed": -1}, "the rows before it do not fit"),
    ({"seed": ...}, "the row of run has no seed"),
    ({"mood": "calm"}, "run has no column mood; it has id, "),
    ({"kernel_name": None}, "the rows before it do not fit"),
    ({"kernel_name": 5}, "run.kernel_name: 5 is not a text"),
    ({"kernel_name": "\ud800"}, "the rows before it do not fit"),
    ({"options": {"x": "\ud800"}}, "the rows before it do not fit"),
    ({"kernel_digest": "krn-missing"}, "the rows before it do not fit|FOREIGN KEY"),
    ({"started": "yesterday"}, "run.started: 'yesterday' is not a time such as 2026"),
    ({"started": "2026-01-01T00:00:00"}, "run.started: '2026-01-01T00:00:00' is not a time such as"),
    ({"seconds": "long"}, "run.seconds: 'long' is not a number"),
    ({"state": "asleep"}, "the rows before it do not fit"),
)


@pytest.mark.parametrize(("columns", "said"), CHANGES)
def test_row_that_is_wrong_is_told_by_its_line_and_nothing_is_stored(
    database: Database, lines: list[bytes], columns: dict[str, object], said: str
) -> None:
    change(lines, "run", **columns)
    with pytest.raises(BadFileError, match=rf"not a whole export: the file:\d+: {said}.*; nothing was stored of it"):
        load(database, lines)
    assert set(json.loads(export(database)[-1])["end"].values()) == {0}


def test_line_of_a_wrong_value_is_named_exactly(database: Database, lines: list[bytes]) -> None:
    number = change(lines, "failure", seed="1")
    with pytest.raises(BadFileError, match=rf"the file:{number}: failure.seed"):
        load(database, lines)


def cut(lines: list[bytes]) -> None:
    del lines[-1]


def cut_within(lines: list[bytes]) -> None:
    del lines[-1]
    lines[-1] = lines[-1][:-20]


def drop_a_row(lines: list[bytes]) -> None:
    del lines[-2]


def repeat_a_row(lines: list[bytes]) -> None:
    lines.insert(3, lines[2])


def go_on_after_the_end(lines: list[bytes]) -> None:
    lines.append(lines[1])


def put_in(line: bytes) -> Callable[[list[bytes]], None]:
    return lambda lines: lines.insert(1, line)


BROKEN: tuple[tuple[Callable[[list[bytes]], None], str], ...] = (
    (cut, "the last line is missing: the export was cut off"),
    (cut_within, "the file:"),
    (drop_a_row, "rows are missing or too many"),
    (repeat_a_row, "the rows before it do not fit"),
    (go_on_after_the_end, "nothing may follow the last line"),
    (put_in(b'{"table": "letter", "row": {}}\n'), "there is no table 'letter'; there are "),
    (put_in(b'{"table": ["run"], "row": {}}\n'), "there is no table"),
    (put_in(b'{"row": {}}\n'), "the file:2: neither"),
    (put_in(b"5\n"), "the file:2: neither"),
    (put_in(b"\n"), "the file:2: "),
    (put_in(b'{"end": NaN}\n'), "the file:2: JSON has no NaN"),
    (put_in(b"[" * 100_000), "the file:2: "),
    (put_in(b"\xff\xfe\n"), "the file:2: "),
    (put_in(b"9" * 10_000), "the file:2: "),
)


@pytest.mark.parametrize(("damage", "said"), BROKEN, ids=[said for _, said in BROKEN])
def test_export_that_is_not_whole_is_told_and_nothing_is_stored(
    database: Database, lines: list[bytes], damage: Callable[[list[bytes]], None], said: str
) -> None:
    damage(lines)
    with pytest.raises(BadFileError, match=said):
        load(database, lines)
    assert set(json.loads(export(database)[-1])["end"].values()) == {0}


@pytest.fixture
def nodes(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """A table with a column of every kind, whose rows point to one another, in place of all of ours."""
    metadata = MetaData()
    table = Table(
        "node",
        metadata,
        Column("id", RowNumber, primary_key=True, autoincrement=True),
        Column("next_id", RowNumber, ForeignKey("node.id")),
        Column("name", Text()),
        Column("share", Double()),
        Column("flag", Boolean()),
        Column("at", UTCDateTime()),
        Column("content", LargeBinary()),
        Column("document", Document),
        CheckConstraint("id > 0", name="id_positive"),
    )
    metadata.create_all(database.engine)
    with monkeypatch.context() as patched:
        patched.setattr(Base, "metadata", metadata)
        yield table
    metadata.drop_all(database.engine)


def test_columns_of_every_kind_and_rows_that_point_to_later_ones_come_back(database: Database, nodes: Table) -> None:
    full = {
        "name": "ü",
        "share": 0.1,
        "flag": True,
        "at": datetime(2026, 11, 24, 6, 20, 0, 5, tzinfo=UTC),
        "content": bytes(range(256)),
        "document": [1, None, {"x": 0.5, "y": []}],
    }
    nothing = dict.fromkeys(full)
    with database.write() as session:
        session.execute(insert(nodes), [{"id": 3, **full}, {"id": 1, **nothing}, {"id": 7, **full, "content": b""}])
        for here, there in ((1, 7), (3, 3), (7, 1)):
            session.execute(nodes.update().where(nodes.c.id == here).values(next_id=there))
    lines = export(database)
    with database.write() as session:
        session.execute(nodes.update().values(next_id=None))
        session.execute(nodes.delete())
    assert load(database, lines) == {"node": 3}
    assert export(database) == lines
    with database.read() as session:
        rows = session.execute(select(nodes).order_by(nodes.c.id)).mappings().all()
    assert [row["next_id"] for row in rows] == [7, 3, 1]
    assert {name: rows[1][name] for name in full} == full


def test_numbers_that_the_database_gives_go_on_behind_those_imported(database: Database, nodes: Table) -> None:
    with database.write() as session:
        session.execute(insert(nodes), [{"id": 41}])
    lines = export(database)
    with database.write() as session:
        session.execute(nodes.delete())
    load(database, lines)
    with database.write() as session:
        given = session.execute(insert(nodes).values(name="later").returning(nodes.c.id)).scalar_one()
    assert given == 42


def test_import_into_no_rows_leaves_the_numbers_where_they_were(database: Database, nodes: Table) -> None:
    load(database, export(database))
    with database.write() as session:
        assert session.execute(insert(nodes).values(name="first").returning(nodes.c.id)).scalar_one() == 1
