"""Soft-dirty: cleared through clear_refs, set by stores, kept on every way a page takes."""

from collections.abc import Callable
from typing import Any

import pytest

from simcore.kernel_files import shipped_kernels

WORLD = "processes=2 pages=2 file=1 frames=12 slots=8 mergeable=2 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KernelMaker = Callable[..., Any]
REFUSED = "linux-4.0-rc7-mm1+dirty-on-swapin"
KERNELS = tuple(kernel.name for kernel in shipped_kernels() if kernel.name != REFUSED)
SHOWN_SOFT_DIRTY = 1 << 22


def shown(bench: Any, process: int = 0, page: int = 0) -> bool:
    """What pagemap says, which counts the vma's bit too."""
    return bool(bench.machine.page_states()[process][page] & SHOWN_SOFT_DIRTY)


@pytest.mark.parametrize("kernel", KERNELS)
def test_clearing_protects_the_pte_so_that_the_next_store_is_noticed(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; clear_soft_dirty 0", kernel=kernel, world=WORLD)
    assert (bench.pte(), shown(bench)) == ("PrYD", False)
    bench.do("read 0 0")
    assert not shown(bench)
    bench.do("write 0 0 2")
    assert (bench.pte(), shown(bench)) == ("PWYD s", True)
    assert bench.end() == []


def test_store_is_not_noticed_where_clearing_leaves_the_pte_writable(play: PlayMaker, turned: KernelMaker) -> None:
    bench = play("write 0 0 1; clear_soft_dirty 0", kernel=turned("linux-6.1", "clear_refs_protects_pte"), world=WORLD)
    assert bench.pte() == "PWYD"


@pytest.mark.parametrize("kernel", KERNELS)
def test_page_that_was_never_touched_counts_as_soft_dirty_until_cleared(kernel: str, play: PlayMaker) -> None:
    bench = play(kernel=kernel, world=WORLD)
    assert shown(bench)
    bench.do("clear_soft_dirty 0")
    assert not shown(bench)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("way", ["reclaim", "reclaim; read 0 0", "fork 0", "mprotect_ro 0 0"])
def test_bit_is_kept_or_stays_clear(way: str, kernel: str, play: PlayMaker) -> None:
    kept = play(f"clear_soft_dirty 0; write 0 0 1; {way}", kernel=kernel, world=WORLD)
    assert shown(kept)
    clear = play(f"write 0 0 1; clear_soft_dirty 0; {way}", kernel=kernel, world=WORLD)
    assert not shown(clear)
    assert (kept.end(), clear.end()) == ([], [])


def test_refused_patch_sets_the_bit_for_a_page_that_is_only_read(play: PlayMaker) -> None:
    bench = play("write 0 0 1; clear_soft_dirty 0; reclaim; read 0 0", kernel=REFUSED, world=WORLD)
    assert shown(bench)


@pytest.mark.parametrize(
    ("kernel", "sets"), [("linux-4.5", False), ("linux-4.14", False), ("linux-6.1", True), ("linux-6.12", False)]
)
def test_migration_of_a_dirty_page_sets_the_bit_in_v6_1_alone(kernel: str, sets: bool, play: PlayMaker) -> None:
    """From v6.1 the pte comes back dirty, and pte_mkdirty() sets both bits; before, it comes back clean."""
    bench = play("write 0 0 1; clear_soft_dirty 0; migrate 0 0", kernel=kernel, world=WORLD)
    assert shown(bench) == sets
    assert bench.end() == []


@pytest.mark.parametrize(("kernel", "kept"), [("linux-4.5", False), ("linux-4.14", False), ("linux-6.1", True)])
def test_swapoff_keeps_the_bit_from_v5_19_on(kernel: str, kept: bool, play: PlayMaker) -> None:
    bench = play("clear_soft_dirty 0; write 0 0 1; reclaim; swapoff", kernel=kernel, world=WORLD)
    assert shown(bench) == kept


def test_merging_loses_the_bit_of_the_page_that_is_replaced(play: PlayMaker) -> None:
    bench = play("clear_soft_dirty 0; write 0 0 101; write 0 1 101; ksm_scan", kernel="linux-4.14", world=WORLD)
    assert (shown(bench, 0, 0), shown(bench, 0, 1)) == (False, True)


def test_child_counts_as_dirty_what_the_parent_has(play: PlayMaker) -> None:
    bench = play("clear_soft_dirty 0; write 0 0 1; fork 0; clear_soft_dirty 1", kernel="linux-6.1", world=WORLD)
    assert (shown(bench, 0), shown(bench, 1)) == (True, False)
    assert bench.end() == []


def test_shared_file_page_needs_a_fault_for_a_store_while_the_bit_is_tracked(play: PlayMaker) -> None:
    bench = play("clear_soft_dirty 0; read 0 2", kernel="linux-6.1", world=WORLD)
    assert bench.pte(0, 2) == "PrY-"
    bench.do("write 0 2 1")
    assert (bench.pte(0, 2), shown(bench, 0, 2)) == ("PWYD s", True)
    assert bench.end() == []
