"""What the files of a real kernel would show of each page, as one integer a page.

pagemap, kpageflags and kpagecount after each op of a reading are packed like this (see docs/conformance.md):
bits 0-2 the class (0 none, 1 zero page, 2 present, 3 swap, 4 other), 3-18 page flags, 19-21 huge page, 22 soft-dirty,
23 mapped once, 24 file page, 25 mincore, 26 frame changed, 27 NUMA node 1, 28-31 mapcount, 32-37 the smallest index
of a page with the same frame or swap entry.
"""

import cython


def page_state(s: "MmState", ptep: int) -> "u64":
    """One page as a reading shows it."""
    pte = s.pte[ptep]
    kind = pte_kind(pte)
    state: u64 = shown_class(pte) | shown_soft_dirty(s, ptep) << 22
    if kind == PTE_NONE:
        return with_share(state | file_resident(s, ptep) << 25, s, ptep, False)
    if pte & PTE_ZERO_PAGE:
        return with_share(state | shown_zero_huge(pte) | 1 << 25, s, ptep, False)
    if kind == PTE_SWAP:
        cached = s.slot_page[pte_payload(pte)] >= 0
        return with_share(state | cached << 25, s, ptep, True)
    if kind != PTE_PRESENT:
        return with_share(state, s, ptep, False)
    return with_share(state | frame_state(s, ptep, pte_payload(pte)), s, ptep, True)


def shown_class(pte: int) -> int:
    """0 none, 1 zero page, 2 present, 3 swap entry, 4 anything else."""
    kind = pte_kind(pte)
    if kind == PTE_PRESENT:
        return 1 if pte & PTE_ZERO_PAGE else 2
    if kind == PTE_SWAP:
        return 3
    return 4 if kind == PTE_MIGRATION else 0


def shown_soft_dirty(s: "MmState", ptep: int) -> int:
    """The bit of the pte, or of the vma for all its pages."""
    return s.pte[ptep] & PTE_SOFT_DIRTY != 0 or s.vm_flags[ptep] & VM_SOFTDIRTY != 0


def shown_zero_huge(pte: int) -> int:
    """A part of the huge zero page shows as part of a huge page."""
    return 1 << 19 | 1 << 24 if pte & PTE_HUGE else 0


def file_resident(s: "MmState", ptep: int) -> int:
    """Whether mincore finds the file's page behind an empty pte, in the page cache or the swap cache."""
    if not s.vm_flags[ptep] & VM_FILE:
        return 0
    index = file_index(s, ptep)
    slot = s.shmem_slot[index]
    return s.shmem_page[index] >= 0 or (slot >= 0 and s.slot_page[slot] >= 0)


def frame_state(s: "MmState", ptep: int, pfn: int) -> "u64":
    """Bits 3 to 31 of a present page."""
    # The flags are the head's, but each part is AnonExclusive or not on its own.
    own = PG_ANON_EXCLUSIVE | PG_HEAD | PG_TAIL
    flags = s.page_flags[s.page_head[pfn]] & ~own | s.page_flags[pfn] & own
    mapcount = s.page_mapcount[pfn]
    anon = (flags & PG_ANON) != 0
    state: u64 = shown_flags(flags) | 1 << 25
    state |= shown_exclusive(s, ptep, pfn) << 23
    state |= (not anon) << 24
    moved = s.shown_pfn[ptep] >= 0 and s.shown_pfn[ptep] != pfn
    state |= moved << 26
    state |= ((flags & PG_NODE1) != 0) << 27
    count: u64 = min(mapcount, 15)
    return state | count << 28


def shown_exclusive(s: "MmState", ptep: int, pfn: int) -> bool:
    """Whether the page is shown as mapped once. Of a huge mapping, kernels before v6.11 show what is true of the head.

    Source: fs/proc/task_mmu.c pagemap_pmd_range().
    """
    if s.pte[ptep] & PTE_HUGE and s.pagemap_by_head:
        return s.page_mapcount[s.page_head[pfn]] == 1
    return s.page_mapcount[pfn] == 1


