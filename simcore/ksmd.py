"""The kernel thread of KSM: a scan as a path of ksmd, cut where it lets others run. mm/ksm.c ksm_do_scan().

    next: find a page to merge, lock it | make stable (first of a pair) | protect | compare | replace

The page that is merged stays locked from protect to replace, and mmap_lock of its process is held for reading. A
store meanwhile faults; what it does then is the kernel's affair. Nobody holds the page table lock between the phases.
"""

import cython


def begin_ksm(s: "MmState") -> None:
    """Put ksmd on the path of one `ksm_scan`: four full scans, or until one changes nothing."""
    s.nr_busy += 1
    s.act_path[KSMD] = PATH_KSM
    s.act_phase[KSMD] = KSM_NEXT
    s.act_round[KSMD] = 0
    s.act_pfn[KSMD] = -1
    s.act_new[KSMD] = -1
    begin_scan(s)


def begin_scan(s: "MmState") -> None:
    """Start one full scan. It drains the batches of all CPUs first, and begins with an empty unstable tree."""
    lru_add_drain(s)
    s.act_round[KSMD] += 1
    s.act_ptep[KSMD] = -1
    s.act_freed[KSMD] = 0
    for ptep in range(s.nr_mm << VPN_SHIFT):
        s.ksm_in_tree[ptep] = 0


def end_ksm(s: "MmState") -> int:
    """Take ksmd off the path."""
    s.nr_busy -= 1
    s.act_path[KSMD] = PATH_NONE
    s.act_result[KSMD] = RESULT_OK
    return STEP_DONE


def step_ksm(s: "MmState") -> int:
    """Advance the scan by one phase. It only ever tries locks, so it is never blocked."""
    phase = s.act_phase[KSMD]
    if phase == KSM_NEXT:
        return ksm_next(s)
    if phase == KSM_STABLE:
        ksm_make_stable(s)
    elif phase == KSM_PROTECT:
        ksm_protect(s)
    elif phase == KSM_COMPARE:
        ksm_compare(s)
    else:
        ksm_replace(s)
    return STEP_MORE


def ksm_next(s: "MmState") -> int:
    """Go on to the next page with something to do; at the end of a scan begin another, or end."""
    ptep = next_mergeable(s, s.act_ptep[KSMD])
    while ptep >= 0:
        s.act_ptep[KSMD] = ptep
        if cmp_and_merge_page(s, ptep):
            return STEP_MORE
        ptep = next_mergeable(s, ptep)
    if s.act_freed[KSMD] == 0 or s.act_round[KSMD] >= KSM_FULL_SCANS or s.stopped:
        return end_ksm(s)
    begin_scan(s)
    return STEP_MORE


def next_mergeable(s: "MmState", after: int) -> int:
    """The next page of a mergeable vma in a live process; -1 at the end."""
    for ptep in range(after + 1, s.nr_mm << VPN_SHIFT):
        if (ptep & 31) < s.nr_vpn and s.vm_flags[ptep] & VM_MERGEABLE and s.mm_alive[ptep >> VPN_SHIFT]:
            return ptep
    return -1


def cmp_and_merge_page(s: "MmState", ptep: int) -> bool:
    """Look at one page; True if a merge begins. Source: mm/ksm.c cmp_and_merge_page()."""
    pfn = mergeable_page(s, ptep)
    if pfn < 0 or s.page_flags[pfn] & PG_KSM:
        return False
    content = s.page_content[pfn]
    kpage = stable_page_of(s, content)
    if kpage >= 0:
        return begin_merge(s, ptep, kpage, -1)
    if s.ksm_checksum[ptep] != content:
        s.ksm_checksum[ptep] = content
        s.act_freed[KSMD] = 1
        return False
    partner = unstable_partner(s, ptep, pfn)
    if partner < 0:
        s.ksm_in_tree[ptep] = 1
        return False
    if not hold_for_merge(s, ptep, pfn):
        return False
    s.act_slot[KSMD] = partner
    s.act_phase[KSMD] = KSM_STABLE
    return True


def hold_for_merge(s: "MmState", ptep: int, pfn: int) -> bool:
    """Lock and hold the page, and mmap_lock of its process; False if a path has the page.

    A part of a huge page is split off first. Source: mm/ksm.c try_to_merge_one_page().
    """
    head = s.page_head[pfn]
    if is_huge(s, head) and not lock_and_split(s, KSMD, head):
        return False
    if mergeable_page(s, ptep) != pfn:
        # The split has left the zero page there.
        return False
    if not trylock_page(s, pfn, KSMD):
        return False
    get_page(s, pfn)
    s.act_pfn[KSMD] = pfn
    s.act_target[KSMD] = ptep
    s.act_pte[KSMD] = s.pte[ptep]
    s.mmap_readers[ptep >> VPN_SHIFT] += 1
    return True


