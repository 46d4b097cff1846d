"""An empty database for each test."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from db.database import Database, open_database
from db.models import Base


@pytest.fixture(scope="session")
def memory_database() -> Iterator[Database]:
    """One for all tests, since making its tables takes longer than most of them."""
    with open_database("sqlite://") as opened:
        yield opened


@pytest.fixture
def database(memory_database: Database) -> Database:
    """In memory: coordinators and workers are simulated in one thread."""
    with memory_database.write() as session:
        for table in reversed(Base.metadata.sorted_tables):
            session.execute(delete(table))
    return memory_database
