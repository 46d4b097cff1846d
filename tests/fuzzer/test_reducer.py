"""Laws of reduction, whatever the predicate says."""

from functools import cache

import pytest

from fuzzer.passes import PASSES
from fuzzer.rank import rank
from fuzzer.reducer import Reducer, is_one_minimal, run_passes
from fuzzer.unit import UnitSpec, run_unit
from simcore.features import FEATURES
from simcore.kernel_files import find_kernel
from simcore.trace import Trace, format_trace, parse_trace
from simcore.world import World

LEAST_WORLD = World(1, 1, 2, 0, 1, 0, "disk").without(FEATURES)
WITH_ALL = World(3, frames=20, slots=12, memcgs=2, file=1, huge=3, batch=3)


@cache
def traces(world: World | None = None) -> list[Trace]:
    """Traces as the swarm engine draws them, steps and all; by default in a plain and in a full world."""
    kernel = find_kernel("linux-4.0-rc7-mm1+dirty-on-swapin")
    if world:
        return [found.trace for found in run_unit(UnitSpec(kernel, world, "swarm", 5, 8_000)).failures]
    plain, full = traces(World(3, memcgs=2)), traces(WITH_ALL)
    return [trace for pair in zip(plain, full, strict=False) for trace in pair]


def reduce(trace: Trace, predicate: object) -> Trace:
    reducer = Reducer(trace, predicate)  # type: ignore[arg-type]
    run_passes(reducer, PASSES)
    return reducer.best


def test_a_predicate_that_never_holds_changes_nothing() -> None:
    for trace in traces()[:12]:
        assert reduce(trace, lambda candidate: False) is trace  # noqa: ARG005


def test_a_predicate_that_always_holds_reaches_the_empty_trace_in_the_least_world() -> None:
    for trace in traces():
        reduced = reduce(trace, lambda candidate: True)  # noqa: ARG005
        assert reduced.ops == ()
        assert reduced.world == LEAST_WORLD


@pytest.mark.parametrize("each", PASSES, ids=lambda each: each.__name__)
def test_a_pass_run_alone_ends_and_only_makes_traces_simpler(each: object) -> None:
    for trace in traces():
        reducer = Reducer(trace, lambda candidate: True)  # noqa: ARG005
        each(reducer)  # type: ignore[operator]
        assert rank(reducer.best) <= rank(trace)


@pytest.mark.parametrize("each", PASSES, ids=lambda each: each.__name__)
def test_a_pass_that_made_no_progress_makes_none_when_run_again(each: object) -> None:
    for trace in traces()[:8]:
        asked: list[Trace] = []

        def writes_and_reclaims(candidate: Trace, asked: list[Trace] = asked) -> bool:
            asked.append(candidate)
            return {"write", "reclaim"} <= {op.name for op in candidate.ops}

        reduced = reduce(trace, writes_and_reclaims)
        asked.clear()
        again = Reducer(reduced, writes_and_reclaims)
        each(again)  # type: ignore[operator]
        assert again.best is reduced


def test_every_candidate_is_a_trace_that_people_can_read() -> None:
    def is_readable(candidate: Trace) -> bool:
        assert parse_trace(format_trace(candidate)) == candidate
        return len(candidate.ops) % 3 != 1

    for world in (World(3, memcgs=2), World(2, 3, mergeable=1), World(4, 24, mergeable=24), WITH_ALL):
        for trace in traces(world)[:8]:
            reduce(trace, is_readable)


def test_what_a_predicate_asks_for_is_all_that_is_left() -> None:
    def has_a_write_then_a_read(candidate: Trace) -> bool:
        names = [op.name for op in candidate.ops]
        return "write" in names and "read" in names[names.index("write") :]

    for trace in filter(has_a_write_then_a_read, traces()):
        reduced = reduce(trace, has_a_write_then_a_read)
        assert list(map(str, reduced.ops)) == ["write 0 0 1", "read 0 0"]
        assert reduced.world == LEAST_WORLD
        assert is_one_minimal(reduced, has_a_write_then_a_read)


def test_one_minimal_is_not_said_of_a_trace_with_an_op_to_spare() -> None:
    trace = traces()[0]
    assert not is_one_minimal(trace, lambda candidate: len(candidate.ops) > 1)
    assert is_one_minimal(trace, lambda candidate: candidate == trace)


def test_simpler_is_a_total_order() -> None:
    found = traces()
    assert len({rank(trace) for trace in found}) == len(set(found))
    sorted(map(rank, found))
