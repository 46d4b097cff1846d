"""Advice about one page: mm/madvise.c. All of it runs under mmap_lock for reading."""

import cython


def madvise_dontneed(s: "MmState", actor: int, ptep: int) -> int:
    """MADV_DONTNEED: the page is gone at once and reads as zeros."""
    if s.vm_flags[ptep] & VM_LOCKED:
        return RESULT_EINVAL
    lru_add_drain(s)
    drop_page(s, actor, ptep)
    return RESULT_OK


def drop_page(s: "MmState", actor: int, ptep: int) -> None:
    """Empty the pte, and let the program know that it reads as zeros now. Source: madvise_dontneed()."""
    kind = pte_kind(s.pte[ptep])
    present = kind == PTE_PRESENT
    swapped = kind == PTE_SWAP
    if rule2(s, R_DONTNEED_ZAPS_PTE, present, swapped):
        zap_pte(s, actor, ptep)
    forget_pin(s, ptep)
    user_dropped(s, ptep)


def madvise_free(s: "MmState", actor: int, ptep: int) -> int:
    """MADV_FREE: the page may be discarded until the next store to it.

    Source: mm/madvise.c madvise_free_pte_range(), v4.5 and the 2014-2015 series before it.
    """
    if s.vm_flags[ptep] & (VM_LOCKED | VM_FILE):
        return RESULT_EINVAL
    lru_add_drain(s)
    madvise_free_page(s, actor, ptep)
    return RESULT_OK


def madvise_free_page(s: "MmState", actor: int, ptep: int) -> None:
    """Give one page up."""
    swap_available_ = swap_available(s)
    if rule1(s, R_MADV_FREE_IS_DONTNEED, swap_available_):
        drop_page(s, actor, ptep)
        return
    ends = free_ends_with_split(s, ptep)
    if not split_for_advice(s, actor, ptep, rule0(s, R_MADV_FREE_COUNTS_HEAD)) or ends:
        user_freed(s, ptep, False)
        return
    pte = s.pte[ptep]
    sole = False
    if pte_kind(pte) == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
        sole = is_sole_plain_page(s, pte_payload(pte))
        madvise_free_present(s, actor, ptep, pte_payload(pte))
    elif pte_kind(pte) == PTE_SWAP and rule0(s, R_MADV_FREE_FREES_SWAP_PTE):
        set_pte(s, ptep, 0)
        free_swap_and_cache(s, pte_payload(pte), actor)
    user_freed(s, ptep, sole)


def free_ends_with_split(s: "MmState", ptep: int) -> bool:
    """Whether MADV_FREE does nothing to this part of a huge mapping but split it."""
    return s.pte[ptep] & PTE_HUGE != 0 and rule0(s, R_MADV_FREE_ENDS_WITH_SPLIT)


def split_for_advice(s: "MmState", actor: int, ptep: int, of_head: bool) -> bool:
    """Split a huge page before advice about one part of it; False if that part is to be left alone.

    Whether the page is shared is judged by the mapcount of the part or, `of_head`, of the head.

    Source: mm/madvise.c madvise_free_pte_range(), madvise_cold_or_pageout_pte_range().
    """
    pte = s.pte[ptep]
    if pte_kind(pte) != PTE_PRESENT:
        return True
    if pte & PTE_ZERO_PAGE:
        return pte & PTE_HUGE == 0
    pfn = pte_payload(pte)
    head = s.page_head[pfn]
    if not is_huge(s, head):
        return True
    shared = s.page_mapcount[head if of_head else pfn] != 1
    return rule1(s, R_MADVISE_SPLITS_THP, shared) and lock_and_split(s, actor, head)


def is_sole_plain_page(s: "MmState", pfn: int) -> bool:
    """Whether MADV_FREE owes this page a discard: one user, on a list, not merged, not busy, held by nobody else."""
    flags = s.page_flags[pfn]
    if has_extra_refs(s, pfn):
        return False
    busy = flags & (PG_KSM | PG_WRITEBACK | PG_UNEVICTABLE) != 0 or s.page_lock[pfn] != 0
    return users_of_page(s, pfn) == 1 and not busy and flags & PG_LRU != 0


def madvise_free_present(s: "MmState", actor: int, ptep: int, pfn: int) -> None:
    """MADV_FREE of a mapped page: free its slot, clear PageDirty, clean the pte, queue the page."""
    flags = s.page_flags[pfn]
    swapcache = (flags & PG_SWAPCACHE) != 0
    page_dirty = (flags & PG_DIRTY) != 0
    ksm = (flags & PG_KSM) != 0
    if rule3(s, R_MADV_FREE_LOCKS_PAGE, swapcache, page_dirty, ksm):
        if not trylock_page(s, pfn, actor):
            return
        done = madvise_free_locked(s, pfn, swapcache, page_dirty, ksm)
        unlock_page(s, pfn)
        if not done:
            return
    pte = s.pte[ptep]
    pte_dirty = (pte & PTE_DIRTY) != 0
    pte_young = (pte & PTE_YOUNG) != 0
    if rule2(s, R_MADV_FREE_CLEANS_PTE, pte_dirty, pte_young):
        set_pte(s, ptep, pte & ~(PTE_DIRTY | PTE_YOUNG))
    active = (flags & PG_ACTIVE) != 0
    if rule1(s, R_MADV_FREE_DEACTIVATES, active):
        deactivate_page(s, pfn)
    mark_page_lazyfree(s, pfn)


