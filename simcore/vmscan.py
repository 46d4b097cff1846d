"""Reclaim: mm/vmscan.c. Aging of the lists, and the phases of one page on its way out.

A reclaim is a path of an actor. It takes one page at a time from the old end of the inactive lists:

    next: isolate a page | check: lock, references, slot | unmap: one pte a step | pageout | remove

A round ages the active lists first, then looks at every page of the inactive ones once. There are further rounds
while they gain anything, as the kernel goes on with falling priority.
"""

import cython


def shrink_active_list(s: "MmState", number: int, memcg: int) -> bool:
    """Age one active list: clear young everywhere and move every page to the inactive list; True if it had any.

    Source: mm/vmscan.c shrink_active_list(): anonymous pages move whether they were used or not.
    """
    moved = s.lru_size[number] > 0
    for _ in range(s.lru_size[number]):
        pfn = lru_tail(s, number)
        page_referenced(s, pfn, memcg)
        move_lru(s, pfn, PG_ACTIVE, 0)
    return moved


def any_list(s: "MmState", memcg: int) -> bool:
    """Whether any list of the groups under reclaim has a page: only then are the batches drained.

    Source: mm/vmscan.c shrink_inactive_list() and shrink_active_list(), which are not called for empty lists.
    """
    for number in range(s.nr_memcgs * NR_LRU_LISTS):
        asked = memcg < 0 or number // NR_LRU_LISTS == memcg
        if asked and s.lru_size[number] > 0 and number % NR_LRU_LISTS != LRU_UNEVICTABLE:
            return True
    return False


def begin_round(s: "MmState", actor: int) -> None:
    """Age the active lists of the groups under reclaim, and start again at the first inactive list."""
    target = s.act_memcg[actor]
    s.act_round[actor] += 1
    s.act_flags[actor] = 0
    if s.nr_batched > 0 and (follow_drains(s) if s.following else any_list(s, target)):
        lru_add_drain(s)
    for memcg in range(s.nr_memcgs):
        if target >= 0 and memcg != target:
            continue
        first = memcg * NR_LRU_LISTS
        if shrink_active_list(s, first + LRU_ACTIVE_FILE, target):
            s.act_flags[actor] |= RECLAIM_PROGRESS
        if swap_available(s) and shrink_active_list(s, first + LRU_ACTIVE_ANON, target):
            s.act_flags[actor] |= RECLAIM_PROGRESS
    s.act_list[actor] = -1
    s.act_todo[actor] = 0


def begin_reclaim(s: "MmState", actor: int, memcg: int, target: int) -> None:
    """Put the actor on the path: reclaim from one cgroup (-1: all) until so many pages are freed."""
    s.nr_busy += 1
    s.act_path[actor] = PATH_RECLAIM
    s.act_phase[actor] = RECLAIM_NEXT
    s.act_memcg[actor] = memcg
    s.act_target[actor] = target
    s.act_freed[actor] = 0
    s.act_round[actor] = 0
    s.act_pfn[actor] = -1
    s.act_new[actor] = -1
    begin_round(s, actor)


def end_reclaim(s: "MmState", actor: int) -> int:
    """Take the actor off the path."""
    s.nr_busy -= 1
    s.act_path[actor] = PATH_NONE
    s.act_result[actor] = RESULT_OK
    return STEP_DONE


def step_reclaim(s: "MmState", actor: int) -> int:
    """Advance reclaim by one phase. It only ever tries locks, so it is never blocked."""
    phase = s.act_phase[actor]
    if phase == RECLAIM_NEXT:
        return reclaim_next(s, actor)
    if phase == RECLAIM_CHECK:
        reclaim_check(s, actor)
    elif phase == RECLAIM_UNMAP:
        reclaim_unmap(s, actor)
    elif phase == RECLAIM_PAGEOUT:
        reclaim_pageout(s, actor)
    else:
        reclaim_remove(s, actor)
    return STEP_MORE


