"""The reverse map: mm/rmap.c. Who maps a page, whether it was used, and unmapping it everywhere.

rmap[pfn * MAX_MM + process] has one bit a page of the process whose pte maps the frame, or is a migration entry
for it. Walks go through processes and pages in ascending order.
"""

import cython


def rmap_link(s: "MmState", pfn: int, ptep: int) -> None:
    """Remember that the pte names the frame."""
    s.rmap[pfn * MAX_MM + (ptep >> VPN_SHIFT)] |= 1 << (ptep & 31)


def rmap_unlink(s: "MmState", pfn: int, ptep: int) -> None:
    """Forget that the pte names the frame."""
    s.rmap[pfn * MAX_MM + (ptep >> VPN_SHIFT)] &= ~(1 << (ptep & 31))


def page_add_rmap(s: "MmState", pfn: int, ptep: int) -> None:
    """Count one more mapping, which holds a reference."""
    rmap_link(s, pfn, ptep)
    s.counts_changed = 1
    s.page_mapcount[pfn] += 1
    s.page_refcount[s.page_head[pfn]] += 1


def page_add_anon_rmap(s: "MmState", pfn: int, ptep: int) -> None:
    """Map an anonymous page; the first mapping decides which vma's page it is."""
    if not s.page_flags[pfn] & PG_ANON:
        s.page_flags[pfn] |= PG_ANON
        s.page_root[pfn] = s.anon_root[ptep]
    page_add_rmap(s, pfn, ptep)


def page_remove_rmap(s: "MmState", pfn: int) -> None:
    """Count one mapping less and drop its reference; the caller has changed the pte."""
    if s.page_mapcount[pfn] <= 0:
        kernel_bug(s, BUG_RMAP_UNDERFLOW)
        return
    s.page_mapcount[pfn] -= 1
    if s.page_mapcount[pfn] == 0 and s.page_flags[pfn] & PG_MLOCKED:
        clear_page_mlock(s, pfn)
    put_page(s, pfn)


def links_of_page(s: "MmState", pfn: int, mm: int) -> int:
    """A bit for each page of a process that names the frame or, of a huge page's head, any of its parts."""
    if not s.page_flags[pfn] & PG_HEAD:
        return s.rmap[pfn * MAX_MM + mm]
    links = 0
    for number in range(s.nr_huge):
        links |= s.rmap[part_of(s, pfn, number) * MAX_MM + mm]
    return links


def next_linked(s: "MmState", pfn: int, after: int) -> int:
    """The next pte behind `after` that names the frame; -1 at the end. Start with after = -1."""
    ptep = after + 1
    mm = ptep >> VPN_SHIFT
    while mm < s.nr_mm:
        mask = links_of_page(s, pfn, mm) >> (ptep & 31)
        if mask:
            return ptep + lowest_bit(mask)
        mm += 1
        ptep = mm << VPN_SHIFT
    return -1


def next_mapping(s: "MmState", pfn: int, after: int) -> int:
    """The next pte behind `after` that maps the frame; -1 at the end."""
    ptep = next_linked(s, pfn, after)
    while ptep >= 0 and pte_kind(s.pte[ptep]) != PTE_PRESENT:
        ptep = next_linked(s, pfn, ptep)
    return ptep


def page_referenced(s: "MmState", pfn: int, memcg: int) -> int:
    """Test and clear young in every pte of the page; PTE_YOUNG and PTE_DIRTY if any pte had it.

    Stops at a VM_LOCKED vma with 0: such a page is left to try_to_unmap(), which puts it on the unevictable list.
    Reclaim of one cgroup (memcg >= 0) does not look at other groups' processes.
    Source: mm/rmap.c page_referenced(), v4.0 with the MADV_FREE patches.
    """
    found = 0
    see_all = memcg < 0 or rule0(s, R_REFERENCES_SEE_OTHER_MEMCGS)
    ptep = next_mapping(s, pfn, -1)
    while ptep >= 0:
        if see_all or s.mm_memcg[ptep >> VPN_SHIFT] == memcg:
            if s.vm_flags[ptep] & VM_LOCKED:
                return 0
            found |= s.pte[ptep] & (PTE_YOUNG | PTE_DIRTY)
            s.pte[ptep] &= ~PTE_YOUNG
        ptep = next_mapping(s, pfn, ptep)
    return found


def swap_pte(s: "MmState", pte: int) -> int:
    """The swap pte for a mapping of a page of the swap cache; soft-dirty and AnonExclusive are kept."""
    pfn = pte_payload(pte)
    bits = PTE_SWAP | pte & PTE_SOFT_DIRTY | s.page_slot[pfn] << PTE_PAYLOAD_SHIFT
    if s.page_flags[pfn] & PG_ANON_EXCLUSIVE and rule0(s, R_UNMAP_KEEPS_EXCLUSIVE):
        bits |= PTE_EXCLUSIVE
    return bits


