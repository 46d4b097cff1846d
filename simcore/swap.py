"""The LRU lists and the per-CPU batches before them: mm/swap.c and the list part of mm/vmscan.c.

One doubly linked list a cgroup and kind; the head's successor is the youngest page. Pages reach and change lists
through batches, which hold a reference to each page until they are drained. The world's `batch` is their size; at 1
a page is moved at once.
"""

import cython


def lru_list(s: "MmState", pfn: int) -> int:
    """The number of the list that the page's flags and cgroup name."""
    flags = s.page_flags[pfn]
    memcg = s.page_memcg[pfn]
    first = memcg * NR_LRU_LISTS if memcg > 0 else 0
    if flags & PG_UNEVICTABLE:
        return first + LRU_UNEVICTABLE
    kind = LRU_INACTIVE_ANON if flags & PG_SWAPBACKED else LRU_INACTIVE_FILE
    return first + kind + ((flags & PG_ACTIVE) != 0)


def lru_init(s: "MmState") -> None:
    """Make every list empty."""
    for number in range(s.nr_memcgs * NR_LRU_LISTS):
        head = LRU_HEADS + number
        s.lru_next[head] = head
        s.lru_prev[head] = head
        s.lru_size[number] = 0


def lru_add_after(s: "MmState", pfn: int, before: int) -> None:
    """Link the page behind a node of its list and mark it PageLRU."""
    after = s.lru_next[before]
    s.lru_next[before] = pfn
    s.lru_prev[pfn] = before
    s.lru_next[pfn] = after
    s.lru_prev[after] = pfn
    s.page_flags[pfn] |= PG_LRU


def lru_add(s: "MmState", pfn: int) -> None:
    """Put the page at the young end of the list its flags name."""
    if s.page_flags[pfn] & PG_LRU:
        kernel_bug(s, BUG_LRU_TWICE)
        return
    number = lru_list(s, pfn)
    s.lru_size[number] += 1
    lru_add_after(s, pfn, LRU_HEADS + number)


def lru_add_tail(s: "MmState", pfn: int) -> None:
    """Put the page at the old end of the list its flags name."""
    if s.page_flags[pfn] & PG_LRU:
        kernel_bug(s, BUG_LRU_TWICE)
        return
    number = lru_list(s, pfn)
    s.lru_size[number] += 1
    lru_add_after(s, pfn, s.lru_prev[LRU_HEADS + number])


def lru_del(s: "MmState", pfn: int) -> None:
    """Take the page off its list. Flags that name the list must not have changed since it was added."""
    s.lru_size[lru_list(s, pfn)] -= 1
    before = s.lru_prev[pfn]
    after = s.lru_next[pfn]
    s.lru_next[before] = after
    s.lru_prev[after] = before
    s.page_flags[pfn] &= ~PG_LRU


def lru_tail(s: "MmState", number: int) -> int:
    """The oldest page of a list, or -1."""
    pfn = s.lru_prev[LRU_HEADS + number]
    if pfn >= LRU_HEADS:
        return -1
    return pfn


def move_lru(s: "MmState", pfn: int, clear: int, set_flags: int) -> None:
    """Change flags of a page that name its list, moving the page if it is on one."""
    on_list = (s.page_flags[pfn] & PG_LRU) != 0
    if on_list:
        lru_del(s, pfn)
    s.page_flags[pfn] = s.page_flags[pfn] & ~clear | set_flags
    if on_list:
        lru_add(s, pfn)


def batch_move(s: "MmState", batch: int, pfn: int) -> None:
    """Do with one page what its batch is for. Source: mm/swap.c lru_add_fn(), lru_deactivate_fn(), ..."""
    if batch == BATCH_ADD:
        if not s.page_flags[pfn] & PG_LRU:
            lru_add(s, pfn)
    elif s.page_flags[pfn] & PG_UNEVICTABLE or not s.page_flags[pfn] & PG_LRU:
        return
    elif batch == BATCH_ROTATE:
        lru_del(s, pfn)
        s.page_flags[pfn] &= ~PG_ACTIVE
        lru_add_tail(s, pfn)
    elif batch == BATCH_DEACTIVATE:
        if s.page_flags[pfn] & PG_ACTIVE:
            move_lru(s, pfn, PG_ACTIVE | PG_REFERENCED, 0)
    elif batch == BATCH_LAZYFREE:
        lru_lazyfree(s, pfn)
    elif batch == BATCH_ACTIVATE:
        move_lru(s, pfn, 0, PG_ACTIVE)


def lru_lazyfree(s: "MmState", pfn: int) -> None:
    """Move the page to the inactive file list without SwapBacked. Neither pte nor PageDirty is looked at.

    Source: mm/swap.c lru_lazyfree_fn(), v4.12.
    """
    flags = s.page_flags[pfn]
    swapbacked = (flags & PG_SWAPBACKED) != 0
    swapcache = (flags & PG_SWAPCACHE) != 0
    if flags & PG_ANON and rule2(s, R_LAZYFREE_DRAIN_CLEARS_SWAPBACKED, swapbacked, swapcache):
        move_lru(s, pfn, PG_ACTIVE | PG_REFERENCED | PG_SWAPBACKED, 0)


