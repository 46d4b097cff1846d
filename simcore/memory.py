"""Faults, copy on write, fork and zap: mm/memory.c.

A fault is a path of an actor: it starts at the access, and goes through phases where the kernel drops the page
table lock. The access itself is the last phase, so that anything may happen between a fault and its retry.

    access -> none, zero page, write-protected: handled under the page table lock, access again
           -> swap pte: look up or allocate | read | lock page | install | access again
           -> migration entry: wait
"""

import cython


def begin_fault(s: "MmState", actor: int, ptep: int, write: int, token: int) -> None:
    """Put the actor on the path of one access; it holds mmap_lock for reading until the end."""
    s.nr_busy += 1
    s.mmap_readers[ptep >> VPN_SHIFT] += 1
    s.act_path[actor] = PATH_FAULT
    s.act_phase[actor] = FAULT_ACCESS
    s.act_ptep[actor] = ptep
    s.act_write[actor] = write
    s.act_token[actor] = token
    s.act_tries[actor] = 0
    s.act_pfn[actor] = -1
    s.act_new[actor] = -1


def end_fault(s: "MmState", actor: int, result: int) -> int:
    """Take the actor off the path."""
    s.nr_busy -= 1
    s.mmap_readers[s.act_ptep[actor] >> VPN_SHIFT] -= 1
    s.act_path[actor] = PATH_NONE
    s.act_result[actor] = result
    return STEP_DONE


def step_fault(s: "MmState", actor: int) -> int:
    """Advance the fault by one phase: STEP_DONE, STEP_MORE or STEP_BLOCKED."""
    phase = s.act_phase[actor]
    if phase == FAULT_SWAP_READ:
        return fault_swap_read(s, actor)
    if phase == FAULT_SWAP_LOCK:
        return fault_swap_lock(s, actor)
    if phase == FAULT_SWAP_INSTALL:
        return fault_swap_install(s, actor)
    ptep = s.act_ptep[actor]
    if access_permitted(s.pte[ptep], s.act_write[actor]):
        access(s, ptep, s.act_write[actor], s.act_token[actor])
        return end_fault(s, actor, RESULT_OK)
    step = handle_pte_fault(s, actor, ptep)
    if step != STEP_MORE:
        return step
    s.act_tries[actor] += 1
    if s.act_tries[actor] > MAX_REFAULTS:
        report(s, ORACLE_STUCK_FAULT, ptep, s.expect[ptep], 0)
        return abandon_fault(s, actor)
    return STEP_MORE


def abandon_fault(s: "MmState", actor: int) -> int:
    """Take the actor off a fault that never completes."""
    if s.act_phase[actor] == FAULT_SWAP_READ:
        unlock_page(s, s.act_pfn[actor])
    if s.act_pfn[actor] >= 0:
        put_page(s, s.act_pfn[actor])
    return end_fault(s, actor, RESULT_BLOCKED)


def access_permitted(pte: int, write: int) -> bool:
    """Whether the CPU can make the access without a fault."""
    return pte_kind(pte) == PTE_PRESENT and (write == FOR_READ or pte & PTE_WRITE != 0)


def access(s: "MmState", ptep: int, write: int, token: int) -> None:
    """The load or store itself: the CPU sets young, and dirty on a store; x86 keeps soft-dirty with dirty."""
    pte = s.pte[ptep]
    pfn = pte_payload(pte)
    if write == FOR_READ:
        set_pte(s, ptep, pte | PTE_YOUNG)
        user_loaded(s, ptep, ZEROS if pte & PTE_ZERO_PAGE else s.page_content[pfn])
    elif write == FOR_STORE:
        set_pte(s, ptep, pte | PTE_YOUNG | PTE_DIRTY | PTE_SOFT_DIRTY)
        s.page_content[pfn] = token
        s.page_flags[pfn] |= PG_STORED
        user_stored(s, ptep, token)


def handle_pte_fault(s: "MmState", actor: int, ptep: int) -> int:
    """Take one fault on the pte as it is. Source: mm/memory.c handle_pte_fault()."""
    kind = pte_kind(s.pte[ptep])
    if kind == PTE_MIGRATION:
        return STEP_BLOCKED
    if kind == PTE_SWAP:
        return fault_swap_lookup(s, actor, ptep)
    empty = kind == PTE_NONE
    result = do_anonymous_page(s, ptep, s.act_write[actor]) if empty else do_wp_page(s, actor, ptep)
    if result == RESULT_BLOCKED:
        return STEP_BLOCKED
    if result != RESULT_OK:
        return end_fault(s, actor, result)
    return STEP_MORE


