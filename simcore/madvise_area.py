"""Advice about the whole huge area: the parts of mm/madvise.c that know huge pages.

A huge mapping is dealt with as one. Where the area has a page table, advice goes page by page, except that kernels
with folios take a huge page as one that all ptes of the process map.
"""

import cython


def whole_page(s: "MmState", mm: int) -> int:
    """The head of the huge page that the process maps as a whole and alone, by a pmd or by all ptes; -1 if none."""
    first = area_start(s, mm)
    pte = s.pte[first]
    if pte & (PTE_KIND_MASK | PTE_ZERO_PAGE) != PTE_PRESENT:
        return -1
    head = s.page_head[pte_payload(pte)]
    if not is_huge(s, head) or not maps_alone(s, first, head):
        return -1
    if s.pmd[mm] != PMD_HUGE and not rule0(s, R_MADVISE_TAKES_WHOLE_FOLIO):
        return -1
    return head


def maps_alone(s: "MmState", first: int, head: int) -> bool:
    """Whether every part is mapped in its place, by nobody else."""
    for number in range(s.nr_huge):
        pfn = part_of(s, head, number)
        pte = s.pte[first + number]
        if pte & (PTE_KIND_MASK | PTE_ZERO_PAGE) != PTE_PRESENT or pte_payload(pte) != pfn:
            return False
        if s.page_mapcount[pfn] != 1:
            return False
    return True


def area_is_locked(s: "MmState", mm: int) -> bool:
    """Whether any page of the area is locked in memory."""
    first = area_start(s, mm)
    locked = 0
    for ptep in range(first, first + s.nr_huge):
        locked |= s.vm_flags[ptep] & VM_LOCKED
    return locked != 0


def advise_area(s: "MmState", code: int, actor: int, mm: int) -> int:
    """One of the four kinds of advice about all pages of the area. A vma that is locked ends it with EINVAL."""
    first = area_start(s, mm)
    if s.pmd[mm] == PMD_HUGE or whole_page(s, mm) >= 0:
        if area_is_locked(s, mm):
            return RESULT_EINVAL
        return advise_whole(s, code, actor, mm)
    if not knows_advice(s, code):
        return RESULT_EINVAL
    lru_add_drain(s)
    for ptep in range(first, first + s.nr_huge):
        if s.vm_flags[ptep] & VM_LOCKED:
            return RESULT_EINVAL
        if code != OP_MADV_DONTNEED and stops_advice(s, ptep):
            return RESULT_OK
        if s.area_dense[mm] and is_far(ptep - first) and code != OP_MADV_PAGEOUT:
            # The pages between have filled the batches.
            lru_add_drain(s)
        advise_page(s, code, actor, ptep)
    if code == OP_MADV_DONTNEED or code == OP_MADV_PAGEOUT:
        s.area_dense[mm] = 0
    return RESULT_OK


def stops_advice(s: "MmState", ptep: int) -> bool:
    """Whether the walk ends at this page: a part of a huge page that others map too."""
    pte = s.pte[ptep]
    if pte & (PTE_KIND_MASK | PTE_ZERO_PAGE) != PTE_PRESENT or not is_huge(s, s.page_head[pte_payload(pte)]):
        return False
    return s.page_mapcount[pte_payload(pte)] != 1 and rule0(s, R_ADVICE_STOPS_AT_SHARED_THP)


def knows_advice(s: "MmState", code: int) -> bool:
    """Whether the kernel has this kind of advice."""
    if code == OP_MADV_COLD:
        return rule0(s, R_MADVISE_KNOWS_COLD)
    return code != OP_MADV_PAGEOUT or rule0(s, R_MADVISE_KNOWS_PAGEOUT)


def advise_page(s: "MmState", code: int, actor: int, ptep: int) -> None:
    """One of the four kinds of advice about one page; the batches were drained before the first."""
    if code == OP_MADV_FREE:
        madvise_free_page(s, actor, ptep)
    elif code == OP_MADV_DONTNEED:
        drop_page(s, actor, ptep)
    else:
        advise_cold(s, actor, ptep, code == OP_MADV_PAGEOUT)