def drain_batch(s: "MmState", batch: int) -> None:
    """Empty one batch, in the order its pages came."""
    first = batch * MAX_BATCH
    count = s.batch_count[batch]
    s.batch_count[batch] = 0
    s.nr_batched -= count
    for i in range(first, first + count):
        pfn = s.batch_page[i]
        batch_move(s, batch, pfn)
        put_page(s, pfn)


def lru_add_drain(s: "MmState") -> None:
    """Empty all batches. Source: mm/swap.c lru_add_drain_cpu(). Departs: there is one CPU."""
    if s.nr_batched == 0:
        return
    for batch in range(NR_BATCHES):
        drain_batch(s, batch)


def batch_add(s: "MmState", batch: int, pfn: int) -> None:
    """Queue a page, which the batch holds until it is drained; a full batch is drained at once."""
    if s.batch_size <= 1:
        batch_move(s, batch, pfn)
        return
    get_page(s, pfn)
    count = s.batch_count[batch]
    s.batch_page[batch * MAX_BATCH + count] = pfn
    s.batch_count[batch] = count + 1
    s.nr_batched += 1
    huge = s.page_flags[pfn] & PG_HEAD != 0
    if count + 1 >= s.batch_size or (huge and not rule0(s, R_BATCH_KEEPS_HUGE_PAGE)):
        drain_batch(s, batch)


def waits_in_batch(s: "MmState", batch: int, pfn: int) -> bool:
    """Whether the page is queued in a batch."""
    first = batch * MAX_BATCH
    found: int = 0
    for i in range(first, first + s.batch_count[batch]):
        if s.batch_page[i] == pfn:
            found = 1
    return found != 0


def lru_cache_add(s: "MmState", pfn: int) -> None:
    """Send a page that is on no list to the list its flags will name when the batch is drained."""
    batch_add(s, BATCH_ADD, pfn)


def deactivate_page(s: "MmState", pfn: int) -> None:
    """Move an active page to the inactive list of its kind. Source: mm/swap.c deactivate_page(), v4.5."""
    flags = s.page_flags[pfn]
    if flags & PG_LRU and flags & PG_ACTIVE and not flags & PG_UNEVICTABLE:
        batch_add(s, BATCH_DEACTIVATE, pfn)


def activate_page(s: "MmState", pfn: int) -> None:
    """Move a page to the active list of its kind. Source: mm/swap.c activate_page()."""
    flags = s.page_flags[pfn]
    if flags & PG_LRU and not flags & (PG_UNEVICTABLE | PG_ACTIVE):
        batch_add(s, BATCH_ACTIVATE, pfn)


def rotate_reclaimable_page(s: "MmState", pfn: int) -> None:
    """Move a page whose write for reclaim has ended to the old end of its list. Source: mm/swap.c."""
    flags = s.page_flags[pfn]
    if flags & PG_LRU and not flags & (PG_UNEVICTABLE | PG_DIRTY) and s.page_lock[pfn] == 0:
        batch_add(s, BATCH_ROTATE, pfn)


def mark_page_accessed(s: "MmState", pfn: int) -> None:
    """Note a use of the page that no pte shows: referenced first, then active. Source: mm/swap.c."""
    flags = s.page_flags[pfn]
    if not flags & PG_REFERENCED:
        s.page_flags[pfn] |= PG_REFERENCED
    elif not flags & (PG_ACTIVE | PG_UNEVICTABLE):
        if flags & PG_LRU:
            activate_page(s, pfn)
        else:
            # Still in the add batch: it will join the active list.
            s.page_flags[pfn] |= PG_ACTIVE
        s.page_flags[pfn] &= ~PG_REFERENCED


if not cython.compiled:
    from simcore.bits import rule0, rule2
    from simcore.constants import (
        BATCH_ACTIVATE,
        BATCH_ADD,
        BATCH_DEACTIVATE,
        BATCH_LAZYFREE,
        BATCH_ROTATE,
        BUG_LRU_TWICE,
        LRU_HEADS,
        LRU_INACTIVE_ANON,
        LRU_INACTIVE_FILE,
        LRU_UNEVICTABLE,
        MAX_BATCH,
        NR_BATCHES,
        NR_LRU_LISTS,
        PG_ACTIVE,
        PG_ANON,
        PG_DIRTY,
        PG_HEAD,
        PG_LRU,
        PG_REFERENCED,
        PG_SWAPBACKED,
        PG_SWAPCACHE,
        PG_UNEVICTABLE,
    )
    from simcore.mm_types import MmState
    from simcore.page_alloc import get_page, put_page
    from simcore.report import kernel_bug
    from simcore.rule_ids import R_BATCH_KEEPS_HUGE_PAGE, R_LAZYFREE_DRAIN_CLEARS_SWAPBACKED
