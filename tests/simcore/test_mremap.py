"""mremap(2) of one page: the pte moves with all it has, and is soft-dirty."""

from collections.abc import Callable
from typing import Any

import pytest

from simcore.kernel_files import shipped_kernels

WORLD = "processes=1 pages=2 frames=12 slots=8 mergeable=2 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KERNELS = tuple(kernel.name for kernel in shipped_kernels())


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("before", "pte"), [
    ("write 0 0 1", "PWYD s"),
    ("write 0 0 1; clear_soft_dirty 0", "PrYD s"),
    ("write 0 0 1; reclaim; clear_soft_dirty 0", "swap s"),
])  # fmt: skip
def test_moved_pte_keeps_its_bits_and_is_soft_dirty(before: str, pte: str, kernel: str, play: PlayMaker) -> None:
    bench = play(before, kernel=kernel, world=WORLD)
    frame = bench.frame()
    bench.do("mremap 0 0")
    assert (bench.pte(), bench.frame(), bench.value()) == (pte, frame, 1)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_empty_pte_stays_empty(kernel: str, play: PlayMaker) -> None:
    bench = play("mremap 0 0", kernel=kernel, world=WORLD)
    assert bench.pte() == "none"


@pytest.mark.parametrize("kernel", KERNELS)
def test_merged_page_is_copied_before_it_moves(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 101; write 0 1 101; ksm_scan; mremap 0 0", kernel=kernel, world=WORLD)
    assert (bench.has("KSM", 0, 0), bench.has("KSM", 0, 1)) == ("!KSM", "KSM")
    assert (bench.value(0, 0), bench.value(0, 1)) == (101, 101)
    assert bench.end() == []


def test_mremap_waits_for_a_fault_of_another_thread(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; begin read 0 0 @1", kernel="linux-6.1", world=WORLD)
    assert bench.do("mremap 0 0") == ["blocked"]
    assert bench.end() == []
