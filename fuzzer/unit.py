"""A unit: a deterministic piece of fuzzing, from its description to what came out.

run_unit() is pure: the same spec gives the same result on every machine, compiled or not.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fuzzer.drawn import drawn_trace
from fuzzer.engine_constants import (
    MAX_LENGTH,
    ORIGINS,
    TAKES_AREA,
    TAKES_PAGE,
    TAKES_PATH,
    TAKES_PROCESS,
    TAKES_THREAD,
    TAKES_TOKEN,
)
from fuzzer.engine_table import find_engine, new_engine
from fuzzer.errors import UnitError
from fuzzer.seeds import BIGGEST_SEED
from simcore.constants import MAX_OP_CODES
from simcore.core import NEEDS, new_machine
from simcore.errors import UnknownName
from simcore.kernel import Kernel
from simcore.ops import OPS, OpSpec
from simcore.oracles import ORACLE_BY_NAME
from simcore.rules import TOTAL_ROWS
from simcore.run import ALL_CHECKS, KINDS, Violation, run_trace, violations_of
from simcore.trace import Trace
from simcore.world import World

BIGGEST_BUDGET = 1 << 40
# Sequences kept of each kind of failure: enough to meet more than one bug of a kind, few enough to minimize.
SAMPLES_PER_KEY = 4

FailureKey = tuple[str, str]
"""An oracle and a kind: as far as failures are told apart before they are minimized."""


@dataclass(frozen=True, slots=True)
class UnitSpec:
    """What a unit is. UnitError, UnknownEngine or UnknownName when it cannot be.

    `seed` has 63 bits. `ops` is the budget: the sequence in which it ends is still finished. `length` is the
    most ops a sequence can have. `oracles` are those whose failures count, None for all. Without `checks` the
    count identities and the cost oracles are off while sequences are drawn, for speed: a sequence counts as a
    failure only by what its loads see and the kernel's own assertions, and is then run again with all checks.
    """

    kernel: Kernel
    world: World
    engine: str
    seed: int
    ops: int
    length: int = 40
    oracles: tuple[str, ...] | None = None
    checks: bool = True

    def __post_init__(self) -> None:
        find_engine(self.engine)
        _check_number("seed", self.seed, 0, BIGGEST_SEED)
        _check_number("ops", self.ops, 0, BIGGEST_BUDGET)
        _check_number("length", self.length, 1, MAX_LENGTH)
        for name in self.oracles or ():
            if name not in ORACLE_BY_NAME:
                raise UnknownName("oracle", name, ORACLE_BY_NAME)


@dataclass(frozen=True, slots=True)
class FoundFailure:
    """One sequence that failed, as it was drawn.

    `count` is how many of the unit's sequences it stands for: the first sample of a key has all that are not
    samples themselves. `options` holds what is needed to draw the sequence again, and what was derived for
    it.
    """

    trace: Trace
    violation: Violation
    seed: int
    count: int
    options: dict[str, object] = field(hash=False)

    @property
    def key(self) -> FailureKey:
        """The oracle and the kind."""
        return key_of(self.violation)


@dataclass(frozen=True, slots=True)
class UnitResult:
    """What came out of a unit, or of several. `rows` has a byte of 0 or 1 for each row of the flat table.

    `failures` are in the order in which they were found. `digest` covers every outcome, not only the
    failures.
    """

    traces: int = 0
    ops: int = 0
    rows: bytes = bytes(TOTAL_ROWS)
    failures: tuple[FoundFailure, ...] = ()
    digest: str = "unit-0000000000000000"


def run_unit(spec: UnitSpec, *, compiled: bool | None = None) -> UnitResult:
    """Draw and judge the unit's sequences. `compiled` chooses the core as new_machine() does."""
    machine = new_machine(compiled)
    engine = start_engine(spec, machine, compiled)
    samples: list[_Sample] = []
    while engine.run(spec.ops):
        samples += _take_samples(spec, engine, machine, samples)
    traces, ops, outcomes = engine.counts()
    failures = _found_failures(spec, samples, engine.failure_counts())
    rows = bytes(machine.covered())
    return UnitResult(traces, ops, rows, failures, _digest_of(traces, ops, outcomes, rows, failures))


