"""The worlds in which traces for a real kernel are drawn."""

from dataclasses import replace

from fuzzer.seeds import unit_seed
from simcore.world import World

# Few pages meet each other more often than many.
_PAGES = (2, 3, 4, 8)
_FILE = (0, 0, 1, 2)


def draw_world(world: World, seed: int) -> World:
    """A world of fewer pages and, half of the time, without the 2 MiB area; its machine stays the same."""
    draw = unit_seed(seed, 1)
    pages = min(world.pages, _PAGES[draw % len(_PAGES)])
    return replace(
        world,
        pages=pages,
        mergeable=min(pages, world.mergeable),
        file=min(world.file, _FILE[(draw >> 8) % len(_FILE)]),
        huge=world.huge if draw >> 16 & 1 else 0,
        advised=draw >> 17 & 1 if world.huge else world.advised,
    )