def scan_list(s: "MmState", actor: int) -> int:
    """The number of the LRU list that the actor's place in the round stands for."""
    place = s.act_list[actor]
    kind = LRU_INACTIVE_ANON if place % LISTS_PER_MEMCG else LRU_INACTIVE_FILE
    return place // LISTS_PER_MEMCG * NR_LRU_LISTS + kind


def next_list(s: "MmState", actor: int) -> bool:
    """Go to the round's next inactive list that may be scanned; False at the end of the round.

    Anonymous lists are only scanned while a page could get a slot (get_scan_count()).
    """
    target = s.act_memcg[actor]
    while s.act_list[actor] + 1 < s.nr_memcgs * LISTS_PER_MEMCG:
        s.act_list[actor] += 1
        place = s.act_list[actor]
        if target >= 0 and place // LISTS_PER_MEMCG != target:
            continue
        if place % LISTS_PER_MEMCG and not swap_available(s):
            continue
        s.act_todo[actor] = s.lru_size[scan_list(s, actor)]
        if s.act_todo[actor] > 0:
            return True
    return False


def reclaim_next(s: "MmState", actor: int) -> int:
    """Isolate the next page of the round, or end the round, or end."""
    if s.act_freed[actor] >= s.act_target[actor] or s.stopped:
        return end_reclaim(s, actor)
    pfn = -1
    if s.act_todo[actor] > 0:
        s.act_todo[actor] -= 1
        pfn = lru_tail(s, scan_list(s, actor))
    if pfn >= 0:
        isolate(s, actor, pfn)
        return STEP_MORE
    if next_list(s, actor):
        return STEP_MORE
    if not s.act_flags[actor] & RECLAIM_PROGRESS or s.act_round[actor] >= MAX_RECLAIM_ROUNDS:
        return end_reclaim(s, actor)
    begin_round(s, actor)
    return STEP_MORE


def isolate(s: "MmState", actor: int, pfn: int) -> None:
    """Take the page off its list and hold it."""
    lru_del(s, pfn)
    get_page(s, pfn)
    s.act_pfn[actor] = pfn
    s.act_phase[actor] = RECLAIM_CHECK
    s.act_flags[actor] &= RECLAIM_PROGRESS | RECLAIM_ONE_PAGE
    if s.act_flags[actor] & RECLAIM_ONE_PAGE:
        s.act_flags[actor] |= RECLAIM_IGNORE_YOUNG


def putback(s: "MmState", actor: int, set_flags: int) -> None:
    """Put an isolated, unlocked page back on the list its flags name, and let go of it."""
    pfn = s.act_pfn[actor]
    s.page_flags[pfn] |= set_flags
    if s.act_flags[actor] & RECLAIM_ONE_PAGE:
        lru_cache_add(s, pfn)
    else:
        lru_add(s, pfn)
    put_page(s, pfn)
    s.act_pfn[actor] = -1
    s.act_phase[actor] = RECLAIM_NEXT


def keep_locked(s: "MmState", actor: int) -> None:
    """Unlock the page and put it back where it was."""
    unlock_page(s, s.act_pfn[actor])
    putback(s, actor, 0)


def activate_locked(s: "MmState", actor: int) -> None:
    """Put the page on the active list; when swap is short it gives its slot up first."""
    pfn = s.act_pfn[actor]
    swap_full = vm_swap_full(s)
    if s.page_flags[pfn] & PG_SWAPCACHE and rule1(s, R_ACTIVATE_FREES_SLOT, swap_full):
        try_to_free_swap(s, pfn)
    unlock_page(s, pfn)
    if not s.page_flags[pfn] & PG_ACTIVE:
        s.act_flags[actor] |= RECLAIM_PROGRESS
    putback(s, actor, PG_ACTIVE)


def cull_mlocked(s: "MmState", actor: int) -> None:
    """Put a page of a locked vma on the unevictable list, without its slot."""
    pfn = s.act_pfn[actor]
    try_to_free_swap(s, pfn)
    unlock_page(s, pfn)
    putback(s, actor, PG_MLOCKED | PG_UNEVICTABLE)


