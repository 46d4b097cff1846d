"""Writes a revision's first draft, for developers; the recipe is in docs/database.md."""

from pathlib import Path

from alembic import command
from alembic.script import Script

from db.schema import alembic_config, revisions, upgrade
from db.sqlite import memory_engine


def draft_revision(message: str) -> Path:
    """Write the next revision from what the models have and the migrations do not make; its file.

    Alembic sees tables, columns, indexes, keys and types; CHECK constraints it does not see.
    """
    engine = memory_engine()
    upgrade(engine, "the database drafts are made on")
    with engine.connect() as connection, connection.begin():
        number = f"{len(revisions()) + 1:04}"
        script = command.revision(alembic_config(connection), message, autogenerate=True, rev_id=number)
    engine.dispose()
    assert isinstance(script, Script)
    return Path(script.path)
