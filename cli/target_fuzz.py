"""A run of `mmfuzz target fuzz`: told while it goes on, each failure stored as it is found, and summed up."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime
from typing import Literal

from cli.database import open_to_write
from cli.exit_codes import ExitCode
from cli.failure_text import stored_command, trace_text
from cli.output import Screen, plural
from cli.progress import SECONDS_BETWEEN_LINES, short_number
from cli.stopping import StopRequest
from cli.target_fuzz_record import Found, make_found, rate_document, run_record
from cli.target_fuzz_run import FuzzPlan, Told, fuzz_all
from cli.verdicts import CLASS_STYLES, VERDICT_STYLES, Verdict
from cli.versions import find_versions
from db.database import Database
from db.store import finish_run, report_run, save_failure, start_run
from db.values import RunTotals
from workers.targets.fuzzing import Fuzzed
from workers.targets.images import KernelImage
from workers.targets.investigation import RealFailure

EndedBy = Literal["seconds", "traces", "user", "trouble"]


class TargetFuzz:
    """One run. Without a database nothing is stored."""

    def __init__(
        self, screen: Screen, image: KernelImage, plan: FuzzPlan, jobs: int, stop: StopRequest, database: str | None
    ) -> None:
        self._screen = screen
        self._image = image
        self._plan = plan
        self._jobs = jobs
        self._stop = stop
        self._place = database
        self._database: Database | None = None
        self._run_id: str | None = None
        self._versions = find_versions() | {"accelerator": plan.boot.accelerator}
        self._parts: dict[int, Fuzzed] = {}
        self._found: dict[str, Found] = {}
        self._troubles: list[str] = []
        self._told_at = 0.0

    def execute(self) -> ExitCode:
        """Fuzz to the end, whoever brings it about; the exit code."""
        with ExitStack() as stack:
            if self._place is not None:
                self._database = stack.enter_context(open_to_write(self._place))
                with self._database.write() as session:
                    record = run_record(
                        self._plan.kernel, self._plan.world, self._plan.seed, self._options, self._versions
                    )
                    self._run_id = start_run(session, record)
            ended = False
            try:
                for told in fuzz_all(self._plan, self._jobs, self._stop):
                    self._take(told)
                ended = True
            finally:
                self._finish("done" if ended and not self._stop.made else "stopped")
        self._tell_end()
        return self._exit_code()

    @property
    def _options(self) -> dict[str, object]:
        plan = self._plan
        return {
            "target": self._image.name,
            "sha256": self._image.sha256,
            "release": self._image.release,
            "swap": plan.swap,
            "seconds": plan.budget.seconds,
            "traces": plan.budget.traces,
            "jobs": self._jobs,
            "most": plan.most,
            "thp": plan.thp,
        }

    @property
    def _total(self) -> Fuzzed:
        parts = self._parts.values()
        return Fuzzed(
            sum(part.traces for part in parts),
            sum(part.ops for part in parts),
            sum(part.unknown for part in parts),
            sum(part.failing for part in parts),
            sum(part.waiting for part in parts),
            sum(part.executions for part in parts),
            sum(part.boots for part in parts),
            max((part.seconds for part in parts), default=0.0),
        )

    def _take(self, told: Told) -> None:
        self._parts[told.part] = told.fuzzed
        if told.trouble is not None:
            self._troubles.append(told.trouble)
            self._screen.note(f"guest {told.part} is given up: {told.trouble}", style="yellow")
        if told.fuzzed.new is not None:
            self._keep(told.fuzzed.new, told.fuzzed)
        total = self._total
        if total.seconds - self._told_at >= SECONDS_BETWEEN_LINES:
            self._told_at = total.seconds
            self._screen.note(f"{total.seconds:.0f} s: {_words(total)}, {plural(len(self._found), 'failure')}")
            if self._database is not None and self._run_id is not None:
                with self._database.write() as session:
                    report_run(session, self._run_id, self._run_totals, datetime.now(UTC))

    def _keep(self, failure: RealFailure, at: Fuzzed) -> None:
        """Store and tell a failure; one that another process had already found is counted."""
        options: Mapping[str, object] = self._options | {
            "found_after_traces": at.traces,
            "found_after_seconds": round(at.seconds, 1),
        }
        found = make_found(failure, self._image, self._plan.kernel, options, self._versions, self._plan.seed)
        known = self._found.get(found.record.id)
        if known is not None:
            found = replace(known, record=replace(known.record, count=known.record.count + 1))
        self._found[found.record.id] = found
        if self._database is not None and self._run_id is not None:
            with self._database.write() as session:
                save_failure(session, self._run_id, found.record)
        if known is None:
            for number, line in enumerate(found.lines()):
                self._screen.say(line, style=CLASS_STYLES[found.record.cls] if number == 0 else "")

    @property
    def _run_totals(self) -> RunTotals:
        total = self._total
        return RunTotals(total.seconds, total.traces, total.ops, 0)

    def _finish(self, state: Literal["done", "stopped"]) -> None:
        if self._database is not None and self._run_id is not None:
            with self._database.write() as session:
                finish_run(session, self._run_id, state, self._run_totals, datetime.now(UTC))

    @property
    def _ended_by(self) -> EndedBy:
        if self._stop.made:
            return "user"
        if self._troubles:
            return "trouble"
        traces = self._plan.budget.traces
        return "traces" if traces is not None and self._total.traces >= traces else "seconds"

    @property
    def _verdict(self) -> Verdict:
        if self._found:
            return "FAIL"
        known = self._total.traces > self._total.unknown
        return "PASS" if known and self._ended_by in ("seconds", "traces") else "UNKNOWN"

    def _exit_code(self) -> ExitCode:
        codes = {"FAIL": ExitCode.FAILURE_FOUND, "PASS": ExitCode.PASS, "UNKNOWN": ExitCode.INCONCLUSIVE}
        return codes[self._verdict]

    def _tell_end(self) -> None:
        total = self._total
        self._screen.document(self._document(total))
        where = f"; stored as {self._run_id} in {self._database.shown}" if self._database else "; not stored"
        self._screen.say()
        why = "stopped by you; " if self._ended_by == "user" else ""
        self._screen.say(f"{why}{total.seconds:.0f} s: {_words(total)}; {plural(total.boots, 'boot')}")
        if total.waiting:
            self._screen.say(
                f"{plural(total.waiting, 'failing trace')} of kinds that were looked into before were not looked into"
            )
        self._screen.say(
            f"{self._verdict}: {plural(len(self._found), 'failure')} in {self._image.name} ({self._image.release}),"
            f" swap on {self._plan.swap}{where}",
            style=VERDICT_STYLES[self._verdict],
        )

    def _document(self, total: Fuzzed) -> dict[str, object]:
        return {
            **self._options,
            "kernel": self._plan.kernel.name,
            "kernel_digest": self._plan.kernel.digest,
            "seed": self._plan.seed,
            "run_traces": total.traces,
            "run_ops": total.ops,
            "run_seconds": round(total.seconds, 3),
            "unknown": total.unknown,
            "failing": total.failing,
            "not_looked_into": total.waiting,
            "executions": total.executions,
            "boots": total.boots,
            "failures": [self._failure_document(each) for each in self._found.values()],
            "troubles": self._troubles,
            "verdict": self._verdict,
            "ended_by": self._ended_by,
            "exit_code": int(self._exit_code()),
            "run": self._run_id,
            "database": self._database.shown if self._database else None,
            "versions": self._versions,
        }

    def _failure_document(self, found: Found) -> dict[str, object]:
        record = found.record
        return {
            "id": record.id,
            "signature": record.signature,
            "class": record.cls,
            "oracle": record.oracle,
            "kind": record.kind,
            "reason": record.reason,
            "violation": record.violation,
            "minimized": trace_text(record.minimized),
            "original": trace_text(record.original),
            "minimization": record.minimization,
            "rate": rate_document(found.rate),
            "fresh_rate": rate_document(found.fresh),
            "simulated": found.simulated or None,
            "options": record.options,
            "confirm": f"{stored_command('confirm', record.id, self._place)} --target {self._image.name}"
            if self._place is not None
            else None,
        }


def _words(total: Fuzzed) -> str:
    """How far it is, in a line."""
    return (
        f"{short_number(total.traces)} traces, {short_number(total.ops)} ops, {total.failing} failing,"
        f" {total.unknown} unknown, {short_number(total.executions)} executions in all"
    )
