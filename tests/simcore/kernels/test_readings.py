"""The shipped kernels against readings of real ones.

The readings were taken on v4.0.4 and v4.5.7 under QEMU with swap on virtio-blk: pte bits from the page tables
themselves, page flags from /proc/kpageflags, after each step. linux-4.0-rc7-mm1 is v4.0 plus MADV_FREE, which
v4.0.4 does not have, so only the readings without MADV_FREE hold for it. Bits of the per-CPU batches (LRU, and
active until a drain) are not modelled and not compared.

A line of a reading is ops, `->`, and what is read then:

    P0.1 PWYD s      the pte of process 0, page 1: present, Writable or r, Young, Dirty, s soft-dirty
    P0.1 swap s      a swap pte
    P0.1 is PD !SC   PageDirty, not PageSwapCache; SB PageSwapBacked, KSM PageKsm
    P0.1 holds 2     what a load would see; 0 is zeros
    P0.1 x2          mapcount
    P0.0 same P1.0   one frame behind both; `other` for two
    slot 0           the slot that P0.0 names
    writes 1         writes to swap so far
    frames 2         frames in use
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from simcore.constants import PG_BUDDY

KERNELS = {"A": "linux-4.0-rc7-mm1", "B": "linux-4.5"}


@dataclass(frozen=True, slots=True)
class Reading:
    """Steps with what was read, for kernels A (v4.0.4) and B (v4.5.7), and the world it takes."""

    name: str
    kernels: str
    steps: str
    slots: int = 8
    devices: tuple[str, ...] = ("disk", "zram")
    without: str = "writeback,io_error,steps"


READINGS = (
    Reading("read of an untouched page", "AB", "read 0 0 -> P0.0 zero PrY-, frames 0"),
    Reading("write", "AB", "write 0 0 1 -> P0.0 PWYD s, P0.0 is !PD SB !SC active"),
    Reading(
        "write, reclaim, read",
        "AB",
        """
        write 0 0 1; reclaim -> P0.0 swap s, frames 0, writes 1
        read 0 0 -> P0.0 PrY- s, P0.0 is SC SB !PD, P0.0 holds 1
        reclaim -> P0.0 swap s, slot 0, frames 0, writes 1
        """,
    ),
    Reading(
        "swap-in by read, write",
        "AB",
        """
        write 0 0 1; reclaim; read 0 0 -> slot -1
        write 0 0 2 -> P0.0 PWYD s, P0.0 is PD !SC
        """,
    ),
    Reading("swap-in by write", "AB", "write 0 0 1; reclaim; write 0 0 2 -> P0.0 PWYD s, P0.0 is PD !SC"),
    Reading(
        "write, FREE, reclaim",
        "B",
        """
        write 0 0 1; madv_free 0 0 -> P0.0 PW-- s, P0.0 is !PD SB !active
        reclaim -> P0.0 none, frames 0, writes 0, P0.0 holds 0
        """,
    ),
    Reading(
        "write, FREE, read, reclaim",
        "B",
        """
        write 0 0 1; madv_free 0 0; read 0 0 -> P0.0 PWY- s
        reclaim -> P0.0 none, frames 0, writes 0
        """,
    ),
    Reading(
        "write, FREE, write, reclaim",
        "B",
        """
        write 0 0 1; madv_free 0 0; write 0 0 2 -> P0.0 PWYD s, P0.0 is !PD
        reclaim -> P0.0 swap s, P0.0 holds 2
        """,
    ),
    Reading(
        "write, reclaim, read-in, FREE, reclaim",
        "B",
        """
        write 0 0 1; reclaim; read 0 0; madv_free 0 0 -> P0.0 Pr-- s, P0.0 is !SC !PD SB
        reclaim -> P0.0 none, frames 0, writes 1, P0.0 holds 0
        """,
    ),
    Reading(
        "write, reclaim, read-in, FREE, write, reclaim",
        "B",
        """
        write 0 0 1; reclaim; read 0 0; madv_free 0 0; write 0 0 2 -> P0.0 PWYD s
        reclaim -> P0.0 swap s, P0.0 holds 2
        """,
    ),
    Reading(
        "write, reclaim, write-in, FREE, reclaim",
        "B",
        """
        write 0 0 1; reclaim; write 0 0 2; madv_free 0 0 -> P0.0 PW-- s, P0.0 is !PD
        reclaim -> P0.0 none, frames 0
        """,
    ),
    Reading(
        "write, reclaim, FREE of the swap pte",
        "B",
        "write 0 0 1; reclaim; madv_free 0 0 -> P0.0 none, P0.0 holds 0",
    ),
    Reading("FREE with no swap", "B", "write 0 0 1; madv_free 0 0 -> P0.0 none, P0.0 holds 0", slots=0),
    Reading(
        "write, migrate",
        "AB",
        """
        write 0 0 1; migrate 0 0 -> P0.0 PW-- s, P0.0 is PD !SC SB
        write 0 0 2 -> P0.0 PWYD s, P0.0 is PD
        """,
    ),
    Reading(
        "write, migrate, reclaim",
        "AB",
        "write 0 0 1; migrate 0 0; reclaim -> P0.0 swap s, P0.0 holds 1, writes 1",
    ),
    Reading(
        "write, migrate, FREE, reclaim",
        "B",
        """
        write 0 0 1; migrate 0 0; madv_free 0 0 -> P0.0 is !PD
        reclaim -> P0.0 none, frames 0
        """,
    ),
    Reading(
        "read-in, migrate: v4.0 goes by a swap pte",
        "A",
        """
        write 0 0 1; reclaim; read 0 0 -> P0.0 is SC !PD
        migrate 0 0 -> P0.0 swap s, slot 0, P0.0 is SC, frames 1, P0.0 holds 1
        """,
    ),
    Reading(
        "read-in, migrate: v4.5 goes by a migration entry",
        "B",
        """
        write 0 0 1; reclaim; read 0 0; migrate 0 0 -> P0.0 Pr-- s, P0.0 is SC !PD
        reclaim -> P0.0 swap s, slot 0, writes 1, frames 0, P0.0 holds 1
        """,
    ),
    Reading(
        "write, FREE, migrate, reclaim",
        "B",
        """
        write 0 0 1; madv_free 0 0; migrate 0 0 -> P0.0 PW-- s
        reclaim -> P0.0 none, frames 0
        """,
    ),
    Reading(
        "write, FREE, write, migrate, reclaim",
        "B",
        """
        write 0 0 1; madv_free 0 0; write 0 0 2; migrate 0 0 -> P0.0 PW-- s, P0.0 is PD
        reclaim -> P0.0 swap s, P0.0 holds 2
        """,
    ),
    Reading(
        "write, reclaim, swapoff, swapon, reclaim",
        "AB",
        """
        write 0 0 1; reclaim; swapoff -> P0.0 Pr--, P0.0 is PD !SC, P0.0 holds 1
        swapon; reclaim -> P0.0 swap, P0.0 holds 1
        """,
    ),
    Reading(
        "write, reclaim, swapoff, swapon, FREE, reclaim",
        "B",
        "write 0 0 1; reclaim; swapoff; swapon; madv_free 0 0; reclaim -> P0.0 none, frames 0",
    ),
    Reading(
        "read-in, swapoff, swapon, reclaim",
        "AB",
        """
        write 0 0 1; reclaim; read 0 0; swapoff -> P0.0 PrY- s, P0.0 is PD !SC
        swapon; reclaim -> P0.0 swap s, P0.0 holds 1
        """,
    ),
    Reading(
        "read-in, swapoff, swapon, FREE, reclaim",
        "B",
        "write 0 0 1; reclaim; read 0 0; swapoff; swapon; madv_free 0 0; reclaim -> P0.0 none, frames 0",
    ),
    Reading(
        "KSM first merge: the page scanned second is the stable page",
        "AB",
        """
        write 0 0 101; write 0 1 101 -> P0.0 other P0.1, P0.1 PWYD s
        ksm_scan -> P0.0 PrY-, P0.1 PrY- s, P0.0 same P0.1, P0.1 is KSM PD !SC, P0.1 x2, frames 1
        """,
    ),
    Reading(
        "KSM of clean pages of the swap cache: v4.0 leaves the stable page clean",
        "A",
        """
        write 0 0 101; write 0 1 101; reclaim; read 0 0; read 0 1 -> P0.0 is SC !PD, P0.1 is SC !PD
        ksm_scan -> P0.0 same P0.1, P0.1 is KSM SC !PD
        """,
    ),
    Reading(
        "KSM of clean pages of the swap cache: v4.5 marks the stable page dirty",
        "B",
        """
        write 0 0 101; write 0 1 101; reclaim; read 0 0; read 0 1; ksm_scan -> P0.0 same P0.1, P0.1 is KSM SC PD
        """,
    ),
    Reading(
        "KSM, one writes",
        "AB",
        """
        write 0 0 101; write 0 1 101; ksm_scan
        write 0 0 1 -> P0.0 PWYD s, P0.0 is !KSM, P0.0 other P0.1, P0.1 is KSM PD, P0.1 x1, P0.1 holds 101
        """,
    ),
    Reading(
        "KSM, FREE with mapcount 2",
        "B",
        """
        write 0 0 101; write 0 1 101; ksm_scan
        madv_free 0 0 -> P0.0 PrY-, P0.1 PrY- s, P0.0 is KSM PD, P0.0 holds 101
        """,
    ),
    Reading(
        "KSM, migrate ALL",
        "AB",
        """
        write 0 0 101; write 0 1 101; ksm_scan
        migrate 0 0 -> P0.0 Pr--, P0.1 Pr-- s, P0.0 same P0.1, P0.0 is KSM PD
        """,
    ),
    Reading(
        "KSM reclaim: the first reader gets the page, the second a copy",
        "AB",
        """
        write 0 0 101; write 0 1 101; ksm_scan; reclaim -> P0.0 swap, P0.1 swap s, frames 0
        read 0 0 -> P0.0 PrY-, P0.0 is !KSM SC !PD
        read 0 1 -> P0.1 PrY- s, P0.0 other P0.1, P0.1 is !KSM PD !SC active, P0.1 holds 101
        """,
    ),
    Reading(
        "KSM reclaim, the write still under way: both map the stable page again",
        "AB",
        """
        write 0 0 101; write 0 1 101; ksm_scan; reclaim -> P0.0 swap, P0.1 swap s, P0.0 is KSM SC writeback
        read 0 0; read 0 1 -> P0.0 PrY-, P0.1 PrY- s, P0.0 same P0.1, P0.0 is KSM SC
        """,
        devices=("disk",),
        without="io_error,steps",
    ),
    Reading(
        "KSM swapped, swapoff: two pages",
        "AB",
        """
        write 0 0 101; write 0 1 101; ksm_scan; reclaim
        swapoff -> P0.0 Pr--, P0.1 Pr--, P0.0 other P0.1, P0.0 is PD !SC, P0.1 is PD !SC, P0.1 holds 101
        """,
    ),
    Reading(
        "write, fork",
        "AB",
        "write 0 0 1; fork 0 -> P0.0 PrYD s, P1.0 Pr-D s, P0.0 same P1.0, P0.0 is !PD, P0.0 x2",
    ),
    Reading(
        "write, fork, reclaim, both read",
        "AB",
        """
        write 0 0 1; fork 0; reclaim -> P0.0 swap s, P1.0 swap s
        read 0 0; read 1 0 -> P0.0 PrY- s, P1.0 PrY- s, P0.0 same P1.0, P0.0 is SC !PD, P0.0 x2
        """,
    ),
    Reading(
        "write, fork, reclaim, both read, child exits, parent writes",
        "AB",
        """
        write 0 0 1; fork 0; reclaim; read 0 0; read 1 0; exit 1
        write 0 0 2 -> P0.0 PWYD s, P0.0 is PD !SC, frames 1
        """,
    ),
    Reading(
        "write, fork, parent FREE, reclaim",
        "B",
        """
        write 0 0 1; fork 0; madv_free 0 0 -> P0.0 Pr-- s, P1.0 Pr-D s
        reclaim -> P0.0 none, P1.0 swap s, P0.0 holds 0, P1.0 holds 1
        """,
    ),
    Reading(
        "write, fork, reclaim, both read, parent FREE",
        "B",
        """
        write 0 0 1; fork 0; reclaim; read 0 0; read 1 0
        madv_free 0 0 -> P0.0 PrY- s, P1.0 PrY- s, P0.0 is SC
        reclaim -> P0.0 swap s, P1.0 swap s, P0.0 holds 1, P1.0 holds 1
        """,
    ),
    Reading(
        "fork, migrate ALL, parent FREE",
        "B",
        """
        write 0 0 1; fork 0; migrate 0 0 -> P0.0 Pr-- s, P1.0 Pr-- s, P0.0 is PD
        madv_free 0 0 -> P0.0 Pr-- s, P1.0 Pr-- s, P0.0 is PD
        reclaim -> P0.0 swap s, P0.0 holds 1, P1.0 holds 1
        """,
    ),
    Reading(
        "write, FREE, fork, reclaim",
        "B",
        "write 0 0 1; madv_free 0 0; fork 0; reclaim -> P0.0 none, P1.0 none, frames 0",
    ),
    Reading(
        "write, FREE, fork, parent writes, reclaim",
        "B",
        """
        write 0 0 1; madv_free 0 0; fork 0; write 0 0 2; reclaim
        -> P0.0 swap s, P1.0 none, P0.0 holds 2, P1.0 holds 0
        """,
    ),
    Reading(
        "FREE A, merge with live B: the live page becomes the stable page",
        "B",
        """
        write 0 0 101; write 0 1 101; madv_free 0 0; ksm_scan -> P0.0 PrY-, P0.0 same P0.1, P0.1 is KSM PD
        reclaim -> P0.1 swap s, P0.1 holds 101
        """,
    ),
    Reading(
        "FREE A, merge with live B: the freed page becomes the stable page",
        "B",
        """
        write 0 0 101; write 0 1 101; madv_free 0 1; ksm_scan
        -> P0.0 PrY-, P0.1 Pr-- s, P0.0 same P0.1, P0.1 is KSM PD
        reclaim -> P0.0 swap, P0.0 holds 101
        """,
    ),
)
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
    world = f"processes=2 pages=2 frames=12 slots={reading.slots} mergeable=2 swap={swap}"
    bench = play(kernel=KERNELS[kernel], world=f"{world} without={reading.without}")
    for step in reading.steps.replace("\n        ->", " ->").strip().split("\n"):
        ops, _, claims = step.partition("->")
        bench.do(ops)
        for claim in filter(None, map(str.strip, claims.split(","))):
            assert read_back(bench, claim) == claim, f"after `{ops.strip()}`"
    assert bench.end() == [], "nothing of this is a fault of the kernel"
