"""What can be wrong with the input of a comparison, told to the person who gave it."""

from fuzzer.errors import FuzzerError


class ConformError(FuzzerError):
    """Bad input to a comparison with a real kernel: the root of all below."""


class ReadingError(ConformError):
    """A file that holds no readings; the message names the file, the line from 1 and the field."""

    def __init__(self, message: str, *, source: str, line: int | None = None) -> None:
        place = source if line is None else f"{source}:{line}"
        super().__init__(f"{place}: {message}")
        self.source = source
        self.line = line


class WorldUnknown(ConformError):  # noqa: N818 - it reads as what happened
    """Neither the file's name nor an option says on which machine its readings were made."""


class KnownError(ConformError):
    """A list of known differences that cannot be read, or an entry that cannot match anything."""


class UnknownClass(ConformError):  # noqa: N818
    """A class was asked for that no disagreement has."""
