"""The shipped kernels against readings of real ones.

The readings were taken on v4.0.4, v4.5.7 and v4.14.5 under QEMU with swap on virtio-blk and on zram: pte bits from the
page tables themselves, page flags from /proc/kpageflags, after each step. linux-4.0-rc7-mm1 is v4.0 plus MADV_FREE,
which v4.0.4 does not have, so only the readings without MADV_FREE hold for it.

A line of a reading is ops, `->`, and what is read then:

    P0.1 PWYD s      the pte of process 0, page 1: present, Writable or r, Young, Dirty, s soft-dirty
    P0.1 swap s      a swap pte
    P0.1 is PD !SC   PageDirty, not PageSwapCache; SB PageSwapBacked, KSM PageKsm, LRU PageLRU, ref PageReferenced
    P0.1 lazyfree    smaps counts the page as LazyFree
    P0.1 node 1      the NUMA node the frame is on
    P0.1 holds 2     what a load would see; 0 is zeros
    P0.1 x2          mapcount
    P0.0 same P1.0   one frame behind both; `other` for two
    slot 0           the slot that P0.0 names
    writes 1         writes to swap so far
    frames 2         frames in use
"""

import re
import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from simcore.constants import PG_BUDDY, PG_NODE1

KERNELS = {"A": "linux-4.0-rc7-mm1", "B": "linux-4.5", "C": "linux-4.14"}
SMAPS_LAZYFREE = 1 << 7


@dataclass(frozen=True, slots=True)
class Reading:
    """Steps with what was read, for kernels A (v4.0.4), B (v4.5.7) and C (v4.14.5), and the world it takes."""

    name: str
    kernels: str
    steps: str
    slots: int = 8
    huge: int = 0
    devices: Sequence[str] = ("disk", "zram")
    without: str = "writeback,io_error,steps"


def load_readings() -> tuple[Reading, ...]:
    """The readings of readings.toml."""
    table = tomllib.loads(Path(__file__).with_name("readings.toml").read_text("utf-8"))
    return tuple(Reading(**entry) for entry in table["reading"])


READINGS = load_readings()
CASES = [
    pytest.param(reading, kernel, swap, id=f"{kernel}, {swap}: {reading.name}")
    for reading in READINGS
    for kernel in reading.kernels
    for swap in reading.devices
]


def place(word: str) -> tuple[int, int]:
    """Process and page of `P0.1`."""
    process, page = word.removeprefix("P").split(".")
    return int(process), int(page)


def read_back(play: Any, claim: str) -> str:
    """The claim as it is on the machine: equal to the claim when it holds."""
    words = claim.split()
    match words:
        case ["slot", _]:
            return f"slot {play.slot()}"
        case ["writes", _]:
            return f"writes {play.writes()}"
        case ["frames", _]:
            return f"frames {sum(not page.flags & PG_BUDDY for page in play.snapshot().pages)}"
        case [who, "lazyfree"]:
            process, page = place(who)
            shown = play.machine.smaps_states()[process][page]
            return f"{who} {'lazyfree' if shown & SMAPS_LAZYFREE else 'no lazyfree'}"
        case [who, "node", _]:
            return f"{who} node {int(play.page(*place(who)).flags & PG_NODE1 != 0)}"
        case [who, "is", *flags]:
            return f"{who} is {play.has(' '.join(flags), *place(who))}"
        case [who, "holds", _]:
            return f"{who} holds {play.value(*place(who))}"
        case [who, "same" | "other", whom]:
            same = play.frame(*place(who)) == play.frame(*place(whom))
            return f"{who} {'same' if same else 'other'} {whom}"
        case [who, count] if count.startswith("x"):
            return f"{who} x{play.page(*place(who)).mapcount}"
    return f"{words[0]} {play.pte(*place(words[0]))}"


@pytest.mark.parametrize(("reading", "kernel", "swap"), CASES)
def test_kernel_reads_as_the_real_one(reading: Reading, kernel: str, swap: str, play: Callable[..., Any]) -> None:
    slots = reading.slots + 2 * reading.huge
    sizes = f"processes=2 pages=2 frames={12 + 4 * reading.huge} slots={slots} mergeable=2 huge={reading.huge}"
    world = f"{sizes} batch=14 swap={swap}"
    bench = play(kernel=KERNELS[kernel], world=f"{world} without={reading.without}")
    for step in reading.steps.replace("\n->", " ->").strip().split("\n"):
        ops, _, claims = step.partition("->")
        # Real programs have more pages, so reclaim finds pages on the lists, and drains the batches.
        bench.do(re.sub("(begin )?reclaim", r"drain 0; \g<0>", ops))
        for claim in filter(None, map(str.strip, claims.replace("->", ",").split(","))):
            assert read_back(bench, claim) == claim, f"after `{ops.strip()}`"
    assert bench.end() == [], "nothing of this is a fault of the kernel"