def reclaim_check(s: "MmState", actor: int) -> None:
    """Lock the page, look whether it was used, and give it a swap slot unless it was given up.

    Source: mm/vmscan.c shrink_page_list() up to try_to_unmap(), page_check_references().
    """
    pfn = s.act_pfn[actor]
    if not trylock_page(s, pfn, actor):
        putback(s, actor, 0)
        return
    if s.page_flags[pfn] & PG_MLOCKED:
        cull_mlocked(s, actor)
        return
    if s.page_flags[pfn] & PG_WRITEBACK:
        s.page_flags[pfn] |= PG_RECLAIM
        keep_writeback(s, actor)
        return
    if s.following and follows_reading(s, actor):
        return
    used = page_referenced(s, pfn, s.act_memcg[actor])
    if not s.act_flags[actor] & RECLAIM_IGNORE_YOUNG and check_references(s, actor, used):
        return
    decide_freeable(s, actor, used)
    if not give_slot(s, actor):
        activate_locked(s, actor)
        return
    s.act_phase[actor] = RECLAIM_UNMAP


def keep_writeback(s: "MmState", actor: int) -> None:
    """Put a page back that is being written: it is to be rotated when the write ends, or joins the active list."""
    if rule0(s, R_WRITEBACK_KEEP_UNLOCKS):
        unlock_page(s, s.act_pfn[actor])
    putback(s, actor, PG_ACTIVE if rule0(s, R_WRITEBACK_ACTIVATES) else 0)


def follows_reading(s: "MmState", actor: int) -> bool:
    """Take the branch that a reading of a real kernel shows for this page; True if the page is kept."""
    pfn = s.act_pfn[actor]
    choice = follow_choice(s, pfn)
    stays = choice == FOLLOW_KEEP or (choice == FOLLOW_KEEP_SWAPBACKED and s.page_flags[pfn] & PG_SWAPBACKED != 0)
    if stays or (choice == FOLLOW_CACHE and total_mapcount(s, pfn) == 0):
        keep_locked(s, actor)
        return True
    if choice != FOLLOW_ANY:
        s.act_flags[actor] |= RECLAIM_IGNORE_YOUNG
    return False


def check_references(s: "MmState", actor: int, used: int) -> bool:
    """Put a page that was used back; True if it was."""
    pfn = s.act_pfn[actor]
    flags = s.page_flags[pfn]
    pte_young = (used & PTE_YOUNG) != 0
    page_referenced_ = (flags & PG_REFERENCED) != 0
    swapbacked = (flags & PG_SWAPBACKED) != 0
    if rule3(s, R_RECLAIM_ACTIVATES, pte_young, page_referenced_, swapbacked):
        activate_locked(s, actor)
        return True
    if rule3(s, R_RECLAIM_KEEPS, pte_young, page_referenced_, swapbacked):
        s.page_flags[pfn] |= PG_REFERENCED
        # It is old by the next round, and there is one.
        s.act_flags[actor] |= RECLAIM_PROGRESS
        keep_locked(s, actor)
        return True
    return False


def decide_freeable(s: "MmState", actor: int, used: int) -> None:
    """Decide from what the reference walk saw whether the page was given up: the first of two decisions.

    The second is taken pte by pte in try_to_unmap_one(); a store in between must be seen there.
    """
    flags = s.page_flags[s.act_pfn[actor]]
    anon = (flags & PG_ANON) != 0
    pte_dirty = (used & PTE_DIRTY) != 0
    page_dirty = (flags & PG_DIRTY) != 0
    swapcache = (flags & PG_SWAPCACHE) != 0
    swapbacked = (flags & PG_SWAPBACKED) != 0
    memcg = s.act_memcg[actor] >= 0
    if rule6(s, R_RECLAIM_FREEABLE, anon, pte_dirty, page_dirty, swapcache, swapbacked, memcg):
        s.act_flags[actor] |= RECLAIM_FREEABLE


