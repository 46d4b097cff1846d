"""The traces of docs/findings: each shows on the kernels named there, and on no other of the line."""

import pytest

from simcore.kernel_files import find_kernel
from simcore.run import run_trace
from simcore.trace import HEADER, parse_trace

WORLD = "processes=3 pages=2 frames=16 slots=8 memcgs=1 mergeable=2 swap={swap}"
KERNELS = ("linux-4.5", "linux-4.14", "linux-6.1", "linux-6.12")
# Name of the finding, swap device, ops, the kernels that lose a store.
LOSSES = [
    ("past the swap cache", "zram", "write 0 0 1; reclaim; read 0 0; fork 0; madv_free 0 0; reclaim", KERNELS[2:]),
    ("past the swap cache, on a disk", "disk", "write 0 0 1; reclaim; read 0 0; fork 0; madv_free 0 0; reclaim", ()),
    ("unshared to be read", "disk", "write 0 0 1; fork 0; gup_read 0 0; fork 0; madv_free 0 0; reclaim", KERNELS[2:]),
    (
        "broken out of KSM",
        "disk",
        "write 0 0 101; write 0 1 101; ksm_scan; unmergeable 0 1; fork 0; madv_free 0 1; reclaim",
        KERNELS[3:],
    ),
    (
        "merged into a page given up",
        "disk",
        "write 0 0 101; write 0 1 101; ksm_scan; write 0 0 101; madv_free 0 1; ksm_scan; reclaim",
        KERNELS,
    ),
    ("direct I/O into a page given up", "disk", "pin 0 0; madv_free 0 0; reclaim; dma 0 1", KERNELS[:2]),
    ("direct I/O and fork", "disk", "pin 0 0; fork 0; write 0 0 1; dma 0 2", KERNELS[:2]),
]


def speaks(ops: str, kernel: str, swap: str, compiled: bool) -> bool:
    text = "\n".join([HEADER, f"kernel {kernel}", f"world {WORLD.format(swap=swap)}", *ops.split("; ")])
    observed = run_trace(parse_trace(text), find_kernel(kernel), compiled=compiled)
    return any(violation.cls == "safety" for violation in observed.violations)


@pytest.mark.parametrize(("swap", "ops", "losing"), [each[1:] for each in LOSSES], ids=[each[0] for each in LOSSES])
def test_finding_shows_where_it_is_said_to(swap: str, ops: str, losing: tuple[str, ...], compiled: bool) -> None:
    assert tuple(kernel for kernel in KERNELS if speaks(ops, kernel, swap, compiled)) == losing
