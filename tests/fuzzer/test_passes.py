"""What single passes propose."""

from collections.abc import Callable

import pytest

from fuzzer import passes
from fuzzer.reducer import Reducer
from simcore.trace import Trace, parse_trace
from simcore.world import World

WORLD = World(3, 4, memcgs=2)


def trace_of(text: str, world: World = WORLD) -> Trace:
    """The trace of ops written on one line, `;` between them."""
    ops = text.replace(";", "\n")
    return parse_trace(f"mmfuzz trace 1\nkernel linux-4.5\nworld {world}\n{ops}\n")


def after(each: Callable[[Reducer], None], text: str, keep: Callable[[Trace], bool], world: World = WORLD) -> Trace:
    reducer = Reducer(trace_of(text, world), keep)
    each(reducer)
    return reducer.best


def ops_of(trace: Trace) -> str:
    return "; ".join(map(str, trace.ops))


def always(trace: Trace) -> bool:  # noqa: ARG001
    return True


def same_length(number: int) -> Callable[[Trace], bool]:
    return lambda trace: len(trace.ops) == number


@pytest.mark.parametrize(
    ("given", "plain"),
    [
        ("begin reclaim; step kswapd; write 0 0 1; step kswapd", "reclaim; write 0 0 1"),
        ("write 0 0 1; begin read 0 0 @1; step P0@1", "write 0 0 1; read 0 0"),
        ("write 0 0 1 @1; read 1 0 @1", "write 0 0 1; read 1 0"),
        ("step P0; step kcompactd; read 0 0", "read 0 0"),
    ],
)
def test_races_become_plain_ops(given: str, plain: str) -> None:
    assert ops_of(after(passes.steps_to_plain_ops, given, always)) == plain


def test_a_begun_path_is_run_through_where_the_failure_needs_it() -> None:
    def reclaims_last(trace: Trace) -> bool:
        return trace.ops[-1].name in ("reclaim", "step")

    given = "begin reclaim; write 0 0 1; step kswapd; read 0 0; step kswapd"
    reduced = after(passes.steps_to_plain_ops, given, reclaims_last)
    assert ops_of(reduced) == "write 0 0 1; read 0 0; reclaim"


def test_only_the_begun_path_that_does_not_matter_is_run_through() -> None:
    def migrates_in_steps(trace: Trace) -> bool:
        return "begin migrate" in ops_of(trace) and "step kcompactd" in ops_of(trace)

    given = "begin reclaim; begin migrate 0 0; step kswapd; step kcompactd"
    assert ops_of(after(passes.steps_to_plain_ops, given, migrates_in_steps)) == (
        "reclaim; begin migrate 0 0; step kcompactd"
    )


@pytest.mark.parametrize(
    ("given", "simpler"),
    [
        ("memcg_reclaim 1", "reclaim"),
        ("swapoff_on", "reclaim"),
        ("write 0 1 3", "reclaim"),
        ("begin memcg_reclaim 0", "reclaim"),
    ],
)
def test_simpler_ops_take_an_op_s_place(given: str, simpler: str) -> None:
    assert ops_of(after(passes.simpler_ops, given, same_length(1))) == simpler


def test_swapoff_takes_the_place_of_swapoff_on() -> None:
    def turns_swap_off(trace: Trace) -> bool:
        return "swapoff" in ops_of(trace)

    assert ops_of(after(passes.simpler_ops, "swapoff_on", turns_swap_off)) == "swapoff"


def test_a_begun_op_stays_begun_where_that_matters() -> None:
    def begins(trace: Trace) -> bool:
        return any(op.begin for op in trace.ops)

    assert ops_of(after(passes.simpler_ops, "begin memcg_reclaim 1; step kswapd", begins)) == (
        "begin reclaim; step kswapd"
    )


def test_two_ops_become_one() -> None:
    def turns_swap_off_and_on(trace: Trace) -> bool:
        return "swapoff_on" in ops_of(trace) or "swapoff; swapon" in ops_of(trace)

    given = "write 0 0 1; swapoff; swapon; reclaim"
    assert ops_of(after(passes.two_ops_to_one, given, turns_swap_off_and_on)).startswith("swapoff_on")


