"""The world a trace runs in: how big the machine is, and what it has.

A world is a value. Its text form is one line, `processes=2 pages=4 ... without=ksm,memcg`, which names the
features taken out; a field that the text does not give has its default. What a later version adds is written
only where it differs from its default, so that the text of a world, and a trace's digest, never change.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal, cast

from simcore.constants import MAX_BATCH, MAX_FILE, MAX_HUGE, MAX_MEMCG, MAX_MM, MAX_PAGES, MAX_SLOTS, MAX_VPN
from simcore.errors import UnknownName, WorldError, quoted, unknown_name
from simcore.features import ALL_FEATURES, FEATURES, feature_mask

SwapDevice = Literal["disk", "zram"]
SWAP_DEVICES: tuple[SwapDevice, ...] = ("disk", "zram")

# Least and greatest of each size; mergeable pages are also bounded by the world's own pages.
SIZES: dict[str, tuple[int, int]] = {
    "processes": (1, MAX_MM),
    "pages": (1, MAX_VPN),
    "frames": (2, MAX_PAGES),
    "slots": (0, MAX_SLOTS),
    "memcgs": (1, MAX_MEMCG),
    "mergeable": (0, MAX_VPN),
    "file": (0, MAX_FILE),
    "huge": (0, MAX_HUGE),
    "advised": (0, 1),
    "batch": (1, MAX_BATCH),
}
TEXT_FIELDS: tuple[str, ...] = (*SIZES, "swap", "without")
# Written only where they differ from their default.
LATER_SIZES: dict[str, int] = {"file": 0, "huge": 0, "advised": 1, "batch": 1}


@dataclass(frozen=True, slots=True)
class World:
    """Sizes and features of the simulated machine. WorldError or UnknownName when it cannot be.

    `pages` are private anonymous vmas of one page each, per process; the first `mergeable` of them are
    VM_MERGEABLE at the start. Process 0 exists at the start, the others are forked. All processes start in
    memory cgroup 0. `slots` are swap slots, 0 for no swap; zram is a swap device that writes synchronously.

    Behind them lie, one vma a page, `file` pages of one tmpfs file mapped shared, the same pages mapped private, and
    then the `huge` subpages of one 2 MiB area, which may become a huge page at a fault if it is `advised`
    (MADV_HUGEPAGE). `batch` is the size of the per-CPU LRU batches: 14 to 15 pages in most kernels, 31 from v6.10;
    1 means that pages join their list at once.
    """

    processes: int = 2
    pages: int = 4
    frames: int = 12
    slots: int = 8
    memcgs: int = 1
    mergeable: int = 2
    swap: SwapDevice = "disk"
    features: frozenset[str] = ALL_FEATURES
    file: int = 0
    huge: int = 0
    advised: int = 1
    batch: int = 1

    def __post_init__(self) -> None:
        for name, (least, greatest) in SIZES.items():
            _check_size(name, getattr(self, name), least, greatest)
        if self.mergeable > self.pages:
            raise WorldError(
                f"mergeable={self.mergeable}, but each process has pages={self.pages};"
                f" mergeable can be 0 to {self.pages}",
                "mergeable",
            )
        if self.total_pages > MAX_VPN:
            raise WorldError(
                f"pages={self.pages} file={self.file} huge={self.huge} are {self.total_pages} pages a process (those of"
                f" the file count twice); there can be {MAX_VPN}",
                "pages",
            )
        if self.swap not in SWAP_DEVICES:
            raise WorldError(f"swap={quoted(str(self.swap))}; it can be {' or '.join(SWAP_DEVICES)}", "swap")
        _check_features(self.features)

    @property
    def total_pages(self) -> int:
        """The pages of a process: anonymous, of the file shared and private, and of the huge area."""
        file = self.file if "tmpfs" in self.features else 0
        huge = self.huge if "thp" in self.features else 0
        return self.pages + 2 * file + huge

    @property
    def missing(self) -> tuple[str, ...]:
        """The features taken out, sorted."""
        return tuple(sorted(ALL_FEATURES - self.features))

    def without(self, names: Iterable[str]) -> "World":
        """The same world with these features taken out too. UnknownName for one that does not exist."""
        taken_out = frozenset(names)
        _check_features(taken_out)
        return replace(self, features=self.features - taken_out)

    def __str__(self) -> str:
        """The one-line text form."""
        words = [f"{name}={value}" for name, value in self._written().items()]
        if self.missing:
            words.append(f"without={','.join(self.missing)}")
        return " ".join(words)

    @classmethod
    def parse(cls, text: str) -> "World":
        """The world of a one-line text form. WorldError or UnknownName with the field at fault."""
        values: dict[str, str] = {}
        for word in text.split():
            name, equals, value = word.partition("=")
            if not equals:
                raise WorldError(f"{quoted(word)} is no field; write field=value, such as pages=4", word)
            if name not in TEXT_FIELDS:
                raise WorldError(unknown_name("world field", name, TEXT_FIELDS), name)
            if name in values:
                raise WorldError(f"{name} is given twice, as {quoted(values[name])} and as {quoted(value)}", name)
            values[name] = value
        given: dict[str, Any] = {
            name: _size(name, value) if name in SIZES else value for name, value in values.items() if name != "without"
        }
        world = cls(**given)
        return world.without(values["without"].split(",")) if "without" in values else world

    def to_json(self) -> dict[str, object]:
        """The world as what JSON can hold, by the names of the text form; `without` is a list."""
        return self._written() | {"without": list(self.missing)}

    def _written(self) -> dict[str, object]:
        """The fields that the text names, without `without`."""
        sizes: dict[str, object] = {
            name: getattr(self, name) for name in SIZES if getattr(self, name) != LATER_SIZES.get(name)
        }
        return sizes | {"swap": self.swap}

    @classmethod
    def from_json(cls, value: object) -> "World":
        """The world that to_json made. WorldError or UnknownName for anything else."""
        if not isinstance(value, Mapping):
            raise WorldError(f"a world is an object with the fields {', '.join(TEXT_FIELDS)}, not {value!r}")
        for name in value:
            if name not in TEXT_FIELDS:
                raise WorldError(unknown_name("world field", str(name), TEXT_FIELDS), str(name))
        given = {name: value[name] for name in value if name != "without"}
        missing = value.get("without", [])
        if not isinstance(missing, list | tuple) or not all(isinstance(name, str) for name in missing):
            raise WorldError(f"without={missing!r}; it is a list of features", "without")
        return cls(**cast(dict[str, Any], given)).without(missing)

    def encode(self) -> tuple[int, ...]:
        """The numbers the core takes: the sizes, 1 for a zram device, and the mask of features."""
        sizes = [cast(int, getattr(self, name)) for name in SIZES]
        return (*sizes, int(self.swap == "zram"), feature_mask(self.features))


def _check_size(name: str, value: object, least: int, greatest: int) -> None:
    # bool is an int in Python, but nobody means pages=True.
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= greatest:
        raise WorldError(f"{name}={value}; it can be {least} to {greatest}", name)


def _check_features(names: frozenset[str]) -> None:
    for name in sorted(names):
        if name not in FEATURES:
            raise UnknownName("feature", name, FEATURES)


def _size(name: str, text: str) -> int:
    # Nine digits are more than any size has, and fewer than Python refuses to convert.
    if text.isascii() and text.isdigit() and len(text) <= 9:
        return int(text)
    least, greatest = SIZES[name]
    raise WorldError(f"{name}={quoted(text)}; it can be {least} to {greatest}", name)
