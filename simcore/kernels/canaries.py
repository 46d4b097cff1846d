"""Canaries: kernels with one bug planted on purpose, which one oracle, and no other, must catch.

They are made from a kernel on which every oracle is silent, so that what is heard is the planted bug. A campaign that
does not find its canary is not testing anything.
"""

from simcore.kernel_class import KernelBase
from simcore.kernels.linux_4_0_rc7_mm1 import Linux40Rc7Mm1


class Sound(Linux40Rc7Mm1):
    """linux-4.0-rc7-mm1 with everything mended that the oracles found in it; no such kernel was ever released."""

    name = "canary-sound"

    def madv_free_locks_page(swapcache, page_dirty, ksm):
        """As v4.5, and for KSM pages."""
        return swapcache or page_dirty or ksm

    def madv_free_skips_page(shared, ksm):
        """As v4.5, and a KSM page is left alone: who merges into it later has not given it up."""
        return shared or ksm

    def madv_free_clears_page_dirty():
        """As v4.5: a sole user's page loses PageDirty, whatever set it."""
        return True

    def ksm_stable_sets_page_dirty(page_dirty, swapcache):
        """As 337ed7eb5f03, but a page with a valid slot stays clean and need not be written again."""
        return not page_dirty and not swapcache

    def gup_pins_page():
        """As v5.6."""
        return True

    def fork_copies_pinned(pinned):
        """As 70e806e4e645: the child gets a copy at once."""
        return pinned

    def ksm_protects_pte():
        """References are looked at also where the pte is neither writable nor dirty."""
        return True

    def unmap_fails_pinned(pinned):
        """As v5.19: what a device may write to stays mapped."""
        return pinned

    def unmap_discards(freeable, pte_dirty, page_dirty, extra_refs):
        """As before, and as 6c8e2a256915: not while somebody else may be writing to the page."""
        return freeable and not pte_dirty and not page_dirty and not extra_refs

    def madvise_knows_cold():
        """As v5.4, so that canaries reach that code."""
        return True

    def madvise_knows_pageout():
        """As v5.4, so that canaries reach that code."""
        return True


class DiscardsDirtyPages(Sound):
    """Reclaim discards a page that is dirty in a pte and in its flags."""

    name = "canary-discards-dirty-pages"

    def reclaim_freeable(anon, swapcache):
        """Planted: neither the ptes nor PageDirty are looked at."""
        return anon and not swapcache

    def unmap_discards(freeable):
        """Planted: nor here."""
        return freeable


class UnmapTrustsSlot(Sound):
    """Unmapping a page of the swap cache takes its slot for good, though a pte is dirty."""

    name = "canary-unmap-trusts-slot"

    def unmap_dirties_page(pte_dirty, swapcache):
        """Planted: not for a page of the swap cache."""
        return pte_dirty and not swapcache


class TrustsFailedWrite(Sound):
    """A page whose write to swap failed counts as clean, and its slot as good."""

    name = "canary-trusts-failed-write"

    def write_error_sets_page_dirty():
        """Planted."""
        return False


class ForkKeepsWrite(Sound):
    """fork leaves pages writable in both processes."""

    name = "canary-fork-keeps-write"

    def fork_write_protects():
        """Planted."""
        return False


class DontneedSkipsSwapped(Sound):
    """MADV_DONTNEED leaves swap ptes where they are."""

    name = "canary-dontneed-skips-swapped"

    def dontneed_zaps_pte(swapped):
        """Planted."""
        return not swapped


class ReuseUnderWriteback(Sound):
    """A page under writeback is taken out of the swap cache by its sole owner."""

    name = "canary-reuse-under-writeback"

    def reuse_leaves_swapcache(swapcache):
        """Planted: PageWriteback is not looked at."""
        return swapcache


class ForkForgetsSlot(Sound):
    """fork copies a swap pte without counting it."""

    name = "canary-fork-forgets-slot"

    def fork_duplicates_slot():
        """Planted."""
        return False


class SwapinNeverInstalls(Sound):
    """Swap-in backs out every time."""

    name = "canary-swapin-never-installs"

    def swapin_installs():
        """Planted."""
        return False


class ForgetsUnlock(Sound):
    """Reclaim leaves a page locked that it keeps because of writeback."""

    name = "canary-forgets-unlock"

    def writeback_keep_unlocks():
        """Planted."""
        return False


class SwapoffMissesSoftDirty(Sound):
    """swapoff compares swap ptes with the soft-dirty bit in them, and never finds those that have it."""

    name = "canary-swapoff-misses-soft-dirty"

    def unuse_matches_pte(soft_dirty):
        """Planted."""
        return not soft_dirty


class KeepsFreedPages(Sound):
    """Reclaim takes a page for given up, and then does not discard it."""

    name = "canary-keeps-freed-pages"

    def unmap_discards():
        """Planted."""
        return False


class CgroupWritesFreed(Sound):
    """Reclaim for one cgroup swaps out pages that were given up with MADV_FREE."""

    name = "canary-cgroup-writes-freed"

    def reclaim_freeable(anon, pte_dirty, page_dirty, swapcache, memcg):
        """Planted: not when reclaim is for a cgroup."""
        return anon and not pte_dirty and not page_dirty and not swapcache and not memcg


class SwapinDirtiesPage(Sound):
    """A page swapped in by a read is mapped dirty: one part of the refused patch."""

    name = "canary-swapin-dirties-page"

    def swapin_pte_dirty():
        """Planted."""
        return True


class CowForgetsPut(Sound):
    """Copy on write keeps its reference to the old page."""

    name = "canary-cow-forgets-put"

    def cow_puts_old_page():
        """Planted."""
        return False


class ZapForgetsSlot(Sound):
    """Dropping a swap pte leaves it counted in its slot."""

    name = "canary-zap-forgets-slot"

    def zap_frees_slot():
        """Planted."""
        return False


CANARIES: tuple[type[KernelBase], ...] = (
    Sound,
    DiscardsDirtyPages,
    UnmapTrustsSlot,
    TrustsFailedWrite,
    ForkKeepsWrite,
    DontneedSkipsSwapped,
    ReuseUnderWriteback,
    ForkForgetsSlot,
    SwapinNeverInstalls,
    ForgetsUnlock,
    SwapoffMissesSoftDirty,
    KeepsFreedPages,
    CgroupWritesFreed,
    SwapinDirtiesPage,
    CowForgetsPut,
    ZapForgetsSlot,
)
