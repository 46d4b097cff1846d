"""The count identities, held against the page tables after every op.

    mapcount  = present ptes that map the page
    refcount  = mapcount + 1 in the swap cache + paths under way that hold the page
    swap count = swap ptes of the slot

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


def count_holders(s: "MmState") -> None:
    """Count the paths under way that hold each frame."""
    for actor in range(MAX_ACTORS):
        if s.act_path[actor] == PATH_NONE:
            continue
        held = s.act_pfn[actor]
        other = s.act_new[actor]
        if held >= 0:
            s.seen_holders[held] += 1
        if other >= 0 and other != held:
            s.seen_holders[other] += 1


def counts_differ(s: "MmState") -> bool:
    """Whether any count is not what was seen, in one pass without branches that forgets what was seen."""
    differ = 0
    for pfn in range(s.nr_used_pages):
        mapcount = s.page_mapcount[pfn]
        swapcache = s.page_flags[pfn] >> PG_SWAPCACHE_BIT & 1
        differ |= mapcount ^ s.seen_users[pfn]
        differ |= s.page_refcount[pfn] ^ mapcount + s.seen_holders[pfn] + swapcache
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
        references = s.page_mapcount[pfn] + s.seen_holders[pfn] + (s.page_flags[pfn] >> PG_SWAPCACHE_BIT & 1)
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
        MAX_ACTORS,
        MAX_PAGES,
        PATH_NONE,
        PG_SWAPCACHE_BIT,
        PTE_KIND_MASK,
        PTE_PRESENT,
        PTE_SWAP,
        PTE_ZERO_PAGE,
        VPN_SHIFT,
    )
    from simcore.mm_types import MmState
    from simcore.oracle_ids import ORACLE_COUNT_IDENTITY, ORACLE_LEAKED_FRAME, ORACLE_LEAKED_SLOT
    from simcore.report import report
