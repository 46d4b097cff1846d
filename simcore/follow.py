"""The branch of a reading that reclaim follows: what a real kernel did where several things are legal.

Used only when readings are replayed; otherwise reclaim decides by itself.
"""

import cython


def follow_drains(s: "MmState") -> bool:
    """Whether the reading shows that a list was scanned: the batch was drained, a page is gone, or lost SwapBacked."""
    if s.following == FOLLOWING_DRAINS:
        return True
    for ptep in range(s.nr_mm << VPN_SHIFT):
        choice = s.follow[ptep]
        if choice == FOLLOW_ANY:
            continue
        if shows_scan(s, s.pte[ptep], choice) or (choice == FOLLOW_TAKE and file_slot_cached(s, ptep)):
            return True
    return False


def file_slot_cached(s: "MmState", ptep: int) -> bool:
    """Whether the page of the file behind an empty pte is swapped out, and still in the swap cache."""
    if pte_kind(s.pte[ptep]) != PTE_NONE or not s.vm_flags[ptep] & VM_FILE:
        return False
    slot = s.shmem_slot[file_index(s, ptep)]
    return slot >= 0 and s.slot_page[slot] >= 0


def shows_scan(s: "MmState", pte: int, choice: int) -> bool:
    """Whether what the reading says of one page can only come about when its list is scanned."""
    kind = pte_kind(pte)
    taken = choice == FOLLOW_TAKE or choice == FOLLOW_CACHE
    if kind == PTE_SWAP:
        return choice == FOLLOW_TAKE and s.slot_page[pte_payload(pte)] >= 0
    if kind != PTE_PRESENT or pte & PTE_ZERO_PAGE:
        return False
    given_up = choice == FOLLOW_KEEP
    is_not_yet = PG_ANON | PG_SWAPBACKED
    return taken or (given_up and s.page_flags[pte_payload(pte)] & is_not_yet == is_not_yet)


def follow_choice(s: "MmState", pfn: int) -> int:
    """What the reading says of a page, by any pte that maps it, names its slot, or could map its page of the file."""
    slot = s.page_slot[pfn]
    found = FOLLOW_ANY
    for ptep in range(s.nr_mm << VPN_SHIFT):
        if s.follow[ptep] == FOLLOW_ANY:
            continue
        pte = s.pte[ptep]
        kind = pte_kind(pte)
        if kind == PTE_PRESENT and not pte & PTE_ZERO_PAGE and s.page_head[pte_payload(pte)] == pfn:
            return s.follow[ptep]
        if (kind == PTE_SWAP and slot >= 0 and pte_payload(pte) == slot) or (
            kind == PTE_NONE and slot >= 0 and shows_slot(s, ptep, slot)
        ):
            found = s.follow[ptep]
    return found


def shows_slot(s: "MmState", ptep: int, slot: int) -> bool:
    """Whether the empty pte is of a mapping whose page of the file is in the slot."""
    return s.vm_flags[ptep] & VM_FILE != 0 and s.shmem_slot[file_index(s, ptep)] == slot


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload
    from simcore.constants import (
        FOLLOW_ANY,
        FOLLOW_CACHE,
        FOLLOW_KEEP,
        FOLLOW_TAKE,
        FOLLOWING_DRAINS,
        PG_ANON,
        PG_SWAPBACKED,
        PTE_NONE,
        PTE_PRESENT,
        PTE_SWAP,
        PTE_ZERO_PAGE,
        VM_FILE,
        VPN_SHIFT,
    )
    from simcore.mm_types import MmState
    from simcore.shmem import file_index
