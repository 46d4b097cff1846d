"""Reads and writes of the swap device: mm/page_io.c.

A synchronous device (zram) ends a write at once. On a disk of a world with `writeback`, a write ends when the trace
says so; in a world without, before the next step.
"""

import cython


def swap_readpage(s: "MmState", pfn: int) -> None:
    """Fill the page from its slot. A slot that was never written shows what the device holds there."""
    slot = s.page_slot[pfn]
    s.page_content[pfn] = s.slot_content[slot]
    s.page_flags[pfn] = s.page_flags[pfn] & ~PG_STORED | PG_UPTODATE
    synchronous = s.sync_io != 0
    sole = s.slot_count[slot] == 1
    if rule2(s, R_READ_DROPS_COPY, synchronous, sole):
        s.page_flags[pfn] |= PG_DIRTY
        s.slot_content[slot] = ZEROS
        s.slot_written[slot] = 0


def user_of_slot(s: "MmState", slot: int) -> int:
    """The swap pte of a slot to name in a report, or -1: of several, one whose page came a longer way."""
    found = -1
    for mm in range(s.nr_mm):
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            if pte_kind(s.pte[ptep]) != PTE_SWAP or pte_payload(s.pte[ptep]) != slot:
                continue
            if found < 0 or s.origin[ptep] > s.origin[found]:
                found = ptep
    return found


def check_needless_write(s: "MmState", pfn: int, slot: int) -> None:
    """Cost oracle needless-write: the slot already holds this page's bytes, and no store came since."""
    if not s.checks & CHECK_COST or not s.slot_written[slot] or s.page_flags[pfn] & PG_STORED:
        return
    if s.slot_content[slot] == s.page_content[pfn]:
        report(s, ORACLE_NEEDLESS_WRITE, user_of_slot(s, slot), s.page_content[pfn], slot)


def swap_write_start(s: "MmState", pfn: int) -> None:
    """Send the page to its slot: clear PageDirty, set PageWriteback.

    The bytes that reach the device are those of this moment. Nobody can see the slot before the write ends,
    because the page stays in the swap cache.
    """
    if s.page_slot[pfn] < 0:
        kernel_bug(s, BUG_WRITE_NO_SLOT)
        return
    if is_huge(s, pfn):
        for number in range(s.nr_huge):
            write_slot(s, part_of(s, pfn, number))
    else:
        write_slot(s, pfn)
    s.page_flags[pfn] = s.page_flags[pfn] & ~PG_DIRTY | PG_WRITEBACK


def write_slot(s: "MmState", pfn: int) -> None:
    """Copy one page, or part of a huge page, to its slot."""
    slot = s.page_slot[pfn]
    check_needless_write(s, pfn, slot)
    s.page_flags[pfn] &= ~PG_STORED
    s.slot_content[slot] = s.page_content[pfn]
    s.slot_written[slot] = 1


def spoil_slots(s: "MmState", pfn: int) -> None:
    """A write failed: what the slot, or a huge page's slots, hold is garbage."""
    for number in range(s.nr_huge if is_huge(s, pfn) else 1):
        slot = s.page_slot[part_of(s, pfn, number) if number else pfn]
        s.slot_content[slot] = GARBAGE
        s.slot_written[slot] = 0


def swap_write_end(s: "MmState", pfn: int, failed: bool) -> None:
    """End a page's write: clear PageWriteback; a page that reclaim waits for goes to the old end of its list.

    Source: mm/page_io.c end_swap_bio_write(), mm/swap.c rotate_reclaimable_page().
    """
    flags = s.page_flags[pfn]
    if failed:
        spoil_slots(s, pfn)
        if rule0(s, R_WRITE_ERROR_SETS_PAGE_DIRTY):
            s.page_flags[pfn] |= PG_DIRTY
        s.page_flags[pfn] &= ~PG_RECLAIM
    s.page_flags[pfn] &= ~(PG_WRITEBACK | PG_RECLAIM)
    if flags & PG_RECLAIM and not failed:
        rotate_reclaimable_page(s, pfn)


def swap_writepage(s: "MmState", pfn: int) -> bool:
    """Write a locked page of the swap cache to its slot; True if the write is over already."""
    swap_write_start(s, pfn)
    skips = s.page_content[pfn] == ZEROS and rule0(s, R_WRITE_SKIPS_ZEROS)
    if s.stopped or s.sync_io or s.probing or skips or not s.features & FEATURE_WRITEBACK:
        s.page_flags[pfn] &= ~PG_WRITEBACK
        return True
    s.write_queue[s.nr_writes] = pfn
    s.nr_writes += 1
    return False


def swap_write_now(s: "MmState", pfn: int) -> None:
    """Write the page and wait for the end, as swapoff does."""
    swap_write_start(s, pfn)
    s.page_flags[pfn] &= ~PG_WRITEBACK


def end_swap_write(s: "MmState", place: int, failed: bool) -> None:
    """End the write at a place of the queue; 0 is the oldest."""
    pfn = s.write_queue[place]
    s.nr_writes -= 1
    for i in range(place, s.nr_writes):
        s.write_queue[i] = s.write_queue[i + 1]
    swap_write_end(s, pfn, failed)


def end_swap_write_of(s: "MmState", pfn: int) -> None:
    """Wait for the page's write, if one is under way (wait_on_page_writeback)."""
    for place in range(s.nr_writes):
        if s.write_queue[place] == pfn:
            end_swap_write(s, place, False)
            return


def end_all_swap_writes(s: "MmState") -> None:
    """Let every write that is under way end well."""
    while s.nr_writes > 0:
        end_swap_write(s, 0, False)


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload, rule0, rule2
    from simcore.constants import (
        BUG_WRITE_NO_SLOT,
        CHECK_COST,
        FEATURE_WRITEBACK,
        GARBAGE,
        PG_DIRTY,
        PG_RECLAIM,
        PG_STORED,
        PG_UPTODATE,
        PG_WRITEBACK,
        PTE_SWAP,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.huge_memory import is_huge, part_of
    from simcore.mm_types import MmState
    from simcore.oracle_ids import ORACLE_NEEDLESS_WRITE
    from simcore.report import kernel_bug, report
    from simcore.rule_ids import R_READ_DROPS_COPY, R_WRITE_ERROR_SETS_PAGE_DIRTY, R_WRITE_SKIPS_ZEROS
    from simcore.swap import rotate_reclaimable_page
