"""Pages by kind: one number in every world that has the page."""

import pytest

from fuzzer.places import AREA, Place, least_pages, moved, page_at, place_of, ranges, used_places, without_kinds
from simcore.constants import WHOLE_AREA
from simcore.trace import Trace, parse_trace
from simcore.world import World

# Pages 0 and 1 are anonymous, 2 and 3 the file's mapped shared, 4 and 5 the same mapped private, 6 to 8 the area's.
WORLD = World(2, 2, mergeable=0, file=2, huge=3)


def trace_of(text: str, world: World = WORLD) -> Trace:
    ops = text.replace(";", "\n")
    return parse_trace(f"mmfuzz trace 1\nkernel linux-4.5\nworld {world}\n{ops}\n")


def ops_of(trace: Trace | None) -> str | None:
    return None if trace is None else "; ".join(map(str, trace.ops))


@pytest.mark.parametrize(
    ("page", "place"),
    [(1, ("anon", 1)), (3, ("shared", 1)), (4, ("private", 0)), (8, ("huge", 2)), (WHOLE_AREA, AREA)],
)
def test_a_number_and_a_place_name_each_other(page: int, place: Place) -> None:
    assert place_of(page, WORLD) == place
    assert page_at(place, WORLD) == page


@pytest.mark.parametrize(
    "world", [WORLD, World(), World(pages=1, mergeable=0, file=4), World(huge=8), World(file=1, huge=1)]
)
@pytest.mark.parametrize("without", [(), ("tmpfs",), ("thp",), ("tmpfs", "thp")])
def test_every_page_of_a_world_has_one_place(world: World, without: tuple[str, ...]) -> None:
    here = world.without(without)
    numbers = [page for kind, pages in ranges(here).items() if kind != "area" for page in pages]
    assert numbers == list(range(here.total_pages))
    assert all(page_at(place_of(page, here), here) == page for page in numbers)


def test_a_page_stays_what_it_is_when_the_world_grows_or_shrinks() -> None:
    trace = trace_of("write 0 1 1; read 0 3; read 0 5; read 0 7; madv_free 0 area")
    wider = moved(trace, World(2, 5, mergeable=0, file=2, huge=3))
    assert ops_of(wider) == "write 0 1 1; read 0 6; read 0 8; read 0 10; madv_free 0 area"
    assert wider is not None
    assert moved(wider, WORLD) == trace


def test_a_trace_does_not_go_into_a_world_that_lacks_its_pages() -> None:
    assert moved(trace_of("read 0 3"), World(2, 2, mergeable=0, file=1, huge=3)) is None
    assert moved(trace_of("split 0 area"), WORLD.without(["thp"])) is None
    assert ops_of(moved(trace_of("read 0 6"), WORLD.without(["tmpfs"]))) == "read 0 2"


def test_ops_on_a_kind_of_page_are_left_out() -> None:
    trace = trace_of("write 0 1 1; read 0 3; punch 0 4; collapse 0 area; reclaim")
    assert ops_of(without_kinds(trace, ("shared", "private"))) == "write 0 1 1; collapse 0 area; reclaim"
    assert ops_of(without_kinds(trace, ("area",))) == "write 0 1 1; read 0 3; punch 0 4; reclaim"


def test_a_world_must_have_the_pages_that_the_ops_name() -> None:
    trace = trace_of("read 0 4; split 0 area")
    assert used_places(trace) == (("private", 0), AREA)
    assert least_pages(trace) == {"pages": 1, "file": 1, "huge": 1}
