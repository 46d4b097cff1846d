"""linux-4.5: MADV_FREE as it was merged, with PageDirty as the authority."""

from simcore.kernels.linux_4_0_rc7_mm1 import Linux40Rc7Mm1


class Linux45(Linux40Rc7Mm1):
    """v4.5 mm/: what the MADV_FREE series had become when it was merged.

    Reclaim always gives an anonymous page a slot, and discards it in the same pass if nothing was dirty; whoever
    cleans ptes must have set PageDirty.
    """

    name = "linux-4.5"
    successor = "linux-4.14"

    def madv_free_locks_page(swapcache, page_dirty):
        """madvise_free_pte_range(): trylock_page() if PageSwapCache or PageDirty."""
        return swapcache or page_dirty

    def madv_free_skips_page(shared):
        """madvise_free_pte_range(): page_mapcount() != 1, unlock and go on."""
        return shared

    def madv_free_clears_page_dirty():
        """madvise_free_pte_range(): ClearPageDirty()."""
        return True

    def madv_free_cleans_pte(pte_dirty, pte_young):
        """madvise_free_pte_range(): if pte_young() or pte_dirty()."""
        return pte_dirty or pte_young

    def reclaim_freeable():
        """page_check_references(): gone; every anonymous page gets a slot first."""
        return False

    def add_to_swap_sets_page_dirty():
        """add_to_swap(): SetPageDirty() taken out, so that PageDirty can mean that a pte was dirty."""
        return False

    def reclaim_tries_lazyfree(added_to_swap):
        """shrink_page_list(): TTU_LZFREE if this pass added the page to swap."""
        return added_to_swap

    def lazyfree_skips_pageout(page_dirty):
        """try_to_unmap(): SWAP_LZFREE if a pte was discarded and the page is not dirty."""
        return not page_dirty

    def unmap_discards(lazyfree, page_dirty):
        """try_to_unmap_one(), TTU_LZFREE: the page, which has every pte's dirty bit so far, is not dirty."""
        return lazyfree and not page_dirty

    def unmap_restores_redirtied():
        """try_to_unmap_one(): a pte that is not discarded becomes a swap pte."""
        return False

    def migration_uses_swap_pte():
        """try_to_unmap_one(): migration entries for pages of the swap cache too."""
        return False

    def ksm_stable_sets_page_dirty(page_dirty):
        """try_to_merge_one_page(), 337ed7eb5f03: SetPageDirty() if it is not set."""
        return not page_dirty

    def wp_reuses_huge_page(sole, extra_refs, pmd_mapped):
        """do_huge_pmd_wp_page(): page_count() is 1; reuse_swap_page(): a part of a huge page cannot be reused."""
        return pmd_mapped and sole and not extra_refs

    def pmd_split_pte_dirty():
        """__split_huge_pmd_locked(), v4.5: mk_pte(), not dirty."""
        return False

    def pmd_split_dirties_page(pmd_dirty):
        """__split_huge_pmd_locked(): SetPageDirty()."""
        return pmd_dirty

    def pmd_split_keeps_soft_dirty():
        """__split_huge_pmd_locked(): the bit is not looked at."""
        return False

    def pmd_split_splits_page():
        """__split_huge_pmd(), v4.5: the page stays huge, mapped by ptes."""
        return False

    def split_pte_dirty(page_dirty):
        """unfreeze_page_vma(): pte_mkdirty() if PageDirty."""
        return page_dirty

    def split_fails_when_held():
        """split_huge_page_to_list(), e9b61f19858a (v4.5): page_count() must be what mappings and the caller hold."""
        return True

    def split_gathers_dirty(entry_dirty):
        """freeze_page_vma(), __split_huge_pmd_locked(): SetPageDirty()."""
        return entry_dirty

    def split_dirties_tails():
        """__split_huge_page_tail(): PG_dirty is inherited from the head."""
        return False

    def split_keeps_young():
        """unfreeze_page_vma(): pte_mkold(mk_pte())."""
        return False

    def split_keeps_soft_dirty():
        """unfreeze_page_vma(): the bit of the migration entry is not looked at; pte_mkdirty() may set it."""
        return False

    def madvise_splits_thp(shared):
        """madvise_free_pte_range(): page_mapcount() != 1 ends the walk."""
        return not shared

    def advice_stops_at_shared_thp():
        """madvise_free_pte_range(): goto out."""
        return True

    def madv_free_ends_with_split():
        """madvise_free_huge_pmd(): after the split the walk ends."""
        return True
