"""Kernel modules out of a tree as `make modules_install` lays it down: which are needed, and in which order.

A guest has no modprobe, and a package that was never installed no modules.dep: what modprobe would know is read from
the modules themselves. They are unpacked here, so that the guest's kernel need not know their compression.
"""

import gzip
import lzma
import shutil
import subprocess
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from guest.elf import NotElf, section
from guest.errors import GuestError, ModuleError

BUILT_IN = "modules.builtin"
# What a module asks for when it is used, and `depends` does not name. Taken where it is there: before v6.12 zram gets
# its default compressor from the crypto API, after that it has its own.
ASKED_FOR: Mapping[str, tuple[str, ...]] = {"zram": ("lzo_rle",)}


@dataclass(frozen=True, slots=True)
class Module:
    """A module, unpacked; its name is the kernel's, with underscores."""

    name: str
    content: bytes = field(repr=False)

    @property
    def information(self) -> dict[str, str]:
        """What `modinfo` shows: depends, vermagic, ...; of entries that come more than once, the last."""
        try:
            text = section(self.content, ".modinfo").decode("utf-8", "replace")
        except NotElf as error:
            raise ModuleError(f"{self.name} is no kernel module: {error}") from error
        return dict(entry.split("=", 1) for entry in text.split("\0") if "=" in entry)

    @property
    def depends(self) -> tuple[str, ...]:
        """The names of the modules that have to be loaded before, as far as they are not built in."""
        return tuple(module_name(name) for name in self.information.get("depends", "").split(",") if name)

    @property
    def release(self) -> str:
        """The release of the kernel that takes it."""
        return self.information.get("vermagic", "").partition(" ")[0]


class ModuleTree:
    """The modules below a folder lib/modules/RELEASE."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise ModuleError(f"no folder of modules: {folder}; give the lib/modules/RELEASE of the kernel")
        self.folder = folder
        # Where two files have one module, that below updates/ is last and counts, as for depmod.
        self.files = {module_name(path): path for path in sorted(folder.rglob("*.ko*")) if path.is_file()}
        built_in = folder / BUILT_IN
        lines = built_in.read_text("utf-8").split() if built_in.is_file() else []
        self.built_in = frozenset(module_name(line) for line in lines)

    def read(self, name: str) -> Module:
        """The module of that name, unpacked. ModuleError when the tree does not have it."""
        name = module_name(name)
        if name not in self.files:
            raise ModuleError(self._missing([name]))
        return Module(name, _unpacked(self.files[name]))

    def release(self) -> str | None:
        """The release of the kernel that the modules are for; None when there are none."""
        return self.read(min(self.files)).release if self.files else None

    def order(self, wanted: Sequence[str]) -> tuple[Module, ...]:
        """The modules that are wanted and those that they depend on, in an order in which they can be loaded.

        Those built into the kernel are left out. ModuleError names all that neither are built in nor in the tree.
        """
        modules: dict[str, Module] = {}
        graph: dict[str, tuple[str, ...]] = {}
        missing: list[str] = []
        ahead = [module_name(name) for name in reversed(wanted)]
        while ahead:
            name = ahead.pop()
            if name in graph or name in self.built_in or name in missing:
                continue
            if name not in self.files:
                missing.append(name)
                continue
            modules[name] = self.read(name)
            asked_for = (other for other in ASKED_FOR.get(name, ()) if other in self.files)
            graph[name] = (*modules[name].depends, *asked_for)
            ahead.extend(reversed(graph[name]))
        if missing:
            raise ModuleError(self._missing(missing))
        try:
            return tuple(modules[name] for name in TopologicalSorter(graph).static_order() if name in modules)
        except CycleError as error:
            raise ModuleError(f"modules of {self.folder} depend on each other: {' <- '.join(error.args[1])}") from error

    def _missing(self, names: Iterable[str]) -> str:
        listed = ", ".join(names)
        hint = "" if (self.folder / BUILT_IN).is_file() else f"; without a {BUILT_IN} none counts as built in"
        return f"neither built into the kernel nor in {self.folder}: {listed}{hint}"


def loading_order(tree: Path | None, wanted: Sequence[str]) -> tuple[Module, ...]:
    """The modules to load for those wanted, the first first: dependencies included, those built in left out.

    Without a tree everything counts as built in; the kernel says so itself where that is wrong.
    """
    return ModuleTree(tree).order(wanted) if tree is not None else ()


def module_name(file: str | Path) -> str:
    """The kernel's name for a module from that of its file: virtio-rng.ko.xz is virtio_rng."""
    return Path(file).name.partition(".")[0].replace("-", "_")


def _unpacked(file: Path) -> bytes:
    """The contents of a module's file without compression."""
    unpack = _UNPACKERS.get(file.suffix)
    if unpack is None:
        raise ModuleError(f"unknown kind of module: {file}; known are {', '.join(sorted(_UNPACKERS))}")
    try:
        return unpack(file)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise ModuleError(f"the module cannot be read: {file} ({error})") from error


def _from_zstd(file: Path) -> bytes:
    """By the program: Python's own library has zstd only from 3.14 on."""
    program = shutil.which("zstd")
    if program is None:
        raise GuestError(f"{file} needs the program zstd, which is not there; install the package zstd")
    done = subprocess.run([program, "-dcq", file], capture_output=True, check=False, stdin=subprocess.DEVNULL)
    if done.returncode:
        raise ModuleError(f"the module cannot be read: {file} ({done.stderr.decode(errors='replace').strip()})")
    return done.stdout


_UNPACKERS: Mapping[str, Callable[[Path], bytes]] = {
    ".gz": lambda file: gzip.decompress(file.read_bytes()),
    ".ko": Path.read_bytes,
    ".xz": lambda file: lzma.decompress(file.read_bytes()),
    ".zst": _from_zstd,
}
