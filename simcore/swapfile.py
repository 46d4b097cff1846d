"""Swap slots: mm/swapfile.c. Counts, freeing, reuse by a sole owner, swapoff and swapon."""

import cython


def swap_available(s: "MmState") -> bool:
    """Whether a page could get a slot now."""
    return s.swap_on != 0 and s.nr_free_slots > 0


def vm_swap_full(s: "MmState") -> bool:
    """Whether more than half of the slots are taken. Source: include/linux/swap.h vm_swap_full()."""
    return s.nr_free_slots * 2 < s.nr_slots


def get_swap_slot(s: "MmState", pfn: int) -> int:
    """A free slot with the page in its cache and no users yet; -1 if there is none. What it holds is old."""
    if not swap_available(s):
        return -1
    s.nr_free_slots -= 1
    slot = s.free_slots[s.nr_free_slots]
    s.nr_used_slots = max(s.nr_used_slots, slot + 1)
    s.slot_count[slot] = 0
    s.slot_page[slot] = pfn
    s.slot_written[slot] = 0
    return slot


def free_slot_if_unused(s: "MmState", slot: int) -> None:
    """Give the slot back when no swap pte and no cached page need it.

    A disk keeps the bytes; a compressed RAM device drops them and reads as zeros afterwards.
    """
    if s.slot_count[slot] > 0 or s.slot_page[slot] >= 0 or s.slot_claimed[slot]:
        return
    if s.sync_io:
        s.slot_content[slot] = ZEROS
    s.slot_written[slot] = 0
    s.free_slots[s.nr_free_slots] = slot
    s.nr_free_slots += 1


def swap_duplicate(s: "MmState", slot: int) -> None:
    """Count one more swap pte."""
    if s.slot_count[slot] == 0 and s.slot_page[slot] < 0:
        kernel_bug(s, BUG_SWAP_DUP_UNUSED)
        return
    s.counts_changed = 1
    s.slot_count[slot] += 1


def swap_free(s: "MmState", slot: int) -> None:
    """Count one swap pte less; the slot is freed with its last user."""
    if s.slot_count[slot] == 0:
        kernel_bug(s, BUG_SWAP_FREE_UNUSED)
        return
    s.counts_changed = 1
    s.slot_count[slot] -= 1
    free_slot_if_unused(s, slot)


def users_of_page(s: "MmState", pfn: int) -> int:
    """Mappings of the page, plus swap ptes of its slot while it is in the swap cache."""
    count = s.page_mapcount[pfn]
    if s.page_slot[pfn] >= 0:
        count += s.slot_count[s.page_slot[pfn]]
    return count


def swap_ptes_of_page(s: "MmState", pfn: int) -> int:
    """Swap ptes of the slot, or of a huge page's slots, of a page of the swap cache."""
    if not is_huge(s, pfn):
        return s.slot_count[s.page_slot[pfn]]
    count = 0
    for number in range(s.nr_huge):
        count += s.slot_count[s.page_slot[part_of(s, pfn, number)]]
    return count


def reuse_swap_page(s: "MmState", pfn: int) -> None:
    """Let the sole owner of a page, who is about to write to it, take it out of the swap cache.

    Source: mm/swapfile.c reuse_swap_page(), v4.0 to v4.14.
    """
    flags = s.page_flags[s.page_head[pfn]]
    swapcache = (flags & PG_SWAPCACHE) != 0
    writeback = (flags & PG_WRITEBACK) != 0
    if users_of_page(s, pfn) != 1 or not swapcache or flags & PG_HEAD:
        return
    if not rule2(s, R_REUSE_LEAVES_SWAPCACHE, swapcache, writeback):
        return
    delete_from_swap_cache(s, pfn)
    page_dirty = (flags & PG_DIRTY) != 0
    if rule1(s, R_REUSE_SETS_PAGE_DIRTY, page_dirty):
        s.page_flags[pfn] |= PG_DIRTY


def try_to_free_swap(s: "MmState", pfn: int) -> bool:
    """Take a locked, held page out of the swap cache if nothing needs its slot. Source: mm/swapfile.c."""
    pfn = s.page_head[pfn]
    flags = s.page_flags[pfn]
    if not flags & PG_SWAPCACHE:
        return False
    writeback = (flags & PG_WRITEBACK) != 0
    slot_in_use = swap_ptes_of_page(s, pfn) > 0
    if not rule2(s, R_FREE_SWAP_ALLOWED, writeback, slot_in_use):
        return False
    delete_from_swap_cache(s, pfn)
    page_dirty = (flags & PG_DIRTY) != 0
    if rule1(s, R_FREE_SWAP_SETS_PAGE_DIRTY, page_dirty):
        s.page_flags[pfn] |= PG_DIRTY
    return True


