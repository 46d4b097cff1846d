"""Pages held by get_user_pages(), and stores that reach them past the page tables: mm/gup.c.

Direct I/O into a page is three ops: `pin` looks the page up for writing and holds it, `dma` is the device storing to
the frame, `unpin` marks the page dirty and lets go. No pte learns of the store.
"""

import cython


def gup_store(s: "MmState", ptep: int, pfn: int, token: int) -> None:
    """Store to a page through the kernel's mapping of it (process_vm_writev): the pte stays as it is.

    Source: mm/gup.c follow_page_pte() with FOLL_WRITE and FOLL_TOUCH, mm/process_vm_access.c.
    """
    if not s.pte[ptep] & PTE_HUGE:
        gup_touch(s, ptep, pfn)
    s.page_content[pfn] = token
    s.page_flags[pfn] |= PG_STORED
    user_stored(s, ptep, token)
    if rule0(s, R_UNPIN_DIRTIES_PAGE):
        s.page_flags[s.page_head[pfn]] |= PG_DIRTY


def gup_load(s: "MmState", ptep: int) -> None:
    """Load from a page through the kernel's mapping of it (process_vm_readv): no pte becomes young."""
    pte = s.pte[ptep]
    if pte & PTE_ZERO_PAGE:
        user_loaded(s, ptep, ZEROS)
        return
    pfn = pte_payload(pte)
    mark_page_accessed(s, s.page_head[pfn])
    user_loaded(s, ptep, s.page_content[pfn])


def gup_touch(s: "MmState", ptep: int, pfn: int) -> None:
    """Note in the page what the pte is not told."""
    pte_dirty = (s.pte[ptep] & PTE_DIRTY) != 0
    page_dirty = (s.page_flags[s.page_head[pfn]] & PG_DIRTY) != 0
    if rule2(s, R_GUP_TOUCH_DIRTIES_PAGE, pte_dirty, page_dirty):
        s.page_flags[s.page_head[pfn]] |= PG_DIRTY | PG_STORED
    mark_page_accessed(s, s.page_head[pfn])


def gup_pin(s: "MmState", ptep: int, pfn: int) -> None:
    """Hold the page for a device. Source: mm/gup.c get_user_pages_fast(), pin_user_pages_fast() from v5.6."""
    mm = ptep >> VPN_SHIFT
    if s.pin_page[mm] >= 0:
        # The process's other thread was faster.
        return
    pte_dirty = (s.pte[ptep] & PTE_DIRTY) != 0
    page_dirty = (s.page_flags[s.page_head[pfn]] & PG_DIRTY) != 0
    if rule2(s, R_GUP_FAST_DIRTIES_PAGE, pte_dirty, page_dirty):
        s.page_flags[s.page_head[pfn]] |= PG_DIRTY | PG_STORED
    get_page(s, pfn)
    if rule0(s, R_GUP_PINS_PAGE):
        s.page_pins[s.page_head[pfn]] += 1
    s.page_flags[pfn] |= PG_STORED
    s.pin_page[mm] = pfn
    s.pin_ptep[mm] = ptep
    # The device announces its store here, so no discard is owed and the slot's copy is old.
    s.shadow[ptep] &= ~SHADOW_SOLE


def dma_write(s: "MmState", mm: int, token: int) -> int:
    """The device stores to the frame it was given, whatever became of the mapping."""
    pfn = s.pin_page[mm]
    if pfn < 0:
        return RESULT_SKIPPED
    s.page_content[pfn] = token
    s.page_flags[pfn] |= PG_STORED
    s.token_owner[token] = -1
    s.token_time[token] = s.op_index
    if s.pin_ptep[mm] >= 0:
        user_stored(s, s.pin_ptep[mm], token)
    return RESULT_OK


def gup_unpin(s: "MmState", mm: int) -> int:
    """End direct I/O: the page is dirty, and held no more. Source: block/bio.c bio_release_pages()."""
    pfn = s.pin_page[mm]
    if pfn < 0:
        return RESULT_SKIPPED
    s.pin_page[mm] = -1
    if rule0(s, R_UNPIN_DIRTIES_PAGE):
        s.page_flags[s.page_head[pfn]] |= PG_DIRTY
    if s.page_pins[s.page_head[pfn]] > 0:
        s.page_pins[s.page_head[pfn]] -= 1
    put_page(s, pfn)
    return RESULT_OK


def forget_pin(s: "MmState", ptep: int) -> None:
    """The program took the page away under its own I/O: where the device's store goes is no promise any more.

    A page of the file that is mapped shared stays the file's, whoever maps it.
    """
    if ptep >= 0 and s.pin_ptep[ptep >> VPN_SHIFT] == ptep and not s.vm_flags[ptep] & VM_SHARED:
        s.pin_ptep[ptep >> VPN_SHIFT] = -1


def forget_file_pins(s: "MmState", index: int) -> None:
    """A page was taken from the file: I/O into it is no promise to the file any more."""
    for mm in range(s.nr_mm):
        ptep = s.pin_ptep[mm]
        if ptep >= 0 and home(s, ptep) == MAX_PTES + index:
            s.pin_ptep[mm] = -1


if not cython.compiled:
    from simcore.bits import pte_payload, rule0, rule2
    from simcore.constants import (
        MAX_PTES,
        PG_DIRTY,
        PG_STORED,
        PTE_DIRTY,
        PTE_HUGE,
        PTE_ZERO_PAGE,
        RESULT_OK,
        RESULT_SKIPPED,
        SHADOW_SOLE,
        VM_SHARED,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.mm_types import MmState
    from simcore.page_alloc import get_page, put_page
    from simcore.rule_ids import (
        R_GUP_FAST_DIRTIES_PAGE,
        R_GUP_PINS_PAGE,
        R_GUP_TOUCH_DIRTIES_PAGE,
        R_UNPIN_DIRTIES_PAGE,
    )
    from simcore.swap import mark_page_accessed
    from simcore.user_memory import home, user_loaded, user_stored
