"""Comparing files of readings, here or by processes beside this one, and storing what came of it."""

import multiprocessing
import signal
import time
from collections.abc import Generator, Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime

from db.database import Database
from db.store import finish_run, save_failures, start_run
from db.values import FailureRecord, RunRecord, RunTotals
from fuzzer.conform import ORACLE
from fuzzer.conform.comparison import DisagreementClass, FileComparison, Part, Plan, compare_file
from fuzzer.conform.finding import Finding, make_finding
from fuzzer.conform.report import all_classes
from simcore.kernel import Kernel
from simcore.rules import TOTAL_ROWS
from simcore.world import World

ENGINE = "conform"
CAUSE: Mapping[str, object] = {
    "reference": None,
    "rows": [],
    "how": "not looked for: the simulator shows something else than a real kernel did",
    "complete": False,
}


@dataclass(frozen=True, slots=True)
class Compared:
    """A file compared, the plan by which it was, and how long it took, in seconds.

    `spec` is the kernel as it was asked for, None where the file's name decided.
    """

    plan: Plan
    file: FileComparison
    seconds: float
    spec: str | None = None


def compare_all(plans: Sequence[Plan], jobs: int) -> Generator[Compared, None, None]:
    """The files compared, in their order, which does not depend on `jobs`. Close it to stop before."""
    if jobs == 1 or len(plans) == 1:
        yield from map(_compare, plans)
        return
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(min(jobs, len(plans)), mp_context=context, initializer=leave_signals_to_parent)
    try:
        yield from pool.map(_compare, plans)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _compare(plan: Plan) -> Compared:
    started = time.monotonic()
    return Compared(plan, compare_file(plan), time.monotonic() - started)


def leave_signals_to_parent() -> None:
    """Ctrl-C on a terminal reaches every process in the foreground; the parent decides what it means."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def findings_of(compared: Sequence[Compared]) -> list[tuple[Kernel, DisagreementClass, Finding]]:
    """The classes that are some trace's first disagreement and not the known one, on each kernel, as failures."""
    return [
        (kernel, each, make_finding(each, kernel))
        for kernel, parts in _by_kernel(compared)
        for each in all_classes(part.file.settled for part in parts)
        if each.first > each.explained
    ]


def store(
    database: Database,
    compared: Sequence[Compared],
    findings: Iterable[tuple[Kernel, DisagreementClass, Finding]],
    options: Mapping[str, object],
    versions: dict[str, str],
) -> tuple[str, ...]:
    """Store a run for each kernel with its failures, in one transaction; the runs' ids."""
    found = tuple(findings)
    with database.write() as session:
        runs = []
        for kernel, parts in _by_kernel(compared):
            seen = datetime.now(UTC)
            run = start_run(session, _run_record(kernel, parts, options, versions, seen))
            records = [_record(each, kernel, versions, seen) for of, _, each in found if of.digest == kernel.digest]
            save_failures(session, run, records)
            finish_run(session, run, "done", _totals(parts), datetime.now(UTC))
            runs.append(run)
        return tuple(runs)


def _by_kernel(compared: Sequence[Compared]) -> list[tuple[Kernel, list[Compared]]]:
    groups: dict[str, tuple[Kernel, list[Compared]]] = {}
    for each in compared:
        groups.setdefault(each.plan.kernel.digest, (each.plan.kernel, []))[1].append(each)
    return list(groups.values())


def _run_record(
    kernel: Kernel, parts: Sequence[Compared], options: Mapping[str, object], versions: dict[str, str], seen: datetime
) -> RunRecord:
    world: World = parts[0].plan.world
    files = [part.plan.path.name for part in parts]
    return RunRecord(kernel, world, ENGINE, 0, {**options, "files": files}, versions, TOTAL_ROWS, seen)


def _totals(parts: Sequence[Compared]) -> RunTotals:
    rows = sum(any(part.file.rows[row] for part in parts) for row in range(TOTAL_ROWS))
    counted: list[Part] = [part.file.settled for part in parts]
    return RunTotals(
        sum(part.seconds for part in parts), sum(p.traces for p in counted), sum(p.ops for p in counted), rows
    )


def _record(finding: Finding, kernel: Kernel, versions: dict[str, str], seen: datetime) -> FailureRecord:
    return FailureRecord(
        id=finding.id,
        signature=finding.signature,
        oracle=ORACLE,
        cls=ORACLE,
        kind=finding.kind,
        kernel=kernel,
        original=finding.original,
        minimized=finding.minimized,
        reason=finding.reason,
        violation=finding.violation,
        cause=CAUSE,
        minimization=finding.minimization,
        seed=finding.seed,
        count=finding.count,
        options=finding.options,
        versions=versions,
        seen=seen,
    )
