"""What a campaign is: kernels, worlds, feature sets and engines, a budget, a seed; and from these its cells."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from itertools import product
from typing import Any

from fuzzer.cause import default_reference
from fuzzer.engine_constants import MAX_LENGTH
from fuzzer.engine_table import find_engine
from fuzzer.errors import CampaignError
from fuzzer.seeds import BIGGEST_SEED
from fuzzer.unit import BIGGEST_BUDGET, UnitSpec
from simcore.errors import SimcoreError
from simcore.kernel import Kernel
from simcore.world import World

FORMAT = "mmfuzz campaign 1"
MOST_CELLS = 1024
GREATEST_WEIGHT = 100
# A unit of this size takes a few seconds of the compiled core; a seed some 40 ms.
SEEDS_PER_UNIT = 100
SEED_OPS = 200_000
CANARY_MINUTES = 10.0


@dataclass(frozen=True, slots=True)
class KernelPair:
    """A kernel to be fuzzed, and the one that rows are exchanged with to find causes."""

    kernel: Kernel
    reference: Kernel | None


@dataclass(frozen=True, slots=True)
class Budget:
    """What ends a campaign, whichever comes first; None for no such end.

    `seconds` it was running, `ops` planned, different `failures` found, or `plateau`: so many ops without a row or a
    failure that is new.
    """

    seconds: float | None = None
    ops: int | None = None
    failures: int | None = None
    plateau: int | None = None

    def __post_init__(self) -> None:
        for name in ("ops", "failures", "plateau"):
            value = getattr(self, name)
            if value is not None:
                _check_number(f"budget.{name}", value, 0 if name == "ops" else 1, BIGGEST_SEED)
        if self.seconds is not None and not 0 <= self.seconds < 1e12:
            raise CampaignError(f"budget.seconds={self.seconds!r}; it can be 0 or more")


@dataclass(frozen=True, slots=True)
class Cell:
    """One combination that is fuzzed on its own: its units, coverage and failures are counted apart."""

    number: int
    pair: KernelPair
    world: World
    engine: str
    weight: int


@dataclass(frozen=True, slots=True)
class CampaignSpec:
    """Every setting of a campaign. CampaignError or the errors of what it is made of when it cannot be.

    The cells are all combinations of kernels, worlds, feature sets (`without`) and engines (name and weight).
    `priority` is its share of the workers. A unit has up to `seeds_per_unit` seeds of `seed_ops` ops each;
    `canary_minutes` apart a unit is planned that must fail, 0 for never.
    """

    kernels: tuple[KernelPair, ...]
    worlds: tuple[World, ...]
    seed: int
    without: tuple[tuple[str, ...], ...] = ((),)
    engines: tuple[tuple[str, int], ...] = (("swarm", 1),)
    oracles: tuple[str, ...] | None = None
    budget: Budget = field(default_factory=Budget)
    priority: int = 1
    length: int = 40
    checks: bool = True
    seed_ops: int = SEED_OPS
    seeds_per_unit: int = SEEDS_PER_UNIT
    canary_minutes: float = CANARY_MINUTES

    def __post_init__(self) -> None:
        _check_number("seed", self.seed, 0, BIGGEST_SEED)
        _check_number("priority", self.priority, 1, GREATEST_WEIGHT)
        _check_number("units.seed_ops", self.seed_ops, 1, BIGGEST_BUDGET)
        _check_number("units.seeds", self.seeds_per_unit, 1, 1 << 20)
        _check_number("length", self.length, 1, MAX_LENGTH)
        if not 0 <= self.canary_minutes < 1e6:
            raise CampaignError(f"canary_minutes={self.canary_minutes!r}; it can be 0 (never) or more")
        for name, weight in self.engines:
            find_engine(name)
            _check_number(f"engines.{name}", weight, 1, GREATEST_WEIGHT)
        for name in ("kernels", "worlds", "without", "engines", "oracles"):
            if getattr(self, name) == ():
                raise CampaignError(f"{name} is empty; name one at least")
        number = len(self.kernels) * len(self.worlds) * len(self.without) * len(self.engines)
        if number > MOST_CELLS:
            raise CampaignError(f"kernels, worlds, feature sets and engines make {number} cells; {MOST_CELLS} at most")
        known: dict[str, KernelPair] = {}
        for pair in self.kernels:
            if (before := known.get(pair.kernel.digest)) is not None:
                both = f"{before.kernel.name} and {pair.kernel.name}"
                raise CampaignError(f"two of the kernels have the same rows, {both}; name each once")
            known[pair.kernel.digest] = pair
        for cell in self.cells:
            self.unit_spec(cell, 0, 1)

    @property
    def cells(self) -> tuple[Cell, ...]:
        """All combinations, numbered in the order of the settings."""
        combinations = product(self.kernels, self.worlds, self.without, self.engines)
        return tuple(
            Cell(number, pair, world.without(left_out), engine, weight)
            for number, (pair, world, left_out, (engine, weight)) in enumerate(combinations)
        )

    @property
    def weights(self) -> tuple[int, ...]:
        """The weights of the cells, in their order."""
        others = len(self.kernels) * len(self.worlds) * len(self.without)
        return tuple(weight for _, weight in self.engines) * others

    def unit_spec(self, cell: Cell, seed: int, ops: int) -> UnitSpec:
        """What one seed of a cell does."""
        return UnitSpec(cell.pair.kernel, cell.world, cell.engine, seed, ops, self.length, self.oracles, self.checks)

    def to_json(self) -> dict[str, Any]:
        """Every setting as the database keeps it; kernels by name and digest. spec_from_json() reads it."""
        return {
            "format": FORMAT,
            "kernels": [_pair_json(pair) for pair in self.kernels],
            "worlds": [str(world) for world in self.worlds],
            "without": [list(names) for names in self.without],
            # Pairs: JSON objects have no order that a database keeps, and cells are numbered in this one.
            "engines": [list(engine) for engine in self.engines],
            "oracles": None if self.oracles is None else list(self.oracles),
            "seed": self.seed,
            "priority": self.priority,
            "length": self.length,
            "checks": self.checks,
            "canary_minutes": self.canary_minutes,
            "budget": {name: getattr(self.budget, name) for name in ("seconds", "ops", "failures", "plateau")},
            "units": {"seeds": self.seeds_per_unit, "seed_ops": self.seed_ops},
        }


def spec_from_json(value: Mapping[str, Any], find: Callable[[str], Kernel]) -> CampaignSpec:
    """The campaign of stored settings; `find` gives the kernel of a digest."""
    if value.get("format") != FORMAT:
        raise CampaignError(f"settings of the format {value.get('format')!r}; this release reads {FORMAT!r}")
    try:
        return CampaignSpec(
            kernels=tuple(_pair_of(each, find) for each in value["kernels"]),
            worlds=tuple(World.parse(text) for text in value["worlds"]),
            without=tuple(tuple(names) for names in value["without"]),
            engines=tuple((name, weight) for name, weight in value["engines"]),
            oracles=None if value["oracles"] is None else tuple(value["oracles"]),
            seed=value["seed"],
            budget=Budget(**value["budget"]),
            priority=value["priority"],
            length=value["length"],
            checks=value["checks"],
            canary_minutes=value["canary_minutes"],
            seed_ops=value["units"]["seed_ops"],
            seeds_per_unit=value["units"]["seeds"],
        )
    except (SimcoreError, KeyError, TypeError) as error:
        raise CampaignError(f"stored settings that this release cannot read: {error!r}") from error


def make_pair(kernel: Kernel, reference: Kernel | None = None) -> KernelPair:
    """The kernel and its reference: the one given, else its parent, else its successor."""
    if reference is not None and reference.digest == kernel.digest:
        raise CampaignError(
            f"the reference {reference.name} has the same rows as {kernel.name}; exchanging them shows no cause"
        )
    return KernelPair(kernel, reference or default_reference(kernel))


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """The settings in which two campaigns' JSON differ: name (dotted), before, after."""
    found = []
    for name in dict.fromkeys([*old, *new]):
        before, after = old.get(name), new.get(name)
        if isinstance(before, Mapping) and isinstance(after, Mapping):
            found += [(f"{name}.{inner}", b, a) for inner, b, a in differences(before, after)]
        elif before != after:
            found.append((name, before, after))
    return found


def _pair_json(pair: KernelPair) -> dict[str, str | None]:
    return {
        "name": pair.kernel.name,
        "digest": pair.kernel.digest,
        "reference": pair.reference.name if pair.reference else None,
        "reference_digest": pair.reference.digest if pair.reference else None,
    }


def _pair_of(value: Mapping[str, Any], find: Callable[[str], Kernel]) -> KernelPair:
    """The kernels of digests, under the names by which they were asked for."""
    kernel = replace(find(value["digest"]), name=value["name"])
    if value["reference_digest"] is None:
        return KernelPair(kernel, None)
    return KernelPair(kernel, replace(find(value["reference_digest"]), name=value["reference"]))


def _check_number(name: str, value: object, least: int, greatest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= greatest:
        raise CampaignError(f"{name}={value!r}; it can be {least} to {greatest}")
