"""The tmpfs file: mapped shared and private, swapped out, punched and truncated.

Pages of a process: 0 anonymous, 1 and 2 the file shared, 3 and 4 the same pages private.
"""

from collections.abc import Callable
from typing import Any

import pytest

from simcore.kernel_files import shipped_kernels

WORLD = "processes=2 pages=1 file=2 frames=12 slots=8 mergeable=0 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KernelMaker = Callable[..., Any]
KERNELS = tuple(kernel.name for kernel in shipped_kernels())
SHARED, PRIVATE = 1, 3


@pytest.mark.parametrize("kernel", KERNELS)
def test_every_mapping_shows_the_page_of_the_file(kernel: str, play: PlayMaker) -> None:
    bench = play("fork 0; write 0 1 1; read 1 1; read 0 3; read 1 3", kernel=kernel, world=WORLD)
    frames = {bench.frame(process, page) for process in (0, 1) for page in (SHARED, PRIVATE)}
    assert len(frames) == 1
    assert bench.page(0, SHARED).mapcount == 4
    bench.do("write 1 1 2")
    assert bench.value(0, PRIVATE) == 2
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_store_to_a_private_mapping_goes_to_a_copy(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; read 0 3; write 0 3 2", kernel=kernel, world=WORLD)
    assert (bench.value(0, SHARED), bench.value(0, PRIVATE)) == (1, 2)
    assert (bench.has("file", 0, SHARED), bench.has("file", 0, PRIVATE)) == ("file", "!file")
    bench.do("write 0 1 3")
    assert bench.value(0, PRIVATE) == 2
    assert bench.end() == []


def test_shared_page_is_writable_already_for_a_read(play: PlayMaker) -> None:
    bench = play("read 0 1; read 0 3", world=WORLD)
    assert (bench.pte(0, SHARED), bench.pte(0, PRIVATE)) == ("PWY-", "PrY-")
    bench.do("write 0 1 1")
    assert (bench.pte(0, SHARED), bench.has("PD", 0, SHARED)) == ("PWYD s", "!PD")
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("swap", ["disk", "zram"])
def test_page_of_the_file_survives_reclaim(swap: str, kernel: str, play: PlayMaker) -> None:
    bench = play(
        "read 0 1; write 0 1 1; reclaim", kernel=kernel, world=WORLD.replace("slots=8", f"slots=8 swap={swap}")
    )
    assert (bench.pte(0, SHARED), bench.slot_of(0).count) == ("none", 1)
    bench.do("read 0 1")
    assert (bench.value(0, SHARED), bench.has("PD SC file", 0, SHARED)) == (1, "PD !SC file")
    assert bench.slot_of(0).count == 0
    assert bench.end() == []


def test_store_that_only_the_pte_knows_of_is_lost_without_the_dirty_bit(play: PlayMaker, turned: KernelMaker) -> None:
    kernel = turned("linux-6.1", "unmap_dirties_page", pte_dirty=True, migration=False)
    bench = play("read 0 1; write 0 1 1; reclaim", kernel=kernel, world=WORLD)
    assert bench.end() == ["lost-store"]


def test_store_is_kept_when_a_process_exits(play: PlayMaker, turned: KernelMaker) -> None:
    ops = "fork 0; read 1 1; write 1 1 1; exit 1; reclaim"
    assert play(ops, kernel="linux-6.1", world=WORLD).end() == []
    kernel = turned("linux-6.1", "zap_dirties_page", anon=False, pte_dirty=True)
    assert play(ops, kernel=kernel, world=WORLD).end() == ["lost-store"]


@pytest.mark.parametrize("kernel", KERNELS)
def test_hole_reads_as_zeros_and_leaves_private_copies(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; write 0 3 2; punch 0 1; read 0 1", kernel=kernel, world=WORLD)
    assert (bench.value(0, SHARED), bench.value(0, PRIVATE)) == (0, 2)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_truncation_takes_private_copies_too(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; write 0 2 2; write 0 3 3; write 0 4 4; truncate 0 2", kernel=kernel, world=WORLD)
    assert (bench.value(0, 1), bench.value(0, 3)) == (1, 3)
    assert (bench.pte(0, 2), bench.pte(0, 4)) == ("none", "none")
    assert bench.end() == []


def test_hole_frees_a_swapped_page(play: PlayMaker) -> None:
    bench = play("write 0 1 1; reclaim; punch 0 1", kernel="linux-6.1", world=WORLD)
    assert (bench.slot_of(0).count, bench.slot_of(0).page) == (0, -1)
    bench.do("read 0 1")
    assert bench.value(0, SHARED) == 0
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_swapoff_brings_the_file_back(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; reclaim; swapoff", kernel=kernel, world=WORLD)
    assert bench.slot_of(0).count == 0
    bench.do("read 0 1")
    assert bench.value(0, SHARED) == 1
    assert bench.end() == []


def test_page_of_a_hole_that_was_only_read_is_dropped(play: PlayMaker) -> None:
    bench = play("read 0 1; reclaim", kernel="linux-6.1", world=WORLD)
    assert (bench.pte(0, SHARED), bench.writes(), bench.slot_of(0).written) == ("none", 0, False)
    assert bench.end() == []


def test_madv_free_of_a_file_is_einval_and_dontneed_shows_the_file_again(play: PlayMaker) -> None:
    bench = play("write 0 1 1; write 0 3 2", kernel="linux-6.1", world=WORLD)
    assert bench.do("madv_free 0 1; madv_free 0 3; madv_dontneed 0 3; read 0 3") == ["EINVAL", "EINVAL", "ok", "ok"]
    assert bench.value(0, PRIVATE) == 1
    assert bench.end() == []


def test_file_ops_need_a_page_of_the_file(play: PlayMaker) -> None:
    bench = play(world=WORLD)
    assert bench.do("punch 0 0; truncate 0 0") == ["skipped", "skipped"]
