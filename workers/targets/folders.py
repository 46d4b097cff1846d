"""Folders of guests: where one guest's console and swap disk are, and those of guests whose owner was killed."""

import os
import re
import shutil
import tempfile
from pathlib import Path

# In memory if possible: what a guest has written is of no use after it.
_IN_MEMORY = Path("/dev/shm")
_PREFIX = "mmfuzz-guest-"
_NAME = re.compile(rf"{_PREFIX}(\d+)-.*")


def make_folder() -> Path:
    """A new folder for a guest of this process; takes away those of processes that are gone."""
    parent = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else Path(tempfile.gettempdir())
    for left in parent.glob(f"{_PREFIX}*"):
        match = _NAME.fullmatch(left.name)
        if match and not Path("/proc", match[1]).exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{_PREFIX}{os.getpid()}-", dir=parent))
