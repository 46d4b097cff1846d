"""The kernels that traces can run on, kept in a folder of the user's cache.

    TARGETS/NAME/manifest.json      what it is, and which folder beside it has its files
    TARGETS/NAME/files-.../kernel   the bzImage
    TARGETS/NAME/files-.../modules  its modules, as in lib/modules/RELEASE

A kernel is there if its manifest is. All is made in a folder of another name, and what is not there yet is moved in one
step; in place of another kernel the files come first and the manifest last. Whoever is killed leaves nothing half, and
what he left the next one who changes something takes away.
"""

import fcntl
import hashlib
import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from guest.errors import ModuleError
from guest.kmod import BUILT_IN, ModuleTree
from simcore.errors import UnknownName, quoted
from workers.targets.bzimage import read_release
from workers.targets.errors import BadTargetError, TargetError
from workers.targets.manifest import FORMAT, MANIFEST, Manifest, is_files, read_manifest
from workers.targets.place import targets_folder

UNFINISHED = ".unfinished-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,59}")
_LOCK = ".lock"


@dataclass(frozen=True, slots=True)
class KernelImage:
    """A kernel that can be started. `modules` is its lib/modules/RELEASE, None when all that it has is built in.

    `sha256` is the digest of the file `kernel`; `source` a package and its version, or the path it was copied from.
    """

    name: str
    release: str
    kernel: Path
    modules: Path | None
    sha256: str
    size_bytes: int
    source: str
    added: datetime


@dataclass(frozen=True, slots=True)
class BrokenImage:
    """A kernel that is kept and cannot be used, and why."""

    name: str
    reason: str


def image_names(folder: Path | None = None) -> tuple[str, ...]:
    """The names of all kernels that are kept, sorted."""
    folder = folder or targets_folder()
    return tuple(sorted(file.parent.name for file in folder.glob(f"*/{MANIFEST}") if is_name(file.parent.name)))


def list_images(folder: Path | None = None) -> tuple[KernelImage | BrokenImage, ...]:
    """All kernels that are kept, by name."""
    return tuple(_load_or_tell(name, folder or targets_folder()) for name in image_names(folder))


def load(name: str, folder: Path | None = None) -> KernelImage:
    """The kernel of that name, after a look at its digest.

    UnknownName when there is none, TargetError when what is kept is damaged.
    """
    folder = folder or targets_folder()
    home = folder / check_name(name)
    try:
        manifest = read_manifest(home)
    except FileNotFoundError:
        raise _unknown(name, folder) from None
    files = home / manifest.files
    kernel, modules = files / "kernel", files / "modules"
    again = f"`mmfuzz target remove {name}`, then add or fetch it again"
    try:
        with kernel.open("rb") as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
    except OSError as error:
        raise TargetError(f"the kernel of {name} cannot be read: {kernel} ({error.strerror}); {again}") from error
    if digest != manifest.sha256:
        raise TargetError(f"the kernel of {name} is not the one that was added: {kernel} has changed; {again}")
    if manifest.modules and not modules.is_dir():
        raise TargetError(f"the modules of {name} are gone: {modules}; {again}")
    return KernelImage(
        name=name,
        release=manifest.release,
        kernel=kernel,
        modules=modules if manifest.modules else None,
        sha256=manifest.sha256,
        size_bytes=manifest.size_bytes,
        source=manifest.source,
        added=manifest.added,
    )


def add(
    name: str,
    kernel: Path,
    modules: Path | None = None,
    *,
    source: str | None = None,
    replace: bool = False,
    folder: Path | None = None,
) -> KernelImage:
    """Copy a bzImage, and its modules, into the cache under a name that is free, or whose kernel is to be replaced.

    `modules` is lib/modules/RELEASE, or a folder that has it below. BadTargetError when what is given is no kernel,
    or the modules are another kernel's; TargetError when the cache cannot be written.
    """
    folder = folder or targets_folder()
    check_name(name)
    with changing(folder) as work:
        put(work, name, kernel, modules, source=source or str(kernel.absolute()), replace=replace)
    return load(name, folder)