def let_go(s: "MmState") -> None:
    """Undo hold_for_merge(), and go on with the scan."""
    pfn = s.act_pfn[KSMD]
    s.mmap_readers[s.act_target[KSMD] >> VPN_SHIFT] -= 1
    s.act_pfn[KSMD] = -1
    s.act_phase[KSMD] = KSM_NEXT
    unlock_page(s, pfn)
    put_page(s, pfn)


def ksm_make_stable(s: "MmState") -> None:
    """Make the first page of a pair the stable page, and begin to merge the other one into it."""
    pfn = s.act_pfn[KSMD]
    ptep = s.act_target[KSMD]
    partner = s.act_slot[KSMD]
    done = s.pte[ptep] == s.act_pte[KSMD] and write_protect_page(s, ptep, pfn)
    if done:
        make_stable(s, ptep, pfn)
        s.act_freed[KSMD] = 1
    let_go(s)
    if done and not begin_merge(s, partner, pfn, ptep):
        break_ksm(s, ptep)


def begin_merge(s: "MmState", ptep: int, kpage: int, first: int) -> bool:
    """Start to merge a page into a stable one; `first` is the pte to break out again if that fails, or -1.

    False if the page is not there any more, or a path has it.
    """
    pfn = mergeable_page(s, ptep)
    if pfn < 0 or pfn == kpage or not hold_for_merge(s, ptep, pfn):
        return False
    get_page(s, kpage)
    s.act_new[KSMD] = kpage
    s.act_slot[KSMD] = first
    s.act_phase[KSMD] = KSM_PROTECT
    return True


def end_merge(s: "MmState", done: bool) -> None:
    """Let go of both pages; a first page whose partner could not be merged is broken out again."""
    kpage = s.act_new[KSMD]
    first = s.act_slot[KSMD]
    s.act_new[KSMD] = -1
    if done:
        s.act_freed[KSMD] = 1
    let_go(s)
    put_page(s, kpage)
    if not done and first >= 0:
        break_ksm(s, first)


def ksm_protect(s: "MmState") -> None:
    """Take write and dirty from the pte. Source: mm/ksm.c try_to_merge_one_page()."""
    ptep = s.act_target[KSMD]
    if s.pte[ptep] & ~PTE_FLAGS_MASK != s.act_pte[KSMD] & ~PTE_FLAGS_MASK or not maps_page(s, ptep):
        end_merge(s, False)
        return
    if not write_protect_page(s, ptep, s.act_pfn[KSMD]):
        end_merge(s, False)
        return
    s.act_pte[KSMD] = s.pte[ptep]
    s.act_phase[KSMD] = KSM_COMPARE


def maps_page(s: "MmState", ptep: int) -> bool:
    """Whether the pte still maps the page that is merged."""
    pte = s.pte[ptep]
    return pte_kind(pte) == PTE_PRESENT and not pte & PTE_ZERO_PAGE and pte_payload(pte) == s.act_pfn[KSMD]


def ksm_compare(s: "MmState") -> None:
    """Compare the two pages, byte by byte."""
    if s.page_content[s.act_pfn[KSMD]] == s.page_content[s.act_new[KSMD]]:
        s.act_phase[KSMD] = KSM_REPLACE
    else:
        end_merge(s, False)


def ksm_replace(s: "MmState") -> None:
    """If the pte is as it was when it was protected, let it map the stable page. Source: mm/ksm.c replace_page()."""
    ptep = s.act_target[KSMD]
    pte_same = (s.pte[ptep] | PTE_YOUNG) == (s.act_pte[KSMD] | PTE_YOUNG)
    if pte_same:
        replace_page(s, ptep, s.act_pfn[KSMD], s.act_new[KSMD])
    end_merge(s, pte_same)


if not cython.compiled:
    from simcore.bits import pte_kind, pte_payload
    from simcore.constants import (
        KSM_COMPARE,
        KSM_FULL_SCANS,
        KSM_NEXT,
        KSM_PROTECT,
        KSM_REPLACE,
        KSM_STABLE,
        KSMD,
        PATH_KSM,
        PATH_NONE,
        PG_KSM,
        PTE_FLAGS_MASK,
        PTE_PRESENT,
        PTE_YOUNG,
        PTE_ZERO_PAGE,
        RESULT_OK,
        STEP_DONE,
        STEP_MORE,
        VM_MERGEABLE,
        VPN_SHIFT,
    )
    from simcore.huge_memory import is_huge, lock_and_split
    from simcore.ksm import (
        break_ksm,
        make_stable,
        mergeable_page,
        replace_page,
        stable_page_of,
        unstable_partner,
        write_protect_page,
    )
    from simcore.mm_types import MmState
    from simcore.page_alloc import get_page, put_page, trylock_page, unlock_page
    from simcore.swap import lru_add_drain
