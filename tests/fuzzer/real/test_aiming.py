"""Traces aimed at the decisions of a simulated kernel: each would fail if one of them were made otherwise."""

from itertools import islice

import pytest

from fuzzer.real.aiming import draw_aimed
from fuzzer.real.drawing import Drawing
from fuzzer.real.drivable import find_obstacle
from fuzzer.real.forms import SEEN_BY_LOADS
from fuzzer.real.worlds import draw_world
from simcore.core import is_compiled
from simcore.kernel import Kernel, with_rows
from simcore.kernel_files import find_kernel
from simcore.rules import RULE_BY_NAME, offset
from simcore.run import run_trace
from simcore.trace import Trace
from simcore.world import World

LARGEST = World(pages=8, mergeable=4, file=2, frames=120, slots=128, swap="zram", batch=15).without(
    {"memcg", "io_error", "steps"}
)
DRAWING = Drawing(
    find_kernel("linux-6.1"), LARGEST, 3, 2, 30, frozenset({"memcg_attach", "memcg_reclaim", "collapse", "split"})
)
MANY = 300

pytestmark = pytest.mark.skipif(
    not is_compiled(), reason="a million ops are drawn, for which the core must be compiled"
)


@pytest.fixture(scope="module")
def aimed() -> list[Trace]:
    return list(islice(draw_aimed(DRAWING, lambda seed: draw_world(LARGEST, seed)), MANY))


def loses(trace: Trace, kernel: Kernel) -> bool:
    """Whether a load would show it."""
    return any(each.oracle in SEEN_BY_LOADS for each in run_trace(trace, kernel).violations)


def test_the_same_seed_aims_the_same(aimed: list[Trace]) -> None:
    assert list(islice(draw_aimed(DRAWING, lambda seed: draw_world(LARGEST, seed)), 40)) == aimed[:40]


def test_a_real_kernel_can_be_driven_through_all_of_them(aimed: list[Trace]) -> None:
    assert not [trace for trace in aimed if find_obstacle(trace)]
    assert {trace.kernel for trace in aimed} == {"linux-6.1"}
    assert {(trace.world.frames, trace.world.slots, trace.world.batch) for trace in aimed} == {(120, 128, 15)}


def test_what_the_kernel_itself_loses_comes_first_and_only_then_others(aimed: list[Trace]) -> None:
    lost = [loses(trace, DRAWING.kernel) for trace in aimed[::2]]
    assert lost[0]
    assert sum(lost) == lost.index(False)


def test_they_find_a_kernel_that_forgets_to_ask_whether_a_page_is_dirty(aimed: list[Trace]) -> None:
    rule, kernel = RULE_BY_NAME["unmap_discards"], DRAWING.kernel
    without = 1 << rule.bits.index("page_dirty")
    first = offset(rule)
    # What is decided of a clean page is decided of a dirty one, too.
    rows = {first + row: bool(kernel.rows[first + (row & ~without)]) for row in range(rule.row_count) if row & without}
    forgetful = with_rows(kernel, rows)
    assert any(loses(trace, forgetful) and not loses(trace, kernel) for trace in aimed)
