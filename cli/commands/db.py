"""`mmfuzz db`: the state of the database, and bringing its schema up to date."""

import click

from cli.database import DatabaseState, look_at, open_to_write
from cli.exit_codes import ExitCode
from cli.options import database_option, screen_option
from cli.output import Screen


@click.group(name="db")
def command() -> None:
    """Check the database, or bring its schema up to date."""


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
