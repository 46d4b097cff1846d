"""What tells one failure of a real kernel from another, and from the simulator's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fuzzer.signature import failure_id, plain_signature
from simcore.kernel import Kernel
from simcore.run import Violation, run_trace
from simcore.trace import Trace

# What a kernel's own report on its console is called where others have an oracle.
KERNEL_REPORT = "kernel-report"
CRASH = "crash"
# What only failures of real kernels have among their options.
TARGET, SHA256 = "target", "sha256"


@dataclass(frozen=True, slots=True)
class Identity:
    """A failure's signature, and its id on the simulated kernel of the version."""

    signature: str
    id: str


def identify(key: str, sha256: str, minimized: Trace, kernel: Kernel) -> Identity:
    """By what was seen, the real kernel's digest, and the ops; nothing of the simulator's has the digest in it."""
    signature = plain_signature([key, sha256, *map(str, minimized.ops)])
    return Identity(signature, failure_id(signature, kernel.digest))


def simulated_violation(minimized: Trace, kernel: Kernel) -> Violation | None:
    """What the simulated kernel does first in the same trace; None if it does nothing wrong."""
    violations = run_trace(minimized, kernel).violations
    return violations[0] if violations else None


def is_of_real_kernel(options: Mapping[str, Any]) -> bool:
    """Whether the options of a stored failure say that it was seen on a real kernel."""
    return TARGET in options and SHA256 in options


def report_violation(line: str, kind: str, place: str, console: str, ops: Sequence[object]) -> dict[str, object]:
    """A kernel's own report in the place of a violation; no page is at fault."""
    return {
        "oracle": KERNEL_REPORT,
        "class": CRASH,
        "kind": kind,
        "at": len(ops),
        "process": -1,
        "page": -1,
        "expected": 0,
        "seen": 0,
        "what": _without_nul(line),
        "place": place,
        "console": _without_nul(console),
    }


def _without_nul(text: str) -> str:
    """A console is whatever the guest wrote; not every database has NUL."""
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")