def test_a_store_put_in_another_op_s_place_has_a_token_of_its_own() -> None:
    def has_two_stores(trace: Trace) -> bool:
        return [op.name for op in trace.ops if op.name in ("write", "madv_free")] == ["write", "write"]

    reduced = after(passes.two_ops_to_one, "write 0 0 1; madv_free 0 0; read 0 0", has_two_stores)
    assert ops_of(reduced) == "write 0 0 1; write 0 0 2"


def test_a_run_of_ops_becomes_one_op_that_names_nothing() -> None:
    def reclaims_after_a_store(trace: Trace) -> bool:
        return ops_of(trace) in ("write 0 0 1; reclaim", "write 0 0 1; write 0 1 2; write 0 2 3; write 0 3 4")

    given = "write 0 0 1; write 0 1 2; write 0 2 3; write 0 3 4"
    assert ops_of(after(passes.runs_to_one_op, given, reclaims_after_a_store)) == "write 0 0 1; reclaim"


def test_pages_are_mergeable_from_the_start() -> None:
    reduced = after(passes.mergeable_from_the_start, "mergeable 0 3; unmergeable 0 0; ksm_scan", always)
    assert ops_of(reduced) == "ksm_scan"
    assert reduced.world.mergeable == 4


def test_two_ops_are_deleted_at_once() -> None:
    def locks_are_paired(trace: Trace) -> bool:
        names = [op.name for op in trace.ops]
        return names.count("mlock") == names.count("munlock") and "read" in names

    given = "mlock 0 0; read 0 0; munlock 0 0"
    assert ops_of(after(passes.delete_pairs, given, locks_are_paired)) == "read 0 0"


def test_children_become_pages_of_the_first_process() -> None:
    reduced = after(passes.processes_to_pages, "write 0 0 1; fork 0; write 1 0 2; exit 1; step P1@1", always)
    assert ops_of(reduced) == "write 0 0 1; write 0 4 2; step P0@1"
    assert reduced.world.pages == 12


def test_children_stay_where_there_are_not_enough_pages() -> None:
    world = World(4, 24)
    assert ops_of(after(passes.processes_to_pages, "fork 0", always, world)) == "fork 0"


def test_pages_are_numbered_in_the_order_of_first_use() -> None:
    given = "write 0 3 9; write 0 1 8; read 0 3"
    assert ops_of(after(passes.renumber, given, same_length(3))) == "write 0 0 1; write 0 1 2; read 0 0"


def test_features_go_with_the_ops_that_need_them() -> None:
    def keeps_memcg(trace: Trace) -> bool:
        return "memcg" in trace.world.features

    reduced = after(
        passes.delete_features, "begin write 0 0 1 @1; step P0@1; migrate 0 0; memcg_reclaim 0", keeps_memcg
    )
    assert reduced.world.features == {"memcg"}
    assert ops_of(reduced) == "write 0 0 1; memcg_reclaim 0"


def test_the_world_is_lowered_to_what_the_ops_name() -> None:
    reduced = after(passes.lower_world, "write 1 2 1; memcg_attach 1 1", always, World(4, 6, memcgs=2, swap="zram"))
    assert reduced.world == World(2, 3, 2, 0, 2, 0, "disk")


def test_neighbours_are_sorted() -> None:
    assert ops_of(after(passes.sort_ops, "write 0 0 1; read 0 0; reclaim", same_length(3))) == (
        "reclaim; read 0 0; write 0 0 1"
    )


# Pages 0 and 1 are anonymous, 2 and 3 the file's mapped shared, 4 and 5 the same mapped private, 6 to 8 the area's.
WITH_ALL = World(2, 2, mergeable=0, file=2, huge=3, batch=4)


def test_a_feature_takes_the_ops_on_its_pages_with_it() -> None:
    def keeps_thp(trace: Trace) -> bool:
        return "thp" in trace.world.features

    reduced = after(passes.delete_features, "write 0 1 1; write 0 4 2; punch 0 2; split 0 7", keeps_thp, WITH_ALL)
    assert ops_of(reduced) == "write 0 1 1; split 0 3"
    assert reduced.world.features == {"thp"}


