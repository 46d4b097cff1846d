"""From the fuzzer's failures to the records that the database keeps."""

from collections.abc import Mapping
from datetime import datetime

from db.campaign_values import StoredUnit
from db.values import FailureRecord
from fuzzer.failure import Failure
from fuzzer.signature import failure_id, plain_signature
from simcore.kernel import Kernel
from simcore.run import run_trace
from simcore.trace import Trace
from simcore.world import World

# Where the outcome's digest is kept in a stored violation.
OUTCOME = "outcome"


def failure_record(
    failure: Failure, kernel: Kernel, reference: Kernel | None, options: Mapping[str, object], seen: datetime
) -> FailureRecord:
    """The record of a minimized failure; `options` are those of its run."""
    outcome = run_trace(failure.minimized, kernel).digest
    return FailureRecord(
        id=failure.id,
        signature=failure.signature,
        oracle=failure.oracle,
        cls=failure.cls,
        kind=failure.kind,
        kernel=kernel,
        original=failure.original,
        minimized=failure.minimized,
        reason=failure.violation.what,
        violation=failure.violation.to_json() | {OUTCOME: outcome},
        cause=failure.cause.to_json(),
        minimization=failure.minimization,
        seed=failure.seed,
        count=failure.count,
        options=dict(options) | failure.options,
        versions=failure.versions,
        seen=seen,
        reference=reference,
    )


def crash_record(
    unit: StoredUnit, kernel: Kernel, world: World, options: Mapping[str, object], why: str, seed: int, seen: datetime
) -> FailureRecord:
    """The record of a seed that kills its worker: UNKNOWN, for nobody saw how it ended.

    Its trace has no ops, for nobody knows which were drawn; the options say how to draw them again.
    """
    trace = Trace(kernel.name, world, ())
    signature = plain_signature(["worker-death", str(seed), str(options.get("engine")), str(world)])
    return FailureRecord(
        id=failure_id(signature, kernel.digest),
        signature=signature,
        oracle="worker-death",
        cls="crash",
        kind="seed",
        kernel=kernel,
        original=trace,
        minimized=trace,
        reason=f"executing one seed kills the worker: {why}",
        violation={"at": 0, "unit": unit.id, "number": unit.number},
        cause={"reference": None, "rows": [], "how": "not looked for: nobody saw how it ended", "complete": False},
        minimization={"tried": [], "executions": 0},
        seed=seed,
        count=1,
        options=dict(options) | {"unit_seed": seed, "unit_world": str(world), "unit_ops": unit.ops},
        versions={},
        seen=seen,
        verdict="UNKNOWN",
    )
