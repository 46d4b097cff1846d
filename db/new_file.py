"""Files that appear whole or not at all: copies of the database, exports."""

import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from db.errors import BadFileError, UnwritableFileError

# A folder of this name may be left beside a file when its writer was killed; nobody needs it.
UNFINISHED = ".mmfuzz-unfinished-"

# What file systems without hard links (FAT, some in user space) answer to link().
_NO_LINKS = {errno.EPERM, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EMLINK}


@contextmanager
def new_file(file: Path) -> Iterator[Path]:
    """A path to write to; what lies there at the end is at `file`, whole and on the disk.

    An exception that leaves the block leaves nothing. BadFileError when something is at `file` already, which
    is left as it is, or when its folder does not exist; UnwritableFileError when the disk does not let us.
    """
    _refuse(file)
    with writing(file):
        # A folder, since what writes the file may need others beside it. On the same disk, so that the file
        # can be moved from it, and readable by its owner only.
        folder = Path(tempfile.mkdtemp(prefix=UNFINISHED, dir=file.parent))
    try:
        part = folder / file.name
        with writing(file):
            yield part
            _sync(part)
            _move(part, file)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    # The file is there and whole. Not every file system waits for the names in a folder.
    with suppress(OSError):
        _sync(file.parent)


@contextmanager
def writing(file: Path) -> Iterator[None]:
    """Raise UnwritableFileError in place of the system's errors for everything inside; `file` is what is written."""
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}:
            raise full_file(file) from error
        raise UnwritableFileError(
            "the file cannot be written", f"{file} ({error.strerror})", "choose another place; nothing was left of it"
        ) from error


def full_file(file: Path) -> UnwritableFileError:
    """What to raise when the disk has no room for the file, or a limit is reached."""
    return UnwritableFileError(
        "no space is left for the file", str(file), "free some or choose another place; nothing was left of it"
    )


def _refuse(file: Path) -> None:
    """Refuse a place where no new file can be made."""
    if os.path.lexists(file):
        raise _existing(file)
    if not file.parent.is_dir():
        raise BadFileError("the file's folder does not exist", str(file), f"make {file.parent} or choose another")


def _existing(file: Path) -> BadFileError:
    what = "a folder is there already" if file.is_dir() else "a file is there already"
    return BadFileError(what, str(file), "choose another name; it was left as it is")


def _move(part: Path, file: Path) -> None:
    """Give the file its name, unless something else has taken it meanwhile."""
    try:
        # A rename would replace what is there.
        os.link(part, file)
    except FileExistsError:
        raise _existing(file) from None
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        _refuse(file)
        part.rename(file)


def _sync(path: Path) -> None:
    """Wait until a file, or the names in a folder, are on the disk."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
