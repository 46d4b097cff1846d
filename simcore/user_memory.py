"""What a program may expect of its own memory, and the oracles that watch over it.

For each page the last store is known. MADV_FREE allows zeros until the next store, but once zeros were read the old
contents may not come back. Every value a load sees is judged against that.
"""

import cython


def user_stored(s: "MmState", ptep: int, token: int) -> None:
    """A store ends every licence: from now on the page must read as the token."""
    s.expect[ptep] = token
    s.shadow[ptep] = 0
    s.token_owner[token] = ptep
    s.token_time[token] = s.op_index
    if FIRST_SHARED_TOKEN <= token <= LAST_SHARED_TOKEN:
        s.shared_seen[ptep] |= 1 << (token - FIRST_SHARED_TOKEN)


def user_freed(s: "MmState", ptep: int, sole: bool) -> None:
    """MADV_FREE returned: zeros are allowed; of a sole owner's page a discard is also owed."""
    if s.expect[ptep] == ZEROS:
        return
    s.shadow[ptep] |= SHADOW_FREED
    if sole:
        s.shadow[ptep] |= SHADOW_SOLE


def user_dropped(s: "MmState", ptep: int) -> None:
    """MADV_DONTNEED returned: the page must read as zeros."""
    s.expect[ptep] = ZEROS
    s.shadow[ptep] = SHADOW_DROPPED
    s.origin[ptep] = ORIGIN_NONE


def user_forked(s: "MmState", parent: int, child: int) -> None:
    """The child expects what the parent expects; neither is owed a discard while they share."""
    s.shadow[parent] &= ~SHADOW_SOLE
    s.expect[child] = s.expect[parent]
    s.shadow[child] = s.shadow[parent]
    s.origin[child] = s.origin[parent]
    s.shared_seen[child] = s.shared_seen[parent]


def user_loaded(s: "MmState", ptep: int, value: int) -> None:
    """Judge one load."""
    expected = s.expect[ptep]
    if value == expected:
        return
    if value == ZEROS and s.shadow[ptep] & SHADOW_FREED:
        s.expect[ptep] = ZEROS
        s.shadow[ptep] = SHADOW_READ_ZERO
        return
    report(s, wrong_load(s, ptep, value), ptep, expected, value)


def user_touched_empty(s: "MmState", ptep: int) -> None:
    """A fault found nothing where the page was: what was stored there is lost, also if the next store covers it.

    A real store covers some bytes of a page, not all as a token does.
    """
    if s.expect[ptep] != ZEROS and not s.shadow[ptep] & SHADOW_FREED:
        report(s, ORACLE_LOST_STORE, ptep, s.expect[ptep], ZEROS)


def wrong_load(s: "MmState", ptep: int, value: int) -> int:
    """Which oracle a wrong value belongs to. Only what the page itself held before can be resurrected."""
    if value == ZEROS:
        return ORACLE_LOST_STORE
    if value == GARBAGE:
        return ORACLE_FOREIGN_VALUE
    oracle = owner_of_value(s, ptep, value)
    dropped = s.expect[ptep] == ZEROS and s.shadow[ptep] & (SHADOW_DROPPED | SHADOW_READ_ZERO) != 0
    if dropped and oracle == ORACLE_STALE_VALUE:
        return ORACLE_RESURRECTED
    return oracle


def stored_before_fork(s: "MmState", ptep: int, owner: int, value: int) -> bool:
    """Whether the other process stored the value before the two went separate ways: then it was inherited.

    A store in the op of the fork itself was made before it: a fault that fork had to wait for.
    """
    born = max(s.mm_born[ptep >> VPN_SHIFT], s.mm_born[owner >> VPN_SHIFT])
    return s.token_time[value] <= born


def owner_of_value(s: "MmState", ptep: int, value: int) -> int:
    """Tell an older value of the page from one that another process or another page stored."""
    if FIRST_SHARED_TOKEN <= value <= LAST_SHARED_TOKEN:
        seen = s.shared_seen[ptep] >> (value - FIRST_SHARED_TOKEN) & 1
        return ORACLE_STALE_VALUE if seen else ORACLE_FOREIGN_VALUE
    owner = s.token_owner[value]
    if owner == ptep:
        return ORACLE_STALE_VALUE
    if owner >= 0 and owner & 31 == ptep & 31:
        return ORACLE_STALE_VALUE if stored_before_fork(s, ptep, owner, value) else ORACLE_COW_LEAK
    return ORACLE_FOREIGN_VALUE


if not cython.compiled:
    from simcore.constants import (
        FIRST_SHARED_TOKEN,
        GARBAGE,
        LAST_SHARED_TOKEN,
        ORIGIN_NONE,
        SHADOW_DROPPED,
        SHADOW_FREED,
        SHADOW_READ_ZERO,
        SHADOW_SOLE,
        VPN_SHIFT,
        ZEROS,
    )
    from simcore.mm_types import MmState
    from simcore.oracle_ids import (
        ORACLE_COW_LEAK,
        ORACLE_FOREIGN_VALUE,
        ORACLE_LOST_STORE,
        ORACLE_RESURRECTED,
        ORACLE_STALE_VALUE,
    )
    from simcore.report import report
