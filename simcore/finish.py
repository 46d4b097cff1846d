"""The end of a trace: paths and writes end, every page is read, and what is owed a discard is tried."""

import cython


def settle(s: "MmState") -> bool:
    """Let every path run to its end; False if some wait for ever."""
    for _ in range(MAX_ACTORS * 2):
        if s.nr_busy == 0 or s.stopped:
            return True
        for actor in range(DIRECT_RECLAIM):
            if s.act_path[actor] != PATH_NONE:
                run_actor(s, actor)
    return s.nr_busy == 0


def owed_discard(s: "MmState", swapped: bool) -> int:
    """The first pte whose page MADV_FREE owes a discard and that still maps it, or has it swapped out; -1 if none."""
    for mm in range(s.nr_mm):
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            if s.shadow[ptep] & SHADOW_SOLE:
                kind = pte_kind(s.pte[ptep])
                if kind == PTE_PRESENT or (swapped and kind != PTE_NONE):
                    return ptep
    return -1


def first_kept(s: "MmState") -> int:
    """Put everything under memory pressure; a pte that is still owed its discard then, or -1."""
    lru_add_drain(s)
    begin_reclaim(s, DIRECT_RECLAIM, -1, MAX_PAGES)
    run_reclaim(s, DIRECT_RECLAIM)
    return owed_discard(s, True) if swap_available(s) else -1


def check_discardable(s: "MmState") -> None:
    """Cost oracle never-discardable: try at the very end whether reclaim discards what it may.

    Nothing else is judged from here on: the trace does not ask for this pressure.
    """
    if owed_discard(s, False) < 0 or not swap_available(s):
        return
    s.probing = 1
    kept = first_kept(s)
    s.probing = 0
    if kept >= 0:
        report(s, ORACLE_NEVER_DISCARDABLE, kept, s.expect[kept], 0)


def read_everything(s: "MmState") -> None:
    """Read every page of every process once by the normal path, so that no trace needs reads to fail."""
    for mm in range(s.nr_mm):
        if not s.mm_alive[mm]:
            continue
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            if s.stopped:
                return
            if pte_kind(s.pte[ptep]) != PTE_NONE or s.expect[home(s, ptep)] != ZEROS:
                access_page(s, mm * THREADS_PER_MM, ptep, FOR_READ, ZEROS, False)
            if s.nr_busy > 0:
                report(s, ORACLE_STUCK_PATH, ptep, s.expect[ptep], 0)
                return


def fold_state(s: "MmState") -> None:
    """Fold what is left of the machine into the outcome."""
    for mm in range(s.nr_mm):
        first = mm << VPN_SHIFT
        for ptep in range(first, first + s.nr_vpn):
            s.outcome = mix(s.outcome, s.pte[ptep])
    for pfn in range(s.nr_frames):
        # On which node a frame lies decides nothing.
        s.outcome = mix(s.outcome, s.page_flags[pfn] & ~PG_NODE1)


def finish_trace(s: "MmState") -> None:
    """End a trace: let every path and write end, read every page, look what can be discarded."""
    if not s.stopped and not settle(s):
        report(s, ORACLE_STUCK_PATH, -1, 0, 0)
        fold_state(s)
        return
    end_all_swap_writes(s)
    checks = s.checks
    # What these reads cost is not the trace's doing.
    s.checks = checks & ~CHECK_COST
    read_everything(s)
    s.checks = checks
    if s.nr_busy > 0:
        fold_state(s)
        return
    if s.checks & CHECK_COUNTS and not s.stopped:
        check_counts(s)
    fold_state(s)
    if s.checks & CHECK_COST and not s.stopped:
        check_discardable(s)
    s.outcome = mix(s.outcome, s.failed)


if not cython.compiled:
    from simcore.bits import mix, pte_kind
    from simcore.constants import (
        CHECK_COST,
        CHECK_COUNTS,
        DIRECT_RECLAIM,
        FOR_READ,
        MAX_ACTORS,
        MAX_PAGES,
        PATH_NONE,
        PG_NODE1,
        PTE_NONE,
        PTE_PRESENT,
        SHADOW_SOLE,
        THREADS_PER_MM,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.counts import check_counts
    from simcore.execute import access_page, run_actor
    from simcore.mm_types import MmState
    from simcore.oracle_ids import ORACLE_NEVER_DISCARDABLE, ORACLE_STUCK_PATH
    from simcore.page_io import end_all_swap_writes
    from simcore.report import report
    from simcore.swap import lru_add_drain
    from simcore.swapfile import swap_available
    from simcore.user_memory import home
    from simcore.vmscan import begin_reclaim, run_reclaim
