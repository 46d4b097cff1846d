"""The execution of a campaign's unit: seed after seed, and what came out of all of them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass

from fuzzer.merge import merge_results
from fuzzer.seeds import unit_seed
from fuzzer.unit import FailureKey, FoundFailure, UnitResult, UnitSpec, run_unit


@dataclass(frozen=True, slots=True)
class UnitWork:
    """A unit as a worker gets it.

    `spec` is what its seeds have in common (its own seed and ops say nothing). Seed number i of the campaign is
    unit_seed(campaign_seed, i) and does `seed_ops` ops, the unit's last one what is left of `ops`. Of the keys in
    `settled` no sample is wanted any more.
    """

    spec: UnitSpec
    campaign_seed: int
    seed_start: int
    seed_count: int
    ops: int
    seed_ops: int
    settled: frozenset[FailureKey] = frozenset()

    def seed_spec(self, index: int) -> UnitSpec:
        """What the seed at this place of the unit, from 0 on, does."""
        ops = min(self.seed_ops, self.ops - index * self.seed_ops)
        spec = self.spec
        seed = unit_seed(self.campaign_seed, self.seed_start + index)
        return UnitSpec(spec.kernel, spec.world, spec.engine, seed, ops, spec.length, spec.oracles, spec.checks)


@dataclass(frozen=True, slots=True)
class UnitOutput:
    """What came out of a unit. `rows` has a byte of 0 or 1 for each row; `counts` are failing traces by key."""

    seeds: int
    traces: int
    ops: int
    rows: bytes
    digest: str
    counts: tuple[tuple[FailureKey, int], ...]
    samples: tuple[FoundFailure, ...]


def run_work(
    work: UnitWork, go_on: Callable[[], bool] = lambda: True, *, compiled: bool | None = None
) -> UnitOutput | None:
    """Execute a unit; the same work gives the same output everywhere. None when `go_on` said no between two seeds."""
    results = []
    for index in range(work.seed_count):
        if not go_on():
            return None
        results.append(run_unit(work.seed_spec(index), compiled=compiled))
    return output_of(merge_results(results), work.seed_count, work.settled)


def output_of(result: UnitResult, seeds: int, settled: Collection[FailureKey] = ()) -> UnitOutput:
    """The merged result of a unit's seeds as the unit's output."""
    counts: dict[FailureKey, int] = {}
    for found in result.failures:
        counts[found.key] = counts.get(found.key, 0) + found.count
    samples = tuple(found for found in result.failures if found.key not in settled)
    return UnitOutput(
        seeds, result.traces, result.ops, result.rows, result.digest, tuple(sorted(counts.items())), samples
    )
