"""run_unit() is a function of its spec, and what it reports is true."""

from collections import Counter
from dataclasses import replace

import pytest

from fuzzer.engine_constants import MAX_LENGTH
from fuzzer.errors import UnitError, UnknownEngine
from fuzzer.seeds import BIGGEST_SEED, unit_seed
from fuzzer.unit import SAMPLES_PER_KEY, FailureKey, UnitSpec, key_of, run_unit, start_engine
from simcore.core import is_compiled, new_machine
from simcore.errors import UnknownName
from simcore.kernel import Kernel
from simcore.kernel_files import find_kernel
from simcore.run import run_trace, violations_of
from simcore.world import World

FEW_OPS = 6_000


def spec_of(kernel: Kernel, engine: str = "swarm", seed: int = 3, ops: int = FEW_OPS) -> UnitSpec:
    return UnitSpec(kernel, World(), engine, seed, ops)


@pytest.mark.parametrize("engine", ["random", "swarm"])
def test_same_spec_gives_same_result(patched: Kernel, engine: str) -> None:
    assert run_unit(spec_of(patched, engine)) == run_unit(spec_of(patched, engine))


@pytest.mark.needs_compiled
@pytest.mark.parametrize("engine", ["random", "swarm"])
def test_both_cores_give_the_same_result(patched: Kernel, engine: str) -> None:
    spec = spec_of(patched, engine)
    assert run_unit(spec, compiled=True) == run_unit(spec, compiled=False)


@pytest.mark.parametrize(
    "change", [{"seed": 4}, {"engine": "random"}, {"length": 20}, {"ops": FEW_OPS * 2}, {"world": World(pages=3)}]
)
def test_every_part_of_the_spec_matters(patched: Kernel, change: dict[str, object]) -> None:
    spec = spec_of(patched)
    assert run_unit(replace(spec, **change)).digest != run_unit(spec).digest  # type: ignore[arg-type]


def test_each_sample_shows_its_violation_when_it_is_replayed(patched: Kernel) -> None:
    result = run_unit(spec_of(patched))
    assert result.failures
    for found in result.failures:
        assert found.violation in run_trace(found.trace, patched).violations


def test_the_budget_ends_the_unit_with_a_whole_sequence(before: Kernel) -> None:
    result = run_unit(spec_of(before, ops=1000))
    assert 1000 <= result.ops < 1000 + 40
    assert run_unit(spec_of(before, ops=0)).traces == 0


def test_no_more_samples_of_a_key_than_wanted(patched: Kernel) -> None:
    keys = [found.key for found in run_unit(spec_of(patched)).failures]
    assert max(map(keys.count, keys)) == SAMPLES_PER_KEY


def test_counts_of_a_key_add_up_to_the_sequences_that_failed(patched: Kernel) -> None:
    spec = spec_of(patched)
    counted: Counter[FailureKey] = Counter()
    for found in run_unit(spec).failures:
        counted[found.key] += found.count
    drawn: Counter[FailureKey] = Counter()
    machine = new_machine()
    engine = start_engine(spec, machine)
    while engine.counts()[1] < spec.ops:
        # One op more than were done: one sequence is drawn, and then the engine stops.
        engine.run(engine.counts()[1] + 1)
        drawn.update(map(key_of, violations_of(machine)))
    assert counted == drawn
    assert max(counted.values()) > SAMPLES_PER_KEY


def test_oracles_not_asked_for_are_not_reported(patched: Kernel) -> None:
    result = run_unit(replace(spec_of(patched), oracles=("lost-store",)))
    assert {found.violation.oracle for found in result.failures} == {"lost-store"}
    assert run_unit(replace(spec_of(patched), oracles=())).failures == ()


def test_options_of_a_sample_say_how_to_draw_it_again(patched: Kernel) -> None:
    found = run_unit(spec_of(patched)).failures[0]
    options = found.options
    assert options["unit_seed"] == found.seed == 3
    assert World.parse(str(options["world"])) == found.trace.world
    assert {"engine", "unit_world", "unit_ops", "length", "oracles", "sequence"} <= options.keys()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": -1}, f"seed=-1; it can be 0 to {BIGGEST_SEED}"),
        ({"seed": 1 << 63}, "seed=9223372036854775808"),
        ({"ops": -1}, "ops=-1; it can be 0 to"),
        ({"length": 0}, f"length=0; it can be 1 to {MAX_LENGTH}"),
        ({"length": True}, "length=True"),
    ],
)
def test_a_unit_that_cannot_be_is_an_error_with_the_value(before: Kernel, change: dict[str, int], message: str) -> None:
    with pytest.raises(UnitError, match=message):
        replace(spec_of(before), **change)  # type: ignore[arg-type]


def test_unknown_engine_and_oracle_are_errors_that_name_what_exists(before: Kernel) -> None:
    with pytest.raises(UnknownEngine, match="random, swarm"):
        UnitSpec(before, World(), "guided", 1, 1)
    with pytest.raises(UnknownName, match="unknown oracle 'lost_store'; did you mean 'lost-store'"):
        UnitSpec(before, World(), "random", 1, 1, oracles=("lost_store",))


def test_seeds_of_units_differ_and_fit_into_63_bits() -> None:
    seeds = {unit_seed(run, number) for run in range(40) for number in range(40)}
    assert len(seeds) == 1600
    assert max(seeds) <= BIGGEST_SEED
    # Pinned: a run must be the same run in every release.
    assert unit_seed(1, 0) == 8461168203350636071


def test_runs_on_the_core_there_is(before: Kernel) -> None:
    assert run_unit(spec_of(before, ops=500)) == run_unit(spec_of(before, ops=500), compiled=is_compiled())


@pytest.mark.needs_compiled
def test_unit_without_checks_finds_lost_stores_and_hears_no_costs() -> None:
    spec = UnitSpec(find_kernel("linux-4.0-rc7-mm1+dirty-on-swapin"), World(), "swarm", 1, 100_000, checks=False)
    result = run_unit(spec)
    assert {found.violation.cls for found in result.failures} == {"safety"}
    assert result == run_unit(spec)
    assert result.traces > 0
