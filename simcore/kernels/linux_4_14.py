"""linux-4.14: given-up pages are told by SwapBacked, on the inactive file list."""

from simcore.kernels.linux_4_5 import Linux45


class Linux414(Linux45):
    """v4.14 mm/ (4.14.5): MADV_FREE clears SwapBacked (802a3a92ad7a, v4.12), and adding to swap marks dirty again.

    Rules that are not here are as in v4.5.
    """

    name = "linux-4.14"
    successor = "linux-6.1"

    def swapin_finds_page(swapcache, swapbacked):
        """PageSwapCache(), 6326fec1122c (v4.10): PageSwapBacked() and PG_swapcache, which is PG_owner_priv_1."""
        return swapcache and swapbacked

    def madv_free_is_dontneed():
        """madvise_free_single_vma(), 93e06c7a6453: works without swap, for lazily freed pages need none."""
        return False

    def madv_free_deactivates():
        """madvise_free_pte_range(): replaced by mark_page_lazyfree()."""
        return False

    def madv_free_marks_lazyfree(swapbacked, swapcache):
        """mark_page_lazyfree(), 24c92eb7dce0: SwapBacked and not in the swap cache."""
        return swapbacked and not swapcache

    def lazyfree_drain_clears_swapbacked(swapbacked, swapcache):
        """lru_lazyfree_fn(): the same test again when the batch is drained."""
        return swapbacked and not swapcache

    def reclaim_freeable(anon, swapbacked):
        """shrink_page_list(): an anonymous page that is not SwapBacked gets no slot."""
        return anon and not swapbacked

    def reclaim_tries_lazyfree():
        """shrink_page_list(): TTU_LZFREE is gone."""
        return False

    def add_to_swap_sets_page_dirty():
        """add_to_swap(), 9625456cc767: set_page_dirty(), so that the page is written whatever the ptes say."""
        return True

    def unmap_discards(freeable, page_dirty):
        """try_to_unmap_one(): if the page is not dirty, which it is if any pte was."""
        return freeable and not page_dirty

    def unmap_restores_redirtied(freeable):
        """try_to_unmap_one(): set_pte_at(), SetPageSwapBacked(), not unmapped."""
        return freeable

    def restore_sets_swapbacked():
        """try_to_unmap_one(): SetPageSwapBacked()."""
        return True

    def lazyfree_skips_pageout():
        """try_to_unmap(): SWAP_LZFREE is gone."""
        return False

    def lazyfree_remove_keeps_page(page_dirty):
        """shrink_page_list(): after page_ref_freeze(page, 1), PageDirty is looked at again."""
        return page_dirty

    def ksm_finds_unmapped():
        """is_page_sharing_candidate(), 2c653d0ee2ae (v4.13): a stable node needs a mapping left."""
        return False

    def swapoff_drops_shared_cache():
        """try_to_unuse(): the page stays in the swap cache while references remain."""
        return False

    def wp_reuses_huge_page(sole):
        """reuse_swap_page(), 6d0a07edd17c (v4.6): page_trans_huge_mapcount(), the greatest of all parts."""
        return sole

    def pmd_split_keeps_soft_dirty():
        """__split_huge_pmd_locked(), 804dd150468c: pte_mksoft_dirty()."""
        return True

    def batch_keeps_huge_page():
        """__lru_cache_add(), 8f182270dfec (v4.7): a compound page drains its batch."""
        return False

    def read_drops_copy(synchronous):
        """swap_readpage(), b06bad17b1bd (v4.7): swap_slot_free_notify() after bdev_read_page(), whoever else has it."""
        return synchronous

    def split_keeps_soft_dirty():
        """remap_page(), v4.10: remove_migration_pte(), pte_swp_soft_dirty()."""
        return True

    def split_pte_dirty():
        """remap_page(), v4.10: remove_migration_pte(), clean."""
        return False

    def swap_takes_whole_thp(synchronous, pmd_mapped):
        """get_swap_pages(), 38d8b4e6bdc8 (v4.13): a cluster of slots, which only devices without seeks have.

        shrink_page_list(): a huge page that is mapped by ptes only is split right away (bd4c82c22c36).
        """
        return synchronous and pmd_mapped

    def madv_free_ends_with_split():
        """madvise_free_pte_range(): goes on with the ptes."""
        return False

    def migration_splits_thp():
        """unmap_and_move(), 616b8371539a (v4.14): the huge page moves as one."""
        return False
