"""Collapse of small pages into a huge one: mm/khugepaged.c, as madvise(MADV_COLLAPSE) asks for it."""

import cython


def scan_part(s: "MmState", ptep: int) -> int:
    """Whether the page of a pte can go into a huge page: RESULT_OK, or EAGAIN for one that somebody holds.

    Source: mm/khugepaged.c hpage_collapse_scan_pmd().
    """
    pte = s.pte[ptep]
    if pte_kind(pte) != PTE_PRESENT or pte & PTE_ZERO_PAGE:
        return RESULT_OK
    head = s.page_head[pte_payload(pte)]
    held = has_extra_refs(s, head) or s.page_lock[head] != 0 or s.page_flags[head] & PG_LRU == 0
    return RESULT_EAGAIN if held else RESULT_OK


def scan_area(s: "MmState", mm: int) -> int:
    """Whether the area can be collapsed: EINVAL unless some pte is writable, EAGAIN if a page is held."""
    first = area_start(s, mm)
    writable = False
    for ptep in range(first, first + s.nr_huge):
        result = scan_part(s, ptep)
        if result != RESULT_OK:
            return result
        if pte_kind(s.pte[ptep]) == PTE_PRESENT and s.pte[ptep] & PTE_WRITE:
            writable = True
    return RESULT_OK if writable else RESULT_EINVAL


def begin_collapse(s: "MmState", mm: int) -> None:
    """Put khugepaged's actor on the path of MADV_COLLAPSE of the whole area; it holds mmap_lock for reading."""
    s.nr_busy += 1
    s.mmap_readers[mm] += 1
    s.act_path[KHUGEPAGED] = PATH_COLLAPSE
    s.act_phase[KHUGEPAGED] = COLLAPSE_SCAN
    s.act_ptep[KHUGEPAGED] = area_start(s, mm)
    s.act_pfn[KHUGEPAGED] = -1
    s.act_new[KHUGEPAGED] = -1


def end_collapse(s: "MmState", result: int) -> int:
    """Take the actor off the path, and put away a huge page that was not used."""
    s.nr_busy -= 1
    s.mmap_readers[s.act_ptep[KHUGEPAGED] >> VPN_SHIFT] -= 1
    s.act_path[KHUGEPAGED] = PATH_NONE
    s.act_result[KHUGEPAGED] = result
    if s.act_new[KHUGEPAGED] >= 0:
        put_page(s, s.act_new[KHUGEPAGED])
        s.act_new[KHUGEPAGED] = -1
    return STEP_DONE


def step_collapse(s: "MmState") -> int:
    """Advance the collapse by one phase: look and find a huge page | swap in | copy, with mmap_lock for writing.

    Source: mm/khugepaged.c madvise_collapse(), collapse_huge_page().
    """
    mm = s.act_ptep[KHUGEPAGED] >> VPN_SHIFT
    phase = s.act_phase[KHUGEPAGED]
    if phase == COLLAPSE_SCAN:
        return collapse_scan(s, mm)
    if phase == COLLAPSE_SWAPIN:
        result = swap_in_area(s, mm)
        s.act_phase[KHUGEPAGED] = COLLAPSE_COPY
        return STEP_MORE if result == RESULT_OK else end_collapse(s, result)
    if s.mmap_readers[mm] > 1:
        # It wants mmap_lock for writing, which faults of other threads hold for reading.
        return STEP_BLOCKED
    return collapse_copy(s, mm)


def collapse_scan(s: "MmState", mm: int) -> int:
    """See whether the area can be collapsed, and find a huge page for it."""
    lru_add_drain(s)
    if s.pmd[mm] == PMD_HUGE:
        return end_collapse(s, RESULT_OK)
    result = scan_area(s, mm) if s.pmd[mm] == PMD_TABLE and is_one_vma(s, mm) else RESULT_EINVAL
    if result != RESULT_OK:
        return end_collapse(s, result)
    node = target_node(s, mm)
    head = alloc_huge_page(s, s.mm_memcg[mm])
    if head < 0:
        return end_collapse(s, RESULT_ENOMEM)
    for number in range(s.nr_huge):
        if node:
            s.page_flags[part_of(s, head, number)] |= PG_NODE1
    s.act_new[KHUGEPAGED] = head
    s.act_phase[KHUGEPAGED] = COLLAPSE_SWAPIN
    return STEP_MORE


def collapse_copy(s: "MmState", mm: int) -> int:
    """Look again, copy everything to the huge page and map it. Departs: in one step, under mmap_lock for writing."""
    result = scan_area(s, mm) if s.pmd[mm] == PMD_TABLE and nothing_swapped(s, mm) else RESULT_EINVAL
    if result != RESULT_OK:
        return end_collapse(s, result)
    head = s.act_new[KHUGEPAGED]
    first = area_start(s, mm)
    for number in range(s.nr_huge):
        copy_part(s, KHUGEPAGED, first + number, part_of(s, head, number))
    get_page(s, head)
    map_huge_page(s, mm, head, write_bits(s, first, True))
    return end_collapse(s, RESULT_OK)


