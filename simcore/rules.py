"""The named decisions in which kernels differ, or that a patch could change.

A rule is a boolean function of up to eight named local bits (none: a switch). A kernel gives each rule a truth
table; the core only looks rows up. The bits are those a patch might want to look at, which may be more than any
kernel looks at today. Row number: bit i of the row is the value of bits[i].

The flat table of a kernel is all tables one after the other, in the order of RULES.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rule:
    """One decision: its name, the bits it may look at, what True means, and where the kernel takes it."""

    name: str
    bits: tuple[str, ...]
    doc: str
    where: str

    @property
    def row_count(self) -> int:
        """Rows of the truth table: two to the number of bits."""
        return 1 << len(self.bits)


def _rule(name: str, bits: str, where: str, doc: str) -> Rule:
    return Rule(name, tuple(bits.split()), doc, where)


_MEMORY = (
    _rule("anon_fault_pte_dirty", "vm_write", "mm/memory.c do_anonymous_page()",
          "A write fault on an empty pte maps the fresh page dirty."),
    _rule("fresh_page_active", "", "mm/memory.c do_anonymous_page(), mm/swap.c",
          "A fresh anonymous page joins the active list."),
    _rule("fresh_page_exclusive", "", "mm/memory.c do_anonymous_page(), mm/rmap.c page_add_new_anon_rmap()",
          "A fresh anonymous page is AnonExclusive: its process alone may ever write to it in place."),
    _rule("swapin_skips_cache", "synchronous sole", "mm/memory.c do_swap_page()",
          "Swap-in reads into a private page and never enters the swap cache. sole: the slot has one swap pte."),
    _rule("swapin_claims_slot", "", "mm/memory.c do_swap_page(), swapcache_prepare()",
          "Swap-in past the cache claims the slot, so that another fault on it waits."),
    _rule("swapin_page_is_sole", "sole ksm swapcache extra_refs exclusive", "mm/memory.c do_swap_page()",
          "Swap-in takes the page for its process's alone. sole: one mapping or swap pte in all; exclusive: the swap"
          " pte says so, or the page never was in the swap cache."),
    _rule("swapin_drains_batches", "on_lru write ksm", "mm/memory.c do_swap_page()",
          "Before references are counted, a cached page that is on no list makes its CPU drain its batches."),
    _rule("swapin_frees_slot_first", "", "mm/memory.c do_swap_page()",
          "The swap pte's count and, if it may be, the slot are given up before the page is mapped."),
    _rule("swapin_sets_exclusive", "reuse", "mm/memory.c do_swap_page()",
          "The page that swap-in maps becomes AnonExclusive."),
    _rule("swapin_finds_page", "swapcache swapbacked", "mm/memory.c do_swap_page(), PageSwapCache()",
          "The page that was found in the swap cache is one of it still; else swap-in looks again."),
    _rule("swapin_installs", "pte_same swapcache", "mm/memory.c do_swap_page()",
          "With the page read and locked, swap-in maps it; else it backs out and the access is made again."),
    _rule("swapin_pte_dirty", "write reuse page_dirty swapcache ksm exclusive", "mm/memory.c do_swap_page()",
          "The pte that swap-in installs is dirty."),
    _rule("swapin_pte_write", "write reuse ksm exclusive soft_dirty", "mm/memory.c do_swap_page()",
          "The pte that swap-in installs is writable."),
    _rule("swapin_frees_slot", "swap_full vm_locked mlocked write ksm extra_refs", "mm/memory.c do_swap_page()",
          "Swap-in tries to free the page's slot. extra_refs: somebody besides the fault and the cache holds it."),
    _rule("ksm_swapin_copies", "ksm anon same_root", "mm/ksm.c ksm_might_need_to_copy()",
          "Swap-in maps a copy, because the cached page belongs to another vma or to a lost stable node."),
    _rule("ksm_copy_sets_page_dirty", "", "mm/ksm.c ksm_might_need_to_copy()",
          "The copy made for a swap-in is PageDirty."),
    _rule("wp_drains_batches", "on_lru ksm", "mm/memory.c wp_can_reuse_anon_folio()",
          "Before references are counted, a page that is not on a list makes its CPU drain its batches."),
    _rule("wp_frees_slot", "sole swapcache extra_refs ksm exclusive", "mm/memory.c do_wp_page()",
          "Before it is judged, the page is taken out of the swap cache if nothing needs its slot."),
    _rule("wp_waits_for_page_lock", "", "mm/memory.c do_wp_page()",
          "A store to a page whose lock is taken waits; else it makes a copy."),
    _rule("wp_sets_exclusive", "", "mm/memory.c do_wp_page()",
          "A page that is reused becomes AnonExclusive."),
    _rule("wp_reuses_page", "sole ksm swapcache writeback extra_refs exclusive", "mm/memory.c do_wp_page()",
          "A store to a write-protected anonymous page goes to the page itself instead of a copy."),
    _rule("wp_reuses_huge_page", "sole swapcache extra_refs exclusive pmd_mapped",
          "mm/huge_memory.c do_huge_pmd_wp_page(), mm/swapfile.c reuse_swap_page()",
          "A store to a write-protected huge page, or a part of it, goes to the page itself. sole: no part has two"
          " users."),
    _rule("cow_pte_dirty", "old_pte_dirty old_page_dirty", "mm/memory.c wp_page_copy()",
          "The pte of the copy made on a write is dirty."),
    _rule("cow_puts_old_page", "", "mm/memory.c wp_page_copy()",
          "Copying drops the reference that held the old page meanwhile."),
    _rule("cow_frees_old_slot", "mapped", "mm/memory.c wp_page_copy(), free_swap_cache()",
          "Copying a page of the swap cache tries to free the slot of the old one."),
    _rule("fork_write_protects", "pte_dirty swapcache", "mm/memory.c copy_one_pte()",
          "fork takes the write permission from parent and child."),
    _rule("fork_child_pte_dirty", "pte_dirty", "mm/memory.c copy_one_pte()",
          "The child's copy of a present pte is dirty."),
    _rule("fork_clears_exclusive", "", "mm/memory.c copy_present_pte(), copy_nonpresent_pte()",
          "A page or swap pte that fork shares is AnonExclusive no more."),
    _rule("fork_copies_pinned", "exclusive pinned", "mm/memory.c copy_present_pte()",
          "fork gives the child a copy at once, so that the parent keeps the page that a device may write to."),
    _rule("fork_duplicates_slot", "", "mm/memory.c copy_one_pte()",
          "fork counts the child's swap pte in the slot (swap_duplicate)."),
    _rule("zap_dirties_page", "anon pte_dirty", "mm/memory.c zap_pte_range()",
          "Unmapping by the process moves the pte's dirty bit to the page."),
    _rule("zap_frees_slot", "", "mm/memory.c zap_pte_range()",
          "Dropping a swap pte gives up its count of the slot."),
    _rule("shared_fault_dirties_page", "", "mm/memory.c do_shared_fault(), fault_dirty_shared_page()",
          "A store fault on a shared file mapping marks the page dirty."),
    _rule("dontneed_zaps_pte", "present swapped", "mm/madvise.c madvise_dontneed()",
          "MADV_DONTNEED empties the pte."),
)  # fmt: skip

_SWAPFILE = (
    _rule("reuse_leaves_swapcache", "swapcache writeback", "mm/swapfile.c reuse_swap_page()",
          "A sole user that writes takes the page out of the swap cache."),
    _rule("reuse_sets_page_dirty", "page_dirty", "mm/swapfile.c reuse_swap_page()",
          "Leaving the swap cache that way marks the page dirty."),
    _rule("free_swap_allowed", "writeback slot_in_use", "mm/swapfile.c try_to_free_swap()",
          "A page in the swap cache may leave it."),
    _rule("free_swap_sets_page_dirty", "page_dirty", "mm/swapfile.c try_to_free_swap()",
          "Leaving the swap cache that way marks the page dirty."),
    _rule("zap_swap_frees_cache", "mapped swap_full writeback", "mm/swapfile.c free_swap_and_cache()",
          "When the last swap pte goes, the cached page leaves the swap cache."),
    _rule("zap_swap_sets_page_dirty", "page_dirty", "mm/swapfile.c free_swap_and_cache()",
          "Leaving the swap cache that way marks the page dirty."),
    _rule("unuse_matches_pte", "soft_dirty", "mm/swapfile.c unuse_pte_range()",
          "swapoff takes a swap pte of the slot for one to bring back (maybe_same_pte)."),
    _rule("unuse_pte_dirty", "page_dirty ksm", "mm/swapfile.c unuse_pte()",
          "The pte that swapoff installs is dirty."),
    _rule("unuse_keeps_soft_dirty", "", "mm/swapfile.c unuse_pte()",
          "swapoff carries the soft-dirty bit from the swap pte to the pte."),
    _rule("unuse_keeps_exclusive", "", "mm/swapfile.c unuse_pte()",
          "swapoff makes the page AnonExclusive where the swap pte was."),
    _rule("swapoff_activates", "", "mm/swapfile.c try_to_unuse()",
          "A page that swapoff brought back goes to the active list."),
    _rule("swapoff_drops_shared_cache", "", "mm/swapfile.c try_to_unuse()",
          "swapoff takes the page out of the swap cache even while references to its slot remain."),
    _rule("swapoff_sets_page_dirty", "page_dirty", "mm/swapfile.c try_to_unuse()",
          "A page that swapoff takes out of the swap cache is marked dirty."),
)  # fmt: skip

_SWAP = (
    _rule("batch_keeps_huge_page", "", "mm/swap.c __lru_cache_add(), PageCompound()",
          "A huge page waits in an LRU batch like any other; else it makes the batch empty itself."),
)  # fmt: skip

_MADVISE = (
    _rule("madv_free_is_dontneed", "swap_available", "mm/madvise.c madvise_vma()",
          "MADV_FREE acts as MADV_DONTNEED."),
    _rule("madv_free_frees_swap_pte", "", "mm/madvise.c madvise_free_pte_range()",
          "MADV_FREE of a swap pte frees the slot and empties the pte."),
    _rule("madv_free_locks_page", "swapcache page_dirty ksm", "mm/madvise.c madvise_free_pte_range()",
          "MADV_FREE takes the page lock, to free the slot and look at PageDirty; skips the page if it cannot."),
    _rule("madv_free_skips_page", "shared swapcache page_dirty ksm", "mm/madvise.c madvise_free_pte_range()",
          "With the page locked, MADV_FREE leaves the page alone."),
    _rule("madv_free_clears_page_dirty", "shared swapcache page_dirty", "mm/madvise.c madvise_free_pte_range()",
          "With the page locked, MADV_FREE clears PageDirty."),
    _rule("madv_free_cleans_pte", "pte_dirty pte_young", "mm/madvise.c madvise_free_pte_range()",
          "MADV_FREE clears the pte's dirty and young bits."),
    _rule("madv_free_deactivates", "active", "mm/madvise.c madvise_free_pte_range()",
          "MADV_FREE moves the page to the inactive list."),
    _rule("madv_free_marks_lazyfree", "swapbacked swapcache", "mm/swap.c mark_page_lazyfree()",
          "MADV_FREE queues the page in the lazyfree batch."),
    _rule("lazyfree_drain_clears_swapbacked", "swapbacked swapcache", "mm/swap.c lru_lazyfree_fn()",
          "When the lazyfree batch is drained, the page loses SwapBacked and goes to the inactive file list."),
    _rule("madvise_knows_cold", "", "mm/madvise.c madvise_behavior_valid()",
          "madvise has MADV_COLD."),
    _rule("madvise_knows_pageout", "", "mm/madvise.c madvise_behavior_valid()",
          "madvise has MADV_PAGEOUT."),
    _rule("madv_pageout_takes_page", "shared", "mm/madvise.c madvise_cold_or_pageout_pte_range()",
          "MADV_COLD and MADV_PAGEOUT take the page."),
)  # fmt: skip

_VMSCAN = (
    _rule("writeback_keep_unlocks", "", "mm/vmscan.c shrink_page_list()",
          "A page that is kept because it is under writeback is unlocked."),
    _rule("writeback_activates", "", "mm/vmscan.c shrink_folio_list()",
          "A page that reclaim meets under writeback joins the active list."),
    _rule("reclaim_activates", "pte_young page_referenced swapbacked", "mm/vmscan.c page_check_references()",
          "A page met on the inactive list goes back to the active one."),
    _rule("reclaim_keeps", "pte_young page_referenced swapbacked", "mm/vmscan.c page_check_references()",
          "A page met on the inactive list stays there for another round."),
    _rule("reclaim_freeable", "anon pte_dirty page_dirty swapcache swapbacked memcg",
          "mm/vmscan.c page_check_references()",
          "The page was given up: reclaim discards it and gives it no swap slot. pte_dirty: any pte seen is dirty;"
          " memcg: reclaim is for one cgroup."),
    _rule("references_see_other_memcgs", "", "mm/rmap.c page_referenced()",
          "Reclaim of one cgroup looks at the ptes of processes of other cgroups too."),
    _rule("add_to_swap_sets_page_dirty", "page_dirty", "mm/swap_state.c add_to_swap()",
          "A page that gets a swap slot is marked dirty."),
    _rule("reclaim_tries_lazyfree", "added_to_swap page_dirty", "mm/vmscan.c shrink_page_list()",
          "Unmapping may discard clean ptes of the page instead of making them swap ptes (TTU_LZFREE)."),
    _rule("reclaim_writes_page", "page_dirty swapcache", "mm/vmscan.c shrink_page_list()",
          "The page is written to its slot before its frame is freed."),
    _rule("lazyfree_skips_pageout", "page_dirty", "mm/rmap.c try_to_unmap()",
          "A page of which some pte was discarded is freed without a write (SWAP_LZFREE)."),
    _rule("remove_mapping_keeps_page", "page_dirty", "mm/vmscan.c __remove_mapping()",
          "The frame is not freed after all."),
    _rule("lazyfree_remove_keeps_page", "page_dirty", "mm/vmscan.c shrink_page_list()",
          "A page that was discarded from its ptes is not freed after all."),
    _rule("activate_frees_slot", "swap_full", "mm/vmscan.c shrink_page_list()",
          "A page that goes back to the active list gives its slot up."),
)  # fmt: skip

_RMAP = (
    _rule("unmap_fails_young", "pte_young ignore_young", "mm/rmap.c try_to_unmap_one()",
          "A pte that was used since the last look keeps the page mapped."),
    _rule("unmap_dirties_page", "pte_dirty page_dirty migration swapcache", "mm/rmap.c try_to_unmap_one()",
          "Unmapping a pte for reclaim or migration marks the page dirty."),
    _rule("unmap_discards", "freeable lazyfree pte_dirty page_dirty swapbacked extra_refs",
          "mm/rmap.c try_to_unmap_one()",
          "The pte becomes none instead of a swap pte: the page was given up."),
    _rule("unmap_restores_redirtied", "freeable lazyfree", "mm/rmap.c try_to_unmap_one()",
          "A pte that reclaim wanted to discard but may not is put back, and the page is kept."),
    _rule("restore_sets_swapbacked", "page_dirty", "mm/rmap.c try_to_unmap_one()",
          "A page whose pte is put back so is SwapBacked again."),
    _rule("unmap_keeps_exclusive", "", "mm/rmap.c try_to_unmap_one()",
          "The swap pte or migration entry remembers that the page was AnonExclusive."),
    _rule("unmap_fails_pinned", "exclusive pinned", "mm/rmap.c try_to_unmap_one(), page_try_share_anon_rmap()",
          "A page that a device may write to stays mapped."),
)  # fmt: skip

_MLOCK = (
    _rule("mlock_holds_page", "", "mm/mlock.c mlock_folio(), munlock_folio()",
          "Marking a page as locked, or not any more, goes through a batch that holds it."),
)  # fmt: skip

_MIGRATE = (
    _rule("migration_uses_swap_pte", "swapcache", "mm/rmap.c try_to_unmap_one()",
          "Migration turns the ptes of the page into ordinary swap ptes, not migration entries."),
    _rule("migration_keeps_page_dirty", "page_dirty", "mm/migrate.c migrate_page_copy()",
          "PageDirty is carried to the page's new frame."),
    _rule("migration_pte_dirty", "entry_dirty page_dirty entry_write swapcache",
          "mm/migrate.c remove_migration_pte()", "The pte that migration puts back is dirty."),
    _rule("migration_dirty_sets_soft_dirty", "", "mm/migrate.c remove_migration_pte(), pte_mkdirty()",
          "A pte that migration puts back dirty is soft-dirty too."),
    _rule("migrate_absent_is_fault", "empty anonymous", "mm/migrate.c add_page_for_migration()",
          "move_pages() of a page that is not present says EFAULT, not ENOENT. empty: nothing is swapped out either."),
    _rule("migration_drains_batches", "", "mm/migrate.c migrate_folio_move()",
          "The page on its frame joins its list at once."),
    _rule("migration_pte_young", "entry_young", "mm/migrate.c remove_migration_pte()",
          "The pte that migration puts back is young."),
)  # fmt: skip

_KSM = (
    _rule("ksm_finds_unmapped", "", "mm/ksm.c stable_tree_search()",
          "A stable page that nobody maps any more can still be merged into."),
    _rule("break_ksm_unshares", "", "mm/ksm.c break_ksm()",
          "A merged page is replaced by a copy for reading (FAULT_FLAG_UNSHARE), not as by a store."),
    _rule("ksm_protects_pte", "pte_write pte_dirty exclusive", "mm/ksm.c write_protect_page()",
          "Before comparing, KSM write-protects the pte and moves its dirty bit."),
    _rule("ksm_protect_dirties_page", "pte_dirty page_dirty", "mm/ksm.c write_protect_page()",
          "The dirty bit that KSM takes from the pte is kept in the page."),
    _rule("ksm_stable_sets_page_dirty", "page_dirty swapcache", "mm/ksm.c try_to_merge_one_page()",
          "A page that becomes a stable KSM page is marked dirty."),
    _rule("ksm_replace_pte_dirty", "pte_dirty", "mm/ksm.c replace_page()",
          "The pte that KSM points to the stable page is dirty."),
)  # fmt: skip

_PAGE_IO = (
    _rule("write_error_sets_page_dirty", "", "mm/page_io.c end_swap_bio_write()",
          "A failed write to swap leaves the page dirty."),
    _rule("read_drops_copy", "synchronous sole", "mm/page_io.c swap_slot_free_notify()",
          "Reading a page into the swap cache drops the device's copy of it, so the page is marked dirty."),
    _rule("write_skips_zeros", "", "mm/page_io.c swap_writepage()",
          "A page of zeros is noted in a bitmap instead of written."),
)  # fmt: skip

_GUP = (
    _rule("gup_touch_dirties_page", "pte_dirty page_dirty", "mm/gup.c follow_page_pte()",
          "Looking a page up for writing (FOLL_TOUCH) marks it dirty."),
    _rule("gup_read_unshares", "anon exclusive", "include/linux/mm.h gup_must_unshare()",
          "A load through get_user_pages() of a page that is not AnonExclusive copies it first (FAULT_FLAG_UNSHARE)."),
    _rule("gup_fast_dirties_page", "pte_dirty page_dirty", "mm/gup.c gup_pte_range()",
          "Looking a page up for writing without a lock, for direct I/O, marks it dirty."),
    _rule("gup_pins_page", "", "mm/gup.c pin_user_pages_fast()",
          "Direct I/O pins its page (FOLL_PIN), so that others can tell it from any reference."),
    _rule("unpin_dirties_page", "", "block/bio.c bio_release_pages(), mm/gup.c unpin_user_pages_dirty_lock()",
          "Letting go of a page that was written to marks it dirty."),
)  # fmt: skip

_MPROTECT = (
    _rule("mprotect_grants_write", "exclusive soft_dirty shared pte_dirty", "mm/mprotect.c can_change_pte_writable()",
          "Making a mapping writable makes the pte writable at once; else the next store faults."),
    _rule("mremap_sets_soft_dirty", "", "mm/mremap.c move_soft_dirty_pte()",
          "A pte that was moved to another address is soft-dirty."),
    _rule("clear_refs_protects_pte", "pte_write", "fs/proc/task_mmu.c clear_soft_dirty()",
          "Clearing soft-dirty write-protects the pte, so that the next store is noticed."),
)  # fmt: skip

_SHMEM = (
    _rule("shmem_swapin_sets_page_dirty", "", "mm/shmem.c shmem_swapin_page()",
          "A page of a file that comes back from swap is marked dirty."),
    _rule("shmem_writes_page", "page_dirty", "mm/vmscan.c shrink_page_list(), mm/shmem.c shmem_writepage()",
          "Reclaim swaps the page of a file out instead of dropping it."),
    _rule("punch_unmaps_copies", "", "mm/shmem.c shmem_fallocate()",
          "Punching a hole takes the private copies of the page away too."),
    _rule("truncate_unmaps_copies", "", "mm/truncate.c truncate_pagecache()",
          "Truncation takes the private copies of the pages beyond the end away too."),
)  # fmt: skip

_HUGE_MEMORY = (
    _rule("pmd_split_pte_dirty", "pmd_dirty", "mm/huge_memory.c __split_huge_pmd_locked()",
          "The ptes that replace a huge mapping are dirty."),
    _rule("pmd_split_dirties_page", "pmd_dirty", "mm/huge_memory.c __split_huge_pmd_locked()",
          "Replacing a huge mapping by ptes moves its dirty bit to the page."),
    _rule("pmd_split_keeps_soft_dirty", "", "mm/huge_memory.c __split_huge_pmd_locked()",
          "The ptes that replace a huge mapping are soft-dirty where it was."),
    _rule("pmd_split_splits_page", "", "mm/huge_memory.c split_huge_page_pmd()",
          "Replacing a huge mapping by ptes splits the page itself."),
    _rule("split_pte_dirty", "entry_dirty page_dirty", "mm/huge_memory.c remap_page(), unfreeze_page()",
          "The pte of a part of a huge page that was split is dirty."),
    _rule("split_fails_when_held", "", "mm/huge_memory.c split_huge_page_to_list()",
          "A huge page that others hold is not split; else their references go to the parts they hold."),
    _rule("split_gathers_dirty", "entry_dirty", "mm/huge_memory.c unmap_page(), freeze_page()",
          "Splitting a huge page moves the dirty bit of its ptes and pmds to the page first."),
    _rule("split_dirties_tails", "", "mm/huge_memory.c __split_huge_page_refcount()",
          "The parts of a split huge page, all but the first, are marked dirty."),
    _rule("split_keeps_young", "entry_young", "mm/huge_memory.c remap_page(), unfreeze_page()",
          "The pte of a part of a huge page that was split is young."),
    _rule("split_keeps_soft_dirty", "", "mm/huge_memory.c remap_page(), unfreeze_page()",
          "The pte of a part of a huge page that was split is soft-dirty where its pte or pmd was."),
    _rule("split_maps_zero_page", "zeros locked swapcache", "mm/migrate.c try_to_map_unused_to_zeropage()",
          "A part of a split huge page is replaced by the zero page."),
    _rule("swap_takes_whole_thp", "synchronous pmd_mapped partly_mapped",
          "mm/swap_slots.c, mm/swapfile.c get_swap_pages()",
          "A huge page is swapped out as one, without being split."),
    _rule("madvise_splits_thp", "shared", "mm/madvise.c",
          "Advice about one part of a huge page splits it first; else that part is left alone."),
    _rule("madv_free_counts_head", "", "mm/madvise.c madvise_free_pte_range(), folio_estimated_sharers()",
          "MADV_FREE of a part of a huge page takes the page for shared if its head is not mapped exactly once."),
    _rule("advice_stops_at_shared_thp", "", "mm/madvise.c",
          "Advice about a range ends at a part of a huge page that others map too."),
    _rule("collapse_waits_for_swapin", "", "mm/khugepaged.c __collapse_huge_page_swapin()",
          "Collapse waits for a page that is read from the device; else it gives up (EAGAIN) while that is under way."),
    _rule("migration_splits_partly_mapped", "", "mm/migrate.c migrate_pages_batch()",
          "A huge page of which not all parts are mapped is split before it is moved."),
    _rule("madv_free_ends_with_split", "", "mm/madvise.c madvise_free_pte_range()",
          "MADV_FREE of a part of a huge page splits it and does no more."),
    _rule("madvise_takes_whole_folio", "", "mm/madvise.c madvise_folio_pte_batch()",
          "Advice about a whole huge page that is mapped by ptes does not split it."),
    _rule("migration_splits_thp", "", "mm/migrate.c migrate_pages()",
          "Migration of a part of a huge page splits it, and moves that part."),
)  # fmt: skip

RULES: tuple[Rule, ...] = (
    *_MEMORY,
    *_SWAPFILE,
    *_SWAP,
    *_MADVISE,
    *_VMSCAN,
    *_RMAP,
    *_MLOCK,
    *_MIGRATE,
    *_KSM,
    *_PAGE_IO,
    *_GUP,
    *_MPROTECT,
    *_SHMEM,
    *_HUGE_MEMORY,
)
RULE_BY_NAME: dict[str, Rule] = {rule.name: rule for rule in RULES}


def _offsets() -> tuple[dict[str, int], int]:
    offsets: dict[str, int] = {}
    row = 0
    for rule in RULES:
        offsets[rule.name] = row
        row += rule.row_count
    return offsets, row


_OFFSETS, TOTAL_ROWS = _offsets()


def offset(rule: Rule) -> int:
    """The rule's first row in the flat table."""
    return _OFFSETS[rule.name]


def rule_of_row(flat_row: int) -> tuple[Rule, int]:
    """The rule that a row of the flat table belongs to, and the row's number inside the rule."""
    for rule in RULES:
        first = _OFFSETS[rule.name]
        if first <= flat_row < first + rule.row_count:
            return rule, flat_row - first
    raise IndexError(f"row {flat_row} is outside the flat table of {TOTAL_ROWS} rows")


def row_bits(rule: Rule, row: int) -> dict[str, bool]:
    """The value of each of the rule's bits in one of its rows."""
    return {bit: bool(row >> i & 1) for i, bit in enumerate(rule.bits)}
