"""What is stored, as lines of JSON: everything, of one moment, the same of both databases; and back."""

import base64
import json
import tracemalloc
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, text

from db import schema, store
from db.database import Database, open_database
from db.errors import DamagedDatabaseError
from db.export_rows import export_rows
from db.models import Base, FailureRow, KernelRow, TraceRow
from db.portable import Scope, kind_of, read_value, writer_of

Lines = list[Any]
KERNEL = "INSERT INTO kernel (digest, name, doc, rules) VALUES (:digest, 'k', '', '{}')"


def export(database: Database, scope: Scope = "all") -> Lines:
    """The lines of an export, read."""
    written: list[bytes] = []
    export_rows(database, scope, "1.2.3", written.append)
    assert all(line.endswith(b"\n") and line.count(b"\n") == 1 for line in written)
    return [json.loads(line) for line in written]


def rows_of(lines: Lines, table: str) -> Lines:
    return [line["row"] for line in lines[1:-1] if line["table"] == table]


def fill(database: Database, records: Any) -> None:
    with database.write() as session:
        run = store.start_run(session, records.run(options={"text": "ü\u2028\N{SNOWMAN}\n\"'\\", "nothing": None}))
        store.save_failures(session, run, [records.failure(1), records.failure(2, ops=4, reference=None)])
        store.save_failure(session, run, records.failure(1, ops=2))
        store.save_trace(session, records.trace("reclaim"))


@pytest.fixture
def filled(database: Database, records: Any) -> Database:
    """One run with two failures, one of them found twice, and a trace that belongs to nothing."""
    fill(database, records)
    return database


def test_header_says_what_the_export_is_and_what_every_column_holds(filled: Database) -> None:
    header = export(filled)[0]
    assert {name: header[name] for name in ("format", "version", "schema", "mmfuzz", "scope")} == {
        "format": "mmfuzz export",
        "version": 1,
        "schema": schema.revisions()[-1],
        "mmfuzz": "1.2.3",
        "scope": "all",
    }
    assert set(header["tables"]) == set(Base.metadata.tables)
    assert header["tables"]["run_failure"] == {
        "run_id": "text",
        "failure_id": "text",
        "count": "integer",
        "first_seen": "time",
        "last_seen": "time",
    }


def test_every_column_of_the_models_has_a_portable_form() -> None:
    for table in Base.metadata.tables.values():
        for column in table.columns:
            assert kind_of(column)


def test_last_line_counts_the_rows_of_every_table(filled: Database) -> None:
    lines = export(filled)
    assert lines[-1] == {"end": {name: len(rows_of(lines, name)) for name in Base.metadata.tables}}
    assert lines[-1]["end"]["failure_trace"] == 3
    assert export_rows(filled, "all", "1.2.3", len) == lines[-1]["end"]


def test_rows_are_written_with_every_column_in_the_order_of_their_keys(filled: Database, records: Any) -> None:
    lines = export(filled)
    (run,) = rows_of(lines, "run")
    assert set(run) == set(Base.metadata.tables["run"].columns.keys())
    assert run["started"] == "2026-11-24T06:20:00.123456Z"
    assert run["ended"] is None
    assert run["options"] == {"text": "ü\u2028\N{SNOWMAN}\n\"'\\", "nothing": None}
    digests = [row["digest"] for row in rows_of(lines, "trace")]
    assert digests == sorted(digests)
    assert records.trace("reclaim").digest in digests


def test_rows_come_after_those_they_point_to(filled: Database) -> None:
    order = [line["table"] for line in export(filled)[1:-1]]
    for table in Base.metadata.tables.values():
        for key in table.foreign_keys:
            if {table.name, key.column.table.name} <= set(order) and table is not key.column.table:
                assert order.index(table.name) > len(order) - 1 - order[::-1].index(key.column.table.name)


def test_both_databases_are_exported_to_the_same_lines(
    request: pytest.FixtureRequest, tmp_path: Path, records: Any
) -> None:
    exports = []
    for target in (tmp_path / "mmfuzz.db", request.getfixturevalue("cluster").new_database()):
        with open_database(target) as database:
            fill(database, records)
            with database.write() as session:
                # Servers of most languages would put these the other way round.
                for digest in ("krn-B", "krn-a", "krn-_"):
                    session.execute(text(KERNEL), {"digest": digest})
            exports.append(export(database))
    assert exports[0] == exports[1]


