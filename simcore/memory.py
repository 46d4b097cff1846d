"""Faults, copy on write and zap: mm/memory.c. Swap-in and fork are in rooms of their own: swapin, fork.

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
    if phase == FAULT_SYNC_READ:
        return fault_sync_read(s, actor)
    if phase == FAULT_SYNC_INSTALL:
        return fault_sync_install(s, actor)
    ptep = s.act_ptep[actor]
    if access_permitted(s.pte[ptep], s.act_write[actor]) and not must_unshare(s, ptep, s.act_write[actor]):
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
    """Whether the access can be made without a fault."""
    return pte_kind(pte) == PTE_PRESENT and (write < FOR_STORE or pte & PTE_WRITE != 0)


def access(s: "MmState", ptep: int, write: int, token: int) -> None:
    """The load or store itself: the CPU sets young, and dirty on a store; x86 keeps soft-dirty with dirty."""
    pte = s.pte[ptep]
    pfn = pte_payload(pte)
    if pte & PTE_HUGE:
        touch_pmd(s, ptep, write)
    if write == FOR_READ:
        set_pte(s, ptep, pte | PTE_YOUNG)
        user_loaded(s, ptep, ZEROS if pte & PTE_ZERO_PAGE else s.page_content[pfn])
    elif write == FOR_STORE:
        set_pte(s, ptep, pte | PTE_YOUNG | PTE_DIRTY | PTE_SOFT_DIRTY)
        s.page_content[pfn] = token
        s.page_flags[pfn] |= PG_STORED
        user_stored(s, ptep, token)
    elif write == FOR_GUP_READ:
        gup_load(s, ptep)
    elif write == FOR_GUP:
        gup_store(s, ptep, pfn, token)
    elif write == FOR_PIN:
        gup_pin(s, ptep, pfn)


def touch_pmd(s: "MmState", ptep: int, write: int) -> None:
    """The CPU, or get_user_pages(), sets young and dirty in a huge mapping for all its parts."""
    if write == FOR_STORE:
        change_pmd(s, ptep, 0, PTE_YOUNG | PTE_DIRTY | PTE_SOFT_DIRTY)
    elif write == FOR_GUP or write == FOR_POPULATE:
        change_pmd(s, ptep, 0, PTE_YOUNG | PTE_DIRTY)
    elif write == FOR_READ or write == FOR_GUP_READ:
        change_pmd(s, ptep, 0, PTE_YOUNG)


def handle_pte_fault(s: "MmState", actor: int, ptep: int) -> int:
    """Take one fault on the pte as it is. Source: mm/memory.c handle_pte_fault()."""
    write = s.act_write[actor]
    if write >= FOR_STORE and not s.vm_flags[ptep] & VM_WRITE:
        return end_fault(s, actor, RESULT_EFAULT)
    kind = pte_kind(s.pte[ptep])
    if kind == PTE_MIGRATION:
        return STEP_BLOCKED
    if kind == PTE_SWAP:
        return fault_swap_lookup(s, actor, ptep)
    result = handle_empty_pte(s, actor, ptep, write) if kind == PTE_NONE else do_wp_page(s, actor, ptep, write)
    if result == RESULT_BLOCKED:
        return STEP_BLOCKED
    if result != RESULT_OK:
        return end_fault(s, actor, result)
    return STEP_MORE


def handle_empty_pte(s: "MmState", actor: int, ptep: int, write: int) -> int:
    """A fault on an empty pte: of the file, or of anonymous memory."""
    if s.vm_flags[ptep] & VM_FILE:
        return do_fault(s, actor, ptep, write)
    if in_area(s, ptep):
        if may_fault_huge(s, ptep) and do_huge_pmd_anonymous_page(s, ptep, write):
            return RESULT_OK
        s.pmd[ptep >> VPN_SHIFT] = PMD_TABLE
    return do_anonymous_page(s, ptep, write)


def anon_vma_prepare(s: "MmState", ptep: int) -> None:
    """Give the vma a root of its own at its first anonymous page; fork hands it down. The area is one vma."""
    if s.anon_root[ptep] != 0:
        return
    s.anon_root[ptep] = ptep + 1
    if in_area(s, ptep):
        first = area_start(s, ptep >> VPN_SHIFT)
        for part in range(first, first + s.nr_huge):
            s.anon_root[part] = first + 1


def map_new_page(s: "MmState", ptep: int, pfn: int, pte_bits: int) -> None:
    """Map a page that nobody else has, and send it to its list (the unevictable one in a locked vma)."""
    anon_vma_prepare(s, ptep)
    set_pte(s, ptep, PTE_PRESENT | PTE_YOUNG | pte_bits | pfn << PTE_PAYLOAD_SHIFT)
    page_add_anon_rmap(s, pfn, ptep)
    if rule0(s, R_FRESH_PAGE_EXCLUSIVE):
        s.page_flags[pfn] |= PG_ANON_EXCLUSIVE
    if s.vm_flags[ptep] & VM_LOCKED:
        s.page_flags[pfn] |= PG_MLOCKED | PG_UNEVICTABLE
        lru_add(s, pfn)
    else:
        if rule0(s, R_FRESH_PAGE_ACTIVE):
            s.page_flags[pfn] |= PG_ACTIVE
        lru_cache_add(s, pfn)
    put_page(s, pfn)


def write_bits(s: "MmState", ptep: int, dirty: bool) -> int:
    """Pte bits of a fresh writable mapping; pte_mkdirty() sets soft-dirty too on x86."""
    bits = PTE_WRITE if s.vm_flags[ptep] & VM_WRITE else 0
    return bits | PTE_DIRTY | PTE_SOFT_DIRTY if dirty else bits


def do_anonymous_page(s: "MmState", ptep: int, write: int) -> int:
    """A first touch: the zero page for a read, a fresh page for a write. Source: mm/memory.c."""
    user_touched_empty(s, ptep)
    if write < FOR_STORE:
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


def do_wp_page(s: "MmState", actor: int, ptep: int, write: int) -> int:
    """A store to a write-protected page, or a load that must not share it: reuse it or copy it.

    Source: mm/memory.c do_wp_page(), v4.0 to v6.12.
    """
    pte = s.pte[ptep]
    if pte & PTE_HUGE:
        return do_huge_pmd_wp_page(s, actor, ptep, write)
    if pte & PTE_ZERO_PAGE:
        return wp_page_copy(s, ptep, False)
    pfn = pte_payload(pte)
    flags = s.page_flags[pfn]
    if not flags & PG_ANON:
        return wp_file_page(s, ptep, pfn)
    # Neither a merged page nor one that is the process's alone needs the lock to be judged.
    unshare = write == FOR_GUP_READ
    locks = not flags & (PG_KSM | PG_ANON_EXCLUSIVE)
    if locks and not trylock_page(s, pfn, actor):
        return RESULT_BLOCKED if rule0(s, R_WP_WAITS_FOR_PAGE_LOCK) else wp_page_copy(s, ptep, unshare)
    reuse = may_reuse(s, pfn)
    if reuse and unshare:
        s.page_flags[pfn] |= PG_ANON_EXCLUSIVE
    elif reuse:
        wp_page_reuse(s, ptep, pfn)
    if locks:
        unlock_page(s, pfn)
    if reuse:
        return RESULT_OK
    return wp_page_copy(s, ptep, unshare)


def must_unshare(s: "MmState", ptep: int, write: int) -> bool:
    """Whether a load through get_user_pages() first gives the process a page of its own.

    Source: mm/gup.c follow_page_pte(), include/linux/mm.h gup_must_unshare(), v5.19.
    """
    pte = s.pte[ptep]
    if write != FOR_GUP_READ or pte & PTE_ZERO_PAGE:
        return False
    flags = s.page_flags[pte_payload(pte)]
    anon = (flags & PG_ANON) != 0
    exclusive = (flags & PG_ANON_EXCLUSIVE) != 0
    return rule2(s, R_GUP_READ_UNSHARES, anon, exclusive)


def may_reuse(s: "MmState", pfn: int) -> bool:
    """Whether a store may go to the anonymous page itself.

    Source: mm/memory.c do_wp_page(), wp_can_reuse_anon_folio() from v5.19.
    """
    head = s.page_head[pfn]
    flags = s.page_flags[head]
    ksm = (flags & PG_KSM) != 0
    exclusive = (s.page_flags[pfn] & PG_ANON_EXCLUSIVE) != 0
    on_lru = (flags & PG_LRU) != 0
    if not exclusive and rule2(s, R_WP_DRAINS_BATCHES, on_lru, ksm):
        lru_add_drain(s)
    sole = most_users_of_part(s, head) <= 1 if is_huge(s, head) else users_of_page(s, pfn) <= 1
    # Where references count, those of a huge page's other mappings count too.
    extra_refs = has_extra_refs(s, pfn) or (is_huge(s, head) and mapping_references(s, head) > 1)
    swapcache = (flags & PG_SWAPCACHE) != 0
    if swapcache and rule5(s, R_WP_FREES_SLOT, sole, swapcache, extra_refs, ksm, exclusive):
        swapcache = not try_to_free_swap(s, pfn)
    if is_huge(s, head):
        pmd_mapped = huge_mappings(s, head) > 0
        return rule5(s, R_WP_REUSES_HUGE_PAGE, sole, swapcache, extra_refs, exclusive, pmd_mapped)
    writeback = (flags & PG_WRITEBACK) != 0
    return rule6(s, R_WP_REUSES_PAGE, sole, ksm, swapcache, writeback, extra_refs, exclusive)


def wp_page_reuse(s: "MmState", ptep: int, pfn: int) -> None:
    """Make the page writable where it is. Source: mm/memory.c wp_page_reuse()."""
    if s.page_flags[pfn] & PG_ANON:
        reuse_swap_page(s, pfn)
        s.page_root[pfn] = s.anon_root[ptep]
        if rule0(s, R_WP_SETS_EXCLUSIVE):
            s.page_flags[pfn] |= PG_ANON_EXCLUSIVE
    note_write_fault(s, ptep, pfn)
    set_pte(s, ptep, s.pte[ptep] | PTE_YOUNG | write_bits(s, ptep, True))


def wp_page_copy(s: "MmState", ptep: int, unshare: bool) -> int:
    """Replace the page by a private copy of it; `unshare`: as for a read. Source: mm/memory.c wp_page_copy().

    The old page is held while memory for the new one is sought, for that may reclaim the old mapping.
    """
    pte = s.pte[ptep]
    shared_zero = (pte & PTE_ZERO_PAGE) != 0
    old = pte_payload(pte)
    if not shared_zero:
        get_page(s, old)
    pfn = alloc_page(s, s.mm_memcg[ptep >> VPN_SHIFT])
    if pfn >= 0 and s.pte[ptep] == pte:
        map_copy(s, ptep, pfn, -1 if shared_zero else old, unshare)
    elif pfn >= 0:
        put_page(s, pfn)
    if not shared_zero and rule0(s, R_COW_PUTS_OLD_PAGE):
        put_page(s, old)
    return RESULT_OK if pfn >= 0 else RESULT_ENOMEM


def map_copy(s: "MmState", ptep: int, pfn: int, old: int, unshare: bool) -> None:
    """Fill the new page from the old one (-1: the zero page) and map it in its place."""
    pte = s.pte[ptep]
    old_pte_dirty = (pte & PTE_DIRTY) != 0
    old_page_dirty = old >= 0 and (s.page_flags[old] & PG_DIRTY) != 0
    dirty = rule2(s, R_COW_PTE_DIRTY, old_pte_dirty, old_page_dirty)
    if old >= 0:
        s.page_content[pfn] = s.page_content[old]
        rmap_unlink(s, old, ptep)
    bits = pte & PTE_SOFT_DIRTY if unshare else write_bits(s, ptep, dirty)
    user_copied(s, ptep)
    map_new_page(s, ptep, pfn, bits)
    s.origin[ptep] = ORIGIN_COW
    if old < 0:
        return
    page_remove_rmap(s, old)
    munlock_page(s, old)
    mapped = s.page_mapcount[old] > 0
    if s.page_flags[old] & PG_SWAPCACHE and rule1(s, R_COW_FREES_OLD_SLOT, mapped) and s.page_lock[old] == 0:
        try_to_free_swap(s, old)


def zap_present_pte(s: "MmState", actor: int, ptep: int, pte: int) -> None:
    """Unmap a page for good; the last mapping also tries to give the page's slot up."""
    pfn = pte_payload(pte)
    head = s.page_head[pfn]
    anon = (s.page_flags[head] & PG_ANON) != 0
    pte_dirty = (pte & PTE_DIRTY) != 0
    if rule2(s, R_ZAP_DIRTIES_PAGE, anon, pte_dirty):
        s.page_flags[head] |= PG_DIRTY
    if not anon and pte & PTE_YOUNG:
        mark_page_accessed(s, pfn)
    get_page(s, pfn)
    rmap_unlink(s, pfn, ptep)
    page_remove_rmap(s, pfn)
    if s.vm_flags[ptep] & VM_LOCKED and not is_huge(s, head):
        # Whoever else maps the page has not locked it: before v5.18 exit_mmap() sees to that, then page_remove_rmap().
        munlock_page(s, pfn)
    if total_mapcount(s, head) == 0 and s.page_flags[head] & PG_SWAPCACHE and trylock_page(s, head, actor):
        try_to_free_swap(s, head)
        unlock_page(s, head)
    put_page(s, head)


