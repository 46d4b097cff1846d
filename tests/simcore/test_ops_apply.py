"""Every op does what it says to a plain world, on the compiled and the uncompiled core."""

from typing import Any

import pytest

from simcore.kernel_files import find_kernel
from simcore.run import run_trace
from simcore.trace import HEADER, parse_trace

WORLD = "processes=2 pages=3 frames=40 slots=16 memcgs=1 mergeable=2 file=1 huge=3 batch=4 swap=disk"


def results(ops: str, kernel: str = "linux-6.1", world: str = WORLD, compiled: bool = True) -> list[int]:
    lines = [HEADER, f"kernel {kernel}", f"world {world}", *ops.split("; ")]
    observed = run_trace(parse_trace("\n".join(lines)), find_kernel(kernel), compiled=compiled)
    assert observed.violations == ()
    return list(observed.results)


@pytest.mark.parametrize(
    ("ops", "last"),
    [
        ("gup_write 0 0 1; read 0 0", 0),
        ("mprotect_ro 0 0; gup_write 0 0 1", 6),
        ("mprotect_ro 0 0; write 0 0 1", 6),
        ("mprotect_ro 0 0; mprotect_rw 0 0; write 0 0 1", 0),
        ("write 0 0 1; pin 0 0; dma 0 2; unpin 0; read 0 0", 0),
        ("dma 0 2", 1),
        ("unpin 0", 1),
        ("write 0 0 1; drain 0; reclaim; mremap 0 0; read 0 0", 0),
        ("write 0 0 1; clear_soft_dirty 0; write 0 0 2", 0),
        ("write 0 3 1; fork 0; punch 1 3; read 0 3", 0),
        ("write 0 4 1; truncate 0 3; read 0 4", 0),
        ("punch 0 0", 1),
        ("write 0 5 1; split 0 area; collapse 0 area; read 0 5", 0),
        ("collapse 0 area", 3),
        ("write 0 5 1; madv_free 0 area; write 0 6 2; reclaim; read 0 6", 0),
        ("migrate 0 0", 6),
        ("write 0 0 1; drain 0; reclaim; io_done; reclaim; migrate 0 0", 7),
    ],
)
def test_op_has_its_result(ops: str, last: int, compiled: Any) -> None:
    assert results(ops, compiled=compiled)[-1] == last
