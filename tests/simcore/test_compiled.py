"""The compiled core does what the plain modules do: same outcomes, same rows, same failures."""

from dataclasses import dataclass
from typing import Any

import pytest

from fuzzer.unit import UnitSpec, start_engine
from simcore.constants import LOG_ROWS
from simcore.core import NEEDS, new_machine
from simcore.kernel import Kernel
from simcore.kernel_files import canary_kernels, shipped_kernels
from simcore.run import ALL_CHECKS, violations_of
from simcore.world import World

pytestmark = pytest.mark.needs_compiled

SEED = 20150411
SEQUENCES = 10_000


@dataclass(frozen=True, slots=True)
class Share:
    """A part of the sequences: how they are drawn, and how many ops they have at most."""

    engine: str
    world: World
    length: int
    ops: int


# A tmpfs file, the huge area and batches: everything that a world can have, with room and without.
LARGE = "processes=3 pages=2 file=1 huge=3 frames=24 slots=16 batch=4"
TIGHT = "processes=2 pages=2 file=2 huge=2 frames=9 slots=5 batch=2"

SHARES = (
    Share("swarm", World(), 12, 32_000),
    Share("random", World(), 12, 18_000),
    Share("random", World.parse("processes=3 pages=3 frames=5 slots=3 memcgs=2 swap=zram"), 12, 26_000),
    Share("swarm", World.parse("processes=4 memcgs=2 swap=zram"), 100, 16_000),
    Share("swarm", World.parse(LARGE), 40, 12_000),
    Share("random", World.parse(f"{LARGE} memcgs=2 swap=zram"), 40, 12_000),
    Share("random", World.parse(TIGHT), 25, 12_000),
    Share("swarm", World.parse(f"{TIGHT} advised=0 swap=zram"), 25, 12_000),
)


def drawn(kernel: Kernel, share: Share, *, compiled: bool) -> tuple[Any, ...]:
    """Everything that comes out of the share's sequences."""
    spec = UnitSpec(kernel, share.world, share.engine, SEED, share.ops, share.length)
    machine = new_machine(compiled)
    engine = start_engine(spec, machine, compiled)
    samples = []
    while engine.run(share.ops):
        samples.append((engine.words(), engine.world(), violations_of(machine)))
    return engine.counts(), machine.covered(), engine.failure_counts(), samples


@pytest.mark.parametrize("kernel", shipped_kernels(), ids=lambda kernel: kernel.name)
def test_compiled_core_agrees_with_the_plain_modules(kernel: Kernel) -> None:
    sequences = 0
    for share in SHARES:
        one = drawn(kernel, share, compiled=True)
        assert one == drawn(kernel, share, compiled=False), f"seed {SEED}, {share}"
        sequences += one[0][0]
    assert sequences >= SEQUENCES, f"only {sequences} sequences were compared"


@pytest.mark.parametrize("kernel", canary_kernels(), ids=lambda kernel: kernel.name)
def test_compiled_core_agrees_on_planted_bugs(kernel: Kernel) -> None:
    share = Share("swarm", World(), 40, 4_000)
    assert drawn(kernel, share, compiled=True) == drawn(kernel, share, compiled=False), f"seed {SEED}, {share}"


def everything(machine: Any) -> tuple[Any, ...]:
    """All that a machine can be asked."""
    return (
        machine.ptes(),
        machine.expectations(),
        machine.alive(),
        machine.pages(),
        machine.swap_slots(),
        machine.page_states(),
        machine.smaps_states(),
        machine.last_value(),
        machine.actors(),
        machine.outcome(),
        machine.failed(),
        machine.stopped(),
        machine.take_log(),
    )


@pytest.mark.parametrize("shape", ["processes=3 pages=3 frames=6 slots=4 memcgs=2", LARGE, f"{TIGHT} swap=zram"])
@pytest.mark.parametrize("kernel", shipped_kernels(), ids=lambda kernel: kernel.name)
def test_machines_agree_after_every_op(kernel: Kernel, shape: str) -> None:
    world = World.parse(shape)
    spec = UnitSpec(kernel, world, "random", SEED, 1, 60)
    drawing = start_engine(spec, new_machine(True), True)
    machines = [new_machine(True), new_machine(False)]
    for machine in machines:
        machine.load_kernel(kernel.rows)
        machine.set_world(world.encode(), NEEDS)
    for goal in range(1, 1_200, 20):
        drawing.run(goal)
        for machine in machines:
            machine.start(ALL_CHECKS | LOG_ROWS)
        for number, word in enumerate(drawing.words()):
            assert len({machine.op(word) for machine in machines}) == 1
            first, second = map(everything, machines)
            assert first == second, f"seed {SEED}, after op {number} of {drawing.words()}"