def madvise_free_locked(s: "MmState", pfn: int, swapcache: bool, page_dirty: bool, ksm: bool) -> bool:
    """The part of MADV_FREE under the page lock; False when the page is left alone."""
    shared = s.page_mapcount[pfn] != 1
    if rule4(s, R_MADV_FREE_SKIPS_PAGE, shared, swapcache, page_dirty, ksm):
        return False
    if swapcache and not try_to_free_swap(s, pfn):
        return False
    if rule3(s, R_MADV_FREE_CLEARS_PAGE_DIRTY, shared, swapcache, page_dirty):
        s.page_flags[pfn] &= ~PG_DIRTY
    return True


def mark_page_lazyfree(s: "MmState", pfn: int) -> None:
    """Queue the page to lose SwapBacked, in kernels that mark such pages. Source: mm/swap.c, v4.12."""
    flags = s.page_flags[pfn]
    if not flags & PG_LRU or not flags & PG_ANON or flags & PG_UNEVICTABLE:
        return
    swapbacked = (flags & PG_SWAPBACKED) != 0
    swapcache = (flags & PG_SWAPCACHE) != 0
    if rule2(s, R_MADV_FREE_MARKS_LAZYFREE, swapbacked, swapcache):
        batch_add(s, BATCH_LAZYFREE, pfn)


def cold_page(s: "MmState", actor: int, ptep: int) -> int:
    """The frame that MADV_COLD or MADV_PAGEOUT works on, made old; -1 if there is none."""
    if not split_for_advice(s, actor, ptep, False):
        return -1
    pte = s.pte[ptep]
    if pte_kind(pte) != PTE_PRESENT or pte & PTE_ZERO_PAGE:
        return -1
    pfn = pte_payload(pte)
    shared = s.page_mapcount[pfn] != 1
    if not s.page_flags[pfn] & PG_LRU or not rule1(s, R_MADV_PAGEOUT_TAKES_PAGE, shared):
        return -1
    set_pte(s, ptep, pte & ~PTE_YOUNG)
    s.page_flags[pfn] &= ~PG_REFERENCED
    return pfn


def advise_cold(s: "MmState", actor: int, ptep: int, pageout: bool) -> None:
    """Make one page old, and for MADV_PAGEOUT reclaim it."""
    pfn = cold_page(s, actor, ptep)
    if pfn < 0:
        return
    if pageout:
        reclaim_pages(s, pfn)
    else:
        deactivate_page(s, pfn)


def madvise_cold(s: "MmState", actor: int, ptep: int) -> int:
    """MADV_COLD: the page moves to the inactive list. Source: mm/madvise.c, v5.4."""
    if s.vm_flags[ptep] & VM_LOCKED or not rule0(s, R_MADVISE_KNOWS_COLD):
        return RESULT_EINVAL
    lru_add_drain(s)
    advise_cold(s, actor, ptep, False)
    return RESULT_OK


def madvise_pageout(s: "MmState", actor: int, ptep: int) -> int:
    """MADV_PAGEOUT: the page is reclaimed now. Source: mm/madvise.c, v5.4."""
    if s.vm_flags[ptep] & VM_LOCKED or not rule0(s, R_MADVISE_KNOWS_PAGEOUT):
        return RESULT_EINVAL
    lru_add_drain(s)
    advise_cold(s, actor, ptep, True)
    return RESULT_OK


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule1, rule2, rule3, rule4, set_pte
    from simcore.constants import (
        BATCH_LAZYFREE,
        PG_ACTIVE,
        PG_ANON,
        PG_DIRTY,
        PG_KSM,
        PG_LRU,
        PG_REFERENCED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PG_UNEVICTABLE,
        PG_WRITEBACK,
        PTE_DIRTY,
        PTE_HUGE,
        PTE_PRESENT,
        PTE_SWAP,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        RESULT_EINVAL,
        RESULT_OK,
        VM_FILE,
        VM_LOCKED,
    )
    from simcore.gup import forget_pin
    from simcore.huge_memory import has_extra_refs, is_huge, lock_and_split
    from simcore.memory import zap_pte
    from simcore.mm_types import MmState
    from simcore.page_alloc import trylock_page, unlock_page
    from simcore.rule_ids import (
        R_DONTNEED_ZAPS_PTE,
        R_MADV_FREE_CLEANS_PTE,
        R_MADV_FREE_CLEARS_PAGE_DIRTY,
        R_MADV_FREE_COUNTS_HEAD,
        R_MADV_FREE_DEACTIVATES,
        R_MADV_FREE_ENDS_WITH_SPLIT,
        R_MADV_FREE_FREES_SWAP_PTE,
        R_MADV_FREE_IS_DONTNEED,
        R_MADV_FREE_LOCKS_PAGE,
        R_MADV_FREE_MARKS_LAZYFREE,
        R_MADV_FREE_SKIPS_PAGE,
        R_MADV_PAGEOUT_TAKES_PAGE,
        R_MADVISE_KNOWS_COLD,
        R_MADVISE_KNOWS_PAGEOUT,
        R_MADVISE_SPLITS_THP,
    )
    from simcore.swap import batch_add, deactivate_page, lru_add_drain
    from simcore.swapfile import free_swap_and_cache, swap_available, try_to_free_swap, users_of_page
    from simcore.user_memory import user_dropped, user_freed
    from simcore.vmscan import reclaim_pages
