"""The simulated machine that stands for the one on which readings were made."""

import re
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from fuzzer.conform.errors import WorldUnknown
from fuzzer.conform.reading import PROCESSES, Reading
from simcore.features import ALL_FEATURES
from simcore.world import World

SET_NAME = re.compile(r"(?P<set>[a-z]+)-(?P<kernel>\d+\.\d+)-(?P<swap>zram|virtio)\.jsonl(\.gz)?")
# The per-CPU LRU batches of the kernels: a pagevec of 15 up to v6.9, a folio batch of 31 from v6.10.
PAGEVEC_SIZE = 15
FOLIO_BATCH_SIZE = 31
ANON_PAGES, MERGEABLE_PAGES, FILE_PAGES, HUGE_SUBPAGES = 8, 4, 2, 6
# More than any trace of a reading needs: the real machine was never short of memory or swap.
FRAMES, SLOTS = 120, 128
# Nothing in a reading needs them: one cgroup, I/O that ends well, ops that run to their end.
LEFT_OUT = frozenset({"memcg", "io_error", "steps"})

SwapName = Literal["zram", "virtio"]
SWAP_NAMES: tuple[SwapName, ...] = ("zram", "virtio")


@dataclass(frozen=True, slots=True)
class Source:
    """Where readings come from: the file's name, the set, the real kernel's version and the swap device."""

    name: str
    set: str
    version: str
    swap: SwapName

    def reading_name(self, number: int) -> str:
        """A trace by its number: main-6.1-zram:12."""
        return f"{self.set}-{self.version}-{self.swap}:{number}"

    @property
    def ksm_is_wrong(self) -> bool:
        """Whether this kernel reports KSM for every anonymous page (v6.12 does)."""
        return version_number(self.version) >= (6, 12)


def find_source(path: Path, kernel: str, swap: SwapName | None = None) -> Source:
    """What a file's name SET-KERNEL-SWAP says, or the simulated kernel's name and `swap`. WorldUnknown without."""
    match = SET_NAME.fullmatch(path.name)
    version = match["kernel"] if match else version_in(kernel)
    device = swap or (match["swap"] if match else None)
    if device is None:
        raise WorldUnknown(
            f"{path}: its name does not say the swap device (such as main-6.1-zram.jsonl.gz); say --swap zram or virtio"
        )
    if version is None:
        raise WorldUnknown(f"{path}: neither its name nor the kernel's ({kernel}) says which version it was made on")
    return Source(path.name, match["set"] if match else "-", version, "zram" if device == "zram" else "virtio")


def named_version(path: Path) -> str | None:
    """The version in a file's name SET-VERSION-SWAP.jsonl.gz."""
    match = SET_NAME.fullmatch(path.name)
    return match["kernel"] if match else None


def version_in(text: str) -> str | None:
    """The first version in a kernel's name: 6.12 in linux-6.12."""
    match = re.search(r"\d+\.\d+", text)
    return match[0] if match else None


def version_number(version: str) -> tuple[int, ...]:
    """6.12 as (6, 12)."""
    return tuple(map(int, version.split(".")))


def batch_size(kernel: str, source: Source) -> int:
    """Entries of a per-CPU LRU batch: of the simulated kernel's version if its name has one, else of the reading's."""
    version = version_in(kernel) or source.version
    return FOLIO_BATCH_SIZE if version_number(version) >= (6, 10) else PAGEVEC_SIZE


def make_world(source: Source, reading: Reading, batch: int) -> World:
    """The world of a reading."""
    return replace(base_world(source, batch), huge=HUGE_SUBPAGES if reading.thp else 0, advised=reading.hp)


def base_world(source: Source, batch: int) -> World:
    """The world of a reading without the 2 MiB area."""
    return World(
        processes=PROCESSES, pages=ANON_PAGES, mergeable=MERGEABLE_PAGES, file=FILE_PAGES, frames=FRAMES, slots=SLOTS,
        swap="zram" if source.swap == "zram" else "disk", batch=batch, features=ALL_FEATURES - LEFT_OUT,
    )  # fmt: skip


def pagemap_is_by_head(world: World) -> bool:
    """Whether pagemap calls a part of a huge mapping mapped once if that is true of the head.

    So it was before v6.11; the world's batches, which grew in v6.10, tell the two kinds of kernels apart.
    """
    return world.batch < FOLIO_BATCH_SIZE
