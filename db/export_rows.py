"""Everything that is stored, or the failures, as lines of JSON; the form is in `db.portable`.

Which tables and columns there are, is asked of the models: what is added to them is exported without a change here.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, String, Table, or_, select

from db import schema
from db.database import Database
from db.errors import DamagedDatabaseError
from db.json_text import to_json_text
from db.models import Base, FailureRow
from db.portable import FORMAT, VERSION, Scope, kind_of, writer_of
from db.upsert import table_of

Write = Callable[[bytes], object]

# So few at once that large rows do not matter, and so many that a server is not asked too often.
_ROWS_AT_ONCE = 200


def export_rows(database: Database, scope: Scope, mmfuzz_version: str, write: Write) -> dict[str, int]:
    """Write what is stored, a line at a time, as it is at one moment; how many rows of each table.

    `failures` takes the failures and everything their rows point to: their traces and kernels. Holds a few rows
    in memory, however many there are. DamagedDatabaseError names the row that cannot be read.
    """
    selections = _selections(scope)
    rows = dict.fromkeys((table.name for table, _ in selections), 0)
    write(_header(scope, mmfuzz_version, [table for table, _ in selections]))
    with database.snapshot() as connection:
        for table, condition in selections:
            for line in _lines(connection, table, condition, database.shown):
                write(line)
                rows[table.name] += 1
    write(_line(json.dumps({"end": rows})))
    return rows


def _selections(scope: Scope) -> list[tuple[Table, ColumnElement[bool] | None]]:
    """The tables, those that others point to first, each with the condition on its rows."""
    if scope == "all":
        return [(table, None) for table in Base.metadata.sorted_tables]
    wanted = _pointed_to(table_of(FailureRow))
    return [(table, wanted[table]) for table in Base.metadata.sorted_tables if table in wanted]


def _pointed_to(root: Table) -> dict[Table, ColumnElement[bool] | None]:
    """The root, whole, and every table that it points to over any number of steps, with the rows that are meant."""
    wanted: dict[Table, ColumnElement[bool] | None] = {root: None}
    for table in reversed(Base.metadata.sorted_tables):
        conditions = [
            key.column.in_(_chosen(source, wanted[source], key.parent))
            for source in wanted
            for key in source.foreign_keys
            if key.column.table is table and source is not table
        ]
        if conditions:
            recursive = any(key.column.table is table for key in table.foreign_keys)
            # Which rows of a table its own rows point to is not asked: they are all taken.
            wanted[table] = None if recursive else or_(*conditions)
    return wanted


def _chosen(table: Table, condition: ColumnElement[bool] | None, column: ColumnElement[Any]) -> Select[Any]:
    """The values of a column in the rows that are meant."""
    chosen = select(column).select_from(table).where(column.is_not(None))
    return chosen if condition is None else chosen.where(condition)


def _lines(connection: Connection, table: Table, condition: ColumnElement[bool] | None, shown: str) -> Iterator[bytes]:
    """A table's rows in the order of its key."""
    statement = select(table).order_by(*_key_order(connection, table))
    if condition is not None:
        statement = statement.where(condition)
    names = [column.name for column in table.columns]
    writers = [writer_of(kind_of(column)) for column in table.columns]
    start = f'{{"table":{to_json_text(table.name)},"row":'
    read = "its first rows"
    try:
        for row in connection.execute(statement.execution_options(yield_per=_ROWS_AT_ONCE)):
            values = (
                value if make is None or value is None else make(value)
                for make, value in zip(writers, row, strict=True)
            )
            yield _line(f"{start}{to_json_text(dict(zip(names, values, strict=True)))}}}")
            read = f"a row after {_key_of(table, row)}"
    except (ValueError, TypeError) as error:
        # Types of columns are SQLite's advice only, and JSON is read when the row is.
        raise DamagedDatabaseError(
            "a stored row cannot be read", f"{shown}, table {table.name}, {read} ({error})", "restore a copy"
        ) from error


def _key_order(connection: Connection, table: Table) -> Sequence[ColumnElement[Any]]:
    """The key's columns, as bytes: a server has an order of its own for texts."""
    key = list(table.primary_key.columns)
    if connection.dialect.name != "postgresql":
        return key
    return [column.collate("C") if isinstance(column.type, String) else column for column in key]


def _key_of(table: Table, row: Sequence[Any]) -> str:
    return " ".join(str(value) for column, value in zip(table.columns, row, strict=True) if column.primary_key)


def _header(scope: Scope, mmfuzz_version: str, tables: Sequence[Table]) -> bytes:
    kinds = {table.name: {column.name: kind_of(column) for column in table.columns} for table in tables}
    header = {"format": FORMAT, "version": VERSION, "schema": schema.revisions()[-1], "mmfuzz": mmfuzz_version}
    return _line(json.dumps(header | {"scope": scope, "tables": kinds}))


def _line(text: str) -> bytes:
    return text.encode() + b"\n"
