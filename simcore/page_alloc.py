"""Page frames: mm/page_alloc.c, and the reference counts that keep a frame.

refcount = mappings + swap cache + page cache + holders. A holder is a path that is under way (it has isolated the
page, looked it up, or allocated it and not mapped it yet), an LRU batch, or direct I/O.
"""

import cython


def alloc_page(s: "MmState", memcg: int) -> int:
    """A fresh page of zeros with one holder, charged to the cgroup; -1 when there is no memory.

    May reclaim first, so whatever the caller knew of ptes and pages without a reference may have changed.
    """
    if not memcg_try_charge(s, memcg):
        return -1
    if s.nr_free_pages == 0:
        try_to_free_pages(s, -1, DIRECT_RECLAIM_TARGET)
    if s.nr_free_pages == 0:
        memcg_uncharge(s, memcg)
        return -1
    s.nr_free_pages -= 1
    pfn = s.free_pages[s.nr_free_pages]
    s.nr_used_pages = max(s.nr_used_pages, pfn + 1)
    s.page_flags[pfn] = PG_UPTODATE | PG_SWAPBACKED | PG_STORED
    s.counts_changed = 1
    s.page_refcount[pfn] = 1
    s.page_mapcount[pfn] = 0
    s.page_content[pfn] = ZEROS
    s.page_slot[pfn] = -1
    s.page_lock[pfn] = 0
    s.page_memcg[pfn] = memcg
    s.page_root[pfn] = 0
    s.page_head[pfn] = pfn
    s.page_index[pfn] = -1
    s.page_pins[pfn] = 0
    return pfn


def free_page(s: "MmState", pfn: int) -> None:
    """Give the frame back; a frame still mapped or in the swap cache is a bad page state."""
    if s.page_mapcount[pfn] > 0:
        kernel_bug(s, BUG_FREE_MAPPED)
    if s.page_flags[pfn] & PG_SWAPCACHE:
        kernel_bug(s, BUG_FREE_SWAPCACHE)
    if s.stopped:
        return
    if s.page_flags[pfn] & PG_LRU:
        lru_del(s, pfn)
    memcg_uncharge(s, s.page_memcg[pfn])
    s.page_memcg[pfn] = -1
    s.page_lock[pfn] = 0
    s.page_flags[pfn] = PG_BUDDY
    s.free_pages[s.nr_free_pages] = pfn
    s.nr_free_pages += 1


def get_page(s: "MmState", pfn: int) -> None:
    """Hold the page; of a part of a huge page, the whole of it."""
    s.counts_changed = 1
    s.page_refcount[s.page_head[pfn]] += 1


def put_page(s: "MmState", pfn: int) -> None:
    """Drop one reference; the last one frees the page."""
    pfn = s.page_head[pfn]
    if s.page_refcount[pfn] <= 0:
        kernel_bug(s, BUG_REFCOUNT_UNDERFLOW)
        return
    s.counts_changed = 1
    s.page_refcount[pfn] -= 1
    if s.page_refcount[pfn] > 0:
        return
    if s.page_flags[pfn] & PG_HEAD:
        free_compound_page(s, pfn)
    else:
        free_page(s, pfn)


def cache_references(flags: int) -> int:
    """How many references the swap cache and the page cache hold to a page of these flags."""
    return (flags >> PG_SWAPCACHE_BIT & 1) + (flags >> PG_FILE_BIT & 1)


def trylock_page(s: "MmState", pfn: int, actor: int) -> bool:
    """Take the page lock for an actor; False if another path holds it."""
    pfn = s.page_head[pfn]
    if s.page_lock[pfn]:
        return False
    s.page_lock[pfn] = actor + 1
    return True


def unlock_page(s: "MmState", pfn: int) -> None:
    """Give the page lock back."""
    s.page_lock[s.page_head[pfn]] = 0


if not cython.compiled:
    from simcore.constants import (
        BUG_FREE_MAPPED,
        BUG_FREE_SWAPCACHE,
        BUG_REFCOUNT_UNDERFLOW,
        DIRECT_RECLAIM_TARGET,
        PG_BUDDY,
        PG_FILE_BIT,
        PG_HEAD,
        PG_LRU,
        PG_STORED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PG_SWAPCACHE_BIT,
        PG_UPTODATE,
        ZEROS,
    )
    from simcore.huge_memory import free_compound_page
    from simcore.memcontrol import memcg_try_charge, memcg_uncharge
    from simcore.mm_types import MmState
    from simcore.report import kernel_bug
    from simcore.swap import lru_del
    from simcore.vmscan import try_to_free_pages
