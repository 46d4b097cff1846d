"""The exhaustive search for something simpler."""

from collections.abc import Sequence

import pytest

from fuzzer.judge import Judge
from fuzzer.search import DEFAULT_BUDGET, LONGEST_SEARCHED, find_simpler
from simcore.features import ALL_FEATURES
from simcore.kernel import Kernel
from simcore.trace import Trace, parse_trace
from simcore.trace_op import decode_op
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


@pytest.mark.needs_compiled
def test_pages_of_the_file_and_of_the_area_are_tried(patched: Kernel) -> None:
    world = World(1, 1, 6, 4, mergeable=0, file=1, huge=2)
    for features, ops, kind in (
        (("tmpfs", "migration"), "write 0 2 1; migrate 0 2; read 0 0; reclaim; read 0 0", "file"),
        (("thp", "gup", "madv_free"), "write 0 1 1; madv_free 0 area; read 0 0; gup_write 0 1 2; reclaim", "huge"),
    ):
        trace = trace_of(ops, world.without(ALL_FEATURES - set(features)))
        result = find_simpler(trace, Judge(trace, patched, ("lost-store", kind)), budget=200_000)
        assert result.simpler is not None
        assert len(result.simpler.ops) == len(trace.ops) - (2 if kind == "file" else 1)


def test_the_whole_area_is_tried_where_an_op_can_be_done_to_it(before: Kernel) -> None:
    asked: list[str] = []

    class Listener(Judge):
        def shows(self, world: World, words: Sequence[int]) -> bool:
            asked.append("; ".join(str(decode_op(word)) for word in words))
            return super().shows(world, words)

    trace = trace_of("split 0 area; read 0 0", World(1, 1, 4, 2, mergeable=0, huge=1).without(ALL_FEATURES - {"thp"}))
    find_simpler(trace, Listener(trace, before, LOST))
    assert "split 0 area; collapse 0 1" in asked
    assert "read 0 area" not in asked
    # Batches there are none, so a drain does nothing.
    assert not any("drain" in ops for ops in asked)


@pytest.mark.parametrize("features", [("steps", "migration"), ("fork", "memcg"), ("ksm", "writeback")])
def test_the_search_agrees_with_trying_everything(before: Kernel, features: tuple[str, ...]) -> None:
    # No kernel loses a store in two ops, so all that is asked is whether the search comes to its end.
    world = world_with(*features, pages=2, mergeable=2 if "ksm" in features else 0, processes=2)
    trace = trace_of("write 0 0 1; read 0 0; reclaim", world)
    judge = Judge(trace, before, ("lost-store", "anon"))
    result = find_simpler(trace, judge, DEFAULT_BUDGET)
    assert result.none_shorter
    assert result.simpler is None
