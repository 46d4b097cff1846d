"""linux-4.0-rc7-mm1 before patch 4/4, and with it: the two kernels that mmfuzz began with."""

from simcore.kernel_class import KernelBase


class Linux40Rc7Mm1(KernelBase):
    """v4.0 mm/ with the MADV_FREE series of Andrew Morton's tree, without the refused patch 4/4.

    Not a tagged tree: rules are those of v4.0 plus the series as mailed (v17 and the patches 1/4 to 3/4 of 11 March
    2015), taken from the source files named with each rule.
    """

    name = "linux-4.0-rc7-mm1"
    successor = "linux-4.5"

    # mm/memory.c

    def anon_fault_pte_dirty(vm_write):
        """do_anonymous_page(): pte_mkwrite(pte_mkdirty()) if VM_WRITE."""
        return vm_write

    def fresh_page_active():
        """do_anonymous_page(): lru_cache_add_active_or_unevictable()."""
        return True

    def fresh_page_exclusive():
        """PG_anon_exclusive came in v5.19."""
        return False

    def swapin_skips_cache():
        """do_swap_page(): always through the swap cache."""
        return False

    def swapin_claims_slot():
        """do_swap_page(): there is nothing to claim before v4.15."""
        return False

    def swapin_page_is_sole(sole, ksm):
        """do_swap_page(): reuse_swap_page(), which counts mappings and swap ptes."""
        return sole and not ksm

    def swapin_drains_batches():
        """do_swap_page(): references are not counted."""
        return False

    def swapin_frees_slot_first():
        """do_swap_page(): swap_free() after set_pte_at()."""
        return False

    def swapin_sets_exclusive():
        """PG_anon_exclusive came in v5.19."""
        return False

    def swapin_finds_page(swapcache):
        """do_swap_page(): PageSwapCache() is PG_swapcache."""
        return swapcache

    def swapin_installs(pte_same):
        """do_swap_page(): pte_same() under the page table lock."""
        return pte_same

    def swapin_pte_dirty(write, reuse):
        """do_swap_page(): mk_pte() is clean; pte_mkdirty() only for a write fault that reuses the page."""
        return write and reuse

    def swapin_pte_write(write, reuse):
        """do_swap_page(): maybe_mkwrite() under the same condition."""
        return write and reuse

    def swapin_frees_slot(swap_full, vm_locked, mlocked):
        """do_swap_page(): if vm_swap_full(), VM_LOCKED or PageMlocked, try_to_free_swap()."""
        return swap_full or vm_locked or mlocked

    def ksm_swapin_copies(ksm, anon, same_root):
        """ksm_might_need_to_copy(): a stable page whose node is known, a page new to rmap, or this vma's own."""
        return anon and not ksm and not same_root

    def ksm_copy_sets_page_dirty():
        """ksm_might_need_to_copy(): SetPageDirty(new_page)."""
        return True

    def wp_drains_batches():
        """do_wp_page(): references are not counted."""
        return False

    def wp_frees_slot():
        """do_wp_page(): left to reuse_swap_page()."""
        return False

    def wp_waits_for_page_lock():
        """do_wp_page(): lock_page() if trylock_page() fails, and pte_same() after it."""
        return True

    def wp_sets_exclusive():
        """PG_anon_exclusive came in v5.19."""
        return False

    def wp_reuses_page(sole, ksm):
        """do_wp_page() and reuse_swap_page(): mappings and swap ptes count, references do not."""
        return sole and not ksm

    def wp_reuses_huge_page(sole):
        """do_huge_pmd_wp_page(): page_mapcount() is 1; there are no huge pages mapped by ptes."""
        return sole

    def cow_pte_dirty():
        """wp_page_copy(): maybe_mkwrite(pte_mkdirty(entry))."""
        return True

    def cow_puts_old_page():
        """wp_page_copy(): page_cache_release(old_page)."""
        return True

    def cow_frees_old_slot():
        """wp_page_copy(): the old page keeps its slot."""
        return False

    def fork_write_protects():
        """copy_one_pte(): ptep_set_wrprotect() for a COW vma."""
        return True

    def fork_child_pte_dirty(pte_dirty):
        """copy_one_pte(): pte_mkclean() only for VM_SHARED."""
        return pte_dirty

    def fork_clears_exclusive():
        """PG_anon_exclusive came in v5.19."""
        return False

    def fork_copies_pinned():
        """copy_one_pte(): a pinned page is shared like any other."""
        return False

    def fork_duplicates_slot():
        """copy_one_pte(): swap_duplicate()."""
        return True

    def zap_dirties_page(anon, pte_dirty):
        """zap_pte_range(): set_page_dirty() for file pages only."""
        return pte_dirty and not anon

    def zap_frees_slot():
        """zap_pte_range(): free_swap_and_cache()."""
        return True

    def shared_fault_dirties_page():
        """do_shared_fault(): set_page_dirty()."""
        return True

    def dontneed_zaps_pte():
        """madvise_dontneed(): zap_page_range() of everything."""
        return True

    # mm/swapfile.c

    def reuse_leaves_swapcache(swapcache, writeback):
        """reuse_swap_page(): delete_from_swap_cache() unless PageWriteback."""
        return swapcache and not writeback

    def reuse_sets_page_dirty():
        """reuse_swap_page(): SetPageDirty()."""
        return True

    def free_swap_allowed(writeback, slot_in_use):
        """try_to_free_swap(): not under writeback, and page_swapcount() is 0."""
        return not writeback and not slot_in_use

    def free_swap_sets_page_dirty():
        """try_to_free_swap(): SetPageDirty()."""
        return True

    def zap_swap_frees_cache(mapped, swap_full, writeback):
        """free_swap_and_cache(): not under writeback, and unmapped or vm_swap_full()."""
        return not writeback and (not mapped or swap_full)

    def zap_swap_sets_page_dirty():
        """free_swap_and_cache(): SetPageDirty()."""
        return True

    def unuse_matches_pte():
        """maybe_same_pte(): the soft-dirty bit of the swap pte is left out of the comparison."""
        return True

    def unuse_pte_dirty():
        """unuse_pte(): pte_mkold(mk_pte()), never dirty."""
        return False

    def unuse_keeps_soft_dirty():
        """unuse_pte(): the swap pte's soft-dirty bit is not copied."""
        return False

    def unuse_keeps_exclusive():
        """PG_anon_exclusive came in v5.19."""
        return False

    def swapoff_activates():
        """unuse_pte(): activate_page(), for the page may be wanted soon."""
        return True

    def swapoff_drops_shared_cache():
        """try_to_unuse(): written if dirty, then delete_from_swap_cache() whatever refers to the slot."""
        return True

    def swapoff_sets_page_dirty():
        """try_to_unuse(): SetPageDirty() at the end, for no pte was made dirty."""
        return True

    # mm/swap.c

    def batch_keeps_huge_page():
        """__lru_cache_add(): the batch counts pages, whatever their size."""
        return True

    # mm/madvise.c, of the MADV_FREE series

    def madv_free_is_dontneed(swap_available):
        """madvise_vma(): without swap, MADV_FREE falls through to MADV_DONTNEED."""
        return not swap_available

    def madv_free_frees_swap_pte():
        """madvise_free_pte_range(), patch 1/4: free_swap_and_cache() and pte_clear()."""
        return True

    def madv_free_locks_page(swapcache):
        """madvise_free_pte_range(): trylock_page() only if PageSwapCache."""
        return swapcache

    def madv_free_skips_page():
        """madvise_free_pte_range(): no look at the mapcount yet."""
        return False

    def madv_free_clears_page_dirty(swapcache):
        """madvise_free_pte_range(): ClearPageDirty() after try_to_free_swap()."""
        return swapcache

    def madv_free_cleans_pte():
        """madvise_free_pte_range(): always cleared and set again old and clean."""
        return True

    def madv_free_deactivates(active):
        """madvise_free_pte_range(): deactivate_page()."""
        return active

    def madv_free_marks_lazyfree():
        """No SwapBacked trick before v4.12."""
        return False

    def lazyfree_drain_clears_swapbacked():
        """No lazyfree batch before v4.12."""
        return False

    def madvise_knows_cold():
        """MADV_COLD came in v5.4."""
        return False

    def madvise_knows_pageout():
        """MADV_PAGEOUT came in v5.4."""
        return False

    def madv_pageout_takes_page(shared):
        """Not asked before v5.4; as v5.8 has it."""
        return not shared

    # mm/vmscan.c

    def writeback_keep_unlocks():
        """shrink_page_list(): goto keep_locked."""
        return True

    def writeback_activates():
        """shrink_page_list(): goto keep_locked."""
        return False

    def reclaim_activates(pte_young, page_referenced, swapbacked):
        """page_check_references(): a used anonymous page is activated, a file page only the second time."""
        return pte_young and (swapbacked or page_referenced)

    def reclaim_keeps(pte_young, page_referenced, swapbacked):
        """page_check_references(): a file page used once stays."""
        return pte_young and not swapbacked and not page_referenced

    def reclaim_freeable(anon, pte_dirty, page_dirty, swapcache):
        """page_check_references(): Anon, no pte dirty, not in the swap cache, not PageDirty."""
        return anon and not pte_dirty and not page_dirty and not swapcache

    def references_see_other_memcgs():
        """page_referenced(): invalid_page_referenced_vma() skips vmas outside the target cgroup."""
        return False

    def add_to_swap_sets_page_dirty():
        """add_to_swap(): SetPageDirty()."""
        return True

    def reclaim_tries_lazyfree():
        """No TTU_LZFREE yet: the decision is reclaim_freeable."""
        return False

    def reclaim_writes_page(page_dirty):
        """shrink_page_list(): pageout() if PageDirty."""
        return page_dirty

    def lazyfree_skips_pageout():
        """No SWAP_LZFREE yet."""
        return False

    def remove_mapping_keeps_page(page_dirty):
        """__remove_mapping(): PageDirty is tested after the references are frozen."""
        return page_dirty

    def lazyfree_remove_keeps_page():
        """shrink_page_list(): after page_freeze_refs(page, 1), PageDirty is not looked at again."""
        return False

    def activate_frees_slot(swap_full):
        """shrink_page_list(): activate_locked frees swap when vm_swap_full()."""
        return swap_full

    # mm/rmap.c

    def unmap_fails_young(pte_young, ignore_young):
        """try_to_unmap_one(): ptep_clear_flush_young() unless TTU_IGNORE_ACCESS."""
        return pte_young and not ignore_young

    def unmap_dirties_page(pte_dirty):
        """try_to_unmap_one(): set_page_dirty() if pte_dirty()."""
        return pte_dirty

    def unmap_discards(freeable, pte_dirty, page_dirty):
        """try_to_unmap_one(), TTU_FREE: neither this pte nor the page is dirty."""
        return freeable and not pte_dirty and not page_dirty

    def unmap_restores_redirtied(freeable):
        """try_to_unmap_one(), TTU_FREE: set_pte_at(), SWAP_FAIL."""
        return freeable

    def restore_sets_swapbacked():
        """try_to_unmap_one(): SwapBacked is never cleared."""
        return False

    def unmap_keeps_exclusive():
        """PG_anon_exclusive came in v5.19."""
        return False

    def unmap_fails_pinned():
        """try_to_unmap_one(): references are not looked at."""
        return False

    # mm/mlock.c

    def mlock_holds_page():
        """mlock_vma_page(): isolates the page and puts it back at once."""
        return False

    # mm/migrate.c

    def migration_uses_swap_pte(swapcache):
        """try_to_unmap_one(): PageSwapCache is looked at before TTU_MIGRATION."""
        return swapcache

    def migration_keeps_page_dirty(page_dirty):
        """migrate_page_copy(): clear_page_dirty_for_io() on the old, SetPageDirty() on the new page."""
        return page_dirty

    def migration_pte_dirty():
        """remove_migration_pte(): pte_mkold(mk_pte()), write from the entry, never dirty."""
        return False

    def migration_dirty_sets_soft_dirty():
        """pte_mkdirty(): _PAGE_DIRTY | _PAGE_SOFT_DIRTY on x86."""
        return True

    def migrate_absent_is_fault(empty, anonymous):
        """do_move_page_to_node_array(): follow_page(FOLL_DUMP), which calls an untouched anonymous page an error."""
        return empty and anonymous

    def migration_drains_batches():
        """unmap_and_move(): putback_lru_page(), through the batch."""
        return False

    def migration_pte_young():
        """remove_migration_pte(): pte_mkold()."""
        return False

    # mm/ksm.c

    def ksm_finds_unmapped():
        """stable_tree_search(): get_ksm_page() is enough."""
        return True

    def break_ksm_unshares():
        """break_ksm(): handle_mm_fault(FAULT_FLAG_WRITE)."""
        return False

    def ksm_protects_pte(pte_write, pte_dirty):
        """write_protect_page(): if pte_write() or pte_dirty()."""
        return pte_write or pte_dirty

    def ksm_protect_dirties_page(pte_dirty):
        """write_protect_page(): set_page_dirty() if pte_dirty()."""
        return pte_dirty

    def ksm_stable_sets_page_dirty():
        """try_to_merge_one_page(): nothing but set_page_stable_node()."""
        return False

    def ksm_replace_pte_dirty():
        """replace_page(): mk_pte(), clean."""
        return False

    # mm/page_io.c

    def write_error_sets_page_dirty():
        """end_swap_bio_write(): set_page_dirty() on error."""
        return True

    def read_drops_copy():
        """swap_readpage(): bdev_read_page() of a device with rw_page ends the read without end_swap_bio_read()."""
        return False

    def write_skips_zeros():
        """swap_writepage(): every page is written."""
        return False

    # mm/gup.c

    def gup_touch_dirties_page(pte_dirty, page_dirty):
        """follow_page_pte(): FOLL_TOUCH with FOLL_WRITE, set_page_dirty() if neither is dirty."""
        return not pte_dirty and not page_dirty

    def gup_read_unshares():
        """follow_page_pte(): a load takes the page as it is."""
        return False

    def gup_fast_dirties_page():
        """gup_pte_range(): the pte is looked at, nothing is marked."""
        return False

    def gup_pins_page():
        """FOLL_PIN came in v5.6."""
        return False

    def unpin_dirties_page():
        """bio_check_pages_dirty(), process_vm_rw_pages(): set_page_dirty_lock()."""
        return True

    # mm/mprotect.c, mm/mremap.c, fs/proc/task_mmu.c

    def mprotect_grants_write(soft_dirty, shared):
        """change_pte_range(): vm_page_prot is writable for a shared mapping without write notification."""
        return shared and soft_dirty

    def mremap_sets_soft_dirty():
        """move_soft_dirty_pte()."""
        return True

    def clear_refs_protects_pte():
        """clear_soft_dirty(): pte_wrprotect()."""
        return True

    # mm/shmem.c, mm/truncate.c

    def shmem_swapin_sets_page_dirty():
        """shmem_getpage_gfp(): set_page_dirty() after delete_from_swap_cache()."""
        return True

    def shmem_writes_page(page_dirty):
        """shrink_page_list(): pageout() if PageDirty; a clean page of a hole is dropped."""
        return page_dirty

    def punch_unmaps_copies():
        """shmem_fallocate(): unmap_mapping_range() with even_cows = 0."""
        return False

    def truncate_unmaps_copies():
        """truncate_pagecache(): unmap_mapping_range() with even_cows = 1."""
        return True

    # mm/huge_memory.c

    def pmd_split_pte_dirty():
        """__split_huge_page_map(): pte_mkdirty() of every pte."""
        return True

    def pmd_split_dirties_page():
        """__split_huge_page_map(): left to the ptes."""
        return False

    def pmd_split_keeps_soft_dirty():
        """__split_huge_page_map(): pte_mkdirty() sets it anyway."""
        return True

    def pmd_split_splits_page():
        """split_huge_page_pmd(): there is no huge page mapped by ptes yet."""
        return True

    def split_pte_dirty():
        """__split_huge_page_map(): pte_mkdirty()."""
        return True

    def split_fails_when_held():
        """__split_huge_page_refcount(): references to tails were counted in their _mapcount, and go with them."""
        return False

    def split_gathers_dirty():
        """__split_huge_page_splitting(): the pmds stay, and are looked at when they become ptes."""
        return False

    def split_dirties_tails():
        """__split_huge_page_refcount(): PG_dirty in page_tail->flags, whatever the head has."""
        return True

    def split_keeps_young(entry_young):
        """__split_huge_page_map(): pte_mkold() unless pmd_young()."""
        return entry_young

    def split_keeps_soft_dirty():
        """__split_huge_page_map(): pte_mkdirty() sets it anyway."""
        return True

    def split_maps_zero_page():
        """__split_huge_page(): every part keeps its frame."""
        return False

    def swap_takes_whole_thp():
        """add_to_swap(): split_huge_page_to_list() first."""
        return False

    def madvise_splits_thp():
        """madvise_free_pte_range(): split_huge_page_pmd(), whoever maps it."""
        return True

    def madv_free_counts_head():
        """madvise_free_pte_range(): the part's own mapcount, if any."""
        return False

    def advice_stops_at_shared_thp():
        """madvise_free_pte_range(): huge pages are split whoever maps them."""
        return False

    def collapse_waits_for_swapin():
        """__collapse_huge_page_swapin(), or none before v4.8: page by page."""
        return True

    def migration_splits_partly_mapped():
        """unmap_and_move(): nothing of the kind."""
        return False

    def madv_free_ends_with_split():
        """madvise_free_pte_range(): goes on with the ptes."""
        return False

    def madvise_takes_whole_folio():
        """Page by page."""
        return False

    def migration_splits_thp():
        """unmap_and_move(): split_huge_page()."""
        return True


class MakeEveryPteDirty(Linux40Rc7Mm1):
    """'mm: make every pte dirty on do_swap_page', Minchan Kim, 11 March 2015, patch 4/4; refused 11 April 2015.

    Every swap-in maps the page dirty, MADV_FREE leaves PageDirty alone, and reclaim decides by the ptes only.
    """

    name = "linux-4.0-rc7-mm1+dirty-on-swapin"

    def swapin_pte_dirty():
        """do_swap_page(): pte_mkdirty(mk_pte()) always."""
        return True

    def madv_free_clears_page_dirty():
        """madvise_free_pte_range(): ClearPageDirty() taken out."""
        return False

    def reclaim_freeable(anon, pte_dirty, swapcache):
        """page_check_references(): !PageDirty taken out."""
        return anon and not pte_dirty and not swapcache

    def unmap_discards(freeable, pte_dirty):
        """try_to_unmap_one(), TTU_FREE: !PageDirty taken out."""
        return freeable and not pte_dirty
