"""Kernel samepage merging: mm/ksm.c.

A page with PG_KSM is a node of the stable tree. The unstable tree is not kept between scans: a partner is any pte
that this scan has passed already, whose page is as it was in the scan before and has the same contents.
"""

import cython


def mergeable_page(s: "MmState", ptep: int) -> int:
    """The frame of a mergeable anonymous page that is present, or -1."""
    pte = s.pte[ptep]
    if pte_kind(pte) != PTE_PRESENT or pte & PTE_ZERO_PAGE or not s.vm_flags[ptep] & VM_MERGEABLE:
        return -1
    return pte_payload(pte) if s.page_flags[pte_payload(pte)] & PG_ANON else -1


def stable_page_of(s: "MmState", content: int) -> int:
    """The stable page with these contents, or -1: a look-up in the stable tree."""
    for pfn in range(s.nr_frames):
        flags = s.page_flags[pfn]
        if flags & PG_KSM and not flags & PG_BUDDY and s.page_content[pfn] == content:
            return pfn if s.page_mapcount[pfn] > 0 or rule0(s, R_KSM_FINDS_UNMAPPED) else -1
    return -1


def unstable_partner(s: "MmState", ptep: int, pfn: int) -> int:
    """A pte that this scan put in the unstable tree, whose page is unmerged and equal to this one; or -1."""
    for mm in range((ptep >> VPN_SHIFT) + 1):
        first = mm << VPN_SHIFT
        for other in range(first, min(first + s.nr_vpn, ptep)):
            page = mergeable_page(s, other)
            if page < 0 or page == pfn or s.page_flags[page] & PG_KSM or not s.ksm_in_tree[other]:
                continue
            if s.page_content[page] == s.page_content[pfn]:
                return other
    return -1


def write_protect_page(s: "MmState", ptep: int, pfn: int) -> bool:
    """Take write and dirty from the pte before its page is compared; False if somebody else may write.

    The caller holds the page. Source: mm/ksm.c write_protect_page(), v4.0 to v4.14.
    """
    pte = s.pte[ptep]
    pte_write = (pte & PTE_WRITE) != 0
    pte_dirty = (pte & PTE_DIRTY) != 0
    flags = s.page_flags[pfn]
    exclusive = (flags & PG_ANON_EXCLUSIVE) != 0
    if not rule3(s, R_KSM_PROTECTS_PTE, pte_write, pte_dirty, exclusive):
        return True
    swapcache = (flags & PG_SWAPCACHE) != 0
    if s.page_mapcount[pfn] + 1 + swapcache != s.page_refcount[pfn]:
        return False
    page_dirty = (flags & PG_DIRTY) != 0
    if rule2(s, R_KSM_PROTECT_DIRTIES_PAGE, pte_dirty, page_dirty):
        s.page_flags[pfn] |= PG_DIRTY
    s.page_flags[pfn] &= ~PG_ANON_EXCLUSIVE
    set_pte(s, ptep, pte & ~(PTE_WRITE | PTE_DIRTY))
    return True


def make_stable(s: "MmState", ptep: int, pfn: int) -> None:
    """Turn the write-protected page into a stable page. Source: mm/ksm.c try_to_merge_one_page() with kpage NULL."""
    s.page_flags[pfn] |= PG_KSM
    mark_page_accessed(s, pfn)
    page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
    swapcache = (s.page_flags[pfn] & PG_SWAPCACHE) != 0
    if rule2(s, R_KSM_STABLE_SETS_PAGE_DIRTY, page_dirty, swapcache):
        s.page_flags[pfn] |= PG_DIRTY
    note_merged(s, ptep)


def note_merged(s: "MmState", ptep: int) -> None:
    """For the oracles: the page is shared by merging, and MADV_FREE owes it no discard any more."""
    s.origin[ptep] = ORIGIN_KSM
    s.shadow[ptep] &= ~SHADOW_SOLE


def replace_page(s: "MmState", ptep: int, pfn: int, kpage: int) -> None:
    """Exchange the frame behind a write-protected pte; soft-dirty is lost with the old pte."""
    pte_dirty = (s.pte[ptep] & PTE_DIRTY) != 0
    pte = PTE_PRESENT | PTE_YOUNG | kpage << PTE_PAYLOAD_SHIFT
    if rule1(s, R_KSM_REPLACE_PTE_DIRTY, pte_dirty):
        pte |= PTE_DIRTY | PTE_SOFT_DIRTY
    set_pte(s, ptep, pte)
    page_add_rmap(s, kpage, ptep)
    rmap_unlink(s, pfn, ptep)
    page_remove_rmap(s, pfn)
    if s.page_mapcount[pfn] == 0:
        try_to_free_swap(s, pfn)
    note_merged(s, ptep)


def break_ksm(s: "MmState", ptep: int) -> int:
    """Replace the mapping of a merged page by a private copy, as a write fault without a store."""
    pte = s.pte[ptep]
    if pte_kind(pte) != PTE_PRESENT or pte & PTE_ZERO_PAGE or not s.page_flags[pte_payload(pte)] & PG_KSM:
        return RESULT_OK
    return wp_page_copy(s, ptep, rule0(s, R_BREAK_KSM_UNSHARES))


def ksm_might_need_to_copy(s: "MmState", pfn: int, ptep: int) -> int:
    """The page to map at swap-in: the cached one, or a held copy of it; -1 when there is no memory.

    Source: mm/ksm.c ksm_might_need_to_copy().
    """
    flags = s.page_flags[pfn]
    ksm = (flags & PG_KSM) != 0
    anon = (flags & PG_ANON) != 0
    same_root = s.page_root[pfn] == s.anon_root[ptep]
    if not rule3(s, R_KSM_SWAPIN_COPIES, ksm, anon, same_root):
        return pfn
    copy = alloc_page(s, s.mm_memcg[ptep >> VPN_SHIFT])
    if copy < 0:
        return -1
    s.page_content[copy] = s.page_content[pfn]
    if rule0(s, R_KSM_COPY_SETS_PAGE_DIRTY):
        s.page_flags[copy] |= PG_DIRTY
    return copy


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule1, rule2, rule3, set_pte
    from simcore.constants import (
        ORIGIN_KSM,
        PG_ANON,
        PG_ANON_EXCLUSIVE,
        PG_BUDDY,
        PG_DIRTY,
        PG_KSM,
        PG_SWAPCACHE,
        PTE_DIRTY,
        PTE_PAYLOAD_SHIFT,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_WRITE,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        RESULT_OK,
        SHADOW_SOLE,
        VM_MERGEABLE,
        VPN_SHIFT,
    )
    from simcore.memory import wp_page_copy
    from simcore.mm_types import MmState
    from simcore.page_alloc import alloc_page
    from simcore.rmap import page_add_rmap, page_remove_rmap, rmap_unlink
    from simcore.rule_ids import (
        R_BREAK_KSM_UNSHARES,
        R_KSM_COPY_SETS_PAGE_DIRTY,
        R_KSM_FINDS_UNMAPPED,
        R_KSM_PROTECT_DIRTIES_PAGE,
        R_KSM_PROTECTS_PTE,
        R_KSM_REPLACE_PTE_DIRTY,
        R_KSM_STABLE_SETS_PAGE_DIRTY,
        R_KSM_SWAPIN_COPIES,
    )
    from simcore.swap import mark_page_accessed
    from simcore.swapfile import try_to_free_swap
