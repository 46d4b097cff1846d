"""Migration of a page to another frame: mm/migrate.c.

A path of kcompactd for one page, named by a process that maps it:

    isolate | lock both frames | unmap: one pte a step | move contents and flags | put the ptes back
"""

import cython


def begin_migrate(s: "MmState", actor: int, ptep: int) -> None:
    """Put the actor on the path for the page that the pte maps."""
    s.nr_busy += 1
    s.act_path[actor] = PATH_MIGRATE
    s.act_phase[actor] = MIGRATE_ISOLATE
    s.act_ptep[actor] = ptep
    s.act_pfn[actor] = -1
    s.act_new[actor] = -1


def end_migrate(s: "MmState", actor: int, result: int) -> int:
    """Take the actor off the path."""
    s.nr_busy -= 1
    s.act_path[actor] = PATH_NONE
    s.act_result[actor] = result
    return STEP_DONE


def step_migrate(s: "MmState", actor: int) -> int:
    """Advance migration by one phase. It gives up where a lock is taken, as asynchronous compaction does."""
    phase = s.act_phase[actor]
    if phase == MIGRATE_ISOLATE:
        return migrate_isolate(s, actor)
    if phase == MIGRATE_LOCK:
        return migrate_lock(s, actor)
    if phase == MIGRATE_UNMAP:
        return migrate_unmap(s, actor)
    if phase == MIGRATE_MOVE:
        return migrate_move(s, actor)
    return migrate_restore(s, actor)


def migrate_isolate(s: "MmState", actor: int) -> int:
    """Take the page off its list and hold it. Source: mm/vmscan.c isolate_lru_page()."""
    lru_add_drain(s)
    pte = s.pte[s.act_ptep[actor]]
    if pte_kind(pte) != PTE_PRESENT:
        empty = pte_kind(pte) == PTE_NONE
        anonymous = not s.vm_flags[s.act_ptep[actor]] & VM_FILE
        absent_is_fault = rule2(s, R_MIGRATE_ABSENT_IS_FAULT, empty, anonymous)
        return end_migrate(s, actor, RESULT_EFAULT if absent_is_fault else RESULT_ENOENT)
    if pte & PTE_ZERO_PAGE:
        return end_migrate(s, actor, RESULT_EFAULT)
    pfn = s.page_head[pte_payload(pte)]
    if is_huge(s, pfn):
        result = migrate_huge(s, actor, pfn)
        if result != RESULT_AGAIN_SMALL:
            return end_migrate(s, actor, result)
        pfn = pte_payload(pte)
    if not s.page_flags[pfn] & PG_LRU:
        return end_migrate(s, actor, RESULT_EBUSY)
    lru_del(s, pfn)
    get_page(s, pfn)
    s.act_pfn[actor] = pfn
    s.act_phase[actor] = MIGRATE_LOCK
    return STEP_MORE


def migrate_huge(s: "MmState", actor: int, head: int) -> int:
    """Move a huge page as one, or split it so that the part can be moved (then RESULT_AGAIN_SMALL).

    Departs: in one step, for migration entries of huge mappings are not modelled.
    """
    if not s.page_flags[head] & PG_LRU or s.page_lock[head]:
        return RESULT_EBUSY
    partly = not maps_every_part(s, head)
    if rule0(s, R_MIGRATION_SPLITS_THP) or (partly and rule0(s, R_MIGRATION_SPLITS_PARTLY_MAPPED)):
        get_page(s, head)
        done = split_huge_page(s, head, 1)
        put_page(s, head)
        if done and s.pte[s.act_ptep[actor]] & PTE_ZERO_PAGE:
            return RESULT_OK
        return RESULT_AGAIN_SMALL if done else RESULT_EBUSY
    if has_extra_refs(s, head) or s.page_flags[head] & (PG_SWAPCACHE | PG_WRITEBACK):
        return RESULT_EAGAIN
    new = alloc_huge_page(s, -1)
    if new < 0:
        return RESULT_ENOMEM
    # Looking for memory may have reclaimed the page.
    if not is_huge(s, head) or has_extra_refs(s, head) or s.page_flags[head] & PG_SWAPCACHE:
        put_page(s, new)
        return RESULT_EAGAIN
    move_huge_page(s, head, new)
    return RESULT_OK