def anon_vma_prepare(s: "MmState", ptep: int) -> None:
    """Give the vma a root of its own at its first anonymous page; fork hands it down."""
    if s.anon_root[ptep] == 0:
        s.anon_root[ptep] = ptep + 1


def map_new_page(s: "MmState", ptep: int, pfn: int, pte_bits: int) -> None:
    """Map a page that nobody else has, and put it on the active list (unevictable in a locked vma)."""
    anon_vma_prepare(s, ptep)
    set_pte(s, ptep, PTE_PRESENT | PTE_YOUNG | pte_bits | pfn << PTE_PAYLOAD_SHIFT)
    page_add_anon_rmap(s, pfn, ptep)
    if s.vm_flags[ptep] & VM_LOCKED:
        s.page_flags[pfn] |= PG_MLOCKED | PG_UNEVICTABLE
    else:
        s.page_flags[pfn] |= PG_ACTIVE
    lru_add(s, pfn)
    put_page(s, pfn)


def write_bits(s: "MmState", ptep: int, dirty: bool) -> int:
    """Pte bits of a fresh writable mapping; pte_mkdirty() sets soft-dirty too on x86."""
    bits = PTE_WRITE if s.vm_flags[ptep] & VM_WRITE else 0
    return bits | PTE_DIRTY | PTE_SOFT_DIRTY if dirty else bits


def do_anonymous_page(s: "MmState", ptep: int, write: int) -> int:
    """A first touch: the zero page for a read, a fresh page for a write. Source: mm/memory.c."""
    user_touched_empty(s, ptep)
    if write == FOR_READ:
        set_pte(s, ptep, PTE_PRESENT | PTE_YOUNG | PTE_ZERO_PAGE)
        return RESULT_OK
    pfn = alloc_page(s, s.mm_memcg[ptep >> VPN_SHIFT])
    if pfn < 0:
        return RESULT_ENOMEM
    vm_write = (s.vm_flags[ptep] & VM_WRITE) != 0
    map_new_page(s, ptep, pfn, write_bits(s, ptep, rule1(s, R_ANON_FAULT_PTE_DIRTY, vm_write)))
    s.origin[ptep] = ORIGIN_FAULT
    return RESULT_OK


def note_write_fault(s: "MmState", ptep: int, pfn: int) -> None:
    """For the cost oracles: a store was announced, so the page may differ from its slot, and no discard is owed."""
    s.page_flags[pfn] |= PG_STORED
    s.shadow[ptep] &= ~SHADOW_SOLE


def do_wp_page(s: "MmState", actor: int, ptep: int) -> int:
    """A store to a write-protected page: reuse it or copy it.

    Source: mm/memory.c do_wp_page(), v4.0 to v4.14.
    """
    pte = s.pte[ptep]
    if pte & PTE_ZERO_PAGE:
        return wp_page_copy(s, ptep)
    pfn = pte_payload(pte)
    flags = s.page_flags[pfn]
    ksm = (flags & PG_KSM) != 0
    if not ksm and not trylock_page(s, pfn, actor):
        return RESULT_BLOCKED
    sole = users_of_page(s, pfn) <= 1
    swapcache = (flags & PG_SWAPCACHE) != 0
    writeback = (flags & PG_WRITEBACK) != 0
    extra_refs = s.page_refcount[pfn] != s.page_mapcount[pfn] + swapcache
    reuse = rule5(s, R_WP_REUSES_PAGE, sole, ksm, swapcache, writeback, extra_refs)
    if reuse:
        reuse_swap_page(s, pfn)
        note_write_fault(s, ptep, pfn)
        s.page_root[pfn] = s.anon_root[ptep]
        set_pte(s, ptep, pte | PTE_YOUNG | write_bits(s, ptep, True))
    if not ksm:
        unlock_page(s, pfn)
    if reuse:
        return RESULT_OK
    return wp_page_copy(s, ptep)


def wp_page_copy(s: "MmState", ptep: int) -> int:
    """Replace the page by a private copy of it. Source: mm/memory.c wp_page_copy().

    The old page is held while memory for the new one is sought, for that may reclaim the old mapping.
    """
    pte = s.pte[ptep]
    shared_zero = (pte & PTE_ZERO_PAGE) != 0
    old = pte_payload(pte)
    if not shared_zero:
        get_page(s, old)
    pfn = alloc_page(s, s.mm_memcg[ptep >> VPN_SHIFT])
    same = s.pte[ptep] == pte
    if pfn >= 0 and same:
        old_pte_dirty = (pte & PTE_DIRTY) != 0
        old_page_dirty = not shared_zero and (s.page_flags[old] & PG_DIRTY) != 0
        dirty = rule2(s, R_COW_PTE_DIRTY, old_pte_dirty, old_page_dirty)
        if not shared_zero:
            s.page_content[pfn] = s.page_content[old]
            rmap_unlink(s, old, ptep)
        map_new_page(s, ptep, pfn, write_bits(s, ptep, dirty))
        s.origin[ptep] = ORIGIN_COW
        if not shared_zero:
            page_remove_rmap(s, old)
            munlock_page(s, old)
    elif pfn >= 0:
        put_page(s, pfn)
    if not shared_zero and rule0(s, R_COW_PUTS_OLD_PAGE):
        put_page(s, old)
    return RESULT_OK if pfn >= 0 else RESULT_ENOMEM


