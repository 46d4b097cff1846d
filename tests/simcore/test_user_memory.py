"""What the oracles say of one trace each, and that they say nothing of what is legal."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from simcore import user_memory
from simcore.kernel_files import find_kernel
from simcore.mm_types import MmState
from simcore.oracles import ORACLES
from simcore.run import run_trace

REFUSED = "linux-4.0-rc7-mm1+dirty-on-swapin"
DISK = "processes=2 pages=2 frames=12 slots=8 mergeable=2"
AT_ONCE = f"{DISK} without=writeback,io_error"


@dataclass(frozen=True, slots=True)
class Case:
    """A trace on which one oracle speaks: where (the index of the op), of which page, and what was seen instead."""

    oracle: str
    kernel: str
    ops: str
    at: int
    page: tuple[int, int] = (0, 0)
    expected: int = 1
    seen: int = 0
    kind: str = "swapin"
    world: str = AT_ONCE


CASES = (
    Case("lost-store", REFUSED, "write 0 0 1; migrate 0 0; reclaim", 3, kind="migration"),
    Case("lost-store", REFUSED, "write 0 0 1; reclaim; swapoff_on; reclaim; read 0 0", 4, kind="swapoff"),
    Case("lost-store", REFUSED, "write 0 0 1; migrate 0 0; reclaim; write 0 0 2", 3, kind="migration"),
    Case(
        "stale-value",
        "canary-unmap-trusts-slot",
        "write 0 0 1; reclaim; write 0 0 2; io_done; reclaim; read 0 0",
        5,
        expected=2,
        seen=1,
        world=DISK,
    ),
    Case(
        "foreign-value",
        "canary-trusts-failed-write",
        "write 0 0 1; reclaim; io_error; reclaim; read 0 0",
        4,
        seen=255,
        world=DISK,
    ),
    Case("cow-leak", "canary-fork-keeps-write", "write 0 0 1; fork 0; write 1 0 2; read 0 0", 3, seen=2, kind="anon"),
    Case(
        "cow-leak",
        "canary-fork-keeps-write",
        "madv_dontneed 0 0; mlock 0 0; fork 0; write 0 0 2; read 1 0",
        4,
        page=(1, 0),
        expected=0,
        seen=2,
        kind="anon",
    ),
    Case(
        "stale-value",
        "canary-unmap-trusts-slot",
        # The first fault is still under way when fork comes, and ends before it: both inherit token 3.
        "begin write 0 0 3; fork 0; reclaim; write 0 0 4; write 1 0 6; io_done; reclaim; read 1 0",
        7,
        page=(1, 0),
        expected=6,
        seen=3,
        world=DISK,
    ),
    Case(
        "resurrected",
        "canary-dontneed-skips-swapped",
        "write 0 0 1; reclaim; madv_dontneed 0 0; read 0 0",
        3,
        expected=0,
        seen=1,
    ),
    Case(
        "kernel-assertion",
        "canary-reuse-under-writeback",
        "write 0 0 1; reclaim; write 0 0 2",
        2,
        page=(-1, -1),
        expected=0,
        seen=8,
        kind="kernel",
        world=DISK,
    ),
    Case(
        "count-identity",
        "canary-fork-forgets-slot",
        "write 0 0 1; reclaim; fork 0",
        2,
        page=(-1, -1),
        expected=2,
        kind="kernel",
    ),
    Case("stuck-fault", "canary-swapin-never-installs", "write 0 0 1; reclaim; read 0 0", 2, kind="anon"),
    Case(
        "stuck-path",
        "canary-forgets-unlock",
        "write 0 0 1; reclaim; reclaim; read 0 0",
        4,
        page=(-1, -1),
        expected=0,
        kind="kernel",
        world=DISK,
    ),
    Case(
        "stuck-swapoff",
        "canary-swapoff-misses-soft-dirty",
        "write 0 0 1; reclaim; swapoff",
        2,
        page=(-1, -1),
        expected=0,
        kind="kernel",
    ),
    Case(
        "never-discardable",
        "linux-4.0-rc7-mm1",
        "write 0 0 1; reclaim; write 0 0 2; madv_free 0 0",
        4,
        expected=2,
    ),
    Case(
        "lazyfree-written",
        "linux-4.0-rc7-mm1",
        "write 0 0 1; reclaim; write 0 0 2; madv_free 0 0; reclaim",
        4,
        expected=2,
    ),
    Case("needless-write", "canary-swapin-dirties-page", "write 0 0 1; reclaim; read 0 0; reclaim", 3),
    Case(
        "leaked-frame",
        "canary-cow-forgets-put",
        "write 0 0 1; fork 0; write 0 0 2",
        2,
        page=(-1, -1),
        kind="kernel",
    ),
    Case(
        "leaked-slot",
        "canary-zap-forgets-slot",
        "write 0 0 1; reclaim; madv_dontneed 0 0",
        2,
        page=(-1, -1),
        expected=0,
        kind="kernel",
    ),
)

LEGAL = {
    "old contents after MADV_FREE": "write 0 0 1; madv_free 0 0; read 0 0; read 0 0",
    "zeros after MADV_FREE": "write 0 0 1; madv_free 0 0; reclaim; read 0 0; read 0 0",
    "old contents, then zeros": "write 0 0 1; madv_free 0 0; read 0 0; reclaim; read 0 0",
    "a store ends the licence": "write 0 0 1; madv_free 0 0; write 0 0 2; reclaim; read 0 0",
    "zeros, then a store": "write 0 0 1; madv_free 0 0; reclaim; read 0 0; write 0 0 2; reclaim; read 0 0",
    "MADV_FREE of a page that was swapped out": "write 0 0 1; reclaim; madv_free 0 0; read 0 0",
    "MADV_FREE twice": "write 0 0 1; madv_free 0 0; madv_free 0 0; reclaim; read 0 0",
    "MADV_FREE of nothing": "madv_free 0 0; read 0 0; madv_free 0 0; write 0 0 1; reclaim; read 0 0",
    "zeros after MADV_DONTNEED": "write 0 0 1; madv_dontneed 0 0; read 0 0; write 0 0 2; read 0 0",
    "MADV_DONTNEED of a page that was swapped out": "write 0 0 1; reclaim; madv_dontneed 0 0; read 0 0",
    "a child inherits the licence": "write 0 0 1; madv_free 0 0; fork 0; reclaim; read 0 0; read 1 0",
    "a child's store leaves the parent's page": "write 0 0 1; fork 0; write 1 0 2; read 0 0; write 0 0 3; read 1 0",
    "a shared page that one gave up": "write 0 0 1; fork 0; madv_free 0 0; reclaim; read 0 0; read 1 0",
    "an exit with pages shared and swapped": "write 0 0 1; fork 0; reclaim; read 1 0; exit 0; write 1 0 2; read 1 0",
    "merged pages, stored to": "write 0 0 101; write 0 1 101; ksm_scan; write 0 0 1; read 0 1; reclaim; read 0 1",
    "a merged page that one gave up": "write 0 0 101; write 0 1 101; ksm_scan; madv_free 0 0; reclaim; read 0 1",
    "a page given up that was merged later": "write 0 0 101; madv_free 0 0; write 0 1 101; ksm_scan; reclaim; read 0 1",
    "the same value stored again, written again": "write 0 0 101; reclaim; write 0 0 101; reclaim; read 0 0",
    "a page locked in memory": "write 0 0 1; mlock 0 0; reclaim; madv_free 0 0; munlock 0 0; reclaim; read 0 0",
    "a page that came back by swapoff": "write 0 0 1; reclaim; swapoff_on; reclaim; read 0 0",
    "no swap left": "write 0 0 1; write 0 1 2; reclaim; swapoff; madv_free 0 0; reclaim; read 0 0; swapon; read 0 1",
    "a read by the second thread": "write 0 0 1 @1; begin write 0 0 2; read 0 0 @1; step P0; read 0 0 @1",
    "a write that failed": "write 0 0 1; reclaim; io_error; reclaim; io_error; read 0 0; reclaim; io_done; read 0 0",
}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.oracle}: {case.ops}")
def test_oracle_names_the_page_and_what_was_seen(case: Case, play: Callable[..., Any]) -> None:
    bench = play(case.ops, kernel=case.kernel, world=case.world)
    assert bench.end() == [case.oracle]
    (violation,) = bench.violations()
    found = (violation.at, (violation.process, violation.page), violation.expected, violation.seen, violation.kind)
    assert found == (case.at, case.page, case.expected, case.seen, case.kind), violation.what


def test_every_oracle_has_its_trace() -> None:
    assert {case.oracle for case in CASES} == {oracle.name for oracle in ORACLES}


@pytest.mark.parametrize("kernel", ["linux-4.5", "canary-sound"])
@pytest.mark.parametrize("swap", ["disk", "zram"])
@pytest.mark.parametrize("claim", LEGAL)
def test_nothing_is_said_of(claim: str, swap: str, kernel: str, play: Callable[..., Any]) -> None:
    bench = play(LEGAL[claim], kernel=kernel, world=f"{DISK} swap={swap}")
    assert bench.end() == []


def test_safety_violation_ends_the_trace(play: Callable[..., Any], compiled: bool) -> None:
    bench = play("write 0 0 1; migrate 0 0; reclaim; read 0 0; read 0 0; write 0 1 2", kernel=REFUSED)
    seen = run_trace(bench.trace, bench.kernel, compiled=compiled)
    assert [violation.at for violation in seen.violations] == [3]
    assert seen.results[-2:] == (1, 1), "the ops behind it are skipped"


def test_cost_is_only_judged_when_asked(play: Callable[..., Any], compiled: bool) -> None:
    bench = play("write 0 0 1; reclaim; write 0 0 2; madv_free 0 0", kernel="linux-4.0-rc7-mm1")
    kernel = find_kernel("linux-4.0-rc7-mm1")
    assert run_trace(bench.trace, kernel, compiled=compiled).failed
    assert not run_trace(bench.trace, kernel, check=False, compiled=compiled).failed


def test_what_the_final_reads_do_is_not_held_against_the_trace(play: Callable[..., Any]) -> None:
    # The read of page 0 charges a page to the full cgroup: this kernel then swaps the freed page 1 out.
    ops = "write 0 0 1; memcg_limit 0 1; write 0 1 2; madv_free 0 1"
    bench = play(ops, kernel="canary-cgroup-writes-freed", world=AT_ONCE)
    assert bench.end() == []
    bench = play(f"{ops}; read 0 0", kernel="canary-cgroup-writes-freed", world=AT_ONCE)
    assert bench.end() == ["lazyfree-written"]


#  Promises of one page, told to the shadow of user memory itself: each event, then what a load sees.
PROMISES: dict[str, tuple[str, str | None]] = {
    "zeros, then the old contents": ("stored 5, freed, loaded 0, loaded 5", "resurrected"),
    "the old contents, then zeros": ("stored 5, freed, loaded 5, loaded 0", None),
    "zeros, a store, zeros": ("stored 5, freed, loaded 0, stored 6, loaded 0", "lost-store"),
    "a store over what was given up": ("stored 5, freed, stored 6, loaded 0", "lost-store"),
    "a store, then an older one": ("stored 5, stored 6, loaded 5", "stale-value"),
    "dropped, then the old contents": ("stored 5, dropped, loaded 5", "resurrected"),
    "dropped, given up, then the old contents": ("stored 5, dropped, freed, loaded 5", "resurrected"),
    "dropped, then bytes of nobody": ("stored 5, dropped, loaded 255", "foreign-value"),
    "a shared token never stored here": ("stored 5, loaded 101", "foreign-value"),
    "a shared token stored here before": ("stored 101, stored 5, loaded 101", "stale-value"),
    "never stored, then bytes": ("loaded 255", "foreign-value"),
    "never stored, then zeros": ("loaded 0", None),
}


@pytest.mark.parametrize("claim", PROMISES)
def test_shadow_of_user_memory_judges(claim: str) -> None:
    state = MmState()
    state.nr_mm = state.nr_mm_max = state.nr_vpn = 1
    events, oracle = PROMISES[claim]
    tell: dict[str, Callable[[int], None]] = {
        "stored": lambda token: user_memory.user_stored(state, 0, token),
        "freed": lambda _: user_memory.user_freed(state, 0, True),
        "dropped": lambda _: user_memory.user_dropped(state, 0),
        "loaded": lambda value: user_memory.user_loaded(state, 0, value),
    }
    for event in events.split(", "):
        assert state.failed == 0
        what, _, value = event.partition(" ")
        tell[what](int(value or 0))
    spoken = [each.name for each in ORACLES if state.failed >> each.code & 1]
    assert spoken == ([oracle] if oracle else [])
