"""Swap-in: do_swap_page() of mm/memory.c, as the phases of a fault.

swap pte -> look up or allocate | read | lock page | install | access again
-> past the swap cache, on a synchronous device: allocate | read | install | access again
"""

import cython


def fault_swap_lookup(s: "MmState", actor: int, ptep: int) -> int:
    """do_swap_page(), first part: find the page in the swap cache, or enter a new one there and start to read.

    The new page is locked until its read has ended.
    """
    pte = s.pte[ptep]
    slot = pte_payload(pte)
    if s.slot_page[slot] < 0:
        synchronous = s.sync_io != 0
        sole = s.slot_count[slot] == 1
        if rule2(s, R_SWAPIN_SKIPS_CACHE, synchronous, sole):
            return fault_sync_lookup(s, actor, ptep)
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


def fault_sync_lookup(s: "MmState", actor: int, ptep: int) -> int:
    """do_swap_page(), first part, past the swap cache: a private page, locked, for a slot of one user.

    From v6.8 (and in stable kernels before) the slot is claimed meanwhile, for the swap pte may go and come back
    while the page is read.
    """
    pte = s.pte[ptep]
    slot = pte_payload(pte)
    if s.slot_claimed[slot]:
        return STEP_BLOCKED
    pfn = alloc_page(s, s.mm_memcg[ptep >> VPN_SHIFT])
    if pfn < 0:
        return end_fault(s, actor, RESULT_ENOMEM)
    if s.pte[ptep] != pte:
        put_page(s, pfn)
        return STEP_MORE
    trylock_page(s, pfn, actor)
    if rule0(s, R_SWAPIN_CLAIMS_SLOT):
        s.slot_claimed[slot] = 1
    lru_cache_add(s, pfn)
    s.act_pte[actor] = pte
    s.act_slot[actor] = slot
    s.act_pfn[actor] = pfn
    s.act_phase[actor] = FAULT_SYNC_READ
    return STEP_MORE


def fault_sync_read(s: "MmState", actor: int) -> int:
    """The device fills the private page."""
    pfn = s.act_pfn[actor]
    s.page_content[pfn] = s.slot_content[s.act_slot[actor]]
    s.page_flags[pfn] &= ~PG_STORED
    s.act_phase[actor] = FAULT_SYNC_INSTALL
    return STEP_MORE


def fault_sync_install(s: "MmState", actor: int) -> int:
    """do_swap_page(), last part, past the swap cache: the slot is given up with its last user."""
    pfn = s.act_pfn[actor]
    ptep = s.act_ptep[actor]
    slot = s.act_slot[actor]
    write = s.act_write[actor] >= FOR_STORE
    pte_same = s.pte[ptep] == s.act_pte[actor]
    swapcache = (s.page_flags[pfn] & PG_SWAPCACHE) != 0
    s.slot_claimed[slot] = 0
    if rule2(s, R_SWAPIN_INSTALLS, pte_same, swapcache):
        # The slot's copy is gone with the slot.
        s.page_flags[pfn] |= PG_STORED
        swap_free(s, slot)
        install_swapped_page(s, ptep, pfn, write, True, True)
    unlock_page(s, pfn)
    return fault_back_out(s, actor)


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
    flags = s.page_flags[s.page_head[pfn]]
    on_lru = (flags & PG_LRU) != 0
    write = s.act_write[actor] >= FOR_STORE
    ksm = (flags & PG_KSM) != 0
    if rule3(s, R_SWAPIN_DRAINS_BATCHES, on_lru, write, ksm):
        lru_add_drain(s)
    flags = s.page_flags[s.page_head[pfn]]
    swapcache = (flags & PG_SWAPCACHE) != 0
    swapbacked = (flags & PG_SWAPBACKED) != 0
    if not rule2(s, R_SWAPIN_FINDS_PAGE, swapcache, swapbacked) or s.page_slot[pfn] != s.act_slot[actor]:
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
    swapcache = (s.page_flags[s.page_head[target]] & PG_SWAPCACHE) != 0
    if rule2(s, R_SWAPIN_INSTALLS, pte_same, swapcache):
        map_cached_page(s, ptep, target, target != pfn, s.act_slot[actor], s.act_write[actor] >= FOR_STORE)
    if target != pfn:
        put_page(s, target)
    s.act_new[actor] = -1
    unlock_page(s, pfn)
    return fault_back_out(s, actor)


def map_cached_page(s: "MmState", ptep: int, pfn: int, copied: bool, slot: int, write: bool) -> None:
    """Map the page of a slot, or a copy of it, and give up the slot's count, in the kernel's order."""
    frees_first = rule0(s, R_SWAPIN_FREES_SLOT_FIRST)
    if frees_first:
        swap_free(s, slot)
        free_slot_at_swapin(s, ptep, pfn, write)
    install_swapped_page(s, ptep, pfn, write, frees_first, copied)
    if copied:
        s.page_flags[pfn] |= PG_ACTIVE
        lru_cache_add(s, pfn)
    if not frees_first:
        swap_free(s, slot)
        free_slot_at_swapin(s, ptep, pfn, write)