def give_slot(s: "MmState", actor: int) -> bool:
    """Enter an anonymous page that is to be swapped in the swap cache; False if there is no slot."""
    pfn = s.act_pfn[actor]
    if s.act_flags[actor] & RECLAIM_FREEABLE or not s.page_flags[pfn] & PG_ANON:
        return True
    if s.page_pins[pfn] > 0:
        return False
    if is_huge(s, pfn) and not s.page_flags[pfn] & PG_SWAPCACHE and not split_for_swap(s, actor):
        return False
    added_to_swap = not s.page_flags[pfn] & PG_SWAPCACHE
    if added_to_swap and not add_to_swap(s, pfn):
        return False
    page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
    if rule2(s, R_RECLAIM_TRIES_LAZYFREE, added_to_swap, page_dirty):
        s.act_flags[actor] |= RECLAIM_LAZYFREE
    return True


def split_for_swap(s: "MmState", actor: int) -> bool:
    """Split a huge page unless it can be swapped whole; False when it must be split and cannot.

    The parts go to the old end of the list, where this round finds them.
    """
    head = s.act_pfn[actor]
    synchronous = s.sync_io != 0
    pmd_mapped = huge_mappings(s, head) > 0
    partly_mapped = not maps_every_part(s, head)
    if s.nr_free_slots >= s.nr_huge and rule3(s, R_SWAP_TAKES_WHOLE_THP, synchronous, pmd_mapped, partly_mapped):
        return True
    if not split_huge_page(s, head, 1):
        return False
    for number in range(1, s.nr_huge):
        pfn = part_of(s, head, number)
        if s.page_flags[pfn] & PG_BUDDY:
            s.act_parts[actor] |= 1
        elif not s.page_flags[pfn] & PG_LRU:
            lru_add_tail(s, pfn)
            s.act_todo[actor] += 1
            s.act_parts[actor] |= 1 << number
    return True


def reclaim_unmap(s: "MmState", actor: int) -> None:
    """Unmap the page from one more pte; when none is left, go on to pageout."""
    pfn = s.act_pfn[actor]
    ptep = next_mapping(s, pfn, -1)
    if ptep < 0:
        s.act_phase[actor] = RECLAIM_PAGEOUT
        return
    split_area(s, ptep)
    if not s.act_flags[actor] & RECLAIM_ONE_PAGE or is_huge(s, pfn):
        # What lies between the subpages is reclaimed like them.
        s.area_dense[ptep >> VPN_SHIFT] = 0
    result = try_to_unmap_one(s, pfn, ptep, s.act_flags[actor])
    if result == SWAP_DISCARDED:
        s.act_flags[actor] |= RECLAIM_DISCARDED
    elif result == SWAP_MLOCK:
        cull_mlocked(s, actor)
    elif result != SWAP_SUCCESS:
        activate_locked(s, actor)


def skips_pageout(s: "MmState", actor: int) -> bool:
    """Whether the unmapped page needs no write because it was given up."""
    if s.act_flags[actor] & RECLAIM_FREEABLE:
        return True
    if not s.act_flags[actor] & RECLAIM_DISCARDED:
        return False
    page_dirty = (s.page_flags[s.act_pfn[actor]] & PG_DIRTY) != 0
    return rule1(s, R_LAZYFREE_SKIPS_PAGEOUT, page_dirty)


def reclaim_references(s: "MmState", pfn: int) -> int:
    """The references of a page that only reclaim and the caches hold."""
    caches = cache_references(s.page_flags[pfn])
    return 1 + caches * (s.nr_huge if is_huge(s, pfn) else 1)