def free_swap_and_cache(s: "MmState", slot: int, actor: int) -> None:
    """Drop one swap pte's use of a slot and, with the last, the cached page if that is allowed.

    A huge page stays as long as any of its slots is in use: swap_page_trans_huge_swapped().

    Source: mm/swapfile.c free_swap_and_cache(), v4.0 to v4.14; v6.12 folio_free_swap().
    """
    pfn = s.slot_page[slot]
    if pfn < 0 or s.slot_count[slot] != 1 or not trylock_page(s, pfn, actor):
        swap_free(s, slot)
        return
    pfn = s.page_head[pfn]
    get_page(s, pfn)
    swap_free(s, slot)
    mapped = total_mapcount(s, pfn) > 0
    swap_full = vm_swap_full(s)
    writeback = (s.page_flags[pfn] & PG_WRITEBACK) != 0
    swapped = swap_ptes_of_page(s, pfn) > 0
    if not swapped and rule3(s, R_ZAP_SWAP_FREES_CACHE, mapped, swap_full, writeback):
        delete_from_swap_cache(s, pfn)
        page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
        if rule1(s, R_ZAP_SWAP_SETS_PAGE_DIRTY, page_dirty):
            s.page_flags[pfn] |= PG_DIRTY
    unlock_page(s, pfn)
    put_page(s, pfn)


def unuse_pte(s: "MmState", ptep: int, pfn: int, slot: int) -> bool:
    """Replace a swap pte of the slot by a mapping of the page, old and read-only; False when there is no memory.

    Source: mm/swapfile.c unuse_pte(), v4.0 to v4.14.
    """
    target = ksm_might_need_to_copy(s, pfn, ptep)
    if target < 0:
        return False
    page_dirty = (s.page_flags[s.page_head[target]] & PG_DIRTY) != 0
    ksm = (s.page_flags[target] & PG_KSM) != 0
    pte = PTE_PRESENT | target << PTE_PAYLOAD_SHIFT
    if rule2(s, R_UNUSE_PTE_DIRTY, page_dirty, ksm):
        pte |= PTE_DIRTY | PTE_SOFT_DIRTY
    if rule0(s, R_UNUSE_KEEPS_SOFT_DIRTY):
        pte |= s.pte[ptep] & PTE_SOFT_DIRTY
    exclusive = (s.pte[ptep] & PTE_EXCLUSIVE) != 0
    set_pte(s, ptep, pte)
    s.origin[ptep] = ORIGIN_SWAPOFF
    page_add_anon_rmap(s, target, ptep)
    if exclusive and rule0(s, R_UNUSE_KEEPS_EXCLUSIVE):
        s.page_flags[target] |= PG_ANON_EXCLUSIVE
    if target != pfn:
        s.page_flags[target] |= PG_ACTIVE
        lru_cache_add(s, target)
        put_page(s, target)
    swap_free(s, slot)
    return True


def is_pte_of_slot(s: "MmState", pte: int, slot: int) -> bool:
    """Whether swapoff takes the pte for one of the slot's. Source: mm/swapfile.c maybe_same_pte(), v4.0."""
    if pte_kind(pte) != PTE_SWAP or pte_payload(pte) != slot:
        return False
    soft_dirty = (pte & PTE_SOFT_DIRTY) != 0
    return rule1(s, R_UNUSE_MATCHES_PTE, soft_dirty)


def unuse_mms(s: "MmState", pfn: int, slot: int) -> bool:
    """One pass over the processes: in each, the first swap pte of the slot becomes a mapping of the page.

    False when there is no memory for a copy.
    """
    for mm in range(s.nr_mm):
        if not s.mm_alive[mm]:
            continue
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            if is_pte_of_slot(s, s.pte[ptep], slot):
                if not unuse_pte(s, ptep, pfn, slot):
                    return False
                break
    return True


def leave_swap_device(s: "MmState", pfn: int) -> None:
    """Take the page out of the swap cache at the end of a pass of swapoff.

    Where references to the slot remain, the page is first written to it, so that a later reader finds it.
    """
    flags = s.page_flags[pfn]
    slot_in_use = swap_ptes_of_page(s, pfn) > 0
    if slot_in_use and not rule0(s, R_SWAPOFF_DROPS_SHARED_CACHE):
        return
    if slot_in_use and flags & PG_DIRTY:
        swap_write_now(s, pfn)
    delete_from_swap_cache(s, pfn)
    page_dirty = (flags & PG_DIRTY) != 0
    if rule1(s, R_SWAPOFF_SETS_PAGE_DIRTY, page_dirty):
        s.page_flags[pfn] |= PG_DIRTY


def slot_is_unused(s: "MmState", slot: int) -> bool:
    """Whether swapoff is done with the slot. One of a huge page's slots waits for the others, which come later."""
    if s.slot_count[slot] > 0:
        return False
    pfn = s.slot_page[slot]
    return pfn < 0 or (is_huge(s, s.page_head[pfn]) and swap_ptes_of_page(s, s.page_head[pfn]) > 0)