def install_swapped_page(s: "MmState", ptep: int, pfn: int, write: bool, counted: bool, fresh: bool) -> None:
    """Set the pte for a page that came back from swap.

    `counted`: the swap pte's count was given up already; `fresh`: the page never was in the swap cache.

    Source: mm/memory.c do_swap_page(), v4.0 to v6.12.
    """
    old = s.pte[ptep]
    head = s.page_head[pfn]
    flags = s.page_flags[head]
    page_dirty = (flags & PG_DIRTY) != 0
    swapcache = (flags & PG_SWAPCACHE) != 0
    ksm = (flags & PG_KSM) != 0
    exclusive = old & PTE_EXCLUSIVE != 0 or fresh
    sole = users_of_page(s, pfn) + counted <= 1
    extra_refs = s.page_refcount[head] != 1 + s.page_mapcount[pfn] + swapcache
    reuse = rule5(s, R_SWAPIN_PAGE_IS_SOLE, sole, ksm, swapcache, extra_refs, exclusive)
    soft_dirty = old & PTE_SOFT_DIRTY != 0 or s.vm_flags[ptep] & VM_SOFTDIRTY != 0
    pte = PTE_PRESENT | PTE_YOUNG | old & PTE_SOFT_DIRTY | pfn << PTE_PAYLOAD_SHIFT
    if rule6(s, R_SWAPIN_PTE_DIRTY, write, reuse, page_dirty, swapcache, ksm, exclusive):
        pte |= PTE_DIRTY | PTE_SOFT_DIRTY
    if rule5(s, R_SWAPIN_PTE_WRITE, write, reuse, ksm, exclusive, soft_dirty) and s.vm_flags[ptep] & VM_WRITE:
        pte |= PTE_WRITE
    if write and reuse:
        reuse_swap_page(s, pfn)
    if write:
        note_write_fault(s, ptep, pfn)
    set_pte(s, ptep, pte)
    s.origin[ptep] = ORIGIN_SWAPIN
    page_add_anon_rmap(s, pfn, ptep)
    if rule1(s, R_SWAPIN_SETS_EXCLUSIVE, reuse):
        s.page_flags[pfn] |= PG_ANON_EXCLUSIVE


def free_slot_at_swapin(s: "MmState", ptep: int, pfn: int, write: bool) -> None:
    """Give the slot up at once when swap is short, or the page is locked in memory anyway, or is written to."""
    swap_full = vm_swap_full(s)
    vm_locked = (s.vm_flags[ptep] & VM_LOCKED) != 0
    flags = s.page_flags[s.page_head[pfn]]
    mlocked = (flags & PG_MLOCKED) != 0
    ksm = (flags & PG_KSM) != 0
    swapcache = (flags & PG_SWAPCACHE) != 0
    extra_refs = s.page_refcount[s.page_head[pfn]] > 1 + swapcache
    if rule6(s, R_SWAPIN_FREES_SLOT, swap_full, vm_locked, mlocked, write, ksm, extra_refs):
        try_to_free_swap(s, pfn)


if not cython.compiled:
    from simcore.bits import pte_payload, rule0, rule1, rule2, rule3, rule5, rule6, set_pte
    from simcore.constants import (
        FAULT_ACCESS,
        FAULT_SWAP_INSTALL,
        FAULT_SWAP_LOCK,
        FAULT_SWAP_READ,
        FAULT_SYNC_INSTALL,
        FAULT_SYNC_READ,
        FOR_STORE,
        ORIGIN_SWAPIN,
        PG_ACTIVE,
        PG_ANON_EXCLUSIVE,
        PG_DIRTY,
        PG_KSM,
        PG_LRU,
        PG_MLOCKED,
        PG_STORED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PG_UPTODATE,
        PTE_DIRTY,
        PTE_EXCLUSIVE,
        PTE_PAYLOAD_SHIFT,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_WRITE,
        PTE_YOUNG,
        RESULT_ENOMEM,
        STEP_BLOCKED,
        STEP_MORE,
        VM_LOCKED,
        VM_SOFTDIRTY,
        VM_WRITE,
        VPN_SHIFT,
    )
    from simcore.ksm import ksm_might_need_to_copy
    from simcore.memory import end_fault, note_write_fault
    from simcore.mm_types import MmState
    from simcore.page_alloc import alloc_page, put_page, trylock_page, unlock_page
    from simcore.page_io import swap_readpage
    from simcore.rmap import page_add_anon_rmap
    from simcore.rule_ids import (
        R_SWAPIN_CLAIMS_SLOT,
        R_SWAPIN_DRAINS_BATCHES,
        R_SWAPIN_FINDS_PAGE,
        R_SWAPIN_FREES_SLOT,
        R_SWAPIN_FREES_SLOT_FIRST,
        R_SWAPIN_INSTALLS,
        R_SWAPIN_PAGE_IS_SOLE,
        R_SWAPIN_PTE_DIRTY,
        R_SWAPIN_PTE_WRITE,
        R_SWAPIN_SETS_EXCLUSIVE,
        R_SWAPIN_SKIPS_CACHE,
    )
    from simcore.swap import lru_add_drain, lru_cache_add
    from simcore.swap_state import begin_read_swap_cache
    from simcore.swapfile import reuse_swap_page, swap_free, try_to_free_swap, users_of_page, vm_swap_full
