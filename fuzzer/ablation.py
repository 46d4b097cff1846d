"""What a kernel still does wrong when features are left out of the world: one hunt for each subset of them.

Feature ablation: a failure that is still there without a feature does not need it. Only safety oracles listen, so that
what is told is users' data lost, wrong or seen by others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from fuzzer.errors import AblationError
from fuzzer.failure import Failure
from fuzzer.hunt import Progress, hunt
from fuzzer.places import KINDS_OF_FEATURE, ranges
from fuzzer.rank import rank
from fuzzer.search import DEFAULT_BUDGET
from fuzzer.unit import FailureKey, UnitSpec
from simcore.kernel import Kernel
from simcore.oracles import ORACLES
from simcore.world import World

SAFETY_ORACLES: tuple[str, ...] = tuple(oracle.name for oracle in ORACLES if oracle.cls == "safety")
# Twice as many hunts for each feature more.
MOST_FEATURES = 8


@dataclass(frozen=True, slots=True)
class Ablated:
    """A hunt in a world without some features, as far as it has come.

    `own` are the failures that the reference kernel does not show on the same trace, the simplest first, `common` those
    that it does. `first_ops` is how many ops it took to find the first of the own, None before it is found. `at_end`:
    all that the units so far have found is there.
    """

    left_out: tuple[str, ...]
    world: World
    traces: int = 0
    ops: int = 0
    own: tuple[Failure, ...] = ()
    common: tuple[Failure, ...] = ()
    first_ops: int | None = None
    at_end: bool = False

    @property
    def shortest(self) -> Failure | None:
        """The failure with the simplest trace; None without one."""
        return self.own[0] if self.own else None


@dataclass(frozen=True, slots=True)
class Way:
    """An oracle and a kind: the simplest failure over all hunts, and how many of the worlds show one."""

    failure: Failure
    worlds: int


def ways(hunts: Iterable[Ablated]) -> tuple[Way, ...]:
    """The kernel's own ways to fail, the simplest first."""
    found: dict[FailureKey, Way] = {}
    for ablated in hunts:
        # The first of a key is its simplest; each world counts once.
        for key, failure in {each.key: each for each in reversed(ablated.own)}.items():
            known = found.get(key, Way(failure, 0))
            simplest = min(known.failure, failure, key=lambda each: rank(each.minimized))
            found[key] = Way(simplest, known.worlds + 1)
    return tuple(sorted(found.values(), key=lambda way: rank(way.failure.minimized)))


def subsets(features: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """What is left out in each hunt: nothing first, everything last, features in the order given."""
    return tuple(left_out for size in range(len(features) + 1) for left_out in combinations(features, size))


def check_features(features: Sequence[str], world: World) -> None:
    """AblationError where leaving a feature out would say nothing; UnknownName for one there is not."""
    world.without(features)
    if len(features) > MOST_FEATURES:
        raise AblationError(f"{len(features)} features are {1 << len(features)} hunts; {MOST_FEATURES} at most")
    if len(set(features)) < len(features):
        raise AblationError(f"{', '.join(features)}: a feature is named twice")
    for name in features:
        if name not in world.features:
            raise AblationError(f"the world is without {name} already")
        kinds = KINDS_OF_FEATURE.get(name, ())
        if kinds and not any(ranges(world)[kind] for kind in kinds):
            size = "file" if name == "tmpfs" else "huge"
            raise AblationError(
                f"the world has no page that needs {name}, so leaving it out says nothing; give it {size}=1"
            )


def ablate(
    spec: UnitSpec,
    left_out: tuple[str, ...],
    reference: Kernel | None,
    *,
    search_budget: int = DEFAULT_BUDGET,
    compiled: bool | None = None,
) -> Iterator[Ablated]:
    """Hunt in the spec's world without these features for ever, and tell of every failure and every unit.

    The caller stops it by asking for no more, as with hunt().
    """
    world = spec.world.without(left_out)
    asked = replace(spec, world=world, oracles=SAFETY_ORACLES)
    ablated = Ablated(left_out, world)
    before = 0
    for progress in hunt(asked, reference, search_budget=search_budget, compiled=compiled):
        ablated = _after(ablated, progress, reference)
        if progress.new is None:
            before = progress.ops
        elif progress.new in ablated.own and (ablated.first_ops is None or ablated.first_ops > before):
            # A unit's failures are not explained in the order in which they were found.
            found = before + found_at(progress.new)
            ablated = replace(ablated, first_ops=min(found, ablated.first_ops or found))
        yield ablated


def found_at(failure: Failure) -> int:
    """How many ops its unit had done when the failure was seen."""
    ops = failure.options["found_at"]
    assert isinstance(ops, int), f"a unit counts its ops, so found_at cannot be {ops!r}"
    return ops


def _after(ablated: Ablated, progress: Progress, reference: Kernel | None) -> Ablated:
    """The sums so far. No cause is told against a reference that fails in the same way."""
    failures = sorted(progress.failures, key=lambda failure: rank(failure.minimized))
    common = tuple(failure for failure in failures if reference is not None and failure.cause.reference is None)
    return replace(
        ablated,
        traces=progress.traces,
        ops=progress.ops,
        own=tuple(failure for failure in failures if failure not in common),
        common=common,
        at_end=progress.new is None,
    )
