"""A campaign's settings in a TOML file: versioned, and every mistake told with its place."""

import tomllib
from collections.abc import Callable

import msgspec

from fuzzer.campaign.spec import (
    CANARY_MINUTES,
    FORMAT,
    SEED_OPS,
    SEEDS_PER_UNIT,
    Budget,
    CampaignSpec,
    make_pair,
)
from fuzzer.errors import CampaignError
from simcore.kernel import Kernel
from simcore.world import World


class BudgetTable(msgspec.Struct, forbid_unknown_fields=True):
    """[budget]: what ends the campaign, whichever comes first."""

    seconds: float | None = None
    ops: int | None = None
    failures: int | None = None
    plateau: int | None = None


class UnitsTable(msgspec.Struct, forbid_unknown_fields=True):
    """[units]: how large pieces of work are."""

    seeds: int = SEEDS_PER_UNIT
    seed_ops: int = SEED_OPS


class CampaignFile(msgspec.Struct, forbid_unknown_fields=True):
    """The whole file; docs/campaigns.md says what each setting means."""

    format: str
    kernels: list[str]
    reference: str | None = None
    worlds: list[str] | None = None
    without: list[list[str]] = msgspec.field(default_factory=lambda: [[]])
    engines: dict[str, int] = msgspec.field(default_factory=lambda: {"swarm": 1})
    oracles: list[str] | None = None
    seed: int | None = None
    priority: int = 1
    length: int = 40
    checks: bool = True
    canary_minutes: float = CANARY_MINUTES
    budget: BudgetTable = msgspec.field(default_factory=BudgetTable)
    units: UnitsTable = msgspec.field(default_factory=UnitsTable)


def read_campaign(text: str, source: str) -> CampaignFile:
    """The file's settings. CampaignError names the source, and line or setting, of what is wrong."""
    try:
        value = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError(f"{source}: not TOML: {error}") from error
    # Before all else: a later format may have other settings.
    if value.get("format") != FORMAT:
        raise CampaignError(f"{source}: format={value.get('format')!r}; this release reads format = {FORMAT!r}")
    try:
        return msgspec.convert(value, CampaignFile)
    except msgspec.ValidationError as error:
        raise CampaignError(f"{source}: {error}") from error


def campaign_of(
    asked: CampaignFile, find: Callable[[str], Kernel], default_world: World, default_seed: Callable[[], int]
) -> CampaignSpec:
    """The campaign of a file's settings. `find` gives the kernel of a name or file."""
    reference = None if asked.reference is None else find(asked.reference)
    return CampaignSpec(
        kernels=tuple(make_pair(find(name), reference) for name in asked.kernels),
        worlds=(default_world,) if asked.worlds is None else tuple(map(World.parse, asked.worlds)),
        without=tuple(map(tuple, asked.without)),
        engines=tuple(asked.engines.items()),
        oracles=None if asked.oracles is None else tuple(asked.oracles),
        seed=default_seed() if asked.seed is None else asked.seed,
        budget=Budget(asked.budget.seconds, asked.budget.ops, asked.budget.failures, asked.budget.plateau),
        priority=asked.priority,
        length=asked.length,
        checks=asked.checks,
        canary_minutes=asked.canary_minutes,
        seed_ops=asked.units.seed_ops,
        seeds_per_unit=asked.units.seeds,
    )
