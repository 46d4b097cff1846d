"""The branch of a reading that reclaim follows: what a real kernel did where several things are legal.

Used only when readings are replayed; otherwise reclaim decides by itself.
"""

import cython


def follow_drains(s: "MmState") -> bool:
    """Whether the reading shows that a list was scanned: the batch was drained, a page is gone, or lost SwapBacked."""
    if s.following == FOLLOWING_DRAINS:
        return True
    for ptep in range(s.nr_mm << VPN_SHIFT):
        if s.follow[ptep] != FOLLOW_ANY and shows_scan(s, s.pte[ptep], s.follow[ptep]):
            return True
    return False


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
        if kind == PTE_SWAP and slot >= 0 and pte_payload(pte) == slot:
            found = s.follow[ptep]
    return found


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
        PTE_PRESENT,
        PTE_SWAP,
        PTE_ZERO_PAGE,
        VPN_SHIFT,
    )
    from simcore.mm_types import MmState