def advise_whole(s: "MmState", code: int, actor: int, mm: int) -> int:
    """Advice about an area that is one huge mapping, or one huge page."""
    if not knows_advice(s, code):
        return RESULT_EINVAL
    lru_add_drain(s)
    if code == OP_MADV_DONTNEED:
        drop_area(s, actor, mm)
        return RESULT_OK
    head = whole_page(s, mm)
    if code == OP_MADV_FREE:
        swap_available_ = swap_available(s)
        if rule1(s, R_MADV_FREE_IS_DONTNEED, swap_available_):
            drop_area(s, actor, mm)
        elif head >= 0:
            madvise_free_huge(s, actor, mm, head)
        note_area_freed(s, mm)
    elif head >= 0:
        cold_huge(s, code, mm, head)
    return RESULT_OK


def drop_area(s: "MmState", actor: int, mm: int) -> None:
    """Empty the whole area, and let the program know that it reads as zeros now."""
    first = area_start(s, mm)
    if s.pmd[mm] == PMD_HUGE:
        zap_huge_pmd(s, mm)
    for ptep in range(first, first + s.nr_huge):
        zap_pte(s, actor, ptep)
        forget_pin(s, ptep)
        user_dropped(s, ptep)


def note_area_freed(s: "MmState", mm: int) -> None:
    """MADV_FREE returned: every page of the area may read as zeros. No discard is owed: the page may be split."""
    first = area_start(s, mm)
    for ptep in range(first, first + s.nr_huge):
        user_freed(s, ptep, False)


def madvise_free_huge(s: "MmState", actor: int, mm: int, head: int) -> None:
    """MADV_FREE of a whole huge page. Source: mm/huge_memory.c madvise_free_huge_pmd()."""
    if not trylock_page(s, head, actor):
        return
    flags = s.page_flags[head]
    swapcache = (flags & PG_SWAPCACHE) != 0
    page_dirty = (flags & PG_DIRTY) != 0
    shared = False
    if not swapcache and rule3(s, R_MADV_FREE_CLEARS_PAGE_DIRTY, shared, swapcache, page_dirty):
        s.page_flags[head] &= ~PG_DIRTY
    unlock_page(s, head)
    if swapcache:
        return
    change_pmd(s, area_start(s, mm), PTE_DIRTY | PTE_YOUNG, 0)
    active = (flags & PG_ACTIVE) != 0
    if rule1(s, R_MADV_FREE_DEACTIVATES, active):
        deactivate_page(s, head)
    mark_page_lazyfree(s, head)


def cold_huge(s: "MmState", code: int, mm: int, head: int) -> None:
    """MADV_COLD or MADV_PAGEOUT of a whole huge page. Source: madvise_cold_or_pageout_pte_range()."""
    if not s.page_flags[head] & PG_LRU:
        return
    change_pmd(s, area_start(s, mm), PTE_YOUNG, 0)
    s.page_flags[head] &= ~PG_REFERENCED
    if code == OP_MADV_COLD:
        deactivate_page(s, head)
    else:
        reclaim_pages(s, head)


if not cython.compiled:
    from simcore.bits import pte_payload, rule0, rule1, rule3
    from simcore.constants import (
        PG_ACTIVE,
        PG_DIRTY,
        PG_LRU,
        PG_REFERENCED,
        PG_SWAPCACHE,
        PMD_HUGE,
        PTE_DIRTY,
        PTE_KIND_MASK,
        PTE_PRESENT,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        RESULT_EINVAL,
        RESULT_OK,
        VM_LOCKED,
    )
    from simcore.gup import forget_pin
    from simcore.huge_memory import area_start, change_pmd, is_far, is_huge, part_of, zap_huge_pmd
    from simcore.madvise import advise_cold, drop_page, madvise_free_page, mark_page_lazyfree
    from simcore.memory import zap_pte
    from simcore.mm_types import MmState
    from simcore.op_ids import OP_MADV_COLD, OP_MADV_DONTNEED, OP_MADV_FREE, OP_MADV_PAGEOUT
    from simcore.page_alloc import trylock_page, unlock_page
    from simcore.rule_ids import (
        R_ADVICE_STOPS_AT_SHARED_THP,
        R_MADV_FREE_CLEARS_PAGE_DIRTY,
        R_MADV_FREE_DEACTIVATES,
        R_MADV_FREE_IS_DONTNEED,
        R_MADVISE_KNOWS_COLD,
        R_MADVISE_KNOWS_PAGEOUT,
        R_MADVISE_TAKES_WHOLE_FOLIO,
    )
    from simcore.swap import deactivate_page, lru_add_drain
    from simcore.swapfile import swap_available
    from simcore.user_memory import user_dropped, user_freed
    from simcore.vmscan import reclaim_pages
