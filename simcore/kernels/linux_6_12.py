"""linux-6.12: folios throughout, swap-in that maps writable, pages of zeros that are not written."""

from simcore.kernels.linux_6_1 import Linux61


class Linux612(Linux61):
    """v6.12 mm/ with the stable fixes of 6.12.117.

    Rules that are not here are as in v6.1.
    """

    name = "linux-6.12"

    def swapin_pte_write(reuse, soft_dirty):
        """do_swap_page(), c18160dba5ff (v6.9): pte_mkwrite() whatever the fault, unless soft-dirty is tracked."""
        return reuse and soft_dirty

    def migrate_absent_is_fault():
        """add_folio_for_migration() (v6.12): folio_walk_start() finds nothing, ENOENT."""
        return False

    def mprotect_grants_write(exclusive, soft_dirty, shared):
        """can_change_pte_writable(), 7ea7e333842e (v6.2): an exclusive page need not be dirty."""
        return soft_dirty and (shared or exclusive)

    def migration_dirty_sets_soft_dirty():
        """remove_migration_pte(): the pte is made dirty without soft-dirty."""
        return False

    def break_ksm_unshares():
        """break_ksm(), 6cce3314b928 (v6.2): FAULT_FLAG_UNSHARE."""
        return True

    def write_skips_zeros():
        """swap_writepage(), 0ca0c24e3211 (v6.12): swap_zeromap_folio_set()."""
        return True

    def split_maps_zero_page(zeros, locked, swapcache):
        """try_to_map_unused_to_zeropage(), b1f202060afe (v6.12)."""
        return zeros and not locked and not swapcache

    def madvise_takes_whole_folio():
        """madvise_folio_pte_batch(), dce7d10be4bb and 3931b871c494 (v6.10)."""
        return True

    def pmd_split_pte_dirty(pmd_dirty):
        """__split_huge_pmd_locked(): pte_mkdirty() again, which sets soft-dirty too."""
        return pmd_dirty

    def advice_stops_at_shared_thp():
        """madvise_free_pte_range(), madvise_cold_or_pageout_pte_range() (v6.10): continue."""
        return False

    def collapse_waits_for_swapin():
        """__collapse_huge_page_swapin(): do_swap_page() may return VM_FAULT_RETRY, SCAN_PAGE_LOCK."""
        return False

    def migration_splits_partly_mapped():
        """migrate_pages_batch(), v6.11: a folio on the deferred split list is split first."""
        return True

    def madv_free_counts_head():
        """madvise_free_pte_range(): folio_likely_mapped_shared()."""
        return False

    def swap_takes_whole_thp(synchronous, partly_mapped):
        """shrink_folio_list(), 5ed890ce5147 (v6.10): only a folio of which parts are unmapped is split first."""
        return synchronous and not partly_mapped
