"""A machine's state as a value, between two ops: what `explain` compares, and where each page's contents live."""

from dataclasses import dataclass
from typing import Any

from simcore.constants import (
    PG_DIRTY,
    PG_SWAPCACHE,
    PTE_DIRTY,
    PTE_KIND_MASK,
    PTE_MIGRATION,
    PTE_NONE,
    PTE_PAYLOAD_SHIFT,
    PTE_PRESENT,
    PTE_SWAP,
    PTE_ZERO_PAGE,
    SHADOW_FREED,
    ZEROS,
)


@dataclass(frozen=True, slots=True)
class PageState:
    """One frame: PG_* flags, counts, contents (a token), slot in the swap cache or -1."""

    flags: int
    mapcount: int
    refcount: int
    content: int
    slot: int
    locked_by: int
    memcg: int


@dataclass(frozen=True, slots=True)
class SlotState:
    """One swap slot: its count of swap ptes, the cached frame or -1, contents, whether it was ever written."""

    count: int
    page: int
    content: int
    written: bool


@dataclass(frozen=True, slots=True)
class Expectation:
    """What the program may expect of a page: the last token, and whether zeros are allowed too."""

    token: int
    zeros_allowed: bool


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The machine at one moment. Pages of processes are keyed (process, page); only live processes are in it."""

    ptes: dict[tuple[int, int], int]
    expected: dict[tuple[int, int], Expectation]
    pages: tuple[PageState, ...]
    slots: tuple[SlotState, ...]


def take_snapshot(machine: Any) -> Snapshot:
    """The machine's state now."""
    alive = machine.alive()
    ptes = {
        (process, page): pte
        for process, row in enumerate(machine.ptes())
        if alive[process]
        for page, pte in enumerate(row)
    }
    expected = {
        (process, page): Expectation(token, bool(shadow & SHADOW_FREED))
        for process, row in enumerate(machine.expectations())
        if alive[process]
        for page, (token, shadow, _) in enumerate(row)
    }
    pages = tuple(PageState(*page) for page in machine.pages())
    slots = tuple(
        SlotState(count, page, content, bool(written)) for count, page, content, written in machine.swap_slots()
    )
    return Snapshot(ptes, expected, pages, slots)


def contents_behind(snapshot: Snapshot, where: tuple[int, int]) -> int:
    """The token that a load of the page would see now, through pte, swap cache or slot."""
    pte = snapshot.ptes[where]
    kind = pte & PTE_KIND_MASK
    payload = pte >> PTE_PAYLOAD_SHIFT
    if kind == PTE_NONE or pte & PTE_ZERO_PAGE:
        return ZEROS
    if kind in (PTE_PRESENT, PTE_MIGRATION):
        return snapshot.pages[payload].content
    assert kind == PTE_SWAP
    slot = snapshot.slots[payload]
    if slot.page >= 0 and snapshot.pages[slot.page].flags & PG_SWAPCACHE:
        return snapshot.pages[slot.page].content
    return slot.content


def broken_promises(snapshot: Snapshot) -> tuple[tuple[int, int], ...]:
    """The pages that a load would find wrong now."""
    return tuple(
        where
        for where, expectation in snapshot.expected.items()
        if (seen := contents_behind(snapshot, where)) != expectation.token
        and not (seen == ZEROS and expectation.zeros_allowed)
    )


def guards(snapshot: Snapshot, where: tuple[int, int]) -> tuple[str, ...]:
    """What keeps the page's contents from being thrown away: a dirty pte, PageDirty, a slot that holds them.

    Reclaim may free a frame only when it is clean against its slot, or was given up; contents that nothing guards
    are one decision away from being lost.
    """
    pte = snapshot.ptes[where]
    kind = pte & PTE_KIND_MASK
    payload = pte >> PTE_PAYLOAD_SHIFT
    if kind == PTE_NONE or pte & PTE_ZERO_PAGE:
        return ()
    pfn = payload if kind != PTE_SWAP else snapshot.slots[payload].page
    found = []
    slot = payload if kind == PTE_SWAP else snapshot.pages[pfn].slot
    if pfn >= 0:
        sharers = [other for other in snapshot.ptes.values() if _maps(other, pfn)]
        if any(other & PTE_DIRTY for other in sharers):
            found.append("a dirty pte")
        if snapshot.pages[pfn].flags & PG_DIRTY:
            found.append("PageDirty")
    if slot >= 0 and snapshot.slots[slot].written and snapshot.slots[slot].content == contents_behind(snapshot, where):
        found.append(f"its copy in slot {slot}")
    return tuple(found)


def _maps(pte: int, pfn: int) -> bool:
    kind = pte & PTE_KIND_MASK
    return kind in (PTE_PRESENT, PTE_MIGRATION) and not pte & PTE_ZERO_PAGE and pte >> PTE_PAYLOAD_SHIFT == pfn
