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
    pfn = pte_payload(pte)
    if not pte & PTE_DIRTY:
        s.page_flags[pfn] |= PG_DIRTY | PG_STORED
    move_lru(s, pfn, PG_ACTIVE, PG_MLOCKED | PG_UNEVICTABLE)


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


def munlock_vma(s: "MmState", ptep: int) -> None:
    """munlock(2) of one page."""
    s.vm_flags[ptep] &= ~VM_LOCKED
    pte = s.pte[ptep]
    if pte_kind(pte) == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
        munlock_page(s, pte_payload(pte))


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload
    from simcore.constants import (
        PG_ACTIVE,
        PG_DIRTY,
        PG_MLOCKED,
        PG_STORED,
        PG_UNEVICTABLE,
        PTE_DIRTY,
        PTE_PRESENT,
        PTE_ZERO_PAGE,
        VM_LOCKED,
    )
    from simcore.mm_types import MmState
    from simcore.rmap import next_mapping
    from simcore.swap import move_lru