def maps_every_part(s: "MmState", head: int) -> bool:
    """Whether every part of a huge page is mapped by somebody."""
    mapped = 0
    for number in range(s.nr_huge):
        mapped += min(s.page_mapcount[part_of(s, head, number)], 1)
    return mapped == s.nr_huge


def move_huge_page(s: "MmState", head: int, new: int) -> None:
    """Make the new huge page the page, in the ptes of all who map it. The new page has one holder."""
    get_page(s, head)
    lru_del(s, head)
    for number in range(s.nr_huge):
        move_part(s, part_of(s, head, number), part_of(s, new, number))
    ptep = next_mapping(s, head, -1)
    while ptep >= 0:
        following = next_mapping(s, head, ptep)
        move_mapping(s, ptep, head, new)
        ptep = following
    lru_cache_add(s, new)
    put_page(s, head)
    put_page(s, new)


def move_part(s: "MmState", old: int, new: int) -> None:
    """Contents and flags of one part. What ptes know of stores goes to the page."""
    flags = s.page_flags[old]
    kept = PG_UPTODATE | PG_SWAPBACKED | PG_ANON | PG_ACTIVE | PG_REFERENCED | PG_STORED | PG_DIRTY
    s.page_flags[new] = s.page_flags[new] & (PG_HEAD | PG_TAIL) | flags & (kept | PG_UNEVICTABLE | PG_MLOCKED)
    if not flags & PG_NODE1:
        s.page_flags[new] |= PG_NODE1
    if rule0(s, R_UNMAP_KEEPS_EXCLUSIVE):
        s.page_flags[new] |= flags & PG_ANON_EXCLUSIVE
    s.page_content[new] = s.page_content[old]
    s.page_root[new] = s.page_root[old]
    s.page_memcg[new] = s.page_memcg[old]
    s.page_memcg[old] = -1


def move_mapping(s: "MmState", ptep: int, head: int, new: int) -> None:
    """Point one pte of a huge page, or a part of its huge mapping, to the same part of the new page."""
    pte = s.pte[ptep]
    old = pte_payload(pte)
    target = new
    for number in range(s.nr_huge):
        if part_of(s, head, number) == old:
            target = part_of(s, new, number)
    entry_dirty = (pte & PTE_DIRTY) != 0
    if entry_dirty:
        s.page_flags[new] |= PG_DIRTY
    bits = pte & (PTE_FLAGS_MASK & ~(PTE_DIRTY | PTE_YOUNG))
    entry_young = (pte & PTE_YOUNG) != 0
    if rule1(s, R_MIGRATION_PTE_YOUNG, entry_young):
        bits |= PTE_YOUNG
    page_dirty = (s.page_flags[new] & PG_DIRTY) != 0
    entry_write = (pte & PTE_WRITE) != 0
    swapcache = False
    if rule4(s, R_MIGRATION_PTE_DIRTY, entry_dirty, page_dirty, entry_write, swapcache):
        bits |= PTE_DIRTY
    set_pte(s, ptep, bits | target << PTE_PAYLOAD_SHIFT)
    s.origin[ptep] = ORIGIN_MIGRATION
    rmap_unlink(s, old, ptep)
    rmap_link(s, target, ptep)
    s.page_mapcount[old] -= 1
    s.page_mapcount[target] += 1
    if not pte & PTE_HUGE or ptep == area_start(s, ptep >> VPN_SHIFT):
        s.page_refcount[head] -= 1
        s.page_refcount[new] += 1


def give_up(s: "MmState", actor: int, result: int) -> int:
    """Put the page back where it was, and the new frame away."""
    pfn = s.act_pfn[actor]
    if s.act_new[actor] >= 0:
        unlock_page(s, s.act_new[actor])
        put_page(s, s.act_new[actor])
    lru_cache_add(s, pfn)
    put_page(s, pfn)
    return end_migrate(s, actor, result)


