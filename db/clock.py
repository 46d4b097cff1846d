"""The database's own clock: the one by which leases are judged, whichever machine asks."""

from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session


def database_now(session: Session) -> datetime:
    """The time on the database's machine, not that of the transaction's begin."""
    if session.get_bind().dialect.name == "postgresql":
        stamp = session.execute(text("SELECT clock_timestamp()")).scalar_one()
        assert isinstance(stamp, datetime)
        return stamp.astimezone(UTC)
    # SQLite runs in this process, on this machine's clock, but says only milliseconds.
    return datetime.now(UTC)
