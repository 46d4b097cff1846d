"""Random traces for real kernels."""

from dataclasses import replace
from itertools import islice

from fuzzer.real.drawing import GROUP, Drawing, draw_traces
from fuzzer.real.drivable import DRIVEN_OPS, drivable_world, find_obstacle
from simcore.kernel_files import find_kernel
from simcore.world import World

DRAWING = Drawing(
    find_kernel("linux-6.1"),
    drivable_world(World(pages=8, file=2, huge=6, frames=120, slots=128)),
    7,
    least=10,
    most=30,
)


def test_the_same_seed_draws_the_same_traces_and_another_others() -> None:
    once, again = (list(islice(draw_traces(DRAWING), GROUP + 10)) for _ in range(2))
    assert once == again
    assert once != list(islice(draw_traces(replace(DRAWING, seed=8)), GROUP + 10))


def test_every_trace_can_be_driven_and_has_the_length_asked_for() -> None:
    for trace in islice(draw_traces(DRAWING), 6 * GROUP):
        assert find_obstacle(trace) is None
        assert 10 <= len(trace.ops) <= 30


def test_every_op_that_can_be_driven_is_drawn_some_time() -> None:
    drawn = {op.name for trace in islice(draw_traces(DRAWING), 20 * GROUP) for op in trace.ops}
    assert drawn >= DRIVEN_OPS - {"memcg_attach", "memcg_reclaim"}


def test_ops_left_out_are_not_drawn() -> None:
    without = replace(DRAWING, without=frozenset({"migrate", "collapse"}))
    drawn = {op.name for trace in islice(draw_traces(without), 4 * GROUP) for op in trace.ops}
    assert not drawn & {"migrate", "collapse"}
