"""Pages locked in memory: mm/mlock.c."""

import cython


def mlock_page(s: "MmState", ptep: int) -> None:
    """Mark the page that a locked vma maps, and move it to the unevictable list.

    get_user_pages() for writing also marks a page dirty whose pte and flag are both clean.
    Source: mm/mlock.c mlock_vma_page(), mm/gup.c follow_page_pte(), v4.0.
    """
    pte = s.pte[ptep]
    if pte_kind(pte) != PTE_PRESENT or pte & PTE_ZERO_PAGE:
        return
    pfn = s.page_head[pte_payload(pte)]
    if is_huge(s, pfn) and not pte & PTE_HUGE:
        # A huge page that is mapped by ptes is left alone.
        return
    if s.vm_flags[ptep] & (VM_WRITE | VM_SHARED) == VM_WRITE:
        if not is_huge(s, pfn):
            gup_touch(s, ptep, pfn)
    else:
        mark_page_accessed(s, pfn)
    move_lru(s, pfn, PG_ACTIVE, PG_MLOCKED | PG_UNEVICTABLE)
    hold_in_mlock_batch(s, pfn)


def hold_in_mlock_batch(s: "MmState", pfn: int) -> None:
    """The batch through which marks are set and cleared holds the page until it is drained."""
    if s.batch_size > 1 and rule0(s, R_MLOCK_HOLDS_PAGE):
        batch_add(s, BATCH_MLOCK, pfn)


def clear_page_mlock(s: "MmState", pfn: int) -> None:
    """The page is locked no more: back to the inactive list."""
    move_lru(s, pfn, PG_MLOCKED | PG_UNEVICTABLE, 0)


def munlock_page(s: "MmState", pfn: int) -> None:
    """Clear the page's mark unless another locked vma maps it. Source: mm/mlock.c munlock_vma_page()."""
    if not s.page_flags[pfn] & PG_MLOCKED:
        return
    ptep = next_mapping(s, pfn, -1)
    while ptep >= 0:
        if s.vm_flags[ptep] & VM_LOCKED:
            return
        ptep = next_mapping(s, pfn, ptep)
    clear_page_mlock(s, pfn)
    hold_in_mlock_batch(s, pfn)


def munlock_vma(s: "MmState", ptep: int) -> None:
    """munlock(2) of one page."""
    if not s.vm_flags[ptep] & VM_LOCKED:
        return
    lru_add_drain(s)
    s.vm_flags[ptep] &= ~VM_LOCKED
    pte = s.pte[ptep]
    if pte_kind(pte) == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
        munlock_page(s, s.page_head[pte_payload(pte)])


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0
    from simcore.constants import (
        BATCH_MLOCK,
        PG_ACTIVE,
        PG_MLOCKED,
        PG_UNEVICTABLE,
        PTE_HUGE,
        PTE_PRESENT,
        PTE_ZERO_PAGE,
        VM_LOCKED,
        VM_SHARED,
        VM_WRITE,
    )
    from simcore.gup import gup_touch
    from simcore.huge_memory import is_huge
    from simcore.mm_types import MmState
    from simcore.rmap import next_mapping
    from simcore.rule_ids import R_MLOCK_HOLDS_PAGE
    from simcore.swap import batch_add, lru_add_drain, mark_page_accessed, move_lru
