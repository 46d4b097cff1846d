"""From values to the columns of rows, and back."""

from typing import Any

from db.errors import UnreadableError
from db.models import FailureRow, KernelRow, RunRow, TraceRow
from db.values import FailureRecord, RunRecord, RunTotals, StoredFailure, StoredRun, StoredTrace
from simcore.errors import SimcoreError
from simcore.kernel import FORMAT, Kernel
from simcore.kernel_files import kernel_from_json
from simcore.trace import Trace, format_trace

Columns = dict[str, Any]
"""A row by the names of its columns."""


def kernel_columns(kernel: Kernel) -> Columns:
    """A kernel's row."""
    return {
        "digest": kernel.digest,
        "name": kernel.name,
        "parent": kernel.parent,
        "doc": kernel.doc,
        "rules": kernel.to_json()["rules"],
        "successor": kernel.successor,
    }


def trace_columns(trace: Trace) -> Columns:
    """A trace's row."""
    return {
        "digest": trace.digest,
        "kernel_name": trace.kernel,
        "world": trace.world.to_json(),
        "world_text": str(trace.world),
        "text": format_trace(trace),
        "ops": len(trace.ops),
    }


def run_columns(run: RunRecord) -> Columns:
    """The row of a run that starts."""
    return {
        "id": run.id,
        "kernel_digest": run.kernel.digest,
        "kernel_name": run.kernel.name,
        "world": run.world.to_json(),
        "world_text": str(run.world),
        "engine": run.engine,
        "seed": run.seed,
        "options": dict(run.options),
        "versions": dict(run.versions),
        "state": "running",
        "started": run.started,
        "heard": run.started,
        "ended": None,
        "rows_total": run.rows_total,
    } | totals_columns(RunTotals())


def totals_columns(totals: RunTotals) -> Columns:
    """The columns of a run that say how far it has come."""
    return {
        "seconds": totals.seconds,
        "traces": totals.traces,
        "ops": totals.ops,
        "rows_covered": totals.rows_covered,
    }


def failure_columns(record: FailureRecord) -> Columns:
    """A failure's row but for the times, which depend on what is stored."""
    return {
        "id": record.id,
        "signature": record.signature,
        "oracle": record.oracle,
        "class": record.cls,
        "kind": record.kind,
        "kernel_digest": record.kernel.digest,
        "kernel_name": record.kernel.name,
        "reference_digest": record.reference.digest if record.reference else None,
        "original_digest": record.original.digest,
        "minimized_digest": record.minimized.digest,
        "verdict": record.verdict,
        "reason": record.reason,
        "violation": dict(record.violation),
        "cause": dict(record.cause),
        "minimization": dict(record.minimization),
        "seed": record.seed,
        "options": dict(record.options),
        "versions": dict(record.versions),
    }


def pair_columns(run_id: str, record: FailureRecord) -> Columns:
    """The row of the pair of traces by which a failure was found."""
    return {
        "failure_id": record.id,
        "original_digest": record.original.digest,
        "minimized_digest": record.minimized.digest,
        "run_id": run_id,
        "seed": record.seed,
    }


def sighting_columns(run_id: str, record: FailureRecord) -> Columns:
    """The row of what one run saw of a failure."""
    return {
        "run_id": run_id,
        "failure_id": record.id,
        "count": record.count,
        "first_seen": record.seen,
        "last_seen": record.seen,
    }


def stored_kernel(row: KernelRow) -> Kernel:
    """The kernel of a row. UnreadableError when it says nothing about a rule of this release."""
    definition: Columns = {"format": FORMAT, "name": row.name, "parent": row.parent, "doc": row.doc}
    definition |= {"successor": row.successor, "rules": row.rules}
    try:
        return kernel_from_json(definition, source=row.digest)
    except SimcoreError as error:
        raise UnreadableError(
            "a stored kernel does not fit this release", str(error), "use the release that stored it"
        ) from error


def stored_trace(row: TraceRow) -> StoredTrace:
    """The value of a trace's row."""
    return StoredTrace(row.digest, row.kernel_name, row.world_text, row.text, row.ops)


def stored_failure(row: FailureRow, original: TraceRow, minimized: TraceRow, count: int, runs: int) -> StoredFailure:
    """The value of a failure's row, with its two traces and its sums over runs."""
    return StoredFailure(
        id=row.id,
        signature=row.signature,
        oracle=row.oracle,
        cls=row.cls,
        kind=row.kind,
        kernel_name=row.kernel_name,
        kernel_digest=row.kernel_digest,
        reference_digest=row.reference_digest,
        original=stored_trace(original),
        minimized=stored_trace(minimized),
        verdict=row.verdict,
        reason=row.reason,
        violation=row.violation,
        cause=row.cause,
        minimization=row.minimization,
        seed=row.seed,
        options=row.options,
        versions=row.versions,
        first_seen=row.first_seen,
        last_seen=row.last_seen,
        count=count,
        runs=runs,
    )


def stored_run(row: RunRow, failures: int) -> StoredRun:
    """The value of a run's row."""
    return StoredRun(
        id=row.id,
        kernel_name=row.kernel_name,
        kernel_digest=row.kernel_digest,
        world_text=row.world_text,
        engine=row.engine,
        seed=row.seed,
        options=row.options,
        versions=row.versions,
        state=row.state,
        started=row.started,
        heard=row.heard,
        ended=row.ended,
        seconds=row.seconds,
        traces=row.traces,
        ops=row.ops,
        rows_covered=row.rows_covered,
        rows_total=row.rows_total,
        failures=failures,
    )
