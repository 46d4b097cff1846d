"""What can go wrong with a database, told to the person who has to do something about it.

One root, `DatabaseError`. `BadRequestError` is the caller's mistake (a wrong URL, an id that does not exist);
every other branch is the state of the database or of the machine it lives on.
"""


class DatabaseError(Exception):
    """What happened, with which value, and what would be right.

    The message reads "what: value; remedy". `value` never holds a password.
    """

    def __init__(self, what: str, value: str, remedy: str) -> None:
        super().__init__(f"{what}: {value}; {remedy}")
        self.what = what
        self.value = value
        self.remedy = remedy


class BadRequestError(DatabaseError):
    """The caller asked for something that cannot be: a usage error."""


class BadUrlError(BadRequestError):
    """Neither a path nor a database URL that can be served."""


class UnknownIdError(BadRequestError):
    """No row has this id."""


class AmbiguousIdError(BadRequestError):
    """Several rows' ids begin like this."""


class BadFilterError(BadRequestError):
    """A filter that can never match: not a value the column takes."""


class BadFileError(BadRequestError):
    """A file that cannot be made where it was asked for, or does not hold what it should."""


class BadRecordError(DatabaseError):
    """A value that cannot be stored."""


class MissingDatabaseError(DatabaseError):
    """Nothing has been stored there yet."""


class ForeignDatabaseError(DatabaseError):
    """Something else lives there: another program's tables, or no database at all."""


class NewerSchemaError(DatabaseError):
    """Written by a later release than this one."""


class OlderSchemaError(DatabaseError):
    """Written by an earlier release, and it may not be brought up to date."""


class UnwritableDatabaseError(DatabaseError):
    """May be read at most: permissions, a read-only disk, a folder that does not exist."""


class UnreachableDatabaseError(DatabaseError):
    """Cannot be opened: no server, no rights, no driver, an input/output error."""


class BusyDatabaseError(DatabaseError):
    """Others held the lock for longer than the busy timeout; nothing of the transaction was stored."""


class FullDatabaseError(DatabaseError):
    """No space is left; nothing of the transaction was stored."""


class FilledDatabaseError(DatabaseError):
    """Something is stored there already, where an empty database is needed."""


class UnwritableFileError(DatabaseError):
    """A copy or an export cannot be written: permissions, no space; nothing was left of it."""


class ProgramError(DatabaseError):
    """A program of PostgreSQL's is missing, too old, or failed."""


class UnreadableError(DatabaseError):
    """Stored by a release whose rules differ from this one's in a way that cannot be bridged."""


class DamagedDatabaseError(DatabaseError):
    """What is stored is not what was written."""
