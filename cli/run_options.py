"""What a run does: everything that was asked for or follows from it, printed before it starts."""

import secrets
from dataclasses import dataclass

from cli.errors import UsageMistake
from cli.output import Screen
from fuzzer.campaign.spec import Budget, CampaignSpec, KernelPair
from fuzzer.engine_table import find_engine
from fuzzer.hunt import UNIT_OPS
from fuzzer.seeds import SEED_BITS
from simcore.core import is_compiled
from simcore.kernel import Kernel
from simcore.world import World

DEFAULT_SECONDS = 10.0
# Swarm draws smaller worlds than this one, so it may have more than most traces need.
DEFAULT_WORLD = World(processes=3, frames=20, slots=12, memcgs=2, file=1, huge=3, batch=3)
DEFAULT_LENGTH = 40
# A fifth of a second's work, as UNIT_OPS is compiled, so that a run stops and shows its progress without delay.
UNIT_OPS_UNCOMPILED = 10_000
# A run answers within a second, so its units stay smaller than those of a campaign.
SEEDS_PER_UNIT = 8


@dataclass(frozen=True, slots=True)
class RunOptions:
    """One run. `seconds` and `ops` are budgets, None for none; `stop_after` counts failures.

    `kernel_spec` is the kernel as it was asked for. With the same options but for `seconds` and `jobs`, and `ops`
    given, two runs find the same.
    """

    kernel_spec: str
    kernel: Kernel
    reference: Kernel | None
    world: World
    engine: str
    seed: int
    seconds: float | None
    ops: int | None
    stop_after: int | None
    jobs: int
    unit_ops: int
    length: int
    oracles: tuple[str, ...] | None
    checks: bool

    def campaign(self) -> CampaignSpec:
        """The run as a campaign of one cell. The errors of the fuzzer say what of the options cannot be."""
        return CampaignSpec(
            kernels=(KernelPair(self.kernel, self.reference),),
            worlds=(self.world,),
            seed=self.seed,
            engines=((self.engine, 1),),
            oracles=self.oracles,
            budget=Budget(self.seconds, self.ops, self.stop_after),
            length=self.length,
            checks=self.checks,
            seed_ops=self.unit_ops,
            seeds_per_unit=SEEDS_PER_UNIT,
            canary_minutes=0,
        )

    def to_json(self) -> dict[str, object]:
        """Every option, for the database and --json."""
        return {
            "kernel": self.kernel.name,
            "kernel_digest": self.kernel.digest,
            "reference": self.reference.name if self.reference else None,
            "world": str(self.world),
            "engine": self.engine,
            "seed": self.seed,
            "seconds": self.seconds,
            "ops": self.ops,
            "stop_after": self.stop_after,
            "jobs": self.jobs,
            "unit_ops": self.unit_ops,
            "length": self.length,
            "oracles": None if self.oracles is None else list(self.oracles),
            "checks": self.checks,
        }


def choose_seed(given: int | None) -> int:
    """The seed that was given, or one drawn from the system's randomness, 63 bits."""
    return secrets.randbits(SEED_BITS) if given is None else given


def choose_unit_ops(given: int | None) -> int:
    """The ops of one unit that were given, or as many as are done in a part of a second."""
    return given or (UNIT_OPS if is_compiled() else UNIT_OPS_UNCOMPILED)


def choose_world(world: World | None, without: tuple[str, ...]) -> World:
    """The world that was given or the default one, with features taken out. UnknownName for one there is not."""
    return (world or DEFAULT_WORLD).without(without)


def choose_seconds(seconds: float | None, ops: int | None) -> float | None:
    """The budget of time: without any budget the default, with a budget of ops none."""
    if seconds is None and ops is None:
        return DEFAULT_SECONDS
    return seconds


def check_reference(kernel: Kernel, reference: Kernel | None) -> Kernel | None:
    """The reference, unless it has the kernel's own rows."""
    if reference is not None and reference.digest == kernel.digest:
        raise UsageMistake(
            f"the reference {reference.name} has the same rows as {kernel.name}; exchanging them shows no cause"
        )
    return reference


def announce_options(screen: Screen, options: RunOptions, database: str | None) -> None:
    """Print all that the run will do."""
    engine = find_engine(options.engine)
    budget = [f"{options.seconds:g} s"] if options.seconds is not None else []
    budget += [f"{options.ops:,} ops"] if options.ops is not None else []
    budget += [f"{options.stop_after} failures"] if options.stop_after is not None else []
    units = f"up to {SEEDS_PER_UNIT} seeds of {options.unit_ops:,} ops, sequences of up to {options.length} ops"
    lines = (
        ("kernel", f"{options.kernel.name}  {options.kernel.digest}"),
        ("reference", options.reference.name if options.reference else "none"),
        ("world", options.world),
        ("engine", f"{engine.name}: {engine.doc}"),
        ("derives", ", ".join(engine.derives)),
        ("seed", options.seed),
        ("budget", " or ".join(budget)),
        ("units", f"{units}, {options.jobs} at a time"),
        ("oracles", ", ".join(options.oracles) if options.oracles else "all"),
        ("checks", "all" if options.checks else "none: no counts, no costs, until a sequence fails"),
        (
            "core",
            "compiled" if is_compiled() else "uncompiled: some two hundred times slower; see `mmfuzz doctor`",
        ),
        ("database", database or "none: nothing is stored"),
    )
    for name, value in lines:
        screen.announce(f"{name:10} {value}")
