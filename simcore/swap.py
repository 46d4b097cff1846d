"""The LRU lists: mm/swap.c and the list part of mm/vmscan.c.

One doubly linked list a cgroup and kind; the head's successor is the youngest page. Pages join their list at once:
the per-CPU batches of the kernel are not modelled here.
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


def deactivate_page(s: "MmState", pfn: int) -> None:
    """Move an active page to the inactive list of its kind.

    Source: mm/swap.c deactivate_page(), v4.5. Departs: no batch.
    """
    if s.page_flags[pfn] & PG_UNEVICTABLE or not s.page_flags[pfn] & PG_LRU:
        return
    move_lru(s, pfn, PG_ACTIVE | PG_REFERENCED, 0)


def activate_page(s: "MmState", pfn: int) -> None:
    """Move a page to the active list of its kind. Source: mm/swap.c activate_page()."""
    if s.page_flags[pfn] & PG_UNEVICTABLE or not s.page_flags[pfn] & PG_LRU:
        return
    move_lru(s, pfn, 0, PG_ACTIVE)


if not cython.compiled:
    from simcore.constants import (
        BUG_LRU_TWICE,
        LRU_HEADS,
        LRU_INACTIVE_ANON,
        LRU_INACTIVE_FILE,
        LRU_UNEVICTABLE,
        NR_LRU_LISTS,
        PG_ACTIVE,
        PG_LRU,
        PG_REFERENCED,
        PG_SWAPBACKED,
        PG_UNEVICTABLE,
    )
    from simcore.mm_types import MmState
    from simcore.report import kernel_bug
