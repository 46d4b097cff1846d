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


def collapse_area(s: "MmState", actor: int, mm: int) -> int:
    """MADV_COLLAPSE of the whole area. Source: mm/khugepaged.c madvise_collapse()."""
    lru_add_drain(s)
    if s.pmd[mm] == PMD_HUGE:
        return RESULT_OK
    if s.pmd[mm] == PMD_NONE:
        return RESULT_EINVAL
    result = scan_area(s, mm)
    if result != RESULT_OK:
        return result
    return collapse_huge_page(s, actor, mm)


def collapse_huge_page(s: "MmState", actor: int, mm: int) -> int:
    """Bring back what is swapped out, then copy everything to a huge page. Source: collapse_huge_page()."""
    node = target_node(s, mm)
    head = alloc_huge_page(s, s.mm_memcg[mm])
    if head < 0:
        return RESULT_ENOMEM
    result = swap_in_area(s, actor, mm)
    if result == RESULT_OK:
        result = scan_area(s, mm)
    if result != RESULT_OK:
        put_page(s, head)
        return result
    first = area_start(s, mm)
    for number in range(s.nr_huge):
        if node:
            s.page_flags[part_of(s, head, number)] |= PG_NODE1
        copy_part(s, actor, first + number, part_of(s, head, number))
    map_huge_page(s, mm, head, write_bits(s, first, True))
    return RESULT_OK


def target_node(s: "MmState", mm: int) -> bool:
    """Whether most pages of the area are on node 1. Source: hpage_collapse_find_target_node()."""
    first = area_start(s, mm)
    balance = 0
    for ptep in range(first, first + s.nr_huge):
        pte = s.pte[ptep]
        if pte_kind(pte) == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
            balance += 1 if s.page_flags[pte_payload(pte)] & PG_NODE1 else -1
    return balance > 0


def swap_in_area(s: "MmState", actor: int, mm: int) -> int:
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
            if access_page(s, actor, ptep, FOR_TOUCH, ZEROS, False) != RESULT_OK:
                return RESULT_EAGAIN
    if swapped:
        lru_add_drain(s)
    return RESULT_OK


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


def collapse_op(s: "MmState", actor: int, ptep: int) -> int:
    """MADV_COLLAPSE through any page of the area."""
    return collapse_area(s, actor, ptep >> VPN_SHIFT)


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0
    from simcore.constants import (
        FOR_TOUCH,
        PG_LRU,
        PG_NODE1,
        PG_UPTODATE,
        PMD_HUGE,
        PMD_NONE,
        PTE_PRESENT,
        PTE_SWAP,
        PTE_WRITE,
        PTE_ZERO_PAGE,
        RESULT_EAGAIN,
        RESULT_EINVAL,
        RESULT_ENOMEM,
        RESULT_OK,
        SHADOW_SOLE,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.execute import access_page
    from simcore.huge_memory import alloc_huge_page, area_start, has_extra_refs, map_huge_page, part_of
    from simcore.memory import write_bits, zap_pte
    from simcore.mm_types import MmState
    from simcore.page_alloc import put_page
    from simcore.page_io import swap_readpage
    from simcore.rule_ids import R_COLLAPSE_WAITS_FOR_SWAPIN
    from simcore.swap import lru_add_drain
    from simcore.swap_state import begin_read_swap_cache
