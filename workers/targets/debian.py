"""Kernels from Debian's own packages: the cloud images, which start fastest of those that a distribution has built.

Nothing is installed: a package is downloaded by apt, checked by apt, and unpacked into the cache.
"""

import functools
import os
import re
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from workers.targets.apt import Apt, AptFailed, Package, is_newer, unpack
from workers.targets.errors import BadTargetError, TargetError
from workers.targets.images import KernelImage, changing, check_name, image_names, load, put
from workers.targets.place import cache_folder, targets_folder

BEGINNING = "linux-image-"
# Signed images only; a meta package has two numbers at most.
_IMAGE = re.compile(rf"{BEGINNING}(\d+\.\d+\.\d+\S*)-cloud-amd64")
_SPEC = re.compile(r"debian:(newest|\d+\.\d+[\w.+-]*)")
NEWEST = "newest"


@dataclass(frozen=True, slots=True)
class Fetched:
    """A kernel that was fetched, or was there already. `before` is the source of the one that it replaced."""

    image: KernelImage
    changed: bool
    before: str | None = None


def parse_spec(spec: str) -> str:
    """The version that is wanted: "newest", or the beginning of a release. BadTargetError when it is no spec."""
    match = _SPEC.fullmatch(spec)
    if match is None:
        raise BadTargetError(
            f"unknown kernel to fetch: {spec!r}; give debian:6.1, or another version that Debian has, or debian:newest"
        )
    return match[1]


def fetch(
    spec: str,
    name: str | None = None,
    *,
    folder: Path | None = None,
    apt_folder: Path | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> Fetched:
    """Make the newest kernel of a spec a target; nothing is downloaded when the target is that one already.

    Without a name it is debian-6.1 and so on. `say` is told what takes long. BadTargetError when there is no such
    kernel, or a target of that name is from somewhere else; TargetError when apt is missing or cannot do it.
    """
    folder = folder or targets_folder()
    wanted = parse_spec(spec)
    if name is not None:
        check_name(name)
    own = Apt(apt_folder or cache_folder() / "apt")
    # From the look at apt's lists on, so that a second one who fetches the same finds it.
    with changing(folder) as work:
        try:
            return _fetch_from(_look_up(own, say), wanted, name, work, say)
        except _OldLists:
            say("that failed; once more, with lists of our own")
            return _fetch_from(_look_anew(own, say), wanted, name, work, say)


def choose(offered: Iterable[Package], wanted: str) -> Package:
    """The newest of the offered packages that is of the wanted version. BadTargetError lists what there is."""
    packages = sorted(offered, key=functools.cmp_to_key(_compare))
    fitting = [package for package in packages if wanted == NEWEST or _is_of(release_of(package), wanted)]
    if not fitting:
        there = ", ".join(dict.fromkeys(release_of(package) for package in packages))
        raise BadTargetError(f"Debian offers no kernel {wanted} here; there are {there}")
    return fitting[-1]


def release_of(package: Package) -> str:
    """The release in a package's name, without its flavour: 6.1.0-56."""
    match = _IMAGE.fullmatch(package.name)
    assert match is not None, f"not an image's package: {package.name}"
    return match[1]


class _OldLists(Exception):  # noqa: N818 - it reads as what happened
    """What the host's lists name could not be had: archives drop a package soon after a newer one is there."""


@dataclass(frozen=True, slots=True)
class _Offers:
    """What apt offers; `trouble` is what it said when it was to look anew."""

    apt: Apt
    packages: tuple[Package, ...]
    trouble: str = ""


def _look_up(own: Apt, say: Callable[[str], object]) -> _Offers:
    """The kernels in the host's lists if we are root, who can bring those up to date; else in lists of our own."""
    host = Apt()
    if os.geteuid() == 0 and (packages := _kernels(host)):
        return _Offers(host, packages)
    return _look_anew(own, say)


def _look_anew(own: Apt, say: Callable[[str], object]) -> _Offers:
    say(f"apt updates lists of our own in {own.folder}")
    trouble = own.update()
    return _Offers(own, _kernels(own), trouble)


def _kernels(apt: Apt) -> tuple[Package, ...]:
    return apt.packages([name for name in apt.names(BEGINNING) if _IMAGE.fullmatch(name)])


def _fetch_from(offers: _Offers, wanted: str, name: str | None, work: Path, say: Callable[[str], object]) -> Fetched:
    if not offers.packages:
        raise TargetError(
            f"apt offers no {BEGINNING}*-cloud-amd64, Debian's kernels for x86-64: {offers.trouble}; check the network"
            " and that apt's sources are Debian's"
        )
    package = choose(offers.packages, wanted)
    version = wanted if wanted != NEWEST else ".".join(release_of(package).split(".")[:2])
    name = name or check_name(f"debian-{version}")
    targets = work.parent
    before = _source_of(name, targets)
    if before == str(package):
        return Fetched(load(name, targets), changed=False)
    if before is not None and not before.startswith(BEGINNING):
        raise BadTargetError(f"the target {name} is not from Debian but from {before}; choose another with --name")
    say(f"downloading {package}")
    files = _download(offers.apt, package, work)
    kernel = files / "boot" / f"vmlinuz-{package.name.removeprefix(BEGINNING)}"
    put(work, name, kernel, files, source=str(package), replace=True)
    return Fetched(load(name, targets), changed=True, before=before)


def _download(apt: Apt, package: Package, work: Path) -> Path:
    """The folder, below that to work in, with the files of a package."""
    folder = Path(tempfile.mkdtemp(prefix=".deb-", dir=work))
    try:
        deb = apt.download(package, folder)
    except AptFailed as error:
        if apt.folder is None:
            raise _OldLists from error
        raise
    unpack(deb, folder / "files")
    return folder / "files"


def _source_of(name: str, folder: Path) -> str | None:
    """Where the target of that name is from; None when there is none."""
    return load(name, folder).source if name in image_names(folder) else None


def _is_of(release: str, wanted: str) -> bool:
    """Whether a release begins with a version: 6.1.0-56 is of 6.1, 6.12.117+deb12 is not."""
    rest = release.removeprefix(wanted)
    return rest != release and not rest[:1].isdigit()


def _compare(a: Package, b: Package) -> int:
    """Debian's order of two packages by their versions."""
    return int(is_newer(a.version, b.version)) - int(is_newer(b.version, a.version))