def zap_pte(s: "MmState", actor: int, ptep: int) -> None:
    """Empty one pte, as munmap, MADV_DONTNEED and exit do. Source: mm/memory.c zap_pte_range()."""
    split_area(s, ptep)
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


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule1, rule2, rule5, rule6, set_pte
    from simcore.constants import (
        FAULT_ACCESS,
        FAULT_SWAP_INSTALL,
        FAULT_SWAP_LOCK,
        FAULT_SWAP_READ,
        FAULT_SYNC_INSTALL,
        FAULT_SYNC_READ,
        FOR_GUP,
        FOR_GUP_READ,
        FOR_PIN,
        FOR_POPULATE,
        FOR_READ,
        FOR_STORE,
        MAX_REFAULTS,
        ORIGIN_COW,
        ORIGIN_FAULT,
        PATH_FAULT,
        PATH_NONE,
        PG_ACTIVE,
        PG_ANON,
        PG_ANON_EXCLUSIVE,
        PG_DIRTY,
        PG_KSM,
        PG_LRU,
        PG_MLOCKED,
        PG_STORED,
        PG_SWAPCACHE,
        PG_UNEVICTABLE,
        PG_WRITEBACK,
        PMD_TABLE,
        PTE_DIRTY,
        PTE_HUGE,
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
        RESULT_EFAULT,
        RESULT_ENOMEM,
        RESULT_OK,
        SHADOW_SOLE,
        STEP_BLOCKED,
        STEP_DONE,
        STEP_MORE,
        VM_FILE,
        VM_LOCKED,
        VM_WRITE,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.gup import gup_load, gup_pin, gup_store
    from simcore.huge_memory import (
        area_start,
        change_pmd,
        do_huge_pmd_anonymous_page,
        do_huge_pmd_wp_page,
        has_extra_refs,
        huge_mappings,
        in_area,
        is_huge,
        mapping_references,
        may_fault_huge,
        most_users_of_part,
        split_area,
        total_mapcount,
    )
    from simcore.mlock import munlock_page
    from simcore.mm_types import MmState
    from simcore.oracle_ids import ORACLE_STUCK_FAULT
    from simcore.page_alloc import alloc_page, get_page, put_page, trylock_page, unlock_page
    from simcore.report import report
    from simcore.rmap import page_add_anon_rmap, page_remove_rmap, rmap_unlink
    from simcore.rule_ids import (
        R_ANON_FAULT_PTE_DIRTY,
        R_COW_FREES_OLD_SLOT,
        R_COW_PTE_DIRTY,
        R_COW_PUTS_OLD_PAGE,
        R_FRESH_PAGE_ACTIVE,
        R_FRESH_PAGE_EXCLUSIVE,
        R_GUP_READ_UNSHARES,
        R_WP_DRAINS_BATCHES,
        R_WP_FREES_SLOT,
        R_WP_REUSES_HUGE_PAGE,
        R_WP_REUSES_PAGE,
        R_WP_SETS_EXCLUSIVE,
        R_WP_WAITS_FOR_PAGE_LOCK,
        R_ZAP_DIRTIES_PAGE,
        R_ZAP_FREES_SLOT,
    )
    from simcore.shmem import do_fault, wp_file_page
    from simcore.swap import lru_add, lru_add_drain, lru_cache_add, mark_page_accessed
    from simcore.swapfile import free_swap_and_cache, reuse_swap_page, try_to_free_swap, users_of_page
    from simcore.swapin import (
        fault_swap_install,
        fault_swap_lock,
        fault_swap_lookup,
        fault_swap_read,
        fault_sync_install,
        fault_sync_read,
    )
    from simcore.user_memory import user_copied, user_loaded, user_stored, user_touched_empty