def nothing_swapped(s: "MmState", mm: int) -> bool:
    """Whether no part has gone, or goes to another frame, since it was looked for (SCAN_PTE_NON_PRESENT)."""
    first = area_start(s, mm)
    for ptep in range(first, first + s.nr_huge):
        kind = pte_kind(s.pte[ptep])
        if kind == PTE_SWAP or kind == PTE_MIGRATION:
            return False
    return True


def target_node(s: "MmState", mm: int) -> bool:
    """Whether most pages of the area are on node 1. Source: hpage_collapse_find_target_node()."""
    first = area_start(s, mm)
    balance = 0
    for ptep in range(first, first + s.nr_huge):
        pte = s.pte[ptep]
        if pte_kind(pte) == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
            balance += 1 if s.page_flags[pte_payload(pte)] & PG_NODE1 else -1
    return balance > 0


def swap_in_area(s: "MmState", mm: int) -> int:
    """Swap every part in, as for a read. Source: __collapse_huge_page_swapin()."""
    first = area_start(s, mm)
    swapped = False
    for ptep in range(first, first + s.nr_huge):
        if pte_kind(s.pte[ptep]) == PTE_SWAP:
            swapped = True
            if (
                not s.sync_io
                and s.slot_page[pte_payload(s.pte[ptep])] < 0
                and not rule0(s, R_COLLAPSE_WAITS_FOR_SWAPIN)
            ):
                start_read(s, mm, pte_payload(s.pte[ptep]))
                return RESULT_EAGAIN
            if not swap_in_part(s, ptep):
                return RESULT_EAGAIN
    if swapped:
        lru_add_drain(s)
    return RESULT_OK


def swap_in_part(s: "MmState", ptep: int) -> bool:
    """Swap one page in, as for a read; False if a path is in the way."""
    begin_fault(s, COLLAPSE_FAULT, ptep, FOR_TOUCH, ZEROS)
    for _ in range(MAX_STEPS):
        step = step_fault(s, COLLAPSE_FAULT)
        if step == STEP_DONE:
            return s.act_result[COLLAPSE_FAULT] == RESULT_OK
        if step != STEP_MORE or s.stopped:
            break
    abandon_fault(s, COLLAPSE_FAULT)
    return False


def start_read(s: "MmState", mm: int, slot: int) -> None:
    """Read a slot into the swap cache for whoever comes next."""
    pfn = begin_read_swap_cache(s, slot, s.mm_memcg[mm])
    if pfn >= 0:
        if not s.page_flags[pfn] & PG_UPTODATE:
            swap_readpage(s, pfn)
        put_page(s, pfn)


def copy_part(s: "MmState", actor: int, ptep: int, pfn: int) -> None:
    """Copy one page into its part of the huge page, and give the old one up. Source: __collapse_huge_page_copy()."""
    pte = s.pte[ptep]
    s.page_content[pfn] = ZEROS
    s.shadow[ptep] &= ~SHADOW_SOLE
    if pte_kind(pte) == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
        s.page_content[pfn] = s.page_content[pte_payload(pte)]
    zap_pte(s, actor, ptep)


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0
    from simcore.constants import (
        COLLAPSE_COPY,
        COLLAPSE_FAULT,
        COLLAPSE_SCAN,
        COLLAPSE_SWAPIN,
        FOR_TOUCH,
        KHUGEPAGED,
        MAX_STEPS,
        PATH_COLLAPSE,
        PATH_NONE,
        PG_LRU,
        PG_NODE1,
        PG_UPTODATE,
        PMD_HUGE,
        PMD_TABLE,
        PTE_MIGRATION,
        PTE_PRESENT,
        PTE_SWAP,
        PTE_WRITE,
        PTE_ZERO_PAGE,
        RESULT_EAGAIN,
        RESULT_EINVAL,
        RESULT_ENOMEM,
        RESULT_OK,
        SHADOW_SOLE,
        STEP_BLOCKED,
        STEP_DONE,
        STEP_MORE,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.huge_memory import alloc_huge_page, area_start, has_extra_refs, is_one_vma, map_huge_page, part_of
    from simcore.memory import abandon_fault, begin_fault, step_fault, write_bits, zap_pte
    from simcore.mm_types import MmState
    from simcore.page_alloc import get_page, put_page
    from simcore.page_io import swap_readpage
    from simcore.rule_ids import R_COLLAPSE_WAITS_FOR_SWAPIN
    from simcore.swap import lru_add_drain
    from simcore.swap_state import begin_read_swap_cache
