"""Every oracle hears its canary, no other oracle does, and all are silent where nothing is wrong."""

from collections import Counter
from dataclasses import replace
from typing import Literal

import pytest

from fuzzer.unit import UnitSpec, start_engine
from simcore.core import new_machine
from simcore.features import ALL_FEATURES
from simcore.kernel_files import canary_kernels, find_kernel
from simcore.oracles import ORACLE_BY_NAME, ORACLES, Oracle
from simcore.run import violations_of
from simcore.world import World

SEED = 1
CANARY_OPS = 400_000
SILENT_OPS = 2_000_000
SOUND = "canary-sound"
# A tmpfs file, the huge area and batches: everything that a world can have.
LARGE = "processes=3 pages=2 file=1 huge=3 frames=24 slots=16 batch=4"
TIGHT = "pages=2 file=2 huge=2 frames=9 slots=5 batch=2"

pytestmark = pytest.mark.needs_compiled


def hear(kernel: str, world: World, engine: str, ops: int) -> Counter[str]:
    """The oracles that spoke in sequences drawn from the seed, with how many samples the engine kept."""
    spec = UnitSpec(find_kernel(kernel), world, engine, SEED, ops)
    machine = new_machine()
    drawing = start_engine(spec, machine)
    heard: Counter[str] = Counter()
    while drawing.run(ops):
        heard.update(violation.oracle for violation in violations_of(machine))
    return heard


def canary_world(oracle: Oracle, shape: str) -> World:
    """The world of a shape, with what the oracle asks of the world for its canary."""
    fields = dict(word.split("=") for word in f"{shape} {oracle.canary_world}".split())
    return World.parse(" ".join(f"{name}={value}" for name, value in fields.items()))


@pytest.mark.parametrize("engine", ["swarm", "random"])
@pytest.mark.parametrize("shape", ["", "processes=3 memcgs=2"])
@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
def test_canary_is_heard_by_its_oracle_alone(oracle: Oracle, shape: str, engine: str) -> None:
    heard = hear(oracle.canary, canary_world(oracle, shape), engine, CANARY_OPS)
    assert set(heard) == {oracle.name}, f"seed {SEED}: {oracle.canary} was heard by {dict(heard)}"


@pytest.mark.parametrize("oracle", ORACLES, ids=lambda oracle: oracle.name)
def test_canary_is_heard_in_a_large_world(oracle: Oracle) -> None:
    """Where one bug spoils files and huge pages too, other oracles may hear it as well."""
    heard = hear(oracle.canary, canary_world(oracle, LARGE), "random", CANARY_OPS)
    assert oracle.name in heard, f"seed {SEED}: {oracle.canary} was heard by {dict(heard)}"


@pytest.mark.parametrize("engine", ["swarm", "random"])
@pytest.mark.parametrize("swap", ["disk", "zram"])
@pytest.mark.parametrize("shape", ["", "processes=4 memcgs=2 slots=4", "frames=4 pages=6 slots=3", LARGE, TIGHT])
def test_oracles_are_silent_on_the_sound_kernel(shape: str, swap: Literal["disk", "zram"], engine: str) -> None:
    heard = hear(SOUND, replace(World.parse(shape), swap=swap), engine, SILENT_OPS)
    assert not heard, f"seed {SEED}"


@pytest.mark.parametrize("feature", sorted(ALL_FEATURES))
def test_oracles_are_silent_on_the_sound_kernel_without(feature: str) -> None:
    heard = hear(SOUND, World().without([feature]), "random", CANARY_OPS)
    assert not heard, f"seed {SEED}"


def test_every_canary_belongs_to_an_oracle() -> None:
    canaries = {kernel.name for kernel in canary_kernels()} - {SOUND}
    assert canaries == {oracle.canary for oracle in ORACLES}
    assert len(ORACLE_BY_NAME) == len(ORACLES)


def test_canaries_are_made_from_the_sound_kernel() -> None:
    for kernel in canary_kernels():
        if kernel.name != SOUND:
            assert kernel.parent == SOUND