def fault_swap_lookup(s: "MmState", actor: int, ptep: int) -> int:
    """do_swap_page(), first part: find the page in the swap cache, or enter a new one there and start to read.

    The new page is locked until its read has ended.
    """
    pte = s.pte[ptep]
    slot = pte_payload(pte)
    pfn = begin_read_swap_cache(s, slot, s.mm_memcg[ptep >> VPN_SHIFT])
    if pfn < 0:
        return STEP_MORE if s.pte[ptep] != pte else end_fault(s, actor, RESULT_ENOMEM)
    s.act_pte[actor] = pte
    s.act_slot[actor] = slot
    s.act_pfn[actor] = pfn
    s.act_phase[actor] = FAULT_SWAP_LOCK
    if not s.page_flags[pfn] & PG_UPTODATE and trylock_page(s, pfn, actor):
        s.act_phase[actor] = FAULT_SWAP_READ
    return STEP_MORE


def fault_swap_read(s: "MmState", actor: int) -> int:
    """The read from the device ends: the page is up to date and unlocked."""
    swap_readpage(s, s.act_pfn[actor])
    unlock_page(s, s.act_pfn[actor])
    s.act_phase[actor] = FAULT_SWAP_LOCK
    return STEP_MORE


def fault_back_out(s: "MmState", actor: int) -> int:
    """Let go of the page and look at the pte again."""
    put_page(s, s.act_pfn[actor])
    s.act_pfn[actor] = -1
    s.act_phase[actor] = FAULT_ACCESS
    return STEP_MORE


def fault_swap_lock(s: "MmState", actor: int) -> int:
    """do_swap_page(), second part: lock the page, see that it is still the slot's, copy a KSM page if need be."""
    pfn = s.act_pfn[actor]
    if not trylock_page(s, pfn, actor):
        return STEP_BLOCKED
    if not s.page_flags[pfn] & PG_SWAPCACHE or s.page_slot[pfn] != s.act_slot[actor]:
        unlock_page(s, pfn)
        return fault_back_out(s, actor)
    target = ksm_might_need_to_copy(s, pfn, s.act_ptep[actor])
    if target < 0:
        unlock_page(s, pfn)
        put_page(s, pfn)
        return end_fault(s, actor, RESULT_ENOMEM)
    s.act_new[actor] = target
    s.act_phase[actor] = FAULT_SWAP_INSTALL
    return STEP_MORE


def fault_swap_install(s: "MmState", actor: int) -> int:
    """do_swap_page(), last part: if the pte is still the same, map the page and give up the slot's count."""
    pfn = s.act_pfn[actor]
    target = s.act_new[actor]
    ptep = s.act_ptep[actor]
    pte_same = s.pte[ptep] == s.act_pte[actor]
    swapcache = (s.page_flags[target] & PG_SWAPCACHE) != 0
    if rule2(s, R_SWAPIN_INSTALLS, pte_same, swapcache):
        install_swapped_page(s, ptep, target, target != pfn, s.act_write[actor] != FOR_READ)
        swap_free(s, s.act_slot[actor])
        free_slot_after_swapin(s, ptep, target, s.act_write[actor] != FOR_READ)
    if target != pfn:
        put_page(s, target)
    s.act_new[actor] = -1
    unlock_page(s, pfn)
    return fault_back_out(s, actor)


