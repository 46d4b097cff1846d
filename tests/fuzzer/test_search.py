"""The exhaustive search for something simpler."""

import pytest

from fuzzer.judge import Judge
from fuzzer.search import DEFAULT_BUDGET, LONGEST_SEARCHED, find_simpler
from simcore.features import ALL_FEATURES
from simcore.kernel import Kernel
from simcore.trace import Trace, parse_trace
from simcore.world import World

LOST = ("lost-store", "migration")


def world_with(*features: str, pages: int = 1, mergeable: int = 0, processes: int = 1) -> World:
    world = World(processes, pages, 4, 2, 1, mergeable)
    return world.without(ALL_FEATURES - set(features))


def trace_of(text: str, world: World) -> Trace:
    ops = text.replace(";", "\n")
    return parse_trace(f"mmfuzz trace 1\nkernel linux-4.5\nworld {world}\n{ops}\n")


def test_a_shorter_trace_is_found(patched: Kernel) -> None:
    trace = trace_of("write 0 0 1; migrate 0 0; read 0 0; reclaim; read 0 0", world_with("migration"))
    judge = Judge(trace, patched, LOST)
    result = find_simpler(trace, judge)
    assert result.simpler is not None
    assert list(map(str, result.simpler.ops)) == ["write 0 0 1", "migrate 0 0", "reclaim"]
    assert not result.none_shorter


def test_the_shortest_trace_is_known_to_be_the_shortest(patched: Kernel) -> None:
    trace = trace_of("write 0 0 1; migrate 0 0; reclaim", world_with("migration"))
    result = find_simpler(trace, Judge(trace, patched, LOST))
    assert result.simpler is None
    assert result.none_shorter


def test_the_budget_ends_the_search_and_nothing_is_claimed(patched: Kernel) -> None:
    trace = trace_of("write 0 0 1; migrate 0 0; reclaim", world_with("migration"))
    judge = Judge(trace, patched, LOST)
    result = find_simpler(trace, judge, budget=5)
    assert judge.executions == 5
    assert not result.none_shorter
    assert find_simpler(trace, judge, budget=0).simpler is None


def test_a_long_trace_is_not_searched(patched: Kernel) -> None:
    ops = "; ".join(["write 0 0 1", *["read 0 0"] * LONGEST_SEARCHED])
    trace = trace_of(ops, world_with("migration"))
    judge = Judge(trace, patched, LOST)
    assert not find_simpler(trace, judge).none_shorter
    assert judge.executions == 0


def test_equal_contents_are_tried_where_ksm_is_in_the_world(patched: Kernel) -> None:
    world = world_with("ksm", pages=2, mergeable=2)
    trace = trace_of("write 0 0 101; write 0 1 101; read 0 0; ksm_scan; reclaim", world)
    result = find_simpler(trace, Judge(trace, patched, ("lost-store", "ksm")))
    assert result.simpler is not None
    assert list(map(str, result.simpler.ops)) == ["write 0 0 101", "write 0 1 101", "ksm_scan", "reclaim"]


@pytest.mark.parametrize("features", [("steps", "migration"), ("fork", "memcg"), ("ksm", "writeback")])
def test_the_search_agrees_with_trying_everything(before: Kernel, features: tuple[str, ...]) -> None:
    # No kernel loses a store in two ops, so all that is asked is whether the search comes to its end.
    world = world_with(*features, pages=2, mergeable=2 if "ksm" in features else 0, processes=2)
    trace = trace_of("write 0 0 1; read 0 0; reclaim", world)
    judge = Judge(trace, before, ("lost-store", "anon"))
    result = find_simpler(trace, judge, DEFAULT_BUDGET)
    assert result.none_shorter
    assert result.simpler is None
