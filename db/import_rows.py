"""Filling an empty database with an export; the form is in `db.portable`."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from sqlalchemy import Column, Connection, Table, bindparam, func, select, text, update
from sqlalchemy.exc import DataError, IntegrityError, StatementError

from db import schema
from db.database import Database
from db.errors import BadFileError, FilledDatabaseError
from db.models import Base
from db.portable import FORMAT, VERSION, Kind, kind_of, read_value

_ROWS_AT_ONCE: Final = 500

# What JSON can say and no database takes: half a character, an endless number, too many brackets.
_UNFIT: Final = (ValueError, RecursionError)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Export:
    """An export whose header was read and is one of ours; `source` is what messages call it."""

    source: str
    lines: Iterator[bytes]


def read_header(lines: Iterable[bytes], source: str) -> Export:
    """The export in these lines. BadFileError when it is none, or none that this release can import."""
    rest = iter(lines)
    try:
        header = json.loads(next(rest, b""))
    except ValueError:
        header = None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        raise BadFileError("not an export", source, "give a file that `mmfuzz db export` wrote")
    if header.get("version") != VERSION:
        raise BadFileError(
            "an export in another form", f"{source} (version {header.get('version')})", f"this release reads {VERSION}"
        )
    if header.get("schema") != schema.revisions()[-1]:
        raise BadFileError(
            "an export of another schema",
            f"{source} (it is at {header.get('schema')}, this release at {schema.revisions()[-1]})",
            f"import it with mmfuzz {header.get('mmfuzz')}, then `mmfuzz db upgrade`",
        )
    if header.get("scope") != "all":
        raise BadFileError("an export of failures only", source, "import one of everything: without --failures")
    return Export(source, rest)


def import_rows(database: Database, export: Export) -> dict[str, int]:
    """Store all rows of an export in a database that has none, or none of them; how many of each table.

    FilledDatabaseError when anything is stored there. BadFileError names the line that is wrong.
    """
    with database.write() as session:
        connection = session.connection()
        _require_empty(connection, database.shown)
        filling = _Filling(connection, export.source)
        for number, line in enumerate(export.lines, 2):
            filling.take(number, line)
        rows = filling.finish()
        _move_sequences(connection)
        return rows


def _require_empty(connection: Connection, shown: str) -> None:
    """Refuse a database that holds anything; on a server nobody else can write from here on."""
    tables = Base.metadata.sorted_tables
    if connection.dialect.name == "postgresql":
        quoted = ", ".join(connection.dialect.identifier_preparer.format_table(table) for table in tables)
        connection.execute(text(f"LOCK TABLE {quoted} IN SHARE ROW EXCLUSIVE MODE"))
    for table in tables:
        count = connection.execute(select(func.count()).select_from(table)).scalar_one()
        if count:
            raise FilledDatabaseError(
                "the database is not empty", f"{shown} ({count} in table {table.name})", "choose a place with nothing"
            )


class _Filling:
    """Takes an export's lines one after another, and stores their rows some at a time."""

    def __init__(self, connection: Connection, source: str) -> None:
        self._connection = connection
        self._source = source
        self._tables = {table.name: table for table in Base.metadata.sorted_tables}
        self._kinds = {
            table.name: {column.name: kind_of(column) for column in table.columns} for table in self._tables.values()
        }
        self._stored = dict.fromkeys(self._tables, 0)
        self._waiting: list[Row] = []
        self._table = ""
        self._number = 1
        self._ended: object = None
        # Keys and pointers of rows that point to rows of their own table, which may come later.
        self._pointers: dict[Column[Any], list[Row]] = {}

    def take(self, number: int, line: bytes) -> None:
        """One line, the so manyth of the export."""
        self._number = number
        try:
            value = json.loads(line, parse_constant=_refuse_constant)
        except (ValueError, RecursionError) as error:
            self._refuse(str(error))
        if self._ended is not None:
            self._refuse("nothing may follow the last line")
        match value:
            case {"table": str(name), "row": dict(row), **rest} if not rest and name in self._tables:
                self._add(name, row)
            case {"end": dict(counts), **rest} if not rest:
                self._ended = counts
            case {"table": name, "row": dict()}:
                self._refuse(f"there is no table {name!r}; there are {', '.join(self._tables)}")
            case _:
                self._refuse('neither {"table": ..., "row": ...} nor {"end": ...}')

    def finish(self) -> dict[str, int]:
        """How many rows of each table are stored, which must be as many as the export says."""
        self._store()
        for column, rows in self._pointers.items():
            self._point(column, rows)
        if self._ended is None:
            self._refuse("the last line is missing: the export was cut off")
        if self._ended != self._stored:
            self._refuse(f"rows are missing or too many: it says {self._ended}, and has {self._stored}")
        return self._stored

    def _add(self, name: str, row: Row) -> None:
        if name != self._table or len(self._waiting) == _ROWS_AT_ONCE:
            self._store()
            self._table = name
        self._waiting.append(self._read(self._kinds[name], row))

    def _read(self, kinds: dict[str, Kind], row: Row) -> Row:
        """The columns of a row, none missing and none unknown."""
        if missing := kinds.keys() - row.keys():
            self._refuse(f"the row of {self._table} has no {', '.join(sorted(missing))}")
        if unknown := row.keys() - kinds.keys():
            self._refuse(f"{self._table} has no column {', '.join(sorted(unknown))}; it has {', '.join(kinds)}")
        values: Row = {}
        for name, kind in kinds.items():
            try:
                values[name] = read_value(kind, row[name])
            except ValueError as error:
                self._refuse(f"{self._table}.{name}: {error}")
        return values

    def _store(self) -> None:
        """Store the rows that wait."""
        if not self._waiting:
            return
        table = self._tables[self._table]
        self._set_pointers_aside(table)
        self._execute(table.insert(), self._waiting)
        self._stored[self._table] += len(self._waiting)
        self._waiting = []

    def _set_pointers_aside(self, table: Table) -> None:
        for key in table.foreign_keys:
            if key.column.table is table:
                column = key.parent
                pointing = [row for row in self._waiting if row[column.name] is not None]
                names = [*(each.name for each in table.primary_key.columns), column.name]
                aside = self._pointers.setdefault(column, [])
                aside += [{f"its_{name}": row[name] for name in names} for row in pointing]
                for row in pointing:
                    row[column.name] = None

    def _point(self, column: Column[Any], rows: list[Row]) -> None:
        """Give rows that are stored their pointers to rows of the same table."""
        if rows:
            table = self._tables[column.table.name]
            keys = [each == bindparam(f"its_{each.name}") for each in table.primary_key.columns]
            self._execute(update(table).where(*keys).values({column.name: bindparam(f"its_{column.name}")}), rows)

    def _execute(self, statement: Any, rows: list[Row]) -> None:
        try:
            self._connection.execute(statement, rows)
        except (StatementError, UnicodeError, RecursionError) as error:
            reason = error.orig if isinstance(error, StatementError) else error
            if not isinstance(error, IntegrityError | DataError) and not isinstance(reason, _UNFIT):
                raise
            self._refuse(f"the rows before it do not fit: {str(reason).splitlines()[0]}")

    def _refuse(self, why: str) -> NoReturn:
        raise BadFileError("not a whole export", f"{self._source}:{self._number}: {why}", "nothing was stored of it")


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"JSON has no {name}")


def _move_sequences(connection: Connection) -> None:
    """Let a server go on counting behind the numbers that were stored; SQLite does so by itself."""
    if connection.dialect.name != "postgresql":
        return
    quoted = connection.dialect.identifier_preparer.format_table
    for table in Base.metadata.sorted_tables:
        column = table.autoincrement_column
        if column is None:
            continue
        highest = select(func.max(column)).scalar_subquery()
        sequence = func.pg_get_serial_sequence(quoted(table), column.name)
        connection.execute(select(func.setval(sequence, highest)))
