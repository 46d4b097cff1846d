"""Debian's packages as apt offers them, looked at and downloaded without installing anything or changing the host."""

import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from workers.targets.errors import TargetError

# What the host has apt do around an update is for its own lists: Debian's containers empty its cache, for one.
_NO_HOOKS = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
"""


class AptFailed(TargetError):  # noqa: N818 - it reads as what happened
    """apt, or dpkg, did not do what it was asked; the message has its last words."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package in one version."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


class Apt:
    """apt with the host's sources and keys, and with the host's lists or, in a folder of ours, lists of our own.

    Lists of our own need no rights. Nothing is ever written outside of that folder and those that methods are given.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = folder

    def update(self) -> str:
        """Bring our own lists up to date; what went wrong with some or all of them."""
        assert self.folder is not None, "the host's lists are the host's"
        try:
            for below in ("state/lists/partial", "cache/archives/partial"):
                (self.folder / below).mkdir(parents=True, exist_ok=True)
            self._hooks.write_text(_NO_HOOKS)
        except OSError as error:
            raise TargetError(f"apt's lists cannot be kept in {self.folder}: {error.strerror}") from error
        # It ends well when it could get nothing at all.
        done = _run(["apt-get", *self._options, "update"])
        return _last_words(done.stderr)

    def names(self, beginning: str) -> tuple[str, ...]:
        """The names of all packages that begin like this."""
        done = _run(["apt-cache", *self._options, "pkgnames", beginning])
        return tuple(sorted(done.stdout.split()))

    def packages(self, names: Sequence[str]) -> tuple[Package, ...]:
        """Every version of the packages that can be downloaded."""
        if not names:
            return ()
        done = _run(["apt-cache", *self._options, "madison", *names])
        rows = (line.split("|") for line in done.stdout.splitlines())
        found = {Package(row[0].strip(), row[1].strip()) for row in rows if len(row) > 2 and "Packages" in row[2]}
        return tuple(sorted((package for package in found if package.name in names), key=str))

    def download(self, package: Package, folder: Path) -> Path:
        """Download the package into an empty folder, and check it against apt's keys; the path of the file."""
        command = ["apt-get", *self._options, "download", f"{package.name}={package.version}"]
        done = _run(command, folder)
        files = list(folder.glob("*.deb"))
        if done.returncode or len(files) != 1:
            raise AptFailed(f"{package} could not be downloaded: {_last_words(done.stderr)}; check the network")
        return files[0]

    @property
    def _hooks(self) -> Path:
        assert self.folder is not None
        return self.folder / "no-hooks.conf"

    @property
    def _options(self) -> tuple[str, ...]:
        if self.folder is None:
            return ()
        places = (f"Dir::State={self.folder / 'state'}", f"Dir::Cache={self.folder / 'cache'}")
        options = (*places, "Acquire::Languages=none")
        return ("-c", str(self._hooks), *(word for option in options for word in ("-o", option)))


def unpack(deb: Path, folder: Path) -> None:
    """Lay out the files of a package below a folder; none of its scripts is run."""
    done = _run(["dpkg-deb", "-x", str(deb), str(folder)])
    if done.returncode:
        raise AptFailed(f"{deb.name} could not be unpacked: {_last_words(done.stderr)}")


def is_newer(version: str, than: str) -> bool:
    """Whether a version comes after another in Debian's order."""
    return _run(["dpkg", "--compare-versions", version, "gt", than]).returncode == 0


def _run(command: Sequence[str], folder: Path | None = None) -> "subprocess.CompletedProcess[str]":
    program = shutil.which(command[0])
    if program is None:
        raise TargetError(
            f"{command[0]} is not there: only Debian and its relatives have it; unpack a kernel's package yourself and"
            " give it to `mmfuzz target add NAME IMAGE --modules DIR`"
        )
    return subprocess.run(
        ["env", "LC_ALL=C", program, *command[1:]],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )


def _last_words(text: str) -> str:
    """The last lines of what a program complained about, as one."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("N:")]
    return "; ".join(lines[-3:]) or "it did not say why"