def install_swapped_page(s: "MmState", ptep: int, pfn: int, copied: bool, write: bool) -> None:
    """Set the pte for a page that came back from swap. Source: mm/memory.c do_swap_page(), v4.0 to v4.14."""
    flags = s.page_flags[pfn]
    page_dirty = (flags & PG_DIRTY) != 0
    swapcache = (flags & PG_SWAPCACHE) != 0
    ksm = (flags & PG_KSM) != 0
    exclusive = (s.pte[ptep] & PTE_EXCLUSIVE) != 0
    reuse = write and not ksm and users_of_page(s, pfn) <= 1
    pte = PTE_PRESENT | PTE_YOUNG | s.pte[ptep] & PTE_SOFT_DIRTY | pfn << PTE_PAYLOAD_SHIFT
    if rule6(s, R_SWAPIN_PTE_DIRTY, write, reuse, page_dirty, swapcache, ksm, exclusive):
        pte |= PTE_DIRTY | PTE_SOFT_DIRTY
    if rule4(s, R_SWAPIN_PTE_WRITE, write, reuse, ksm, exclusive) and s.vm_flags[ptep] & VM_WRITE:
        pte |= PTE_WRITE
    if reuse:
        reuse_swap_page(s, pfn)
    if write:
        note_write_fault(s, ptep, pfn)
    set_pte(s, ptep, pte)
    s.origin[ptep] = ORIGIN_SWAPIN
    page_add_anon_rmap(s, pfn, ptep)
    if copied:
        s.page_flags[pfn] |= PG_ACTIVE
        lru_add(s, pfn)


def free_slot_after_swapin(s: "MmState", ptep: int, pfn: int, write: bool) -> None:
    """Give the slot up at once when swap is short or the page is locked in memory anyway."""
    swap_full = vm_swap_full(s)
    vm_locked = (s.vm_flags[ptep] & VM_LOCKED) != 0
    mlocked = (s.page_flags[pfn] & PG_MLOCKED) != 0
    ksm = (s.page_flags[pfn] & PG_KSM) != 0
    if rule5(s, R_SWAPIN_FREES_SLOT, swap_full, vm_locked, mlocked, write, ksm):
        try_to_free_swap(s, pfn)


def zap_present_pte(s: "MmState", actor: int, ptep: int, pte: int) -> None:
    """Unmap a page for good; the last mapping also tries to give the page's slot up."""
    pfn = pte_payload(pte)
    anon = (s.page_flags[pfn] & PG_ANON) != 0
    pte_dirty = (pte & PTE_DIRTY) != 0
    if rule2(s, R_ZAP_DIRTIES_PAGE, anon, pte_dirty):
        s.page_flags[pfn] |= PG_DIRTY
    get_page(s, pfn)
    rmap_unlink(s, pfn, ptep)
    page_remove_rmap(s, pfn)
    if s.page_mapcount[pfn] == 0 and s.page_flags[pfn] & PG_SWAPCACHE and trylock_page(s, pfn, actor):
        try_to_free_swap(s, pfn)
        unlock_page(s, pfn)
    put_page(s, pfn)


def zap_pte(s: "MmState", actor: int, ptep: int) -> None:
    """Empty one pte, as munmap, MADV_DONTNEED and exit do. Source: mm/memory.c zap_pte_range()."""
    pte = s.pte[ptep]
    kind = pte_kind(pte)
    set_pte(s, ptep, PTE_NONE)
    if kind == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
        zap_present_pte(s, actor, ptep, pte)
    elif kind == PTE_SWAP:
        if rule0(s, R_ZAP_FREES_SLOT):
            free_swap_and_cache(s, pte_payload(pte), actor)
    elif kind == PTE_MIGRATION:
        rmap_unlink(s, pte_payload(pte), ptep)


def copy_one_pte(s: "MmState", parent: int, child: int) -> None:
    """Copy a pte at fork. Source: mm/memory.c copy_one_pte(), v4.0 to v4.14."""
    pte = s.pte[parent]
    kind = pte_kind(pte)
    if kind == PTE_SWAP:
        if rule0(s, R_FORK_DUPLICATES_SLOT):
            swap_duplicate(s, pte_payload(pte))
    elif kind == PTE_MIGRATION:
        pte &= ~PTE_WRITE
        set_pte(s, parent, pte)
        rmap_link(s, pte_payload(pte), child)
    elif kind == PTE_PRESENT and not pte & PTE_ZERO_PAGE:
        pte = copy_present_pte(s, parent, child, pte)
    set_pte(s, child, pte)


def copy_present_pte(s: "MmState", parent: int, child: int, pte: int) -> int:
    """Share a page with a child: the child's pte, old; both lose the write permission."""
    pfn = pte_payload(pte)
    pte_dirty = (pte & PTE_DIRTY) != 0
    swapcache = (s.page_flags[pfn] & PG_SWAPCACHE) != 0
    if rule2(s, R_FORK_WRITE_PROTECTS, pte_dirty, swapcache):
        pte &= ~PTE_WRITE
        set_pte(s, parent, pte)
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
    for vpn in range(s.nr_vpn):
        parent_ptep = mm << VPN_SHIFT | vpn
        child_ptep = child << VPN_SHIFT | vpn
        s.vm_flags[child_ptep] = s.vm_flags[parent_ptep] & ~VM_LOCKED
        s.anon_root[child_ptep] = s.anon_root[parent_ptep]
        s.ksm_checksum[child_ptep] = -1
        copy_one_pte(s, parent_ptep, child_ptep)
        user_forked(s, parent_ptep, child_ptep)
    return RESULT_OK


