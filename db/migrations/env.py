"""Run by Alembic around the revisions: migrates on the connection it is handed, inside its transaction."""

from typing import Any, Literal

from alembic import context

from db.models import Base
from db.schema import VERSION_TABLE
from db.types import UTCDateTime


def render_item(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """How a drafted revision spells one of our types: as the plain one, since it outlives our classes."""
    return "sa.DateTime(timezone=True)" if kind == "type" and isinstance(item, UTCDateTime) else False


connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    # SQLite cannot alter much; a table is copied instead.
    render_as_batch=True,
    transactional_ddl=True,
    render_item=render_item,
)
with context.begin_transaction():
    context.run_migrations()
