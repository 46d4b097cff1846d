"""Races as traces: what one path holds, another waits for, and what happens between two phases counts."""

from collections.abc import Callable
from typing import Any

import pytest

from simcore.kernel_files import shipped_kernels

WORLD = "processes=2 pages=3 frames=12 slots=8 mergeable=0 without=writeback,io_error"
PlayMaker = Callable[..., Any]


def step_until(bench: Any, actor: str, pte: str, most: int = 10) -> None:
    """Step the actor until P0 page 0 has such a pte."""
    for _ in range(most):
        if bench.pte() == pte:
            return
        bench.do(f"step {actor}")
    raise AssertionError(f"{most} steps of {actor} did not bring {pte}; it is {bench.pte()}")


def step_to_the_end(bench: Any, actor: str, most: int = 40) -> str:
    """Step the actor off its path; what its last step said."""
    for _ in range(most):
        (result,) = bench.do(f"step {actor}")
        (after,) = bench.do(f"step {actor}") if result == "EAGAIN" else (result,)
        assert after != "EAGAIN", f"{actor} waits"
        if after == "skipped":
            return str(result)
    raise AssertionError(f"{actor} is still on its path after {most} steps")


#  kswapd  isolate | lock, slot | unmap |                     | pageout, free
#  U                                    | read: wait for lock               | page in again
def test_swapin_waits_for_the_page_that_reclaim_has_locked(play: PlayMaker) -> None:
    bench = play("write 0 0 1; begin reclaim", world=WORLD)
    step_until(bench, "kswapd", "swap s")
    assert bench.page().locked_by != 0
    assert bench.do("read 0 0") == ["blocked"]
    assert bench.do("step P0") == ["EAGAIN"]
    step_to_the_end(bench, "kswapd")
    step_to_the_end(bench, "P0")
    assert (bench.pte(), bench.value()) == ("PrY- s", 1)
    assert bench.end() == []


def test_blocked_step_does_nothing(play: PlayMaker) -> None:
    bench = play("write 0 0 1; begin reclaim", world=WORLD)
    step_until(bench, "kswapd", "swap s")
    bench.do("read 0 0")
    before = bench.state()
    for _ in range(3):
        assert bench.do("step P0") == ["EAGAIN"]
        assert bench.state() == before
    assert bench.end() == []


def test_blocked_fault_on_a_migration_entry_does_nothing(play: PlayMaker) -> None:
    bench = play("write 0 0 1; begin migrate 0 0", world=WORLD)
    step_until(bench, "kcompactd", "migration (write)")
    assert bench.do("write 0 0 2") == ["blocked"]
    before = bench.state()
    assert bench.do("step P0; step P0") == ["EAGAIN", "EAGAIN"]
    assert bench.state() == before


#  U@1  begin write: holds mmap_lock for reading |          | store
#  U@0                                           | fork: no |       | fork
def test_fork_waits_for_a_fault_of_another_thread(play: PlayMaker) -> None:
    bench = play("begin write 0 0 1 @1", world=WORLD)
    assert bench.do("fork 0") == ["blocked"]
    assert list(bench.snapshot().ptes) == [(0, 0), (0, 1), (0, 2)], "there is no child"
    step_to_the_end(bench, "P0@1")
    assert bench.do("fork 0") == ["ok"]
    assert bench.value(process=1) == 1
    assert bench.end() == []


@pytest.mark.parametrize("op", ["exit 0", "mlock 0 1", "munlock 0 1", "mergeable 0 1", "unmergeable 0 1"])
def test_writer_of_mmap_lock_waits_for_a_fault_of_another_thread(op: str, play: PlayMaker) -> None:
    bench = play("begin write 0 0 1 @1", world=WORLD)
    assert bench.do(op) == ["blocked"]
    step_to_the_end(bench, "P0@1")
    assert bench.do(op) == ["ok"]
    assert bench.end() == []


def test_readers_of_mmap_lock_do_not_wait_for_each_other(play: PlayMaker) -> None:
    bench = play("write 0 0 1; begin write 0 1 2 @1", world=WORLD)
    assert bench.do("read 0 0; madv_free 0 0; madv_dontneed 0 2; write 0 0 3") == ["ok"] * 4
    assert bench.end() == []


def test_fault_waits_for_a_migration_entry(play: PlayMaker) -> None:
    bench = play("write 0 0 1; begin migrate 0 0", world=WORLD)
    step_until(bench, "kcompactd", "migration (write)")
    assert bench.do("read 0 0") == ["blocked"]
    step_to_the_end(bench, "kcompactd")
    step_to_the_end(bench, "P0")
    assert (bench.pte(), bench.value()) == ("PWY- s", 1)
    assert bench.end() == []


def test_fork_copies_a_migration_entry_without_write(play: PlayMaker) -> None:
    bench = play("write 0 0 1; begin migrate 0 0", world=WORLD)
    step_until(bench, "kcompactd", "migration (write)")
    assert bench.do("fork 0") == ["ok"]
    assert (bench.pte(), bench.pte(process=1)) == ("migration (read)", "migration (read)")
    step_to_the_end(bench, "kcompactd")
    assert bench.frame() == bench.frame(process=1)
    assert bench.do("write 1 0 2") == ["ok"]
    assert (bench.value(), bench.value(process=1)) == (1, 2)
    assert bench.end() == []