def migration_pte(pte: int) -> int:
    """The migration entry for a pte: its write, soft-dirty, dirty and young bits are kept in the entry."""
    return pte & PTE_FLAGS_MASK & ~PTE_KIND_MASK | PTE_MIGRATION | pte_payload(pte) << PTE_PAYLOAD_SHIFT


def unmap_for_migration(s: "MmState", pfn: int, ptep: int, pte: int) -> int:
    """Put a migration entry, or in v4.0 for a page of the swap cache a swap pte, in the pte's place."""
    swapcache = (s.page_flags[pfn] & PG_SWAPCACHE) != 0
    if swapcache and rule1(s, R_MIGRATION_USES_SWAP_PTE, swapcache):
        swap_duplicate(s, s.page_slot[pfn])
        set_pte(s, ptep, swap_pte(s, pte))
        rmap_unlink(s, pfn, ptep)
    else:
        entry = migration_pte(pte)
        if s.page_flags[pfn] & PG_ANON_EXCLUSIVE and rule0(s, R_UNMAP_KEEPS_EXCLUSIVE):
            entry |= PTE_EXCLUSIVE
        s.page_flags[pfn] &= ~PG_ANON_EXCLUSIVE
        set_pte(s, ptep, entry)
    page_remove_rmap(s, pfn)
    return SWAP_SUCCESS


def unmap_to_swap(s: "MmState", pfn: int, ptep: int, pte: int) -> int:
    """Put a swap pte in the pte's place."""
    if not s.page_flags[pfn] & PG_SWAPCACHE:
        kernel_bug(s, BUG_WRITE_NO_SLOT)
        return SWAP_FAIL
    part = pte_payload(pte)
    if s.shadow[ptep] & SHADOW_SOLE and not s.probing:
        # What is owed is asked for once: the page is not tried again at the end of the trace. A page that waits in
        # the batch is not known to be given up yet.
        s.shadow[ptep] &= ~SHADOW_SOLE
        if s.checks & CHECK_COST and not waits_in_batch(s, BATCH_LAZYFREE, pfn):
            report(s, ORACLE_LAZYFREE_WRITTEN, ptep, s.expect[ptep], s.page_slot[part])
    swap_duplicate(s, s.page_slot[part])
    set_pte(s, ptep, swap_pte(s, pte))
    s.page_flags[part] &= ~PG_ANON_EXCLUSIVE
    rmap_unlink(s, part, ptep)
    page_remove_rmap(s, part)
    return SWAP_SUCCESS


def discard_pte(s: "MmState", ptep: int) -> None:
    """Leave nothing in the pte's place: the page was given up with MADV_FREE, and the discard it is owed is paid."""
    pfn = pte_payload(s.pte[ptep])
    s.shadow[ptep] &= ~SHADOW_SOLE
    set_pte(s, ptep, PTE_NONE)
    rmap_unlink(s, pfn, ptep)
    page_remove_rmap(s, pfn)


def move_dirty_bit(s: "MmState", pfn: int, pte: int, migration: bool) -> None:
    """The pte is cleared: what it knew of stores must live on in the page."""
    pte_dirty = (pte & PTE_DIRTY) != 0
    page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
    swapcache = (s.page_flags[pfn] & PG_SWAPCACHE) != 0
    if rule4(s, R_UNMAP_DIRTIES_PAGE, pte_dirty, page_dirty, migration, swapcache):
        s.page_flags[pfn] |= PG_DIRTY


def may_discard(s: "MmState", pfn: int, pte: int, flags: int) -> bool:
    """Whether the pte of a page that reclaim takes for given up may become none."""
    freeable = (flags & RECLAIM_FREEABLE) != 0
    lazyfree = (flags & RECLAIM_LAZYFREE) != 0
    pte_dirty = (pte & PTE_DIRTY) != 0
    page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
    swapbacked = (s.page_flags[pfn] & PG_SWAPBACKED) != 0
    swapcache = (s.page_flags[pfn] & PG_SWAPCACHE) != 0
    extra_refs = s.page_refcount[pfn] != mapping_references(s, pfn) + 1 + swapcache
    if freeable and swapcache:
        kernel_bug(s, BUG_UNMAP_FREEABLE_SWAPCACHE)
    return rule6(s, R_UNMAP_DISCARDS, freeable, lazyfree, pte_dirty, page_dirty, swapbacked, extra_refs)


def restore_swapbacked(s: "MmState", pfn: int) -> None:
    """The page is not to be discarded after all: reclaim, which has it off its list, will treat it as any other."""
    page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
    if not s.page_flags[pfn] & PG_SWAPBACKED and rule1(s, R_RESTORE_SETS_SWAPBACKED, page_dirty):
        s.page_flags[pfn] |= PG_SWAPBACKED


