"""What engines draw: the same on both cores, inside the unit's world, and always a readable trace."""

import pytest

from fuzzer.drawn import drawn_trace
from fuzzer.engine_table import ENGINES
from fuzzer.unit import UnitSpec, start_engine
from simcore.core import is_compiled, new_machine
from simcore.features import FEATURES
from simcore.kernel_files import find_kernel, kernel_names
from simcore.run import run_trace
from simcore.trace import Trace, format_trace, parse_trace
from simcore.world import SIZES, World

WORLD = World(processes=3, memcgs=2).without(["mlock"])


def draw(engine: str, seed: int, traces: int, *, kernel: str = "linux-4.5", compiled: bool = False) -> list[Trace]:
    """The first sequences of a unit; the engine stops only where its budget ends."""
    machine = new_machine(compiled)
    drawing = start_engine(UnitSpec(find_kernel(kernel), WORLD, engine, seed, ops=0), machine, compiled)
    drawn = []
    for _ in range(traces):
        # One op more than were done: the next sequence is drawn to its end, and then the engine stops.
        drawing.run(drawing.counts()[1] + 1)
        drawn.append(drawn_trace(drawing, kernel))
    return drawn


@pytest.mark.needs_compiled
@pytest.mark.parametrize("engine", [engine.name for engine in ENGINES])
@pytest.mark.parametrize("kernel", kernel_names())
def test_both_cores_draw_the_same(engine: str, kernel: str) -> None:
    assert draw(engine, 5, 100, kernel=kernel, compiled=True) == draw(engine, 5, 100, kernel=kernel)


@pytest.mark.parametrize("engine", [engine.name for engine in ENGINES])
def test_every_sequence_is_a_trace_that_people_can_read(engine: str) -> None:
    for trace in draw(engine, 6, 60):
        assert parse_trace(format_trace(trace)) == trace


def test_a_sequence_replayed_as_a_trace_ends_as_it_did_in_the_engine() -> None:
    machine = new_machine(False)
    spec = UnitSpec(find_kernel("linux-4.0-rc7-mm1"), WORLD, "swarm", seed=7, ops=0)
    engine = start_engine(spec, machine, compiled=False)
    for _ in range(60):
        engine.run(engine.counts()[1] + 1)
        outcome = f"out-{machine.outcome():016x}"
        trace = drawn_trace(engine, spec.kernel.name)
        assert run_trace(trace, spec.kernel, compiled=False).digest == outcome, format_trace(trace)


def test_random_keeps_the_unit_s_world() -> None:
    assert {trace.world for trace in draw("random", 8, 20)} == {WORLD}


def test_swarm_draws_smaller_worlds_inside_the_unit_s() -> None:
    worlds = {trace.world for trace in draw("swarm", 9, 32 * 8)}
    assert len(worlds) > 4
    assert all(world.features <= WORLD.features for world in worlds)
    assert all(getattr(world, name) <= getattr(WORLD, name) for world in worlds for name in SIZES)
    left_out = {name for world in worlds for name in FEATURES if name not in world.features}
    assert len(left_out) > 4


def test_other_seeds_draw_other_sequences() -> None:
    compiled = is_compiled()
    assert draw("random", 1, 5, compiled=compiled) != draw("random", 2, 5, compiled=compiled)