def test_failures_come_with_their_traces_and_kernels_only(filled: Database, records: Any) -> None:
    with filled.write() as session:
        session.execute(text(KERNEL), {"digest": "krn-other"})
    lines = export(filled, "failures")
    assert lines[0]["scope"] == "failures"
    assert set(lines[0]["tables"]) == {"kernel", "trace", "failure"} == set(lines[-1]["end"])
    failures = rows_of(lines, "failure")
    assert [row["id"] for row in failures] == ["fail-0000000001", "fail-0000000002"]
    shown = {row[name] for row in failures for name in ("original_digest", "minimized_digest")}
    assert {row["digest"] for row in rows_of(lines, "trace")} == shown
    assert records.long_trace(3).digest not in shown
    assert {row["digest"] for row in rows_of(lines, "kernel")} == {records.kernel.digest, records.patched.digest}


def test_export_of_failures_follows_every_pointer_of_a_failure() -> None:
    pointed = {key.column.table.name for key in FailureRow.__table__.foreign_keys}
    assert pointed == {KernelRow.__tablename__, TraceRow.__tablename__}


def test_export_is_of_one_moment_whoever_writes(filled: Database, target: str, records: Any) -> None:
    """Another writer adds to every table when the first row has been read."""
    before = export(filled)
    written: list[bytes] = []

    def write(line: bytes) -> None:
        written.append(line)
        if len(written) == 2:
            with open_database(target) as other:
                fill_more(other, records)

    export_rows(filled, "all", "1.2.3", write)
    assert [json.loads(line) for line in written] == before
    assert export(filled)[-1]["end"]["run"] == 2


def fill_more(database: Database, records: Any) -> None:
    with database.write() as session:
        run = store.start_run(session, records.run(seed=99))
        store.save_failures(session, run, [records.failure(number, ops=number + 5) for number in range(5)])


def test_export_of_an_empty_database_has_a_header_and_an_end(database: Database) -> None:
    header, end = export(database)
    assert header["format"] == "mmfuzz export"
    assert set(end["end"].values()) == {0}


def test_memory_does_not_grow_with_the_rows(database: Database) -> None:
    columns = {"kernel_name": "k", "world": {}, "world_text": "", "ops": 0}
    peaks = []
    for start, rows in ((0, 1_000), (1_000, 4_000)):
        with database.write() as session:
            values = [{"digest": f"trc-{n:06}", "text": "x" * 2_000, **columns} for n in range(start, start + rows)]
            session.execute(insert(TraceRow), values)
        tracemalloc.start()
        assert export_rows(database, "all", "1.2.3", len)["trace"] == start + rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0]


@pytest.mark.parametrize(
    ("column", "value"),
    [("rules", "'{no json'"), ("rules", "'{\"x\": 1e999}'"), ("doc", "x'ff00'"), ("rules", "5")],
)
def test_row_that_cannot_be_read_is_named(tmp_path: Path, column: str, value: str) -> None:
    with open_database(tmp_path / "mmfuzz.db") as database:
        with database.write() as session:
            for digest in ("krn-1", "krn-2"):
                session.execute(text(KERNEL), {"digest": digest})
            session.execute(text(f"UPDATE kernel SET {column} = {value} WHERE digest = 'krn-2'"))
        if value == "5":
            assert rows_of(export(database), "kernel")[1]["rules"] == 5
            return
        with pytest.raises(DamagedDatabaseError, match=r"mmfuzz.db, table kernel, (its first rows|a row after krn-1)"):
            export(database)


def test_database_that_may_only_be_read_is_exported(
    open_folder: Path, as_nobody: Callable[[], Any], records: Any
) -> None:
    file = open_folder / "mmfuzz.db"
    with open_database(file) as database:
        fill(database, records)
        expected = export(database)
    file.chmod(0o444)
    open_folder.chmod(0o555)
    with as_nobody(), closing(open_database(file, "read")) as database:
        assert export(database) == expected


def test_times_are_utc_and_bytes_are_base64() -> None:
    write_time, write_bytes = writer_of("time"), writer_of("binary")
    assert write_time is not None
    assert write_bytes is not None
    time = datetime.fromisoformat("2026-11-24T08:20:00+02:00")
    assert write_time(time) == "2026-11-24T06:20:00.000000Z"
    assert read_value("time", "2026-11-24T06:20:00.000000Z") == time
    assert write_bytes(b"\x00\xff") == base64.b64encode(b"\x00\xff").decode()
    assert read_value("binary", "AP8=") == b"\x00\xff"
