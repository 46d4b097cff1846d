"""INSERT ... ON CONFLICT, which SQLite and PostgreSQL spell alike but SQLAlchemy keeps in two dialects."""

from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from db.models import Base


def insert_or_skip(session: Session, model: type[Base], values: dict[str, Any]) -> bool:
    """Insert one row; whether it was inserted. A row with the same key stays as it is."""
    table = table_of(model)
    statement = _insert(session, table).values(values).on_conflict_do_nothing(index_elements=table.primary_key)
    return session.execute(statement.returning(*table.primary_key)).first() is not None


def insert_or_merge(session: Session, model: type[Base], values: dict[str, Any], merge: Any) -> None:
    """Insert one row, or change the one with the same key.

    `merge(old, new)` gives the changed columns from the two rows' columns, where `old` and `new` are
    collections of columns.
    """
    table = table_of(model)
    statement = _insert(session, table).values(values)
    changed = merge(table.c, statement.excluded)
    session.execute(statement.on_conflict_do_update(index_elements=table.primary_key, set_=changed))


def table_of(model: type[Base]) -> Table:
    """The table of a model, to be written by the names of its columns."""
    assert isinstance(model.__table__, Table)
    return model.__table__


def _insert(session: Session, table: Table) -> sqlite.Insert | postgresql.Insert:
    dialect = session.get_bind().dialect.name
    return postgresql.insert(table) if dialect == "postgresql" else sqlite.insert(table)