def migrate_lock(s: "MmState", actor: int) -> int:
    """Find a new frame (charged to nobody yet) and lock both."""
    new = alloc_page(s, -1)
    if new < 0:
        return give_up(s, actor, RESULT_ENOMEM)
    trylock_page(s, new, actor)
    s.act_new[actor] = new
    pfn = s.act_pfn[actor]
    if s.page_flags[pfn] & PG_WRITEBACK or not trylock_page(s, pfn, actor):
        return give_up(s, actor, RESULT_EAGAIN)
    s.act_phase[actor] = MIGRATE_UNMAP
    return STEP_MORE


def migrate_unmap(s: "MmState", actor: int) -> int:
    """Unmap the page from one more pte."""
    pfn = s.act_pfn[actor]
    ptep = next_mapping(s, pfn, -1)
    if ptep < 0:
        s.act_phase[actor] = MIGRATE_MOVE
    elif try_to_unmap_one(s, pfn, ptep, UNMAP_FOR_MIGRATION) != SWAP_SUCCESS:
        s.act_phase[actor] = MIGRATE_RESTORE
        s.act_result[actor] = RESULT_EAGAIN
    return STEP_MORE


def migrate_move(s: "MmState", actor: int) -> int:
    """Move contents and flags, unless somebody else holds the page.

    Source: mm/migrate.c migrate_page_move_mapping(), migrate_page_copy(), v4.0 to v4.14.
    """
    pfn = s.act_pfn[actor]
    s.act_phase[actor] = MIGRATE_RESTORE
    s.act_result[actor] = RESULT_EAGAIN
    if s.page_refcount[pfn] == 1 + cache_references(s.page_flags[pfn]) and s.page_mapcount[pfn] == 0:
        move_page(s, pfn, s.act_new[actor])
        s.act_result[actor] = RESULT_OK
    return STEP_MORE


def move_page(s: "MmState", old: int, new: int) -> None:
    """Make the new frame the page: contents, flags, identity, cgroup and swap slot."""
    flags = s.page_flags[old]
    kept = PG_UPTODATE | PG_SWAPBACKED | PG_ANON | PG_KSM | PG_ACTIVE | PG_REFERENCED | PG_STORED
    s.page_flags[new] = flags & (kept | PG_UNEVICTABLE | PG_MLOCKED)
    if not flags & PG_NODE1:
        s.page_flags[new] |= PG_NODE1
    page_dirty = (flags & PG_DIRTY) != 0
    if rule1(s, R_MIGRATION_KEEPS_PAGE_DIRTY, page_dirty):
        s.page_flags[new] |= PG_DIRTY
    s.page_content[new] = s.page_content[old]
    s.page_root[new] = s.page_root[old]
    s.page_memcg[new] = s.page_memcg[old]
    s.page_memcg[old] = -1
    if flags & PG_FILE:
        index = s.page_index[old]
        delete_from_page_cache(s, old)
        add_to_page_cache(s, new, index)
    if flags & PG_SWAPCACHE:
        slot = s.page_slot[old]
        s.page_flags[old] &= ~PG_SWAPCACHE
        s.page_slot[old] = -1
        s.page_flags[new] |= PG_SWAPCACHE
        s.page_slot[new] = slot
        s.slot_page[slot] = new
        s.page_refcount[new] += 1
        put_page(s, old)


def remove_migration_pte(s: "MmState", ptep: int, old: int, new: int) -> None:
    """Turn a migration entry back into a pte. Source: mm/migrate.c remove_migration_pte()."""
    entry = s.pte[ptep]
    entry_dirty = (entry & PTE_DIRTY) != 0
    entry_write = (entry & PTE_WRITE) != 0
    entry_young = (entry & PTE_YOUNG) != 0
    page_dirty = (s.page_flags[new] & PG_DIRTY) != 0
    swapcache = (s.page_flags[new] & PG_SWAPCACHE) != 0
    pte = PTE_PRESENT | entry & PTE_SOFT_DIRTY | new << PTE_PAYLOAD_SHIFT
    if entry_write and s.vm_flags[ptep] & VM_WRITE:
        pte |= PTE_WRITE
    if rule4(s, R_MIGRATION_PTE_DIRTY, entry_dirty, page_dirty, entry_write, swapcache):
        pte |= PTE_DIRTY
        if rule0(s, R_MIGRATION_DIRTY_SETS_SOFT_DIRTY):
            pte |= PTE_SOFT_DIRTY
    if rule1(s, R_MIGRATION_PTE_YOUNG, entry_young):
        pte |= PTE_YOUNG
    set_pte(s, ptep, pte)
    s.origin[ptep] = ORIGIN_MIGRATION
    rmap_unlink(s, old, ptep)
    if s.page_flags[new] & PG_FILE:
        page_add_rmap(s, new, ptep)
        return
    page_add_anon_rmap(s, new, ptep)
    if entry & PTE_EXCLUSIVE:
        s.page_flags[new] |= PG_ANON_EXCLUSIVE