def reclaim_pageout(s: "MmState", actor: int) -> None:
    """Write a dirty page to its slot, if nobody else holds it. Source: mm/vmscan.c pageout()."""
    pfn = s.act_pfn[actor]
    flags = s.page_flags[pfn]
    page_dirty = (flags & PG_DIRTY) != 0
    swapcache = (flags & PG_SWAPCACHE) != 0
    s.act_phase[actor] = RECLAIM_REMOVE
    if skips_pageout(s, actor):
        return
    in_file = flags & PG_FILE != 0
    if in_file:
        writes = rule1(s, R_SHMEM_WRITES_PAGE, page_dirty)
    else:
        writes = rule2(s, R_RECLAIM_WRITES_PAGE, page_dirty, swapcache)
    if not writes:
        return
    if s.page_refcount[pfn] != reclaim_references(s, pfn) or total_mapcount(s, pfn) > 0:
        keep_locked(s, actor)
        return
    if in_file:
        if not shmem_writepage(s, pfn):
            activate_locked(s, actor)
            return
        swapcache = True
    if not swapcache or try_to_free_swap(s, pfn):
        # Nobody needs the contents any more: the last reference is the one that putback drops.
        keep_locked(s, actor)
        return
    if not swap_writepage(s, pfn):
        s.page_flags[pfn] |= PG_RECLAIM
        keep_locked(s, actor)


def reclaim_remove(s: "MmState", actor: int) -> None:
    """Free the frame if reclaim holds the only reference (and the swap cache, if the page is there).

    The references are frozen before PageDirty is looked at. Source: mm/vmscan.c __remove_mapping().
    """
    pfn = s.act_pfn[actor]
    swapcache = (s.page_flags[pfn] & PG_SWAPCACHE) != 0
    in_file = (s.page_flags[pfn] & PG_FILE) != 0
    if s.page_flags[pfn] & PG_WRITEBACK or s.page_refcount[pfn] != reclaim_references(s, pfn):
        keep_locked(s, actor)
        return
    page_dirty = (s.page_flags[pfn] & PG_DIRTY) != 0
    if in_file:
        delete_from_page_cache(s, pfn)
    elif not swapcache and rule1(s, R_LAZYFREE_REMOVE_KEEPS_PAGE, page_dirty):
        keep_locked(s, actor)
        return
    if swapcache:
        if rule1(s, R_REMOVE_MAPPING_KEEPS_PAGE, page_dirty):
            keep_locked(s, actor)
            return
        delete_from_swap_cache(s, pfn)
    unlock_page(s, pfn)
    put_page(s, pfn)
    s.act_pfn[actor] = -1
    s.act_freed[actor] += 1
    s.act_flags[actor] |= RECLAIM_PROGRESS
    s.act_phase[actor] = RECLAIM_NEXT


def run_reclaim(s: "MmState", actor: int) -> None:
    """Run a reclaim that was begun to its end."""
    for _ in range(MAX_STEPS):
        if step_reclaim(s, actor) == STEP_DONE:
            return
    end_reclaim(s, actor)


def try_to_free_pages(s: "MmState", memcg: int, target: int) -> int:
    """Reclaim inside another path, for an allocation or a limit: the number of pages freed.

    Entered again from itself (a charge during reclaim) it does nothing, like the kernel's PF_MEMALLOC.
    """
    if s.act_path[DIRECT_RECLAIM] != PATH_NONE:
        return 0
    begin_reclaim(s, DIRECT_RECLAIM, memcg, target)
    run_reclaim(s, DIRECT_RECLAIM)
    return s.act_freed[DIRECT_RECLAIM]


def reclaim_pages(s: "MmState", pfn: int) -> None:
    """Reclaim one page now, whether it was used or not (MADV_PAGEOUT). Source: mm/vmscan.c, v5.4."""
    actor = DIRECT_RECLAIM
    if s.act_path[actor] != PATH_NONE or not s.page_flags[pfn] & PG_LRU:
        return
    begin_reclaim_of(s, actor, pfn)
    finish_page(s, actor)
    for number in range(1, s.nr_huge):
        # The parts of a huge page that had to be split are reclaimed with it.
        part = part_of(s, pfn, number)
        if s.act_parts[actor] >> number & 1 and s.page_flags[part] & PG_LRU:
            isolate(s, actor, part)
            finish_page(s, actor)
    end_reclaim(s, actor)
    if s.act_parts[actor] & 1:
        # Parts that the split left without mappings go back through the batch too, and fill it.
        drain_batch(s, BATCH_ADD)


def finish_page(s: "MmState", actor: int) -> None:
    """Bring the page in hand to the end of its way."""
    for _ in range(MAX_STEPS):
        if s.act_phase[actor] == RECLAIM_NEXT:
            return
        step_reclaim(s, actor)


