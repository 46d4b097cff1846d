"""mprotect(2): bits that stay, stores that fail, and what becomes writable at once."""

from collections.abc import Callable
from typing import Any

import pytest

from simcore.kernel_files import shipped_kernels

WORLD = "processes=2 pages=1 file=1 frames=12 slots=8 mergeable=1 without=writeback,io_error"
PlayMaker = Callable[..., Any]
KERNELS = tuple(kernel.name for kernel in shipped_kernels())


@pytest.mark.parametrize("kernel", KERNELS)
def test_store_to_a_read_only_page_fails_and_changes_nothing(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; mprotect_ro 0 0", kernel=kernel, world=WORLD)
    assert bench.pte() == "PrYD s"
    assert bench.do("write 0 0 2; gup_write 0 0 3; pin 0 0; read 0 0") == ["EFAULT", "EFAULT", "EFAULT", "ok"]
    assert bench.value() == 1
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_page_that_was_swapped_meanwhile_is_writable_again(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; mprotect_ro 0 0; reclaim; read 0 0", kernel=kernel, world=WORLD)
    assert bench.pte().startswith("Pr")
    assert bench.do("mprotect_rw 0 0; write 0 0 2") == ["ok", "ok"]
    assert bench.value() == 2
    assert bench.end() == []


@pytest.mark.parametrize(("kernel", "dirty", "clean"), [
    ("linux-4.14", "PrYD s", "Pr-- s"),
    ("linux-6.1", "PWYD s", "Pr-- s"),
    ("linux-6.12", "PWYD s", "PW-- s"),
])  # fmt: skip
def test_private_page_is_writable_at_once_where_it_is_exclusive(
    kernel: str, dirty: str, clean: str, play: PlayMaker
) -> None:
    bench = play("write 0 0 1; mprotect_ro 0 0; mprotect_rw 0 0", kernel=kernel, world=WORLD)
    assert bench.pte() == dirty
    bench.do("madv_free 0 0; mprotect_ro 0 0; mprotect_rw 0 0")
    assert bench.pte() == clean
    assert bench.end() == []


@pytest.mark.parametrize("kernel", ["linux-6.1", "linux-6.12"])
def test_page_shared_by_fork_stays_read_only(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; fork 0; mprotect_ro 0 0; mprotect_rw 0 0", kernel=kernel, world=WORLD)
    assert bench.pte().startswith("Pr")
    bench.do("write 0 0 2")
    assert (bench.value(0), bench.value(1)) == (2, 1)
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_shared_file_page_is_writable_at_once(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 1 1; mprotect_ro 0 1", kernel=kernel, world=WORLD)
    assert bench.pte(0, 1) == "PrYD s"
    bench.do("mprotect_rw 0 1")
    assert bench.pte(0, 1) == "PWYD s"
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_migration_that_began_before_does_not_bring_write_back(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; begin migrate 0 0" + "; step kcompactd" * 3, kernel=kernel, world=WORLD)
    assert bench.pte().startswith("migration (write)")
    bench.do("mprotect_ro 0 0")
    assert bench.pte().startswith("migration (read)")
    bench.do("step kcompactd" + "; step kcompactd" * 3)
    assert bench.pte().startswith("Pr")
    assert bench.do("write 0 0 2") == ["EFAULT"]
    assert bench.end() == []


@pytest.mark.parametrize("kernel", KERNELS)
def test_locked_page_that_becomes_writable_is_copied_at_once(kernel: str, play: PlayMaker) -> None:
    bench = play("read 0 0; mprotect_ro 0 0; mlock 0 0; mprotect_rw 0 0", kernel=kernel, world=WORLD)
    assert bench.pte().startswith("PW")
    assert bench.end() == []
