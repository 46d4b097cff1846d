"""Where things are kept that can be had again: kernels, agents, apt's lists."""

import os
from collections.abc import Mapping
from pathlib import Path

from workers.targets.errors import BadTargetError

CACHE_VARIABLE = "MMFUZZ_CACHE"
CACHE_HOME_VARIABLE = "XDG_CACHE_HOME"


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """$MMFUZZ_CACHE, else mmfuzz/ in $XDG_CACHE_HOME or ~/.cache; it need not exist yet."""
    if environment.get(CACHE_VARIABLE):
        return Path(environment[CACHE_VARIABLE]).absolute()
    # The XDG Base Directory Specification wants it ignored when it is relative.
    home = Path(environment.get(CACHE_HOME_VARIABLE) or "")
    try:
        return (home if home.is_absolute() else Path("~/.cache").expanduser()) / "mmfuzz"
    except RuntimeError as error:
        raise BadTargetError(f"no home folder to keep kernels in; name a folder with {CACHE_VARIABLE}") from error


def targets_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where kernels are kept, one folder each."""
    return cache_folder(environment) / "targets"


def agents_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Where compiled agents are kept."""
    return cache_folder(environment) / "agents"
