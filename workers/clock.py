"""The clock by which leases are judged: the database's."""

from datetime import datetime

from db.clock import database_now
from db.database import Database


class DatabaseClock:
    """Asks the database what time it is."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def now(self) -> datetime:
        """The database's time."""
        with self._database.read() as session:
            return database_now(session)
