"""What a program may expect of its own memory, and the oracles that watch over it.

For each page the last store is known. It is kept at the page's home: the page itself or, for a mapping of the tmpfs
file that shows the file's contents, the file's page, which all processes share. MADV_FREE allows zeros until the next
store, but once zeros were read the old contents may not come back. Every value a load sees is judged against that.
"""

import cython


def home(s: "MmState", ptep: int) -> int:
    """Where the expectation of a page is kept: an index of expect[] and shadow[]."""
    vm_flags = s.vm_flags[ptep]
    if not vm_flags & VM_FILE or (not vm_flags & VM_SHARED and s.shadow[ptep] & SHADOW_OWN):
        return ptep
    return MAX_PTES + file_index(s, ptep)


def user_copied(s: "MmState", ptep: int) -> None:
    """A private mapping of the file gets a page of its own, with the contents that the file has now."""
    if s.vm_flags[ptep] & (VM_FILE | VM_SHARED) == VM_FILE and not s.shadow[ptep] & SHADOW_OWN:
        s.expect[ptep] = s.expect[MAX_PTES + file_index(s, ptep)]
        s.shadow[ptep] = SHADOW_OWN


def user_stored(s: "MmState", ptep: int, token: int) -> None:
    """A store ends every licence: from now on the page must read as the token."""
    ptep = home(s, ptep)
    s.expect[ptep] = token
    s.shadow[ptep] &= SHADOW_OWN
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
    s.origin[ptep] = ORIGIN_NONE
    if s.vm_flags[ptep] & VM_FILE:
        # What the mapping shows now is the file.
        s.shadow[ptep] = 0
        return
    s.expect[ptep] = ZEROS
    s.shadow[ptep] = SHADOW_DROPPED


def user_punched(s: "MmState", index: int) -> None:
    """A page of the file was given up: it reads as zeros."""
    s.expect[MAX_PTES + index] = ZEROS
    s.shadow[MAX_PTES + index] = SHADOW_DROPPED


def user_forked(s: "MmState", parent: int, child: int) -> None:
    """The child expects what the parent expects; neither is owed a discard while they share."""
    s.shadow[parent] &= ~SHADOW_SOLE
    s.expect[child] = s.expect[parent]
    s.shadow[child] = s.shadow[parent]
    s.origin[child] = s.origin[parent]
    s.shared_seen[child] = s.shared_seen[parent]


def user_loaded(s: "MmState", ptep: int, value: int) -> None:
    """Judge one load."""
    s.last_value = value
    where = home(s, ptep)
    expected = s.expect[where]
    if value == expected:
        return
    if value == ZEROS and s.shadow[where] & SHADOW_FREED:
        s.expect[where] = ZEROS
        s.shadow[where] = SHADOW_READ_ZERO
        return
    report(s, wrong_load(s, where, value), ptep, expected, value)


def user_touched_empty(s: "MmState", ptep: int) -> None:
    """A fault found nothing where the page was: what was stored there is lost, also if the next store covers it.

    A real store covers some bytes of a page, not all as a token does.
    """
    if s.expect[ptep] != ZEROS and not s.shadow[ptep] & SHADOW_FREED and home(s, ptep) == ptep:
        report(s, ORACLE_LOST_STORE, ptep, s.expect[ptep], ZEROS)


def wrong_load(s: "MmState", ptep: int, value: int) -> int:
    """Which oracle a wrong value belongs to. Only what the page itself held before can be resurrected."""
    if value == ZEROS or shows_file_again(s, ptep, value):
        return ORACLE_LOST_STORE
    if value == GARBAGE:
        return ORACLE_FOREIGN_VALUE
    oracle = owner_of_value(s, ptep, value)
    dropped = s.expect[ptep] == ZEROS and s.shadow[ptep] & (SHADOW_DROPPED | SHADOW_READ_ZERO) != 0
    if dropped and oracle == ORACLE_STALE_VALUE:
        return ORACLE_RESURRECTED
    return oracle


def shows_file_again(s: "MmState", ptep: int, value: int) -> bool:
    """Whether a private mapping that had a page of its own reads as the file does: that page is lost."""
    if ptep >= MAX_PTES or not s.vm_flags[ptep] & VM_FILE:
        return False
    return value == s.expect[MAX_PTES + file_index(s, ptep)]


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
    if ptep < MAX_PTES and 0 <= owner < MAX_PTES and owner & 31 == ptep & 31:
        return ORACLE_STALE_VALUE if stored_before_fork(s, ptep, owner, value) else ORACLE_COW_LEAK
    return ORACLE_FOREIGN_VALUE


if not cython.compiled:
    from simcore.constants import (
        FIRST_SHARED_TOKEN,
        GARBAGE,
        LAST_SHARED_TOKEN,
        MAX_PTES,
        ORIGIN_NONE,
        SHADOW_DROPPED,
        SHADOW_FREED,
        SHADOW_OWN,
        SHADOW_READ_ZERO,
        SHADOW_SOLE,
        VM_FILE,
        VM_SHARED,
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
    from simcore.shmem import file_index
