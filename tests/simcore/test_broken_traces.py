"""Traces cut up, repeated, reordered and filled with random words never crash the simulator, and always end.

Nothing is asked of what such a trace does: it runs, each op reports a result, and the trace ends. The compiled core
has no bounds checks of its own; `make sanitize` runs these tests with the address and undefined-behaviour
sanitizers. The plain modules have Python's checks, and here also none of its negative indices.
"""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from fuzzer.unit import UnitSpec, start_engine
from simcore.constants import MAX_FILE, MAX_HUGE, MAX_VPN, RESULT_EBUSY, RESULT_OK
from simcore.core import NEEDS, new_machine
from simcore.features import ALL_FEATURES
from simcore.kernel_files import canary_kernels, find_kernel, shipped_kernels
from simcore.rules import TOTAL_ROWS
from simcore.run import ALL_CHECKS
from simcore.world import World

SEED = 4
COMPILED_TRACES = 1_000_000
PLAIN_TRACES = 2_000
# Traces that share a kernel and a world.
COMPILED_BATCH = 1_000
PLAIN_BATCH = 20
CHECKS = (ALL_CHECKS, ALL_CHECKS, ALL_CHECKS, 0)
ROWS = [kernel.rows for kernel in (*shipped_kernels(), *canary_kernels())]


class StrictList(list[int]):
    """A list without negative indices, as an array in C has none."""

    def __getitem__(self, index: Any) -> Any:
        """The item; IndexError before the start."""
        if index < 0:
            raise IndexError(f"index {index} is before the start")
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        """Set the item; IndexError before the start."""
        if index < 0:
            raise IndexError(f"index {index} is before the start")
        super().__setitem__(index, value)


def drawn_words(rng: random.Random, worlds: int) -> list[list[int]]:
    """Traces that make sense, to be broken: each the last sequence of a short unit."""
    found = []
    for _ in range(worlds):
        spec = UnitSpec(find_kernel("linux-4.5"), random_world(rng), "swarm", rng.getrandbits(63), 1, 40)
        engine = start_engine(spec, new_machine())
        for goal in range(1, 1_000, 25):
            engine.run(goal)
            found.append(engine.words())
    return found


def random_world(rng: random.Random) -> World:
    """Any world, small ones and the extremes more often than others."""
    pages = rng.choice((1, 2, 3, 4, rng.randint(1, 24), 24))
    return World(
        processes=rng.randint(1, 4),
        pages=pages,
        frames=rng.choice((2, 3, 4, 6, 12, rng.randint(2, 128), 128)),
        slots=rng.choice((0, 1, 2, 3, 8, rng.randint(0, 128), 128)),
        memcgs=rng.randint(1, 2),
        mergeable=rng.randint(0, pages),
        swap=rng.choice(("disk", "zram")),
        features=frozenset(name for name in ALL_FEATURES if rng.random() < 0.9),
        file=(file := rng.randint(0, min(MAX_FILE, (MAX_VPN - pages) // 2))),
        huge=rng.randint(0, min(MAX_HUGE, MAX_VPN - pages - 2 * file)),
        advised=rng.randint(0, 1),
        batch=rng.choice((1, 1, 2, 3, 15, 31)),
    )


def random_rows(rng: random.Random) -> bytes:
    """A kernel's rows: of a kernel that exists, or one that decides as the dice fall."""
    if rng.random() < 0.75:
        return rng.choice(ROWS)
    return bytes(rng.getrandbits(1) for _ in range(TOTAL_ROWS))


def broken(rng: random.Random, pool: list[list[int]]) -> list[int]:
    """A trace with a part cut out, repeated elsewhere or of another trace, or turned round; at times random words."""
    bits = rng.getrandbits(64)
    words = pool[(bits & 0xFFFF) % len(pool)]
    size = len(words)
    start, end, place = ((bits >> shift & 0xFF) * (size + 1) >> 8 for shift in (16, 24, 32))
    how = bits >> 40 & 3
    if how == 0:
        words = words[:start] + words[end:]
    elif how == 1:
        words = words[:place] + words[start:end] + words[place:]
    elif how == 2:
        words = words[start:] + pool[(bits >> 42 & 0xFFFF) % len(pool)][:end]
    elif bits >> 42 & 1:
        words = words[::-1]
    else:
        words = words[place:] + words[:place]
    if bits >> 58 & 1:
        noise = rng.getrandbits(64)
        words = [*words[:place], noise & 0xFFFFFFFF, noise >> 32, *words[place:]]
    return words


def broken_batches(seed: int, traces: int, size: int) -> Iterator[tuple[bytes, World, int, list[list[int]]]]:
    """Batches of broken traces, each with the rows, the world and the checks it runs with."""
    rng = random.Random(seed)
    pool = drawn_words(rng, 20)
    for _ in range(traces // size):
        rows, world, checks = random_rows(rng), random_world(rng), rng.choice(CHECKS)
        yield rows, world, checks, [broken(rng, pool) for _ in range(size)]


def run_broken(machine: Any, traces: int, size: int) -> None:
    """Run broken traces on a machine; each op gives a result, and the trace ends."""
    for rows, world, checks, batch in broken_batches(SEED, traces, size):
        machine.load_kernel(rows)
        machine.set_world(world.encode(), NEEDS)
        op = machine.op
        for words in batch:
            machine.start(checks)
            results = [op(word) for word in words]
            machine.finish()
            assert not results or RESULT_OK <= min(results) <= max(results) <= RESULT_EBUSY


@pytest.mark.slow
@pytest.mark.needs_compiled
def test_broken_traces_never_crash_the_compiled_core() -> None:
    run_broken(new_machine(True), COMPILED_TRACES, COMPILED_BATCH)


def test_broken_traces_never_crash_the_plain_modules() -> None:
    machine = new_machine(False)
    for name, value in vars(machine.s).items():
        if isinstance(value, list):
            setattr(machine.s, name, StrictList(value))
    run_broken(machine, PLAIN_TRACES, PLAIN_BATCH)


def test_op_of_any_word_is_run_or_skipped(compiled: bool) -> None:
    machine = new_machine(compiled)
    machine.load_kernel(find_kernel("linux-4.5").rows)
    machine.set_world(World(processes=4, memcgs=2).encode(), NEEDS)
    rng = random.Random(SEED)
    for _ in range(20):
        machine.start(ALL_CHECKS)
        results = {machine.op(rng.getrandbits(32)) for _ in range(500)}
        assert results <= set(range(RESULT_OK, RESULT_EBUSY + 1))
        machine.finish()
