"""What can go wrong on the command line itself."""


class CliError(Exception):
    """The root of this folder's errors."""


class UsageMistake(CliError):  # noqa: N818 - it reads as what happened
    """What was asked for cannot be done; the message says what can."""


class InfrastructureTrouble(CliError):  # noqa: N818
    """The machine does not let us: a folder, a missing part of the installation."""


class OutputGone(CliError):  # noqa: N818
    """Nobody reads our output any more, as below `| head`; nothing is left to be said."""


class Stopped(CliError):  # noqa: N818
    """The user asked twice to stop."""