def test_without_a_feature_its_pages_may_be_anonymous_ones() -> None:
    given = "write 0 1 1; write 0 4 2; read 0 6; madv_free 0 area"
    reduced = after(passes.delete_features, given, same_length(4), WITH_ALL)
    assert ops_of(reduced) == "write 0 1 1; write 0 4 2; read 0 2; madv_free 0 3"
    assert not reduced.world.features & {"tmpfs", "thp"}


def test_a_plain_world_has_no_batches_no_area_and_no_file() -> None:
    reduced = after(passes.plain_sizes, "write 0 1 1; write 0 3 2; read 0 6", same_length(3), WITH_ALL)
    assert (reduced.world.batch, reduced.world.file, reduced.world.huge) == (1, 0, 0)
    assert sorted(op.args[1] for op in reduced.ops) == [1, 2, 3]


def test_a_drain_goes_with_the_batches_it_was_for() -> None:
    def reclaims_what_is_on_a_list(trace: Trace) -> bool:
        return ops_of(trace) == ("write 0 0 1; reclaim" if trace.world.batch == 1 else "write 0 0 1; drain 0; reclaim")

    reduced = after(passes.plain_sizes, "write 0 0 1; drain 0; reclaim", reclaims_what_is_on_a_list, WITH_ALL)
    assert ops_of(reduced) == "write 0 0 1; reclaim"
    assert reduced.world.batch == 1


def test_an_area_that_was_not_advised_becomes_one_that_was() -> None:
    reduced = after(passes.plain_sizes, "read 0 0", always, World(huge=2, advised=0))
    assert reduced.world.advised == 1


def test_pages_of_the_area_become_anonymous_one_by_one() -> None:
    def splits(trace: Trace) -> bool:
        return [op.name for op in trace.ops] == ["split", "write"]

    reduced = after(passes.pages_to_anonymous, "split 0 4; write 0 2 1", splits, World(2, 2, mergeable=0, huge=3))
    assert ops_of(reduced) == "split 0 2; write 0 3 1"
    assert reduced.world == World(2, 4, mergeable=0, huge=0)


def test_the_whole_area_becomes_one_page() -> None:
    assert ops_of(after(passes.lower_arguments, "madv_free 0 area", same_length(1), WITH_ALL)) == "madv_free 0 0"
    assert ops_of(after(passes.merge_names, "mlock 0 area; munlock 0 area", same_length(2), WITH_ALL)) == (
        "mlock 0 0; munlock 0 0"
    )


def test_an_op_that_is_not_for_the_whole_area_takes_a_page_of_it() -> None:
    def stays_in_the_area(trace: Trace) -> bool:
        return len(trace.ops) == 1 and all(page >= 6 for page in trace.ops[0].args[1:2])

    assert ops_of(after(passes.simpler_ops, "collapse 0 area", stays_in_the_area, WITH_ALL)) == "reclaim"

    def is_done_to_a_page(trace: Trace) -> bool:
        return stays_in_the_area(trace) and len(trace.ops[0].args) > 1

    assert ops_of(after(passes.simpler_ops, "collapse 0 area", is_done_to_a_page, WITH_ALL)) == "read 0 6"


def test_pages_of_each_kind_are_numbered_for_themselves() -> None:
    given = "read 0 1; read 0 5; read 0 8; read 0 7"
    assert ops_of(after(passes.renumber, given, same_length(4), WITH_ALL)) == "read 0 0; read 0 4; read 0 6; read 0 7"


def test_a_page_of_the_file_has_one_number_for_both_mappings() -> None:
    given = "read 0 5; read 0 3; read 0 2"
    assert ops_of(after(passes.renumber, given, same_length(3), WITH_ALL)) == "read 0 4; read 0 2; read 0 3"


def test_lowering_the_world_keeps_every_page_what_it_is() -> None:
    reduced = after(passes.lower_world, "read 0 4; split 0 7", always, WITH_ALL)
    assert (reduced.world.pages, reduced.world.file, reduced.world.huge, reduced.world.batch) == (1, 1, 2, 1)
    assert ops_of(reduced) == "read 0 2; split 0 4"


def test_the_file_and_the_area_stay_when_children_become_pages() -> None:
    reduced = after(passes.processes_to_pages, "fork 0; write 1 1 1; read 1 2; read 1 8", always, WITH_ALL)
    assert ops_of(reduced) == "write 0 3 1; read 0 4; read 0 10"
    assert reduced.world.pages == 4
