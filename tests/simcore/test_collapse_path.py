"""MADV_COLLAPSE as a path: what happens to the area while a huge page is found and swapped pages come back."""

from typing import Any

import pytest

from simcore.kernel_files import find_kernel
from simcore.run import run_trace
from simcore.trace import HEADER, parse_trace

WORLD = "processes=2 pages=1 frames=24 slots=8 memcgs=1 mergeable=0 huge=3 advised=0 swap={swap}"
KERNELS = ("linux-6.1", "linux-6.12")


def run(ops: str, kernel: str, compiled: Any, swap: str = "zram") -> Any:
    text = "\n".join([HEADER, f"kernel {kernel}", f"world {WORLD.format(swap=swap)}", *ops.split("; ")])
    return run_trace(parse_trace(text), find_kernel(kernel), compiled=compiled)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("swap", ["disk", "zram"])
@pytest.mark.parametrize("steps", range(4))
def test_nothing_is_lost_whatever_comes_between(kernel: str, swap: str, steps: int, compiled: Any) -> None:
    before = "write 0 1 1; write 0 2 2; madv_pageout 0 2; io_done; write 0 3 3; begin collapse 0 area"
    for op in ("write 0 1 7", "write 0 2 8", "madv_dontneed 0 2", "madv_free 0 1", "fork 0", "reclaim", "migrate 0 1"):
        ops = [before, *["step khugepaged"] * steps, op, "step khugepaged", "read 0 1", "read 0 2", "read 0 3"]
        observed = run("; ".join(ops), kernel, compiled, swap)
        assert [violation for violation in observed.violations if violation.cls != "cost"] == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_fault_under_way_keeps_collapse_from_the_page_table(kernel: str, compiled: Any) -> None:
    ops = "write 0 1 1; madv_pageout 0 0; begin write 0 2 2 @1; begin collapse 0 area; step khugepaged; step khugepaged"
    blocked = run(f"{ops}; step khugepaged", kernel, compiled)
    assert blocked.results[-1] == 5, "it waits for mmap_lock"
    done = run(f"{ops}; step P0@1; step P0@1; step khugepaged", kernel, compiled)
    assert done.results[-1] == 0