def try_to_unuse_slot(s: "MmState", slot: int) -> int:
    """Empty one slot: RESULT_OK, RESULT_BLOCKED (page locked by a path), RESULT_ENOMEM."""
    for _ in range(MAX_UNUSE_TRIES):
        if not shmem_unuse(s, slot):
            return RESULT_ENOMEM
        if slot_is_unused(s, slot):
            return RESULT_OK
        pfn = read_swap_cache(s, slot)
        if pfn < 0:
            return RESULT_ENOMEM
        if not trylock_page(s, pfn, DIRECT_RECLAIM):
            put_page(s, pfn)
            return RESULT_BLOCKED
        end_swap_write_of(s, s.page_head[pfn])
        has_memory = unuse_mms(s, pfn, slot)
        if has_memory and s.page_slot[pfn] == slot:
            leave_swap_device(s, s.page_head[pfn])
        pfn = s.page_head[pfn]
        if s.page_flags[pfn] & PG_LRU and rule0(s, R_SWAPOFF_ACTIVATES):
            activate_page(s, pfn)
        unlock_page(s, pfn)
        put_page(s, pfn)
        if not has_memory:
            return RESULT_ENOMEM
        if s.stopped:
            return RESULT_OK
    report(s, ORACLE_STUCK_SWAPOFF, -1, 0, slot)
    return RESULT_BLOCKED


def sys_swapoff(s: "MmState") -> int:
    """swapoff(2): bring everything back; on failure the device stays on.

    Source: mm/swapfile.c try_to_unuse(), v4.0 to v4.14. Departs: one device; a page that a path holds locked
    makes it fail instead of wait.
    """
    if not s.swap_on:
        return RESULT_EINVAL
    s.swap_on = 0
    lru_add_drain(s)
    for slot in range(s.nr_slots):
        if s.slot_count[slot] == 0 and s.slot_page[slot] < 0:
            continue
        result = try_to_unuse_slot(s, slot)
        if result != RESULT_OK:
            s.swap_on = 1
            return result
    lru_add_drain(s)
    return RESULT_OK


def sys_swapon(s: "MmState") -> int:
    """swapon(2) of the device that was switched off; a disk still holds its old bytes."""
    if s.swap_on or s.nr_slots == 0:
        return RESULT_EINVAL
    s.swap_on = 1
    return RESULT_OK


def swap_init(s: "MmState") -> None:
    """A device that nothing was written to, with the lowest slot taken first."""
    s.swap_on = s.nr_slots > 0
    s.nr_free_slots = s.nr_slots
    s.nr_used_slots = 0
    s.nr_writes = 0
    for slot in range(s.nr_slots):
        s.free_slots[slot] = s.nr_slots - 1 - slot
        s.slot_count[slot] = 0
        s.slot_page[slot] = -1
        s.slot_written[slot] = 0
        s.slot_claimed[slot] = 0
        s.slot_content[slot] = ZEROS if s.sync_io else GARBAGE


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule1, rule2, rule3, set_pte
    from simcore.constants import (
        BUG_SWAP_DUP_UNUSED,
        BUG_SWAP_FREE_UNUSED,
        DIRECT_RECLAIM,
        GARBAGE,
        MAX_UNUSE_TRIES,
        ORIGIN_SWAPOFF,
        PG_ACTIVE,
        PG_ANON_EXCLUSIVE,
        PG_DIRTY,
        PG_HEAD,
        PG_KSM,
        PG_LRU,
        PG_SWAPCACHE,
        PG_WRITEBACK,
        PTE_DIRTY,
        PTE_EXCLUSIVE,
        PTE_PAYLOAD_SHIFT,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_SWAP,
        RESULT_BLOCKED,
        RESULT_EINVAL,
        RESULT_ENOMEM,
        RESULT_OK,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.huge_memory import is_huge, part_of, total_mapcount
    from simcore.ksm import ksm_might_need_to_copy
    from simcore.mm_types import MmState
    from simcore.oracle_ids import ORACLE_STUCK_SWAPOFF
    from simcore.page_alloc import get_page, put_page, trylock_page, unlock_page
    from simcore.page_io import end_swap_write_of, swap_write_now
    from simcore.report import kernel_bug, report
    from simcore.rmap import page_add_anon_rmap
    from simcore.rule_ids import (
        R_FREE_SWAP_ALLOWED,
        R_FREE_SWAP_SETS_PAGE_DIRTY,
        R_REUSE_LEAVES_SWAPCACHE,
        R_REUSE_SETS_PAGE_DIRTY,
        R_SWAPOFF_ACTIVATES,
        R_SWAPOFF_DROPS_SHARED_CACHE,
        R_SWAPOFF_SETS_PAGE_DIRTY,
        R_UNUSE_KEEPS_EXCLUSIVE,
        R_UNUSE_KEEPS_SOFT_DIRTY,
        R_UNUSE_MATCHES_PTE,
        R_UNUSE_PTE_DIRTY,
        R_ZAP_SWAP_FREES_CACHE,
        R_ZAP_SWAP_SETS_PAGE_DIRTY,
    )
    from simcore.shmem import shmem_unuse
    from simcore.swap import activate_page, lru_add_drain, lru_cache_add
    from simcore.swap_state import delete_from_swap_cache, read_swap_cache
