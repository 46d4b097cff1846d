"""The swap cache: mm/swap_state.c."""

import cython


def add_to_swap_cache(s: "MmState", pfn: int, slot: int) -> None:
    """Enter the page under the slot; the cache holds one reference."""
    if s.page_slot[pfn] >= 0:
        kernel_bug(s, BUG_SWAPCACHE_TWICE)
        return
    s.page_flags[s.page_head[pfn]] |= PG_SWAPCACHE
    s.page_slot[pfn] = slot
    s.slot_page[slot] = pfn
    s.counts_changed = 1
    s.page_refcount[s.page_head[pfn]] += 1


def add_to_swap(s: "MmState", pfn: int) -> bool:
    """Give an anonymous page a slot that holds nothing of it yet; False when there is none.

    Source: mm/swap_state.c add_to_swap(). v4.0 marks the page dirty here, v4.5 does not.
    """
    parts = s.nr_huge if is_huge(s, pfn) else 1
    if s.swap_on == 0 or s.nr_free_slots < parts:
        return False
    for number in range(parts):
        part = part_of(s, pfn, number) if parts > 1 else pfn
        add_to_swap_cache(s, part, get_swap_slot(s, part))
    page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
    if rule1(s, R_ADD_TO_SWAP_SETS_PAGE_DIRTY, page_dirty):
        s.page_flags[pfn] |= PG_DIRTY
    return True


def delete_from_swap_cache(s: "MmState", pfn: int) -> None:
    """Take the page out of the swap cache. Its slot is freed unless swap ptes still use it."""
    if not s.page_flags[pfn] & PG_SWAPCACHE:
        kernel_bug(s, BUG_DELETE_NOT_SWAPCACHE)
        return
    if s.page_flags[pfn] & PG_WRITEBACK:
        kernel_bug(s, BUG_DELETE_WRITEBACK)
        return
    s.page_flags[pfn] &= ~PG_SWAPCACHE
    if is_huge(s, pfn):
        for number in range(s.nr_huge - 1, -1, -1):
            leave_slot(s, part_of(s, pfn, number))
    else:
        leave_slot(s, pfn)


def leave_slot(s: "MmState", pfn: int) -> None:
    """Part a page, or a part of a huge page, from its slot, and drop the cache's reference."""
    slot = s.page_slot[pfn]
    s.page_slot[pfn] = -1
    s.slot_page[slot] = -1
    free_slot_if_unused(s, slot)
    put_page(s, pfn)


def begin_read_swap_cache(s: "MmState", slot: int, memcg: int) -> int:
    """The held page of a slot: from the cache, or a new one entered there that is not up to date yet.

    -1 when there is no memory, or the slot was freed while memory was sought.
    Source: mm/swap_state.c read_swap_cache_async(). Departs: no readahead of other slots.
    """
    pfn = s.slot_page[slot]
    if pfn >= 0:
        get_page(s, pfn)
        return pfn
    pfn = alloc_page(s, memcg)
    if pfn < 0:
        return -1
    if s.slot_page[slot] >= 0 or s.slot_count[slot] == 0:
        # Reclaim for the new page changed the slot under us: look again, without the new page.
        put_page(s, pfn)
        other = s.slot_page[slot]
        if other >= 0:
            get_page(s, other)
        return other
    s.page_flags[pfn] &= ~PG_UPTODATE
    add_to_swap_cache(s, pfn, slot)
    lru_cache_add(s, pfn)
    return pfn


def read_swap_cache(s: "MmState", slot: int) -> int:
    """The held, up to date page of a slot, for swapoff; -1 when there is no memory."""
    pfn = begin_read_swap_cache(s, slot, -1)
    if pfn >= 0 and not s.page_flags[pfn] & PG_UPTODATE and s.page_lock[pfn] == 0:
        swap_readpage(s, pfn)
    return pfn


if not cython.compiled:
    from simcore.bits import rule1
    from simcore.constants import (
        BUG_DELETE_NOT_SWAPCACHE,
        BUG_DELETE_WRITEBACK,
        BUG_SWAPCACHE_TWICE,
        PG_DIRTY,
        PG_SWAPCACHE,
        PG_UPTODATE,
        PG_WRITEBACK,
    )
    from simcore.huge_memory import is_huge, part_of
    from simcore.mm_types import MmState
    from simcore.page_alloc import alloc_page, get_page, put_page
    from simcore.page_io import swap_readpage
    from simcore.report import kernel_bug
    from simcore.rule_ids import R_ADD_TO_SWAP_SETS_PAGE_DIRTY
    from simcore.swap import lru_cache_add
    from simcore.swapfile import free_slot_if_unused, get_swap_slot
