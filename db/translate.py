"""Turns the errors of SQLAlchemy, sqlite3 and the PostgreSQL drivers into ours, by one table.

Only what a person can act on is translated. An error that can only be our own bug (wrong SQL, a broken
constraint) goes through as it is, with its traceback.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DataError, DBAPIError, OperationalError, StatementError

from db.errors import (
    BadRecordError,
    BusyDatabaseError,
    DamagedDatabaseError,
    DatabaseError,
    ForeignDatabaseError,
    FullDatabaseError,
    UnreachableDatabaseError,
    UnwritableDatabaseError,
)

Cause = tuple[type[DatabaseError], str, str]

_BUSY: Cause = (BusyDatabaseError, "the database stayed locked by others", "try again; nothing was stored")
_UNWRITABLE: Cause = (
    UnwritableDatabaseError,
    "the database cannot be written",
    "change its permissions or choose another place",
)
_FULL: Cause = (FullDatabaseError, "no space is left for the database", "free some, or choose another place")
_UNREACHABLE: Cause = (
    UnreachableDatabaseError,
    "the database cannot be opened",
    "check the place, the permissions and, for a server, that it runs",
)
_DAMAGED: Cause = (DamagedDatabaseError, "the database is damaged", "restore a copy, or choose another place")
_BAD_VALUE: Cause = (BadRecordError, "a value cannot be stored", "this is not what the column takes")
_NOT_A_DATABASE: Cause = (
    ForeignDatabaseError,
    "this file is not a database",
    "choose another file; it was left as it is",
)

# Primary result codes, https://www.sqlite.org/rescode.html
_SQLITE: dict[int, Cause] = {
    sqlite3.SQLITE_BUSY: _BUSY,
    sqlite3.SQLITE_LOCKED: _BUSY,
    sqlite3.SQLITE_READONLY: _UNWRITABLE,
    sqlite3.SQLITE_PERM: _UNWRITABLE,
    sqlite3.SQLITE_IOERR: _UNREACHABLE,
    sqlite3.SQLITE_CANTOPEN: _UNREACHABLE,
    sqlite3.SQLITE_CORRUPT: _DAMAGED,
    sqlite3.SQLITE_NOTADB: _NOT_A_DATABASE,
    sqlite3.SQLITE_FULL: _FULL,
    sqlite3.SQLITE_TOOBIG: _BAD_VALUE,
}

# SQLSTATEs or their first characters, the longest match wins; codes in PostgreSQL's manual, appendix A.
_SQLSTATE: dict[str, Cause] = {
    "40001": _BUSY,
    "40P01": _BUSY,
    "55P03": _BUSY,
    "25006": _UNWRITABLE,
    "3F000": _UNWRITABLE,
    "42501": _UNWRITABLE,
    "53100": _FULL,
    "08": _UNREACHABLE,
    "28": _UNREACHABLE,
    "3D000": _UNREACHABLE,
    "53": _UNREACHABLE,
    "57P": _UNREACHABLE,
    "XX001": _DAMAGED,
    "XX002": _DAMAGED,
    "22": _BAD_VALUE,
}


@contextmanager
def translated(place: str) -> Iterator[None]:
    """Raise our errors in place of the drivers' for everything inside; `place` names the database."""
    try:
        yield
    except DBAPIError as error:
        cause = _cause_of(error)
        if cause is None:
            raise
        kind, what, remedy = cause
        raise kind(what, f"{place} ({_first_line(error)})", remedy) from error
    except StatementError as error:
        # Our own types refuse a value while SQLAlchemy prepares a statement, and it wraps what they raise.
        if isinstance(error.orig, DatabaseError):
            raise error.orig from None
        raise


def _cause_of(error: DBAPIError) -> Cause | None:
    """The table's entry for this error, or None when it is our own bug."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        # sqlite3 raises some errors of its own, without a code of the library.
        return _SQLITE.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)
    state = getattr(original, "sqlstate", None) or getattr(original, "pgcode", None)
    if state is not None:
        return next((_SQLSTATE[state[:n]] for n in (5, 3, 2) if state[:n] in _SQLSTATE), None)
    # Without a state the server never answered, or the driver refused the value before sending it.
    if isinstance(error, OperationalError):
        return _UNREACHABLE
    return _BAD_VALUE if isinstance(error, DataError) else None


def _first_line(error: DBAPIError) -> str:
    lines = str(error.orig).strip().splitlines()
    return lines[0] if lines else type(error.orig).__name__
