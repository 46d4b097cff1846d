"""`mmfuzz db`: the state of the database, its schema, and copies of what it holds."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import click

from cli.database import DatabaseState, copy_to, look_at, open_to_read, open_to_write
from cli.errors import UsageMistake
from cli.exit_codes import ExitCode
from cli.inputs import STDIN
from cli.options import database_option, screen_option
from cli.output import Screen, bytes_on_stdout, plural
from cli.stopping import stopped_at_once
from cli.versions import own_version
from db.export_rows import Write, export_rows
from db.import_rows import import_rows, read_header
from db.new_file import new_file
from db.portable import Scope

STDOUT = "-"


@click.group(name="db")
def command() -> None:
    """Check the database, bring its schema up to date, copy it, or move what it holds."""


@command.command(name="check")
@database_option
@screen_option
def check(database: str, screen: Screen) -> ExitCode:
    """Look at the database without changing it: its schema, whether it can be written, whether it is whole.

    Exits with 4 when the database cannot be used.
    """
    state = look_at(database)
    screen.document(_document(state))
    screen.say(f"database  {state.shown}")
    screen.say(f"schema    {describe_schema(state)}")
    screen.say(f"writable  {'yes' if state.writable else 'no'}")
    for line in state.damage:
        screen.say(f"damage    {line}", style="red")
    return ExitCode.INFRASTRUCTURE if state.damage else ExitCode.PASS


@command.command(name="upgrade")
@database_option
@screen_option
def upgrade(database: str, screen: Screen) -> None:
    """Make the database if it is missing, and bring its schema to this release's.

    Every command that stores something does the same first.
    """
    before = look_at(database)
    with open_to_write(database):
        after = look_at(database)
    screen.document(_document(after) | {"revision_before": before.revision})
    if before.schema == "current":
        screen.say(f"{after.shown}: nothing to do, the schema is at {after.revision}")
    elif before.schema == "missing":
        screen.say(f"{after.shown}: made, with the schema {after.revision}")
    else:
        screen.say(f"{after.shown}: schema {before.revision} -> {after.revision}")


@command.command(name="backup")
@click.argument("file", type=click.Path(path_type=Path))
@database_option
@screen_option
def backup(file: Path, database: str, screen: Screen) -> None:
    """Copy the database to FILE, which must not exist, while others go on writing to it.

    A copy of a SQLite database is one, checked by SQLite. Of a PostgreSQL database it is what its pg_dump writes, for
    pg_restore.
    """
    with stopped_at_once():
        copy = copy_to(file, database)
    screen.document(
        {
            "database": copy.shown,
            "file": str(copy.file),
            "form": copy.form,
            "revision": copy.revision,
            "bytes": copy.size_bytes,
        }
    )
    screen.say(f"{copy.shown}: copied to {file}, {plural(copy.size_bytes, 'byte')}, schema {copy.revision}")
    if copy.form == "pg_dump":
        screen.say("pg_restore makes a database of it again")


@command.command(name="export")
@click.argument("file")
@click.option("--failures", is_flag=True, help="Only the failures, with their traces and kernels.")
@database_option
@screen_option
def export(file: str, failures: bool, database: str, screen: Screen) -> None:
    """Write everything that is stored to FILE, which must not exist, or to stdout (-), as lines of JSON.

    It is what was stored at one moment, whoever writes meanwhile.
    """
    if file == STDOUT and screen.as_json:
        raise UsageMistake("the export and the document of --json cannot both be on stdout; name a file")
    scope: Scope = "failures" if failures else "all"
    with stopped_at_once(), _destination(file) as write, open_to_read(database) as opened:
        rows = export_rows(opened, scope, own_version(), write)
    screen.document({"database": opened.shown, "file": file, "scope": scope, "rows": rows})
    if file != STDOUT:
        screen.say(f"{opened.shown}: {_rows_text(rows)} written to {file}")


@command.command(name="import")
@click.argument("file")
@database_option
@screen_option
def import_(file: str, database: str, screen: Screen) -> None:
    """Store what `mmfuzz db export` wrote to FILE (- for stdin) in a database that is empty or missing.

    All of it is stored or nothing.
    """
    source = "<stdin>" if file == STDIN else file
    with stopped_at_once(), _source(file) as lines:
        given = read_header(lines, source)
        with open_to_write(database) as opened:
            rows = import_rows(opened, given)
    screen.document({"database": opened.shown, "file": file, "rows": rows})
    screen.say(f"{opened.shown}: {_rows_text(rows)} stored from {source}")


def describe_schema(state: DatabaseState) -> str:
    """The schema's state in words."""
    return {
        "missing": "none: there is no database yet; the first run that stores there makes it",
        "older": f"{state.revision}, older than this release's {state.latest}; `mmfuzz db upgrade` changes it",
        "current": f"{state.revision}, current",
    }[state.schema]


def _document(state: DatabaseState) -> dict[str, object]:
    return {
        "database": state.shown,
        "schema": state.schema,
        "revision": state.revision,
        "latest": state.latest,
        "writable": state.writable,
        "damage": list(state.damage),
    }


@contextmanager
def _destination(file: str) -> Iterator[Write]:
    """What writes to a file, which appears at the end, or to stdout."""
    if file == STDOUT:
        with bytes_on_stdout() as write:
            yield write
    else:
        with new_file(Path(file).absolute()) as part, part.open("xb") as opened:
            yield opened.write


@contextmanager
def _source(file: str) -> Iterator[IO[bytes]]:
    """The lines of a file, or of stdin."""
    if file == STDIN:
        yield sys.stdin.buffer
        return
    try:
        with Path(file).open("rb") as opened:
            yield opened
    except OSError as error:
        raise UsageMistake(
            f"{file!r} cannot be read: {error.strerror}; give a file that `mmfuzz db export` wrote, or - for stdin"
        ) from error


def _rows_text(rows: dict[str, int]) -> str:
    """How many rows of how many tables."""
    return f"{plural(sum(rows.values()), 'row')} of {plural(sum(map(bool, rows.values())), 'table')}"