def do_exit(s: "MmState", actor: int, mm: int) -> int:
    """End a process; a fault still under way in one of its threads makes it wait."""
    if s.mmap_readers[mm] > 0:
        return RESULT_BLOCKED
    first = mm << VPN_SHIFT
    for ptep in range(first, first + s.nr_vpn):
        zap_pte(s, actor, ptep)
    s.mm_alive[mm] = 0
    return RESULT_OK


def mm_init(s: "MmState") -> None:
    """One process with nothing mapped; its first pages are mergeable as the world says."""
    s.nr_mm = 1
    for mm in range(s.nr_mm_max):
        s.mm_alive[mm] = mm == 0
        s.mm_born[mm] = 0
        s.mm_memcg[mm] = 0
        s.mmap_readers[mm] = 0
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            s.pte[ptep] = PTE_NONE
    # Of the first process alone: fork writes the others'.
    for ptep in range(s.nr_vpn):
        s.vm_flags[ptep] = VM_WRITE
        s.anon_root[ptep] = 0
        s.ksm_checksum[ptep] = -1
    if s.features & FEATURE_KSM:
        for ptep in range(s.nr_mergeable):
            s.vm_flags[ptep] |= VM_MERGEABLE


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule1, rule2, rule4, rule5, rule6, set_pte
    from simcore.constants import (
        FAULT_ACCESS,
        FAULT_SWAP_INSTALL,
        FAULT_SWAP_LOCK,
        FAULT_SWAP_READ,
        FEATURE_KSM,
        FOR_READ,
        FOR_STORE,
        MAX_REFAULTS,
        ORIGIN_COW,
        ORIGIN_FAULT,
        ORIGIN_SWAPIN,
        PATH_FAULT,
        PATH_NONE,
        PG_ACTIVE,
        PG_ANON,
        PG_DIRTY,
        PG_KSM,
        PG_MLOCKED,
        PG_STORED,
        PG_SWAPCACHE,
        PG_UNEVICTABLE,
        PG_UPTODATE,
        PG_WRITEBACK,
        PTE_DIRTY,
        PTE_EXCLUSIVE,
        PTE_MIGRATION,
        PTE_NONE,
        PTE_PAYLOAD_SHIFT,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_SWAP,
        PTE_WRITE,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        RESULT_BLOCKED,
        RESULT_ENOMEM,
        RESULT_OK,
        RESULT_SKIPPED,
        SHADOW_SOLE,
        STEP_BLOCKED,
        STEP_DONE,
        STEP_MORE,
        VM_LOCKED,
        VM_MERGEABLE,
        VM_WRITE,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.ksm import ksm_might_need_to_copy
    from simcore.mlock import munlock_page
    from simcore.mm_types import MmState
    from simcore.oracle_ids import ORACLE_STUCK_FAULT
    from simcore.page_alloc import alloc_page, get_page, put_page, trylock_page, unlock_page
    from simcore.page_io import swap_readpage
    from simcore.report import report
    from simcore.rmap import page_add_anon_rmap, page_add_rmap, page_remove_rmap, rmap_link, rmap_unlink
    from simcore.rule_ids import (
        R_ANON_FAULT_PTE_DIRTY,
        R_COW_PTE_DIRTY,
        R_COW_PUTS_OLD_PAGE,
        R_FORK_CHILD_PTE_DIRTY,
        R_FORK_DUPLICATES_SLOT,
        R_FORK_WRITE_PROTECTS,
        R_SWAPIN_FREES_SLOT,
        R_SWAPIN_INSTALLS,
        R_SWAPIN_PTE_DIRTY,
        R_SWAPIN_PTE_WRITE,
        R_WP_REUSES_PAGE,
        R_ZAP_DIRTIES_PAGE,
        R_ZAP_FREES_SLOT,
    )
    from simcore.swap import lru_add
    from simcore.swap_state import begin_read_swap_cache
    from simcore.swapfile import (
        free_swap_and_cache,
        reuse_swap_page,
        swap_duplicate,
        swap_free,
        try_to_free_swap,
        users_of_page,
        vm_swap_full,
    )
    from simcore.user_memory import user_forked, user_loaded, user_stored, user_touched_empty