def try_to_unmap_one(s: "MmState", pfn: int, ptep: int, flags: int) -> int:
    """Unmap the page from one pte: SWAP_SUCCESS, SWAP_DISCARDED, SWAP_FAIL (still mapped) or SWAP_MLOCK.

    Of a huge page, `pfn` is the head, and the pte maps one part. `flags` are the caller's RECLAIM_* bits, or
    UNMAP_FOR_MIGRATION. The dirty bit is read as the pte is cleared, so no store can fall in between. Source:
    mm/rmap.c try_to_unmap_one(), v4.0 to v6.12.
    """
    migration = (flags & UNMAP_FOR_MIGRATION) != 0
    pte = s.pte[ptep]
    if s.vm_flags[ptep] & VM_LOCKED and not migration:
        return SWAP_MLOCK
    pte_young = (pte & PTE_YOUNG) != 0
    ignore_young = (flags & RECLAIM_IGNORE_YOUNG) != 0 or migration
    if rule2(s, R_UNMAP_FAILS_YOUNG, pte_young, ignore_young):
        set_pte(s, ptep, pte & ~PTE_YOUNG)
        return SWAP_FAIL
    exclusive = (s.page_flags[pte_payload(pte)] & PG_ANON_EXCLUSIVE) != 0
    pinned = s.page_pins[pfn] > 0
    if rule2(s, R_UNMAP_FAILS_PINNED, exclusive, pinned):
        return SWAP_FAIL
    move_dirty_bit(s, pfn, pte, migration)
    if not s.page_flags[pfn] & PG_ANON and not migration:
        discard_pte(s, ptep)
        return SWAP_SUCCESS
    if migration:
        return unmap_for_migration(s, pfn, ptep, pte)
    if flags & (RECLAIM_FREEABLE | RECLAIM_LAZYFREE):
        if may_discard(s, pfn, pte, flags):
            discard_pte(s, ptep)
            return SWAP_DISCARDED
        freeable = (flags & RECLAIM_FREEABLE) != 0
        lazyfree = (flags & RECLAIM_LAZYFREE) != 0
        if rule2(s, R_UNMAP_RESTORES_REDIRTIED, freeable, lazyfree):
            restore_swapbacked(s, pfn)
            return SWAP_FAIL
    return unmap_to_swap(s, pfn, ptep, pte)


if not cython.compiled:
    from simcore.bits import lowest_bit, pte_kind, pte_payload, rule0, rule1, rule2, rule4, rule6, set_pte
    from simcore.constants import (
        BATCH_LAZYFREE,
        BUG_RMAP_UNDERFLOW,
        BUG_UNMAP_FREEABLE_SWAPCACHE,
        BUG_WRITE_NO_SLOT,
        CHECK_COST,
        MAX_MM,
        PG_ANON,
        PG_ANON_EXCLUSIVE,
        PG_DIRTY,
        PG_HEAD,
        PG_MLOCKED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PTE_DIRTY,
        PTE_EXCLUSIVE,
        PTE_FLAGS_MASK,
        PTE_KIND_MASK,
        PTE_MIGRATION,
        PTE_NONE,
        PTE_PAYLOAD_SHIFT,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_SWAP,
        PTE_YOUNG,
        RECLAIM_FREEABLE,
        RECLAIM_IGNORE_YOUNG,
        RECLAIM_LAZYFREE,
        SHADOW_SOLE,
        SWAP_DISCARDED,
        SWAP_FAIL,
        SWAP_MLOCK,
        SWAP_SUCCESS,
        UNMAP_FOR_MIGRATION,
        VM_LOCKED,
        VPN_SHIFT,
    )
    from simcore.huge_memory import mapping_references, part_of
    from simcore.mlock import clear_page_mlock
    from simcore.mm_types import MmState
    from simcore.oracle_ids import ORACLE_LAZYFREE_WRITTEN
    from simcore.page_alloc import put_page
    from simcore.report import kernel_bug, report
    from simcore.rule_ids import (
        R_MIGRATION_USES_SWAP_PTE,
        R_REFERENCES_SEE_OTHER_MEMCGS,
        R_RESTORE_SETS_SWAPBACKED,
        R_UNMAP_DIRTIES_PAGE,
        R_UNMAP_DISCARDS,
        R_UNMAP_FAILS_PINNED,
        R_UNMAP_FAILS_YOUNG,
        R_UNMAP_KEEPS_EXCLUSIVE,
        R_UNMAP_RESTORES_REDIRTIED,
    )
    from simcore.swap import waits_in_batch
    from simcore.swapfile import swap_duplicate
