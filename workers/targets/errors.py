"""What can go wrong with targets, told to the person who has to do something about it.

One root, `TargetError`: the state of this machine. `BadTargetError` is the caller's mistake.
"""


class TargetError(Exception):
    """The machine does not let us: a program that is missing, no network, a disk that is full, a damaged cache."""


class BadTargetError(TargetError):
    """What was given can be no target: a usage error."""


class ChannelError(TargetError):
    """What came over the channel is no message of ours."""


class LostGuestError(TargetError):
    """The guest did not come up, or said that it cannot do what it was asked."""
