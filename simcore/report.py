"""What the core writes down when an oracle speaks: the first report of each oracle in a trace."""

import cython


def report(s: "MmState", oracle: int, ptep: int, expected: int, seen: int) -> None:
    """Keep the oracle's first report; a safety oracle ends the trace, for what follows would only echo it."""
    if s.probing or s.stopped or s.failed >> oracle & 1:
        return
    s.failed |= 1 << oracle
    s.fail_at[oracle] = s.op_index
    s.fail_ptep[oracle] = ptep
    s.fail_origin[oracle] = s.origin[ptep] if ptep >= 0 else 0
    s.fail_expected[oracle] = expected
    s.fail_seen[oracle] = seen
    if oracle <= LAST_SAFETY_ORACLE:
        s.stopped = 1


def kernel_bug(s: "MmState", number: int) -> None:
    """The kernel stops on one of its own assertions (VM_BUG_ON and its kind)."""
    report(s, ORACLE_KERNEL_ASSERTION, -1, 0, number)
    # Also inside a probe: going on from a broken state proves nothing.
    s.stopped = 1


if not cython.compiled:
    from simcore.mm_types import MmState
    from simcore.oracle_ids import LAST_SAFETY_ORACLE, ORACLE_KERNEL_ASSERTION
