"""What the exit code of every command says."""

from enum import IntEnum


class ExitCode(IntEnum):
    """PASS and FAILURE_FOUND are verdicts; with INCONCLUSIVE there is none; the others are errors."""

    PASS = 0
    FAILURE_FOUND = 1
    INCONCLUSIVE = 2
    USAGE = 3
    INFRASTRUCTURE = 4
