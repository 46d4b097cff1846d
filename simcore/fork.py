"""Processes: fork, exit and the first one. kernel/fork.c dup_mmap(), and copy_page_range() of mm/memory.c."""

import cython


def copy_one_pte(s: "MmState", parent: int, child: int) -> bool:
    """Copy a pte at fork; False when there is no memory.

    Source: mm/memory.c copy_one_pte(), v4.0 to v4.14; copy_present_pte(), v6.1.

    A vma that never had an anonymous page is not copied: its ptes can be faulted in again.
    """
    pte = s.pte[parent] if s.anon_root[parent] else PTE_NONE
    if pte & PTE_HUGE:
        # The whole area was copied with its first page.
        return True
    kind = pte_kind(pte)
    if kind == PTE_SWAP:
        if rule0(s, R_FORK_DUPLICATES_SLOT):
            swap_duplicate(s, pte_payload(pte))
        if pte & PTE_EXCLUSIVE and rule0(s, R_FORK_CLEARS_EXCLUSIVE):
            pte &= ~PTE_EXCLUSIVE
            set_pte(s, parent, pte)
    elif kind == PTE_MIGRATION:
        pte &= ~(PTE_WRITE | PTE_EXCLUSIVE)
        set_pte(s, parent, pte)
        rmap_link(s, pte_payload(pte), child)
    elif kind == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
        return copy_present_page(s, parent, child)
    set_pte(s, child, pte)
    return True


def copy_present_page(s: "MmState", parent: int, child: int) -> bool:
    """Share a page with the child or, if a device may write to it, give the child a copy; False without memory."""
    pfn = pte_payload(s.pte[parent])
    flags = s.page_flags[pfn]
    exclusive = (flags & PG_ANON_EXCLUSIVE) != 0
    pinned = s.page_pins[s.page_head[pfn]] > 0
    if flags & PG_ANON and rule2(s, R_FORK_COPIES_PINNED, exclusive, pinned):
        return copy_pinned_page(s, parent, child)
    set_pte(s, child, copy_present_pte(s, parent, child, s.pte[parent]))
    return True


def copy_pinned_page(s: "MmState", parent: int, child: int) -> bool:
    """Give the child a page of its own. Memory for it is found without touching the pinned page, which is held."""
    pfn = pte_payload(s.pte[parent])
    copy = alloc_page(s, s.mm_memcg[child >> VPN_SHIFT])
    if copy < 0:
        return False
    s.page_content[copy] = s.page_content[pfn]
    map_new_page(s, child, copy, write_bits(s, child, True))
    return True


def copy_present_pte(s: "MmState", parent: int, child: int, pte: int) -> int:
    """Share a page with a child: the child's pte, old; both lose the write permission."""
    pfn = pte_payload(pte)
    pte_dirty = (pte & PTE_DIRTY) != 0
    swapcache = (s.page_flags[s.page_head[pfn]] & PG_SWAPCACHE) != 0
    if rule2(s, R_FORK_WRITE_PROTECTS, pte_dirty, swapcache):
        pte &= ~PTE_WRITE
        set_pte(s, parent, pte)
    if s.page_flags[pfn] & PG_ANON_EXCLUSIVE and rule0(s, R_FORK_CLEARS_EXCLUSIVE):
        s.page_flags[pfn] &= ~PG_ANON_EXCLUSIVE
    page_add_rmap(s, pfn, child)
    pte &= ~(PTE_YOUNG | PTE_DIRTY)
    if rule1(s, R_FORK_CHILD_PTE_DIRTY, pte_dirty):
        pte |= PTE_DIRTY
    return pte


def do_fork(s: "MmState", mm: int) -> int:
    """Copy a process: it takes mmap_lock for writing, so a fault in another thread makes it wait.

    The number of the child is the lowest never used; with none left the op is skipped.
    """
    if s.nr_mm >= s.nr_mm_max:
        return RESULT_SKIPPED
    if s.mmap_readers[mm] > 0:
        return RESULT_BLOCKED
    child = s.nr_mm
    s.nr_mm += 1
    s.mm_alive[child] = 1
    s.mm_born[child] = s.op_index
    s.mm_memcg[child] = s.mm_memcg[mm]
    s.pmd[child] = PMD_NONE
    s.area_dense[child] = 0
    area = s.nr_vpn - s.nr_huge
    for vpn in range(s.nr_vpn):
        if vpn == area:
            copy_area(s, mm, child)
        if not copy_vma(s, mm << VPN_SHIFT | vpn, child << VPN_SHIFT | vpn):
            undo_fork(s, child, vpn)
            return RESULT_ENOMEM
    return RESULT_OK


def copy_area(s: "MmState", mm: int, child: int) -> None:
    """Give the child the parent's huge mapping, or a page table if the parent has one."""
    first = area_start(s, mm)
    if s.pmd[mm] == PMD_NONE or s.anon_root[first] == 0:
        return
    if s.pmd[mm] == PMD_HUGE and pmd_is_pinned(s, first):
        split_huge_pmd(s, mm)
    s.pmd[child] = PMD_TABLE
    s.area_dense[child] = s.area_dense[mm]
    if s.pmd[mm] == PMD_HUGE:
        copy_huge_pmd(s, mm, child)