def migrate_restore(s: "MmState", actor: int) -> int:
    """Put every pte back, to the new frame or, after a failure, to the old one; free the frame left over."""
    old = s.act_pfn[actor]
    new = s.act_new[actor]
    moved = s.act_result[actor] == RESULT_OK
    frame = new if moved else old
    ptep = next_linked(s, old, -1)
    while ptep >= 0:
        if pte_kind(s.pte[ptep]) == PTE_MIGRATION:
            remove_migration_pte(s, ptep, old, frame)
        ptep = next_linked(s, old, ptep)
    unlock_page(s, old)
    unlock_page(s, new)
    lru_cache_add(s, frame)
    if rule0(s, R_MIGRATION_DRAINS_BATCHES):
        lru_add_drain(s)
    put_page(s, old)
    put_page(s, new)
    return end_migrate(s, actor, s.act_result[actor])


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule1, rule2, rule4, set_pte
    from simcore.constants import (
        MIGRATE_ISOLATE,
        MIGRATE_LOCK,
        MIGRATE_MOVE,
        MIGRATE_RESTORE,
        MIGRATE_UNMAP,
        ORIGIN_MIGRATION,
        PATH_MIGRATE,
        PATH_NONE,
        PG_ACTIVE,
        PG_ANON,
        PG_ANON_EXCLUSIVE,
        PG_DIRTY,
        PG_FILE,
        PG_HEAD,
        PG_KSM,
        PG_LRU,
        PG_MLOCKED,
        PG_NODE1,
        PG_REFERENCED,
        PG_STORED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PG_TAIL,
        PG_UNEVICTABLE,
        PG_UPTODATE,
        PG_WRITEBACK,
        PTE_DIRTY,
        PTE_EXCLUSIVE,
        PTE_FLAGS_MASK,
        PTE_HUGE,
        PTE_MIGRATION,
        PTE_NONE,
        PTE_PAYLOAD_SHIFT,
        PTE_PRESENT,
        PTE_SOFT_DIRTY,
        PTE_WRITE,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        RESULT_AGAIN_SMALL,
        RESULT_EAGAIN,
        RESULT_EBUSY,
        RESULT_EFAULT,
        RESULT_ENOENT,
        RESULT_ENOMEM,
        RESULT_OK,
        STEP_DONE,
        STEP_MORE,
        SWAP_SUCCESS,
        UNMAP_FOR_MIGRATION,
        VM_FILE,
        VM_WRITE,
        VPN_SHIFT,
    )
    from simcore.huge_memory import alloc_huge_page, area_start, has_extra_refs, is_huge, part_of, split_huge_page
    from simcore.mm_types import MmState
    from simcore.page_alloc import alloc_page, cache_references, get_page, put_page, trylock_page, unlock_page
    from simcore.rmap import (
        next_linked,
        next_mapping,
        page_add_anon_rmap,
        page_add_rmap,
        rmap_link,
        rmap_unlink,
        try_to_unmap_one,
    )
    from simcore.rule_ids import (
        R_MIGRATE_ABSENT_IS_FAULT,
        R_MIGRATION_DIRTY_SETS_SOFT_DIRTY,
        R_MIGRATION_DRAINS_BATCHES,
        R_MIGRATION_KEEPS_PAGE_DIRTY,
        R_MIGRATION_PTE_DIRTY,
        R_MIGRATION_PTE_YOUNG,
        R_MIGRATION_SPLITS_PARTLY_MAPPED,
        R_MIGRATION_SPLITS_THP,
        R_UNMAP_KEEPS_EXCLUSIVE,
    )
    from simcore.shmem import add_to_page_cache, delete_from_page_cache
    from simcore.swap import lru_add_drain, lru_cache_add, lru_del
