"""Column types that mean the same on SQLite and PostgreSQL."""

from datetime import UTC, datetime

from sqlalchemy import JSON, BigInteger, DateTime, Dialect, Integer
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.types import TypeDecorator

from db.errors import BadRecordError

Document = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")
"""A JSON value that is read as a whole; what is searched for has a column of its own."""

Big = BigInteger()
"""A signed 64-bit integer on both; seeds and counts are 63 bits and never negative."""

RowNumber = BigInteger().with_variant(Integer(), "sqlite")
"""A number that the database gives; SQLite does so for a column of type INTEGER only, which has 64 bits there."""

BIGGEST = 2**63 - 1


class UTCDateTime(TypeDecorator[datetime]):
    """A point in time, stored in UTC. Takes aware datetimes only and gives back aware ones in UTC.

    SQLite knows no time zones and stores the UTC digits, which sort as text.
    """

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The time in UTC."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise BadRecordError("a time without a time zone", value.isoformat(), "give an aware datetime")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """The time in UTC; the server's own zone is of no interest."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