def shown_flags(flags: int) -> "u64":
    """Bits 3 to 21: the page flags in the order of /proc/kpageflags as a reading packs them."""
    shown: u64 = 0
    shown |= ((flags & PG_DIRTY) != 0) << 3
    shown |= (flags & (PG_SWAPCACHE | PG_SWAPBACKED) == PG_SWAPCACHE | PG_SWAPBACKED) << 4
    shown |= ((flags & PG_SWAPBACKED) != 0) << 5
    shown |= ((flags & PG_LRU) != 0) << 6
    shown |= ((flags & PG_ACTIVE) != 0) << 7
    shown |= ((flags & PG_REFERENCED) != 0) << 8
    shown |= ((flags & PG_KSM) != 0) << 9
    shown |= ((flags & PG_ANON) != 0) << 10
    shown |= ((flags & PG_ANON_EXCLUSIVE) != 0) << 11
    shown |= ((flags & PG_SWAPCACHE) != 0) << 12
    shown |= ((flags & PG_UNEVICTABLE) != 0) << 13
    shown |= ((flags & PG_MLOCKED) != 0) << 14
    shown |= ((flags & PG_WRITEBACK) != 0) << 15
    shown |= ((flags & PG_RECLAIM) != 0) << 16
    shown |= ((flags & PG_UPTODATE) != 0) << 18
    shown |= ((flags & (PG_HEAD | PG_TAIL)) != 0) << 19
    shown |= ((flags & PG_HEAD) != 0) << 20
    shown |= ((flags & PG_TAIL) != 0) << 21
    return shown


def with_share(state: "u64", s: "MmState", ptep: int, shared: bool) -> "u64":
    """Add the smallest index, process * pages + page, of a page with the same frame or swap entry; else its own."""
    found = ptep
    if shared:
        found = first_sharer(s, ptep)
    index: u64 = (found >> VPN_SHIFT) * s.nr_vpn + (found & 31)
    return state | index << 32


def first_sharer(s: "MmState", ptep: int) -> int:
    """The first pte that names what this one names, in processes that live."""
    names = PTE_KIND_MASK | PTE_ZERO_PAGE | ~PTE_FLAGS_MASK
    wanted = s.pte[ptep] & names
    for mm in range((ptep >> VPN_SHIFT) + 1):
        if not s.mm_alive[mm]:
            continue
        first = mm << VPN_SHIFT
        for other in range(first, min(first + s.nr_vpn, ptep)):
            if s.pte[other] & names == wanted:
                return other
    return ptep


def remember_frames(s: "MmState") -> None:
    """Keep which frame each page has now."""
    for mm in range(s.nr_mm):
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            pte = s.pte[ptep]
            present = s.mm_alive[mm] != 0 and pte & (PTE_KIND_MASK | PTE_ZERO_PAGE) == PTE_PRESENT
            s.shown_pfn[ptep] = pte_payload(pte) if present else -1


def smaps_state(s: "MmState", ptep: int) -> int:
    """Which fields of smaps are not 0 for a vma of this one page.

    Bits: 0 Rss, 1 Shared_Clean, 2 Shared_Dirty, 3 Private_Clean, 4 Private_Dirty, 5 Referenced, 6 Anonymous,
    7 LazyFree, 8 Swap, 9 SwapPss, 10 Locked, 11 KSM.
    """
    pte = s.pte[ptep]
    kind = pte_kind(pte)
    if kind == PTE_SWAP:
        return 1 << 8 | 1 << 9
    if kind == PTE_NONE and s.vm_flags[ptep] & VM_FILE:
        return (s.shmem_slot[file_index(s, ptep)] >= 0) << 8
    if kind != PTE_PRESENT or pte & PTE_ZERO_PAGE:
        return 0
    return smaps_of_frame(s, ptep, pte_payload(pte))


def smaps_of_frame(s: "MmState", ptep: int, pfn: int) -> int:
    """The fields of a present page."""
    pte = s.pte[ptep]
    flags = s.page_flags[s.page_head[pfn]]
    anon = (flags & PG_ANON) != 0
    dirty = pte & PTE_DIRTY != 0 or flags & PG_DIRTY != 0
    private = s.page_mapcount[pfn] == 1
    shown: int = 1 | 1 << (1 + 2 * private + dirty)
    shown |= (pte & PTE_YOUNG != 0 or flags & PG_REFERENCED != 0) << 5
    shown |= anon << 6
    shown |= (anon & (not dirty) & (flags & PG_SWAPBACKED == 0)) << 7
    shown |= ((s.vm_flags[ptep] & VM_LOCKED) != 0) << 10
    shown |= ((flags & PG_KSM) != 0) << 11
    return shown


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload
    from simcore.constants import (
        PG_ACTIVE,
        PG_ANON,
        PG_ANON_EXCLUSIVE,
        PG_DIRTY,
        PG_HEAD,
        PG_KSM,
        PG_LRU,
        PG_MLOCKED,
        PG_NODE1,
        PG_RECLAIM,
        PG_REFERENCED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PG_TAIL,
        PG_UNEVICTABLE,
        PG_UPTODATE,
        PG_WRITEBACK,
        PTE_DIRTY,
        PTE_FLAGS_MASK,
        PTE_HUGE,
        PTE_KIND_MASK,
        PTE_MIGRATION,
        PTE_NONE,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_SWAP,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        VM_FILE,
        VM_LOCKED,
        VM_SOFTDIRTY,
        VPN_SHIFT,
    )
    from simcore.mm_types import MmState, u64
    from simcore.shmem import file_index