def put(work: Path, name: str, kernel: Path, modules: Path | None, *, source: str, replace: bool) -> None:
    """What `add` does, for those who are inside of `changing` already; `work` is what that gave."""
    home = work.parent / check_name(name)
    if (home / MANIFEST).exists() and not replace:
        raise BadTargetError(f"there is a target {name} already; `mmfuzz target remove {name}`, or choose another name")
    release = read_release(kernel)
    tree = find_modules(modules, release) if modules is not None else None
    made = work / name
    made.mkdir()
    files = Path(tempfile.mkdtemp(prefix="files-", dir=made))
    copied = Path(shutil.copyfile(kernel, files / "kernel"))
    if tree is not None:
        _copy_modules(tree, files / "modules")
    manifest = Manifest(
        version=FORMAT,
        name=name,
        release=release,
        files=files.name,
        sha256=hashlib.sha256(copied.read_bytes()).hexdigest(),
        size_bytes=copied.stat().st_size,
        modules=tree is not None,
        source=source,
        added=datetime.now(UTC).replace(microsecond=0),
    )
    (made / MANIFEST).write_bytes(manifest.to_json())
    if home.exists():
        files.rename(home / files.name)
        (made / MANIFEST).replace(home / MANIFEST)
        _drop_others(home, files.name)
    else:
        made.rename(home)


def remove(name: str, folder: Path | None = None) -> None:
    """Take a kernel and all its files out of the cache, damaged ones too. UnknownName when there is none."""
    folder = folder or targets_folder()
    home = folder / check_name(name)
    if not (home / MANIFEST).exists():
        raise _unknown(name, folder)
    with changing(folder) as work:
        # All at once; what is left of it when we are killed goes with the next change.
        home.rename(work / name)


def is_name(text: str) -> bool:
    """Whether a target can be called that."""
    return _NAME.fullmatch(text) is not None


def check_name(name: str) -> str:
    """The name; BadTargetError when a target cannot be called that."""
    if not is_name(name):
        raise BadTargetError(
            f"no name for a target: {quoted(name)}; take up to 60 letters, digits and . _ + -, a letter or digit first"
        )
    return name


def find_modules(given: Path, release: str) -> Path:
    """The folder lib/modules/RELEASE that was meant. BadTargetError when there is none, or it is another kernel's."""
    if not given.is_dir():
        raise BadTargetError(f"no folder of modules: {given}; give the kernel's lib/modules/{release}")
    places = [given, *(given / below / release for below in ("", "lib/modules", "usr/lib/modules"))]
    found = next((place for place in places if (place / BUILT_IN).is_file() or (place / "kernel").is_dir()), None)
    if found is None:
        raise BadTargetError(
            f"no modules of {release} in {given}; give the folder lib/modules/{release}, or what `make modules_install`"
            " was given as INSTALL_MOD_PATH"
        )
    try:
        theirs = ModuleTree(found).release()
    except ModuleError as error:
        raise BadTargetError(str(error)) from error
    if theirs not in {None, release}:
        raise BadTargetError(f"modules of another kernel: those in {found} are for {theirs}, the kernel is {release}")
    return found


@contextmanager
def changing(folder: Path) -> Iterator[Path]:
    """Be the only one who changes the cache; gives a folder in it to work in, which is gone at the end.

    The operating system's errors in the block become TargetError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            # Whoever made them is gone, or would have the lock.
            for left in folder.glob(f"{UNFINISHED}*"):
                shutil.rmtree(left, ignore_errors=True)
            with tempfile.TemporaryDirectory(prefix=UNFINISHED, dir=folder) as work:
                yield Path(work)
    except OSError as error:
        raise TargetError(
            f"the cache of kernels cannot be written: {error.filename or folder} ({error.strerror or error});"
            " MMFUZZ_CACHE names another place"
        ) from error


def _unknown(name: str, folder: Path) -> Exception:
    """What to raise when no kernel of that name is kept."""
    names = image_names(folder)
    if names:
        return UnknownName("target", name, names)
    return BadTargetError(f"there is no target {name}, and no other; `mmfuzz target fetch debian:6.1` gets one")


def _load_or_tell(name: str, folder: Path) -> KernelImage | BrokenImage:
    try:
        return load(name, folder)
    except TargetError as error:
        return BrokenImage(name, str(error))


def _drop_others(home: Path, files: str) -> None:
    """Take away what the manifest does not name: the kernel before, or what somebody left who was killed."""
    for left in home.iterdir():
        if is_files(left.name) and left.name != files:
            shutil.rmtree(left, ignore_errors=True)


def _copy_modules(tree: Path, destination: Path) -> None:
    """Copy what guest.kmod reads, without the links that such a folder has to the kernel's sources."""
    destination.mkdir()
    listed = (file for file in (tree / BUILT_IN,) if file.is_file())
    for file in (*listed, *ModuleTree(tree).files.values()):
        copy = destination / file.relative_to(tree)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, copy)
