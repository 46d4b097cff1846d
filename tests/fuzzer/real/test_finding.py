"""What tells failures of real kernels apart."""

from dataclasses import replace

from fuzzer.cause import Cause
from fuzzer.real.finding import identify, is_of_real_kernel, report_violation, simulated_violation
from fuzzer.signature import signature
from simcore.kernel_files import find_kernel
from simcore.run import run_trace
from simcore.trace import Trace, parse_trace

KERNEL = find_kernel("linux-6.1")
LOST = parse_trace(
    """mmfuzz trace 1
kernel linux-6.1
world processes=1 pages=2 frames=12 slots=8 memcgs=1 mergeable=2 swap=zram
write 0 0 101
write 0 1 101
ksm_scan
write 0 0 101
madv_free 0 1
ksm_scan
reclaim
"""
)


def shorter(trace: Trace) -> Trace:
    """Another trace."""
    return replace(trace, ops=trace.ops[:-1])


def test_the_simulated_kernel_is_asked_for_the_same_trace() -> None:
    seen = simulated_violation(LOST, KERNEL)
    assert seen is not None
    assert seen.oracle == "lost-store"
    assert simulated_violation(shorter(LOST), KERNEL) is None


def test_key_kernel_and_ops_tell_failures_apart() -> None:
    one = identify("lost-store", "a" * 64, LOST, KERNEL)
    others = [
        identify("stale-value", "a" * 64, LOST, KERNEL),
        identify("lost-store", "b" * 64, LOST, KERNEL),
        identify("lost-store", "a" * 64, shorter(LOST), KERNEL),
    ]
    assert len({one.id, *(each.id for each in others)}) == 4
    assert identify("lost-store", "a" * 64, LOST, KERNEL) == one


def test_no_failure_of_the_simulator_has_the_same_signature() -> None:
    violation = run_trace(LOST, KERNEL).violations[0]
    cause = Cause(None, (), "", complete=False)
    assert signature(violation, cause, LOST) != identify("lost-store", "a" * 64, LOST, KERNEL).signature


def test_options_say_where_a_failure_was_seen() -> None:
    assert is_of_real_kernel({"target": "debian-6.1", "sha256": "a" * 64})
    assert not is_of_real_kernel({"file": "main-6.1-zram.jsonl.gz", "engine": "swarm"})


def test_a_report_of_the_kernel_is_kept_as_text_that_every_database_takes() -> None:
    violation = report_violation("BUG: Bad page\0", "bad-page", "", "excerpt\0", LOST.ops)
    assert "\0" not in f"{violation}"
    assert (violation["class"], violation["at"]) == ("crash", 7)
