"""What cannot be made a reproducer of."""

from fuzzer.errors import FuzzerError


class CannotDrive(FuzzerError):  # noqa: N818 - it reads as what happened
    """An op that no program can make a real kernel do; the message names it, its number and why."""
