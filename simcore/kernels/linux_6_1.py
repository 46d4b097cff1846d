"""linux-6.1: AnonExclusive pages, swap-in past the cache, references that count."""

from simcore.kernels.linux_4_14 import Linux414


class Linux61(Linux414):
    """v6.1 mm/ with the stable fixes of 6.1.192.

    Rules that are not here are as in v4.14.
    """

    name = "linux-6.1"
    successor = "linux-6.12"

    # mm/memory.c

    def fresh_page_active():
        """do_anonymous_page(), b518154e59aa (v5.9): lru_cache_add_inactive_or_unevictable()."""
        return False

    def fresh_page_exclusive():
        """page_add_new_anon_rmap(), 6c287605fd56 (v5.19): SetPageAnonExclusive()."""
        return True

    def swapin_skips_cache(synchronous, sole):
        """do_swap_page(), 0bcac06f27d7 and aa8d22a11da9 (v4.15): SWP_SYNCHRONOUS_IO and __swap_count() == 1."""
        return synchronous and sole

    def swapin_claims_slot():
        """do_swap_page(), 13ddaf26be32 (v6.8, stable): swapcache_prepare() while the page is read."""
        return True

    def swapin_page_is_sole(sole, ksm, swapcache, extra_refs, exclusive):
        """do_swap_page(): not KSM, and exclusive or folio_ref_count() == 1."""
        return not ksm and (exclusive or (sole and not swapcache and not extra_refs))

    def swapin_drains_batches(on_lru, write, ksm):
        """do_swap_page(), d4c470970d45 (v5.18): lru_add_drain() for a write fault."""
        return write and not ksm and not on_lru

    def swapin_frees_slot_first():
        """do_swap_page(): swap_free() and folio_free_swap() before the pte is made."""
        return True

    def swapin_frees_slot(swap_full, vm_locked, mlocked, write, ksm, extra_refs):
        """should_try_to_free_swap(): also for a write fault when only the fault and the cache hold the page."""
        return swap_full or vm_locked or mlocked or (write and not ksm and not extra_refs)

    def swapin_sets_exclusive(reuse):
        """do_swap_page(): RMAP_EXCLUSIVE."""
        return reuse

    def wp_drains_batches(on_lru, ksm):
        """do_wp_page(): lru_add_drain() if the folio is not on a list; a batch holds a reference."""
        return not on_lru and not ksm

    def wp_frees_slot(sole, swapcache, extra_refs, ksm, exclusive):
        """do_wp_page(): folio_free_swap() once the reference count allows reuse."""
        return sole and swapcache and not extra_refs and not ksm and not exclusive

    def wp_waits_for_page_lock():
        """do_wp_page(), 09854ba94c6a (v5.9): folio_trylock(), else copy."""
        return False

    def wp_sets_exclusive():
        """do_wp_page(): SetPageAnonExclusive()."""
        return True

    def wp_reuses_page(sole, ksm, swapcache, extra_refs, exclusive):
        """do_wp_page(): AnonExclusive, or one reference in all."""
        return exclusive or (sole and not ksm and not swapcache and not extra_refs)

    def wp_reuses_huge_page(sole, swapcache, extra_refs, exclusive):
        """do_huge_pmd_wp_page(), 6c287605fd56 (v5.19): as for small pages."""
        return exclusive or (sole and not swapcache and not extra_refs)

    def reuse_leaves_swapcache():
        """reuse_swap_page() is gone: a page that is AnonExclusive is written to in the swap cache."""
        return False

    def cow_frees_old_slot(mapped):
        """wp_page_copy(): free_swap_cache(old_page), which wants it unmapped."""
        return not mapped

    def fork_clears_exclusive():
        """copy_present_pte(): page_try_dup_anon_rmap(); copy_nonpresent_pte(): pte_swp_clear_exclusive()."""
        return True

    def fork_copies_pinned(exclusive, pinned):
        """copy_present_page(), 70e806e4e645 (v5.9)."""
        return exclusive and pinned

    # mm/swapfile.c

    def unuse_keeps_soft_dirty():
        """unuse_pte(), 14a762dd1977 (v5.19)."""
        return True

    def unuse_keeps_exclusive():
        """unuse_pte(): RMAP_EXCLUSIVE if pte_swp_exclusive()."""
        return True

    def swapoff_activates():
        """try_to_unuse(), b56a2d8af914 (v5.1): not any more."""
        return False

    # mm/madvise.c

    def madvise_knows_cold():
        """9c276cc65a58 (v5.4)."""
        return True

    def madvise_knows_pageout():
        """1a4e58cce84e (v5.4)."""
        return True

    # mm/vmscan.c, mm/rmap.c

    def writeback_activates():
        """shrink_folio_list(), c55e8d035b28 (v4.11) and later: goto activate_locked, out of reclaim's way."""
        return True

    def mlock_holds_page():
        """mlock_page_drain_local(), 2fbb0c10d1e8 (v5.18): a batch of its own, drained with the others."""
        return True

    def unmap_fails_young():
        """try_to_unmap_one(): young is not looked at any more."""
        return False

    def unmap_discards(freeable, page_dirty, extra_refs):
        """try_to_unmap_one(), 6c8e2a256915 (v5.18): references besides mappings and reclaim's own keep the pte."""
        return freeable and not page_dirty and not extra_refs

    def lazyfree_remove_keeps_page():
        """shrink_folio_list(), 6c8e2a256915: PageDirty was looked at while the pte was gone."""
        return False

    def unmap_keeps_exclusive():
        """try_to_unmap_one(): pte_swp_mkexclusive(); try_to_migrate_one(): readable exclusive entries."""
        return True

    def unmap_fails_pinned(exclusive, pinned):
        """page_try_share_anon_rmap(): a page that may be pinned stays exclusive and mapped."""
        return exclusive and pinned

    # mm/migrate.c

    def migration_pte_dirty(entry_dirty, page_dirty):
        """remove_migration_pte(), 2e3468778dbe (v6.1): the entry's dirty bit, if the page is dirty."""
        return entry_dirty and page_dirty

    def migration_pte_young(entry_young):
        """remove_migration_pte(), 2e3468778dbe (v6.1): the entry's young bit."""
        return entry_young

    def migration_drains_batches():
        """__unmap_and_move(): lru_add_drain() if the page was mapped."""
        return True

    # mm/ksm.c

    def ksm_protects_pte(pte_write, pte_dirty, exclusive):
        """write_protect_page(): also for AnonExclusive."""
        return pte_write or pte_dirty or exclusive

    # mm/gup.c, mm/mprotect.c

    def gup_read_unshares(anon, exclusive):
        """gup_must_unshare(), a7f226604170 (v5.19): a pin for reading wants an exclusive anonymous page."""
        return anon and not exclusive

    def gup_pins_page():
        """pin_user_pages_fast() (v5.6)."""
        return True

    def mprotect_grants_write(exclusive, soft_dirty, shared, pte_dirty):
        """can_change_pte_writable(), 64fe24a3e05e (v5.19): an exclusive page whose pte is dirty; shared as before."""
        return soft_dirty and (shared or (exclusive and pte_dirty))

    # mm/page_io.c

    def read_drops_copy():
        """swap_slot_free_notify() is gone: v5.18, after 0bcac06f27d7 had made it lose data."""
        return False

    # mm/huge_memory.c

    def split_keeps_young(entry_young):
        """remap_page(): remove_migration_pte(), 2e3468778dbe (v6.1)."""
        return entry_young

    def split_pte_dirty(entry_dirty, page_dirty):
        """remap_page(): remove_migration_pte(), with the entry's dirty bit if the page is dirty."""
        return entry_dirty and page_dirty

    def madv_free_counts_head():
        """madvise_free_pte_range() (with its stable fixes): folio_estimated_sharers(), which is the head's mapcount."""
        return True