#  U       madv_free |                            | store |
#  kswapd            | isolate | check: freeable  |       | unmap: pte dirty, put it back
@pytest.mark.parametrize("kernel", ["linux-4.0-rc7-mm1", "linux-4.0-rc7-mm1+dirty-on-swapin", "linux-4.5"])
def test_store_between_the_two_decisions_saves_the_page(kernel: str, play: PlayMaker) -> None:
    bench = play("write 0 0 1; madv_free 0 0; begin reclaim; step kswapd; step kswapd; step kswapd",
                 kernel=kernel, world=WORLD)  # fmt: skip
    assert bench.page().locked_by != 0, "reclaim has decided, and holds the page"
    bench.do("write 0 0 2")
    step_to_the_end(bench, "kswapd")
    assert bench.value() == 2
    assert bench.end() == []


def test_store_between_the_two_decisions_is_lost_without_the_second(play: PlayMaker) -> None:
    bench = play("write 0 0 1; madv_free 0 0; begin reclaim; step kswapd; step kswapd; step kswapd",
                 kernel="canary-discards-dirty-pages", world=WORLD)  # fmt: skip
    bench.do("write 0 0 2")
    step_to_the_end(bench, "kswapd")
    assert bench.end() == ["lost-store"]


def test_page_used_between_the_two_decisions_stays_mapped(play: PlayMaker) -> None:
    bench = play("write 0 0 1; begin reclaim; step kswapd; step kswapd; step kswapd; read 0 0", world=WORLD)
    bench.do("step kswapd")
    assert (bench.pte(), bench.has("SC active")) == ("PW-D s", "SC active")
    assert bench.end() == []


def test_two_threads_swap_one_page_in_once(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; begin read 0 0; step P0; begin read 0 0 @1; step P0@1", world=WORLD)
    assert bench.do("step P0@1") == ["EAGAIN"], "the other thread reads, and holds the page lock"
    step_to_the_end(bench, "P0")
    step_to_the_end(bench, "P0@1")
    page = bench.page()
    assert (page.mapcount, page.refcount, bench.pte()) == (1, 2, "PrY- s")
    assert bench.end() == []


def test_fault_backs_out_when_the_pte_has_changed(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; begin read 0 0 @1; step P0@1; step P0@1", world=WORLD)
    assert bench.do("madv_dontneed 0 0") == ["ok"]
    step_to_the_end(bench, "P0@1")
    assert bench.pte() == "zero PrY-"
    assert bench.end() == []


def test_store_happens_at_the_last_step_of_its_fault(play: PlayMaker) -> None:
    bench = play("begin write 0 0 1 @1; write 0 0 2", world=WORLD)
    assert bench.value() == 2
    step_to_the_end(bench, "P0@1")
    assert bench.value() == 1
    assert bench.end() == []


def test_swapoff_fails_on_a_page_that_a_path_has_locked(play: PlayMaker) -> None:
    bench = play("write 0 0 1; reclaim; begin read 0 0; step P0", world=WORLD)
    assert bench.do("swapoff") == ["blocked"]
    step_to_the_end(bench, "P0")
    assert bench.do("swapoff") == ["ok"]
    assert bench.end() == []


def test_reclaim_passes_over_an_isolated_page(play: PlayMaker) -> None:
    bench = play("write 0 0 1; write 0 1 2; begin migrate 0 0; step kcompactd; step kcompactd", world=WORLD)
    bench.do("reclaim")
    assert (bench.pte(), bench.pte(page=1)) == ("PWYD s", "swap s")
    step_to_the_end(bench, "kcompactd")
    assert bench.end() == []


def test_reclaim_passes_over_a_locked_page(play: PlayMaker) -> None:
    bench = play("write 0 0 1; write 0 1 2; reclaim; begin read 0 0; step P0; read 0 1 @1", world=WORLD)
    assert bench.page().locked_by != 0, "it is being read"
    bench.do("reclaim")
    assert (bench.has("SC"), bench.pte(page=1)) == ("SC", "swap s")
    step_to_the_end(bench, "P0")
    assert (bench.pte(), bench.value()) == ("PrY- s", 1)
    assert bench.end() == []


def test_actor_finishes_its_path_before_its_next_op(play: PlayMaker) -> None:
    bench = play("begin write 0 0 1; read 0 1", world=WORLD)
    assert bench.value() == 1
    assert bench.machine.actors() == []
    bench.do("begin reclaim; reclaim")
    assert bench.machine.actors() == []


def test_step_of_an_idle_actor_is_skipped(play: PlayMaker) -> None:
    bench = play("write 0 0 1", world=WORLD)
    before = bench.state()
    idle = "step P0; step P0@1; step P1; step kswapd; step kcompactd; step ksmd; step khugepaged"
    assert set(bench.do(idle)) == {"skipped"}
    assert bench.state() == before


@pytest.mark.parametrize("kernel", shipped_kernels(), ids=lambda kernel: kernel.name)
def test_all_paths_end_with_the_trace(kernel: Any, play: PlayMaker) -> None:
    bench = play("write 0 0 1; write 0 1 2; reclaim; write 0 2 3; begin migrate 0 2; begin reclaim",
                 kernel=kernel, world=WORLD)  # fmt: skip
    bench.do("begin read 0 0; begin write 0 1 4 @1; step kcompactd; step kswapd; step P0; step P0@1")
    assert len(bench.machine.actors()) >= 3
    bench.end()
    assert {violation.cls for violation in bench.violations()} <= {"cost"}
    assert bench.machine.actors() == []
    assert [bench.value(page=page) for page in range(3)] == [1, 4, 3]
    assert all(page.locked_by == 0 for page in bench.snapshot().pages)


def test_without_steps_begin_and_threads_are_not_there(play: PlayMaker) -> None:
    bench = play(world=f"{WORLD},steps")
    begin_write_by_second_thread = 1 | 1 << 12 | 1 << 13 | 1 << 24
    assert bench.machine.op(begin_write_by_second_thread) == 0
    assert bench.machine.actors() == []
    assert bench.value() == 1
