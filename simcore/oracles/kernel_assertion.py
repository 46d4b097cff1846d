"""The kernel's own assertions hold.

VM_BUG_ON() and what the kernel prints as bad page state or bad swap file entry.
"""

from simcore import constants
from simcore.oracles.declaration import Oracle

ORACLE = Oracle(
    code=6,
    name="kernel-assertion",
    cls="safety",
    promise="The kernel's own assertions hold.",
    what="the kernel stops: {bug}",
    false_alarms="None: the assertion is in the kernel.",
    canary="canary-reuse-under-writeback",
)

# What the kernel would print, by the core's BUG_* numbers.
BUGS: dict[int, str] = {
    constants.BUG_UNMAP_FREEABLE_SWAPCACHE: "VM_BUG_ON_PAGE(PageSwapCache(page)) in try_to_unmap_one(), TTU_FREE",
    constants.BUG_FREE_MAPPED: "Bad page state: nonzero mapcount when the page is freed",
    constants.BUG_FREE_SWAPCACHE: "Bad page state: PageSwapCache when the page is freed",
    constants.BUG_SWAP_FREE_UNUSED: "swap_info_get: Unused swap offset entry, in swap_free()",
    constants.BUG_SWAP_DUP_UNUSED: "swap_dup: Bad swap file entry",
    constants.BUG_SWAPCACHE_TWICE: "VM_BUG_ON_PAGE(PageSwapCache(page)) in add_to_swap_cache()",
    constants.BUG_DELETE_NOT_SWAPCACHE: "VM_BUG_ON_PAGE(!PageSwapCache(page)) in delete_from_swap_cache()",
    constants.BUG_DELETE_WRITEBACK: "VM_BUG_ON_PAGE(PageWriteback(page)) in delete_from_swap_cache()",
    constants.BUG_RMAP_UNDERFLOW: "VM_BUG_ON_PAGE(page_mapcount(page) < 0) in page_remove_rmap()",
    constants.BUG_REFCOUNT_UNDERFLOW: "VM_BUG_ON_PAGE(page_ref_count(page) == 0) in put_page_testzero()",
    constants.BUG_LRU_TWICE: "VM_BUG_ON_PAGE(PageLRU(page)) in the LRU add",
    constants.BUG_WRITE_NO_SLOT: "an anonymous page is unmapped for swap without a swap entry",
}
