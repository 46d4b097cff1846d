"""The count identities, held against the page tables after every op.

    mapcount  = present ptes that map the page
    refcount  = mapcount + 1 in the swap cache + 1 in the page cache + paths, batches and I/O that hold the page
    swap count = swap ptes of the slot + 1 if a page of the file is there

Only frames and slots that the trace has used so far are looked at; the others are as reset() left them. The scratch
that holds what was seen is zero between checks.

A count below what is there is a matter of safety: something in use will be freed. One above it leaks.
"""

import cython


def count_references(s: "MmState") -> None:
    """Count the ptes that map each frame or name each slot. Without branches: what a pte is, is hard to foresee."""
    for mm in range(s.nr_mm):
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            pte = s.pte[ptep]
            mapping = pte & (PTE_KIND_MASK | PTE_ZERO_PAGE) == PTE_PRESENT
            swapped = pte_kind(pte) == PTE_SWAP
            s.seen_users[pte_payload(pte) + swapped * MAX_PAGES] += mapping | swapped
    for index in range(s.nr_file):
        if s.shmem_slot[index] >= 0:
            s.seen_users[MAX_PAGES + s.shmem_slot[index]] += 1


def count_holders(s: "MmState") -> None:
    """Count the paths under way that hold each frame."""
    for actor in range(MAX_ACTORS):
        if s.act_path[actor] == PATH_NONE:
            continue
        held = s.act_pfn[actor]
        other = s.act_new[actor]
        if held >= 0:
            s.seen_holders[s.page_head[held]] += 1
        if other >= 0 and other != held:
            s.seen_holders[s.page_head[other]] += 1


def count_batched(s: "MmState") -> None:
    """Count the LRU batches that hold each frame."""
    for batch in range(NR_BATCHES):
        first = batch * MAX_BATCH
        for i in range(first, first + s.batch_count[batch]):
            s.seen_holders[s.page_head[s.batch_page[i]]] += 1


def count_compound(s: "MmState") -> None:
    """Count the references that mappings of huge pages hold, at their heads: a pmd holds one, each pte one."""
    for mm in range(s.nr_mm):
        first = area_start(s, mm)
        for ptep in range(first, first + s.nr_huge):
            pte = s.pte[ptep]
            if pte & (PTE_KIND_MASK | PTE_ZERO_PAGE) != PTE_PRESENT:
                continue
            head = s.page_head[pte_payload(pte)]
            if is_huge(s, head) and (ptep == first or not pte & PTE_HUGE):
                s.seen_holders[head] += 1


def count_pins(s: "MmState") -> None:
    """Count the direct I/O that holds each frame."""
    for mm in range(s.nr_mm):
        if s.pin_page[mm] >= 0:
            s.seen_holders[s.page_head[s.pin_page[mm]]] += 1


def held_references(s: "MmState", pfn: int) -> int:
    """The references that were seen. A huge page's are its head's, its mappings' among the holders; a tail has none."""
    flags = s.page_flags[pfn]
    if not flags & (PG_HEAD | PG_TAIL):
        return s.page_mapcount[pfn] + s.seen_holders[pfn] + cache_references(flags)
    return s.seen_holders[pfn] + cache_references(flags) * s.nr_huge if flags & PG_HEAD else 0


def counts_differ(s: "MmState") -> bool:
    """Whether any count is not what was seen, in one pass without branches that forgets what was seen."""
    differ = 0
    for pfn in range(s.nr_used_pages):
        mapcount = s.page_mapcount[pfn]
        references = held_references(s, pfn)
        differ |= mapcount ^ s.seen_users[pfn]
        differ |= s.page_refcount[pfn] ^ references
        s.seen_users[pfn] = 0
        s.seen_holders[pfn] = 0
    for slot in range(s.nr_used_slots):
        differ |= s.slot_count[slot] ^ s.seen_users[MAX_PAGES + slot]
        s.seen_users[MAX_PAGES + slot] = 0
    return differ != 0


def count_all(s: "MmState") -> None:
    """Count everything that should be counted; counts_differ() then compares and forgets it."""
    count_references(s)
    if s.nr_busy > 0:
        count_holders(s)
    if s.nr_batched > 0:
        count_batched(s)
    if s.nr_huge > 0:
        count_compound(s)
    if s.features & FEATURE_GUP:
        count_pins(s)


def check_counts(s: "MmState") -> None:
    """Report the pages and slots whose counts are not what the page tables say, if any can have changed."""
    if not s.counts_changed:
        return
    s.counts_changed = 0
    count_all(s)
    if counts_differ(s):
        count_all(s)
        report_counts(s)
        counts_differ(s)


def report_counts(s: "MmState") -> None:
    """Report every count that is not what was seen."""
    for pfn in range(s.nr_used_pages):
        mapped = s.seen_users[pfn]
        references = held_references(s, pfn)
        if s.page_mapcount[pfn] != mapped or s.page_refcount[pfn] != references:
            report_page_counts(s, pfn, mapped, references)
    for slot in range(s.nr_used_slots):
        users = s.seen_users[MAX_PAGES + slot]
        if s.slot_count[slot] != users:
            report_slot_count(s, slot, users)


def report_page_counts(s: "MmState", pfn: int, mapped: int, references: int) -> None:
    """Report a page: too few counted is unsafe, too many is a leak."""
    fewer = s.page_mapcount[pfn] < mapped or s.page_refcount[pfn] < references
    report(s, ORACLE_COUNT_IDENTITY if fewer else ORACLE_LEAKED_FRAME, -1, references, pfn)


def report_slot_count(s: "MmState", slot: int, users: int) -> None:
    """Report a slot: too few counted is unsafe, too many is a leak."""
    fewer = s.slot_count[slot] < users
    report(s, ORACLE_COUNT_IDENTITY if fewer else ORACLE_LEAKED_SLOT, -1, users, slot)


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload
    from simcore.constants import (
        FEATURE_GUP,
        MAX_ACTORS,
        MAX_BATCH,
        MAX_PAGES,
        NR_BATCHES,
        PATH_NONE,
        PG_HEAD,
        PG_TAIL,
        PTE_HUGE,
        PTE_KIND_MASK,
        PTE_PRESENT,
        PTE_SWAP,
        PTE_ZERO_PAGE,
        VPN_SHIFT,
    )
    from simcore.huge_memory import area_start, is_huge
    from simcore.mm_types import MmState
    from simcore.oracle_ids import ORACLE_COUNT_IDENTITY, ORACLE_LEAKED_FRAME, ORACLE_LEAKED_SLOT
    from simcore.page_alloc import cache_references
    from simcore.report import report
