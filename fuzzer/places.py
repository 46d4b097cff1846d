"""What a page's number means in a world, and which number the same page has in another world.

A process has anonymous pages first, then the file's pages mapped shared, the same mapped private, and the subpages of
the huge area (simcore.world.World); one more number is the whole area. A page's number changes with the sizes of the
world; its place, a kind and a number within the kind, does not.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Literal

from fuzzer.arguments import renamed_op, used
from simcore.constants import WHOLE_AREA
from simcore.ops import OP_BY_NAME
from simcore.trace import Trace
from simcore.trace_op import Op
from simcore.world import World

Kind = Literal["anon", "shared", "private", "huge", "area"]
Place = tuple[Kind, int]

AREA: Place = ("area", 0)
# The kinds of pages that a size of the world counts.
KINDS_OF_SIZE: dict[str, tuple[Kind, ...]] = {
    "pages": ("anon",),
    "file": ("shared", "private"),
    "huge": ("huge", "area"),
}
# The kinds of pages that are there with a feature.
KINDS_OF_FEATURE: dict[str, tuple[Kind, ...]] = {"tmpfs": ("shared", "private"), "thp": ("huge", "area")}


def ranges(world: World) -> dict[Kind, range]:
    """The numbers of each kind of page, in the order of the numbers. The whole area has one where there is an area."""
    counts: dict[Kind, int] = {
        "anon": world.pages,
        "shared": world.file if "tmpfs" in world.features else 0,
        "private": world.file if "tmpfs" in world.features else 0,
        "huge": world.huge if "thp" in world.features else 0,
    }
    found: dict[Kind, range] = {}
    first = 0
    for kind, count in counts.items():
        found[kind] = range(first, first + count)
        first += count
    found["area"] = range(WHOLE_AREA, WHOLE_AREA + (counts["huge"] > 0))
    return found


def place_of(page: int, world: World) -> Place:
    """The place of a page's number."""
    for kind, numbers in ranges(world).items():
        if page in numbers:
            return kind, page - numbers[0]
    raise AssertionError(f"there is no page {page} in the world {world}")


def page_at(place: Place, world: World) -> int | None:
    """The number of the page at a place; None where the world has no such page."""
    kind, index = place
    numbers = ranges(world)[kind]
    return numbers[index] if index < len(numbers) else None


def used_places(trace: Trace) -> tuple[Place, ...]:
    """The places that the ops name, in the order of first use."""
    return tuple(place_of(page, trace.world) for page in used(trace.ops, "page"))


def moved(trace: Trace, world: World, new_place: Callable[[Place], Place] = lambda place: place) -> Trace | None:
    """The trace in another world, each page with the number that its place, or its new place, has there.

    None where the world has no such page.
    """
    names: dict[int, int] = {}
    for page in used(trace.ops, "page"):
        number = page_at(new_place(place_of(page, trace.world)), world)
        if number is None:
            return None
        names[page] = number
    return replace(trace, world=world, ops=tuple(renamed_op(op, "page", names) for op in trace.ops))


def with_places(trace: Trace, new_places: Mapping[Place, Place]) -> Trace | None:
    """The trace with some places taken by others of its world; None where there are no such pages."""
    return moved(trace, trace.world, lambda place: new_places.get(place, place))


def without_kinds(trace: Trace, kinds: Iterable[Kind]) -> Trace:
    """The trace without the ops that name a page of these kinds."""
    gone = frozenset(kinds)
    numbers = {page for page in used(trace.ops, "page") if place_of(page, trace.world)[0] in gone}
    return replace(trace, ops=tuple(op for op in trace.ops if page_of(op) not in numbers))


def page_of(op: Op) -> int | None:
    """The number of the page that the op names."""
    args = OP_BY_NAME[op.name].args
    return op.args[args.index("page")] if "page" in args else None


def first_subpage(page: int, world: World) -> int:
    """The page, or of the whole area its first one: for an op that cannot be done to the whole."""
    return ranges(world)["huge"][0] if page == WHOLE_AREA else page


def least_pages(trace: Trace) -> dict[str, int]:
    """How many anonymous pages, pages of the file and subpages of the area a world must have for these ops."""
    least = {"pages": 1, "file": 0, "huge": 0}
    for kind, index in used_places(trace):
        for size, kinds in KINDS_OF_SIZE.items():
            if kind in kinds:
                least[size] = max(least[size], index + 1)
    return least