def start_engine(spec: UnitSpec, machine: Any, compiled: bool | None = None) -> Any:
    """The unit's engine on a fresh machine, before its first sequence."""
    machine.load_kernel(spec.kernel.rows)
    machine.set_world(spec.world.encode(), NEEDS)
    machine.clear_covered()
    weights = [0] * MAX_OP_CODES
    takes = [0] * MAX_OP_CODES
    for op in OPS:
        weights[op.code] = op.weight
        takes[op.code] = takes_bits(op)
    swarm = int(find_engine(spec.engine).swarm)
    engine = new_engine(machine, compiled)
    checks = ALL_CHECKS if spec.checks else 0
    engine.configure(spec.seed, swarm, spec.length, SAMPLES_PER_KEY, checks, weights, takes)
    engine.set_world(spec.world.encode())
    return engine


def takes_bits(op: OpSpec) -> int:
    """What the op takes, as the engines' TAKES_* bits."""
    bits = TAKES_PROCESS if "process" in op.args else 0
    bits |= TAKES_PAGE if "page" in op.args else 0
    bits |= TAKES_AREA if op.area else 0
    bits |= TAKES_TOKEN if "token" in op.args else 0
    bits |= TAKES_THREAD if op.actor == "thread" else 0
    return bits | (TAKES_PATH if op.path else 0)


def key_of(violation: Violation) -> FailureKey:
    """The oracle and the kind."""
    return violation.oracle, violation.kind


@dataclass(frozen=True, slots=True)
class _Sample:
    """A sequence that the core wanted seen. `core_key` is the key under which the core counts it, `ops` how many ops
    the unit had done at its end.
    """

    core_key: int
    trace: Trace
    violation: Violation
    sequence: int
    ops: int
    weights: dict[str, int]


def _take_samples(spec: UnitSpec, engine: Any, machine: Any, before: list[_Sample]) -> list[_Sample]:
    """One sample of the sequence just run for each key it shows and that has too few yet."""
    trace = drawn_trace(engine, spec.kernel.name)
    sequences, ops, _ = engine.counts()
    weights = {op.name: weight for op in OPS if (weight := engine.weights()[op.code])}
    taken = []
    seen = violations_of(machine) if spec.checks else run_trace(trace, spec.kernel).violations
    for violation in seen:
        if spec.oracles is not None and violation.oracle not in spec.oracles:
            continue
        code = ORACLE_BY_NAME[violation.oracle].code
        core_key = code * ORIGINS + (KINDS.index(violation.kind) if violation.kind in KINDS else 0)
        if sum(sample.core_key == core_key for sample in before) < SAMPLES_PER_KEY:
            taken.append(_Sample(core_key, trace, violation, sequences - 1, ops, weights))
    return taken


def _found_failures(spec: UnitSpec, samples: list[_Sample], counts: Mapping[int, int]) -> tuple[FoundFailure, ...]:
    """The samples with their counts: the first of a core key stands for all that were not kept."""
    taken: dict[int, int] = {}
    for sample in samples:
        taken[sample.core_key] = taken.get(sample.core_key, 0) + 1
    found = []
    for sample in samples:
        others = taken.pop(sample.core_key, None)
        count = 1 if others is None else max(1, counts.get(sample.core_key, 0) - others + 1)
        found.append(FoundFailure(sample.trace, sample.violation, spec.seed, count, _options(spec, sample)))
    return tuple(found)


def _options(spec: UnitSpec, sample: _Sample) -> dict[str, object]:
    return {
        "engine": spec.engine,
        "unit_seed": spec.seed,
        "unit_world": str(spec.world),
        "unit_ops": spec.ops,
        "length": spec.length,
        "oracles": None if spec.oracles is None else list(spec.oracles),
        "checks": spec.checks,
        "samples_per_key": SAMPLES_PER_KEY,
        "sequence": sample.sequence,
        "found_at": sample.ops,
        "world": str(sample.trace.world),
        "weights": sample.weights,
    }


def _digest_of(traces: int, ops: int, outcomes: int, rows: bytes, failures: tuple[FoundFailure, ...]) -> str:
    parts = [f"{traces} {ops} {outcomes}", rows.hex()]
    parts += [f"{found.trace.digest} {found.key} {found.count}" for found in failures]
    return "unit-" + hashlib.sha256("\n".join(parts).encode()).hexdigest()[:16]


def _check_number(name: str, value: object, least: int, greatest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= greatest:
        raise UnitError(f"{name}={value!r}; it can be {least} to {greatest}")