def begin_reclaim_of(s: "MmState", actor: int, pfn: int) -> None:
    """Put the actor on the path with one page isolated."""
    s.nr_busy += 1
    s.act_path[actor] = PATH_RECLAIM
    s.act_memcg[actor] = -1
    s.act_freed[actor] = 0
    s.act_new[actor] = -1
    s.act_flags[actor] = RECLAIM_ONE_PAGE
    s.act_parts[actor] = 0
    isolate(s, actor, pfn)


if not cython.compiled:
    from simcore.bits import rule0, rule1, rule2, rule3, rule6
    from simcore.constants import (
        BATCH_ADD,
        DIRECT_RECLAIM,
        FOLLOW_ANY,
        FOLLOW_CACHE,
        FOLLOW_KEEP,
        FOLLOW_KEEP_SWAPBACKED,
        LISTS_PER_MEMCG,
        LRU_ACTIVE_ANON,
        LRU_ACTIVE_FILE,
        LRU_INACTIVE_ANON,
        LRU_INACTIVE_FILE,
        LRU_UNEVICTABLE,
        MAX_RECLAIM_ROUNDS,
        MAX_STEPS,
        NR_LRU_LISTS,
        PATH_NONE,
        PATH_RECLAIM,
        PG_ACTIVE,
        PG_ANON,
        PG_BUDDY,
        PG_DIRTY,
        PG_FILE,
        PG_LRU,
        PG_MLOCKED,
        PG_RECLAIM,
        PG_REFERENCED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PG_UNEVICTABLE,
        PG_WRITEBACK,
        PTE_DIRTY,
        PTE_YOUNG,
        RECLAIM_CHECK,
        RECLAIM_DISCARDED,
        RECLAIM_FREEABLE,
        RECLAIM_IGNORE_YOUNG,
        RECLAIM_LAZYFREE,
        RECLAIM_NEXT,
        RECLAIM_ONE_PAGE,
        RECLAIM_PAGEOUT,
        RECLAIM_PROGRESS,
        RECLAIM_REMOVE,
        RECLAIM_UNMAP,
        RESULT_OK,
        STEP_DONE,
        STEP_MORE,
        SWAP_DISCARDED,
        SWAP_MLOCK,
        SWAP_SUCCESS,
        VPN_SHIFT,
    )
    from simcore.follow import follow_choice, follow_drains
    from simcore.huge_memory import huge_mappings, is_huge, part_of, split_area, split_huge_page, total_mapcount
    from simcore.migrate import maps_every_part
    from simcore.mm_types import MmState
    from simcore.page_alloc import cache_references, get_page, put_page, trylock_page, unlock_page
    from simcore.page_io import swap_writepage
    from simcore.rmap import next_mapping, page_referenced, try_to_unmap_one
    from simcore.rule_ids import (
        R_ACTIVATE_FREES_SLOT,
        R_LAZYFREE_REMOVE_KEEPS_PAGE,
        R_LAZYFREE_SKIPS_PAGEOUT,
        R_RECLAIM_ACTIVATES,
        R_RECLAIM_FREEABLE,
        R_RECLAIM_KEEPS,
        R_RECLAIM_TRIES_LAZYFREE,
        R_RECLAIM_WRITES_PAGE,
        R_REMOVE_MAPPING_KEEPS_PAGE,
        R_SHMEM_WRITES_PAGE,
        R_SWAP_TAKES_WHOLE_THP,
        R_WRITEBACK_ACTIVATES,
        R_WRITEBACK_KEEP_UNLOCKS,
    )
    from simcore.shmem import delete_from_page_cache, shmem_writepage
    from simcore.swap import (
        drain_batch,
        lru_add,
        lru_add_drain,
        lru_add_tail,
        lru_cache_add,
        lru_del,
        lru_tail,
        move_lru,
    )
    from simcore.swap_state import add_to_swap, delete_from_swap_cache
    from simcore.swapfile import swap_available, try_to_free_swap, vm_swap_full
