"""Memory cgroups: mm/memcontrol.c. Charges, limits, and reclaim of one group when it is at its limit."""

import cython


def memcg_over_limit(s: "MmState", memcg: int, more: int) -> bool:
    """Whether the group would be above its limit with so many more pages; a limit of 0 is no limit."""
    return s.memcg_limit[memcg] > 0 and s.memcg_usage[memcg] + more > s.memcg_limit[memcg]


def memcg_try_charge(s: "MmState", memcg: int) -> bool:
    """Charge one page to the group, reclaiming from it if it is at its limit; False when that gains nothing.

    Source: mm/memcontrol.c try_charge(). Departs: no OOM killer, the allocation fails instead.
    """
    if memcg < 0:
        return True
    for _ in range(MAX_RECLAIM_ROUNDS):
        if not memcg_over_limit(s, memcg, 1):
            break
        if try_to_free_pages(s, memcg, DIRECT_RECLAIM_TARGET) == 0:
            break
    if memcg_over_limit(s, memcg, 1):
        return False
    s.memcg_usage[memcg] += 1
    return True


def memcg_uncharge(s: "MmState", memcg: int) -> None:
    """Take one page off the group's account."""
    if memcg >= 0:
        s.memcg_usage[memcg] -= 1


def memcg_set_limit(s: "MmState", memcg: int, pages: int) -> None:
    """Set memory.max of the group and reclaim until it is kept, or nothing more can be gained."""
    s.memcg_limit[memcg] = pages
    for _ in range(MAX_RECLAIM_ROUNDS):
        if not memcg_over_limit(s, memcg, 0):
            return
        if try_to_free_pages(s, memcg, s.memcg_usage[memcg] - pages) == 0:
            return


if not cython.compiled:
    from simcore.constants import DIRECT_RECLAIM_TARGET, MAX_RECLAIM_ROUNDS
    from simcore.mm_types import MmState
    from simcore.vmscan import try_to_free_pages