def pmd_is_pinned(s: "MmState", ptep: int) -> bool:
    """Whether a huge mapping must be copied page by page, because a device may write to it."""
    pte = s.pte[ptep]
    if pte & PTE_ZERO_PAGE:
        return False
    head = pte_payload(pte)
    exclusive = (s.page_flags[head] & PG_ANON_EXCLUSIVE) != 0
    pinned = s.page_pins[head] > 0
    return rule2(s, R_FORK_COPIES_PINNED, exclusive, pinned)


def copy_vma(s: "MmState", parent: int, child: int) -> bool:
    """Give the child its vma of one page, and the page; False when there is no memory."""
    s.vm_flags[child] = s.vm_flags[parent] & ~VM_LOCKED
    s.anon_root[child] = s.anon_root[parent]
    s.ksm_checksum[child] = -1
    s.shown_pfn[child] = -1
    if not copy_one_pte(s, parent, child):
        return False
    user_forked(s, parent, child)
    return True


def undo_fork(s: "MmState", child: int, copied: int) -> None:
    """Take back a fork that found no memory: the child never was."""
    if s.pmd[child] == PMD_HUGE:
        zap_huge_pmd(s, child)
    first = child << VPN_SHIFT
    for ptep in range(first, first + copied):
        zap_pte(s, child * THREADS_PER_MM, ptep)
    s.mm_alive[child] = 0
    s.nr_mm -= 1


def do_exit(s: "MmState", actor: int, mm: int) -> int:
    """End a process; a fault still under way in one of its threads makes it wait."""
    if s.mmap_readers[mm] > 0:
        return RESULT_BLOCKED
    lru_add_drain(s)
    forget_pin(s, s.pin_ptep[mm])
    if s.pmd[mm] == PMD_HUGE:
        zap_huge_pmd(s, mm)
    first = mm << VPN_SHIFT
    for ptep in range(first, first + s.nr_vpn):
        zap_pte(s, actor, ptep)
    s.mm_alive[mm] = 0
    return RESULT_OK


def vma_kind(s: "MmState", vpn: int) -> int:
    """What lies at a page number: anonymous memory, the file shared, the file private, the huge area."""
    if vpn < s.nr_anon:
        return 0
    if vpn < s.nr_anon + s.nr_file:
        return VM_FILE | VM_SHARED
    if vpn < s.nr_anon + 2 * s.nr_file:
        return VM_FILE
    return VM_HUGE_AREA | VM_HUGEPAGE if s.advised else VM_HUGE_AREA


def mm_init(s: "MmState") -> None:
    """One process with nothing mapped; its first pages are mergeable as the world says."""
    s.nr_mm = 1
    for mm in range(s.nr_mm_max):
        s.mm_alive[mm] = mm == 0
        s.mm_born[mm] = 0
        s.pmd[mm] = PMD_NONE
        s.area_dense[mm] = 0
        s.mm_memcg[mm] = 0
        s.mmap_readers[mm] = 0
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            s.pte[ptep] = PTE_NONE
    # Of the first process alone: fork writes the others'.
    for ptep in range(s.nr_vpn):
        s.vm_flags[ptep] = VM_WRITE | VM_SOFTDIRTY | vma_kind(s, ptep)
        s.anon_root[ptep] = 0
        s.shown_pfn[ptep] = -1
        s.ksm_checksum[ptep] = -1
    if s.features & FEATURE_KSM:
        for ptep in range(s.nr_mergeable):
            s.vm_flags[ptep] |= VM_MERGEABLE


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule1, rule2, set_pte
    from simcore.constants import (
        FEATURE_KSM,
        PG_ANON,
        PG_ANON_EXCLUSIVE,
        PG_SWAPCACHE,
        PMD_HUGE,
        PMD_NONE,
        PMD_TABLE,
        PTE_DIRTY,
        PTE_EXCLUSIVE,
        PTE_HUGE,
        PTE_MIGRATION,
        PTE_NONE,
        PTE_PRESENT,
        PTE_SWAP,
        PTE_WRITE,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        RESULT_BLOCKED,
        RESULT_ENOMEM,
        RESULT_OK,
        RESULT_SKIPPED,
        THREADS_PER_MM,
        VM_FILE,
        VM_HUGE_AREA,
        VM_HUGEPAGE,
        VM_LOCKED,
        VM_MERGEABLE,
        VM_SHARED,
        VM_SOFTDIRTY,
        VM_WRITE,
        VPN_SHIFT,
    )
    from simcore.gup import forget_pin
    from simcore.huge_memory import area_start, copy_huge_pmd, split_huge_pmd, zap_huge_pmd
    from simcore.memory import map_new_page, write_bits, zap_pte
    from simcore.mm_types import MmState
    from simcore.page_alloc import alloc_page
    from simcore.rmap import page_add_rmap, rmap_link
    from simcore.rule_ids import (
        R_FORK_CHILD_PTE_DIRTY,
        R_FORK_CLEARS_EXCLUSIVE,
        R_FORK_COPIES_PINNED,
        R_FORK_DUPLICATES_SLOT,
        R_FORK_WRITE_PROTECTS,
    )
    from simcore.swap import lru_add_drain
    from simcore.swapfile import swap_duplicate
    from simcore.user_memory import user_forked
