"""What can go wrong on the way to an initramfs, told to the person who has to do something about it."""


class GuestError(Exception):
    """The root of this folder's errors: what this machine lacks, or does not let us do."""


class ModuleError(GuestError):
    """The given tree of modules does not have what is wanted, or what it has is no module."""


class AgentError(GuestError):
    """The agent cannot be compiled."""


class KernelBuildError(GuestError):
    """A kernel cannot be built here."""
