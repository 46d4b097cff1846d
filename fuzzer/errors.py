"""What can be wrong with the input of fuzzer, told to the person who gave it.

What a kernel does wrong is a failure, which is a value; it is never an exception.
"""


class FuzzerError(Exception):
    """Bad input to fuzzer: the root of all below."""


class UnknownEngine(FuzzerError):  # noqa: N818 - it reads as what happened
    """A name that no engine has; the message lists those there are."""


class UnitError(FuzzerError):
    """A unit that cannot be, or a description that no unit has."""


class AblationError(FuzzerError):
    """Features that cannot be left out one after the other, or of which nothing would be learned."""


class NotAFailure(FuzzerError):  # noqa: N818 - it reads as what happened
    """A trace was given as a failure, and does not show it on this kernel."""


class FlakyTrace(FuzzerError):  # noqa: N818 - it reads as what happened
    """The same trace ended in two ways. That is a bug of mmfuzz, not of the kernel; nothing it says can be
    believed.
    """


class CampaignError(FuzzerError):
    """Settings that no campaign can have; the message names the setting, its value and what it can be."""
