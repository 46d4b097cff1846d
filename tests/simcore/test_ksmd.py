"""ksmd's scan as a path: what happens to a page between being protected, compared and replaced."""

from typing import Any

import pytest

from simcore.kernel_files import find_kernel
from simcore.run import run_trace
from simcore.trace import HEADER, parse_trace

WORLD = "processes=2 pages=2 frames=8 slots=4 memcgs=1 mergeable=2 swap=zram"
KERNELS = ("linux-4.0-rc7-mm1", "linux-4.5", "linux-4.14", "linux-6.1", "linux-6.12")
# Two pages of equal content that were equal a scan ago; ksmd stands before the pair is merged.
BEFORE = "write 0 0 101; write 0 1 101; begin ksm_scan; step ksmd"


def run(ops: str, kernel: str, compiled: Any) -> Any:
    text = "\n".join([HEADER, f"kernel {kernel}", f"world {WORLD}", *ops.split("; ")])
    return run_trace(parse_trace(text), find_kernel(kernel), compiled=compiled)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("steps", range(8))
def test_a_store_while_ksmd_merges_is_never_lost(kernel: str, steps: int, compiled: Any) -> None:
    for page in (0, 1):
        ops = "; ".join([BEFORE, *["step ksmd"] * steps, f"write 0 {page} 7", "ksm_scan", "read 0 0", "read 0 1"])
        observed = run(ops, kernel, compiled)
        assert [violation for violation in observed.violations if violation.cls != "cost"] == []


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("steps", range(8))
def test_what_takes_the_page_away_meanwhile_ends_the_merge(kernel: str, steps: int, compiled: Any) -> None:
    for op in ("madv_dontneed 0 0", "madv_dontneed 0 1", "migrate 0 0", "reclaim", "fork 0", "madv_free 0 1"):
        observed = run("; ".join([BEFORE, *["step ksmd"] * steps, op, "write 0 0 9"]), kernel, compiled)
        assert [violation for violation in observed.violations if violation.cls != "cost"] == []


def test_stepping_through_ends_as_running_at_once(compiled: Any) -> None:
    at_once = run("write 0 0 101; write 0 1 101; ksm_scan; read 0 0", "linux-6.1", compiled)
    stepped = run("; ".join([BEFORE, *["step ksmd"] * 30, "read 0 0"]), "linux-6.1", compiled)
    assert at_once.violations == stepped.violations == ()
    assert stepped.results[2:].count(0) > 5
