"""Which failures are the same.

A signature covers the oracle, the kind, and the rules and bits of the causal rows, with what the kernel
decides in them; not the rows' numbers, so that it stays what it is when rules are added. Without causal rows,
the ops of the minimized trace take their place.
"""

import hashlib
from collections.abc import Sequence

from fuzzer.cause import Cause
from simcore.run import Violation
from simcore.trace import Trace


def signature(violation: Violation, cause: Cause, minimized: Trace) -> str:
    """The text "sig-" and 12 hex digits; failures of one kernel with one signature are taken for the same."""
    lines = [violation.oracle, violation.kind]
    for row in cause.rows:
        bits = " ".join(f"{bit}={value:d}" for bit, value in sorted(row.bits.items()))
        lines.append(f"{row.rule} {bits} {row.b:d}")
    if not cause.rows:
        lines += map(str, minimized.ops)
    return f"sig-{_digest(lines, 12)}"


def plain_signature(parts: Sequence[str]) -> str:
    """The signature of what has no violation and no cause, from whatever tells it apart."""
    return f"sig-{_digest(parts, 12)}"


def failure_id(signature_text: str, kernel_digest: str) -> str:
    """The text "fail-" and 10 hex digits: a signature on a kernel."""
    return f"fail-{_digest([signature_text, kernel_digest], 10)}"


def _digest(lines: Sequence[str], digits: int) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:digits]
