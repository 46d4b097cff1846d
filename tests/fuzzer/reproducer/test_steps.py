"""Ops as calls, and what cannot be driven."""

from dataclasses import replace

import pytest

from fuzzer.errors import FuzzerError
from fuzzer.reproducer import CannotDrive
from fuzzer.reproducer.steps import CALLS, WHY_NOT, make_steps
from simcore.constants import KSWAPD, WHOLE_AREA
from simcore.ops import OPS
from simcore.trace import Op
from simcore.world import World
from tests.fuzzer.reproducer.drawing import WORLD, trace_of

WITH_STEPS = World(processes=2)


def calls(*ops: Op, world: World = WORLD) -> list[str]:
    """The calls of a trace; for an op that does nothing, why not."""
    return [step.call or step.note for step in make_steps(trace_of(*ops, world=world)).steps]


def refusal(*ops: Op, world: World = WORLD) -> str:
    """Why the trace cannot be driven."""
    with pytest.raises(CannotDrive) as refused:
        make_steps(trace_of(*ops, world=world))
    return str(refused.value)


def test_every_op_has_a_call_or_a_reason() -> None:
    assert set(CALLS) | set(WHY_NOT) == {op.name for op in OPS}
    assert not set(CALLS) & set(WHY_NOT)
    driven = {op.name for op in OPS if op.guest}
    assert set(CALLS) == driven - {"memcg_limit"} | {"io_done"}


@pytest.mark.parametrize("name", WHY_NOT)
def test_an_op_that_cannot_be_driven_is_named_with_its_number(name: str) -> None:
    args = {"step": (KSWAPD,), "pin": (0, 0), "dma": (0, 1), "unpin": (0,), "memcg_limit": (0, 2)}.get(name, ())
    message = refusal(Op("read", (0, 0)), Op(name, args), world=WITH_STEPS)
    assert message.startswith(f"op 2, `{Op(name, args)}`, cannot be driven")
    assert message.endswith(WHY_NOT[name])


def test_neither_a_path_that_is_begun_nor_a_second_thread_can_be_driven() -> None:
    assert "op 1, `begin reclaim`" in refusal(Op("reclaim", begin=True), world=WITH_STEPS)
    assert "op 1, `read 0 0 @1`" in refusal(Op("read", (0, 0), thread=1), world=WITH_STEPS)


def test_a_refusal_is_an_error_of_the_input() -> None:
    assert issubclass(CannotDrive, FuzzerError)


def test_children_take_the_lowest_number_never_used_while_there_is_one() -> None:
    ops = [Op("fork", (0,)), Op("exit", (1,)), Op("fork", (0,)), Op("fork", (2,)), Op("write", (1, 0, 5))]
    assert calls(*ops) == [
        "fork_process(P0, P1);",
        "exit_process(P1);",
        "fork_process(P0, P2);",
        "the world has 3 processes",
        "there is no P1",
    ]


def test_a_store_to_a_page_that_is_read_only_is_left_out_also_in_a_child() -> None:
    ops = [Op("mprotect_ro", (0, 1)), Op("fork", (0,)), Op("mprotect_rw", (0, 1)), Op("write", (0, 1, 5))]
    told = calls(*ops, Op("write", (1, 1, 6)), Op("gup_write", (1, 1, 7)))
    assert told[3] == "store(P0, 1, 5);"
    assert told[4] == "the page is read only there: a store would end the process"
    assert told[5] == "gup_write(P1, 1, 7);"


def test_mlock_of_a_writable_private_page_of_the_file_copies_it() -> None:
    shared, private = WORLD.pages, WORLD.pages + WORLD.file
    assert calls(Op("mlock", (0, private))) == [f"lock(P0, {private}); copied(P0, {private});"]
    assert calls(Op("mlock", (0, shared)), Op("mlock", (0, 0))) == [f"lock(P0, {shared});", "lock(P0, 0);"]


def test_a_locked_page_is_copied_when_it_becomes_writable() -> None:
    page = WORLD.pages + WORLD.file
    ops = [Op("mprotect_ro", (0, page)), Op("mlock", (0, page)), Op("mprotect_rw", (0, page))]
    told = calls(*ops, Op("mprotect_rw", (0, page)))
    assert "copied" not in told[1]
    assert told[2].endswith(f"copied(P0, {page});")
    assert "copied" not in told[3]


def test_ops_on_the_file_and_on_the_area_need_a_page_of_it() -> None:
    last = WORLD.total_pages - 1
    assert calls(Op("punch", (0, 0)), Op("punch", (0, WORLD.pages + WORLD.file + 1))) == [
        "page 0 is none of the file",
        "punch(1);",
    ]
    assert calls(Op("split", (0, 0)), Op("split", (0, last)), Op("collapse", (0, WHOLE_AREA))) == [
        "page 0 is not in the huge area",
        f"split(P0, {last});",
        "collapse(P0);",
    ]


def test_an_area_in_pieces_is_not_moved_and_one_with_a_page_away_not_advised() -> None:
    page, area = WORLD.total_pages - 1, WHOLE_AREA
    assert "in pieces" in refusal(Op("mlock", (0, page)), Op("mremap", (0, area)))
    assert "moved away" in refusal(Op("mremap", (0, page)), Op("madv_free", (0, area)))
    back = [Op("mremap", (0, page)), Op("mremap", (0, page)), Op("madv_free", (0, area)), Op("mremap", (0, area))]
    assert calls(*back)[2:] == ["madv_free(P0, AREA);", "move(P0, AREA);"]


def test_swap_and_cgroups_are_asked_for_only_where_an_op_needs_them() -> None:
    none = make_steps(trace_of(Op("write", (0, 0, 1)), Op("madv_free", (0, 0)))).fragments
    assert not none & {"swap", "groups"}
    assert "swap" in make_steps(trace_of(Op("madv_pageout", (0, 0)))).fragments
    without_slots = make_steps(trace_of(Op("madv_pageout", (0, 0)), world=replace(WORLD, slots=0))).fragments
    assert "groups" in without_slots
    assert "swap" not in without_slots
