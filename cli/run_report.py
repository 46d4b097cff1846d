"""What is told when a run has ended."""

import shlex
from collections.abc import Iterable, Sequence

from rich.text import Text

from cli.exit_codes import ExitCode
from cli.explanation_text import print_explanation
from cli.failure_text import (
    AnyFailure,
    failure_document,
    print_failure,
    print_failures,
    stored_command,
    trace_text,
    whole_trace,
    worst_first,
)
from cli.output import Screen, plural
from cli.progress import short_number
from cli.run_loop import EndedBy, RunOutcome
from cli.run_options import RunOptions
from cli.verdicts import CLASS_ORDER, VERDICT_STYLES
from simcore.explain import explain, format_explanation
from simcore.kernel import Kernel, RowDiff, diff
from simcore.kernel_files import canary_kernels, shipped_kernels
from simcore.rules import RULE_BY_NAME, TOTAL_ROWS
from simcore.truth_table import fold_rows

ENDS: dict[EndedBy, str] = {
    "seconds": "the time is over",
    "ops": "all ops are done",
    "stop_after": "as many failures as wanted",
    "user": "stopped by you; all that was found before is here",
    "database": "the database takes no more",
}


class RunReport:
    """The report of one run. `database` is its URL or path, None when nothing was stored."""

    def __init__(self, options: RunOptions, outcome: RunOutcome, database: str | None) -> None:
        self.options = options
        self.outcome = outcome
        self.failures = sorted(outcome.failures, key=worst_first)
        self._stored = outcome.run_id is not None and outcome.trouble is None
        self._database = database

    def exit_code(self) -> ExitCode:
        """FAILURE_FOUND if one was; INCONCLUSIVE for a run without any that did not get to its end."""
        if self.outcome.trouble is not None:
            return ExitCode.INFRASTRUCTURE
        if self.failures:
            return ExitCode.FAILURE_FOUND
        finished = self.outcome.ended_by in ("seconds", "ops") and self.outcome.total.traces > 0
        return ExitCode.PASS if finished else ExitCode.INCONCLUSIVE

    def document(self, versions: dict[str, str], shown_database: str | None) -> dict[str, object]:
        """The report as --json gives it."""
        options, outcome = self.options, self.outcome
        return {
            "kernel": options.kernel.name,
            "kernel_digest": options.kernel.digest,
            "seed": options.seed,
            "traces": outcome.total.traces,
            "ops": outcome.total.ops,
            "seconds": round(outcome.seconds, 3),
            "seconds_minimizing": round(outcome.seconds_minimizing, 3),
            "ops_per_second": round(outcome.ops_per_second),
            "rows_covered": outcome.rows_covered,
            "rows_total": TOTAL_ROWS,
            "not_minimized": outcome.not_minimized,
            "failures": [
                failure_document(each, replay=self.replay(each), explain=self.explain(each)) for each in self.failures
            ],
            "digest": outcome.total.digest,
            "ended_by": outcome.ended_by,
            "exit_code": int(self.exit_code()),
            "run": outcome.run_id,
            "database": shown_database,
            "trouble": str(outcome.trouble) if outcome.trouble else None,
            "difference": self._difference_document(),
            "options": options.to_json(),
            "versions": versions,
        }

    def print(self, screen: Screen, shown_database: str | None) -> None:
        """Print the report for people."""
        outcome = self.outcome
        screen.say()
        screen.say(
            f"{ENDS[outcome.ended_by]}: {short_number(outcome.total.traces)} traces, {short_number(outcome.total.ops)}"
            f" ops, {outcome.rows_covered} of {TOTAL_ROWS} rows used"
        )
        screen.say(
            f"{outcome.seconds:.1f} s, {outcome.seconds_minimizing:.1f} s of which to minimize and explain failures;"
            f" {short_number(outcome.ops_per_second)} ops/s in the others"
        )
        if outcome.not_minimized:
            screen.say(f"{plural(outcome.not_minimized, 'failing trace')} more to be minimized when it ended")
        screen.say()
        self._print_failures(screen)
        screen.say()
        self._print_difference(screen)
        screen.say()
        self._print_verdict(screen, shown_database)

    def replay(self, failure: AnyFailure) -> str:
        """The command that replays a failure; with its trace in it when it is not stored."""
        return self._command("replay", failure)

    def explain(self, failure: AnyFailure) -> str:
        """The command that explains a failure."""
        return self._command("explain", failure)

    def _command(self, verb: str, failure: AnyFailure) -> str:
        if self._stored:
            assert self._database is not None, "what is stored is in a database"
            return stored_command(verb, failure.id, self._database)
        kernel = "" if _is_shipped(self.options.kernel) else f" --kernel {shlex.quote(self.options.kernel_spec)}"
        return f"mmfuzz {verb} -{kernel} <<'END'\n{trace_text(failure.minimized)}END"

    def _print_failures(self, screen: Screen) -> None:
        if not self.failures:
            screen.say("no failure was found")
            return
        print_failures(screen, self.failures)
        for failure in self.failures:
            screen.say()
            print_failure(
                screen,
                failure,
                replay=self.replay(failure),
                explain=self.explain(failure) if self._stored else None,
            )
        worst = self.failures[0]
        screen.say()
        screen.say(f"{worst.id} explained", style="bold")
        account = explain(whole_trace(worst), self.options.kernel, self.options.reference)
        print_explanation(screen, format_explanation(account))

    def _print_verdict(self, screen: Screen, shown_database: str | None) -> None:
        verdict = "FAIL" if self.failures else "PASS" if self.exit_code() is ExitCode.PASS else "UNKNOWN"
        classes = [each.cls for each in self.failures]
        counts = ", ".join(f"{classes.count(cls)} {cls}" for cls in CLASS_ORDER if cls in classes)
        found = f"{plural(len(classes), 'failure')} ({counts})" if classes else "no failure"
        stored = f"; stored as {self.outcome.run_id} in {shown_database}" if self._stored else "; not stored"
        name = self.options.kernel.name
        screen.say(Text.assemble((verdict, VERDICT_STYLES[verdict]), f": {found} in {name}{stored}"))

    def _differing(self) -> tuple[tuple[RowDiff, ...], tuple[RowDiff, ...]]:
        """The rows in which the kernel differs from its reference: those exercised, and those not."""
        if self.options.reference is None:
            return (), ()
        rows = diff(self.options.reference, self.options.kernel)
        used = self.outcome.total.rows
        return (
            tuple(row for row in rows if used[row.flat_row]),
            tuple(row for row in rows if not used[row.flat_row]),
        )

    def _difference_document(self) -> dict[str, object] | None:
        if self.options.reference is None:
            return None
        exercised, untouched = self._differing()
        return {
            "reference": self.options.reference.name,
            "rows": len(exercised) + len(untouched),
            "exercised": [_row_document(row) for row in exercised],
            "not_exercised": [_row_document(row) for row in untouched],
        }

    def _print_difference(self, screen: Screen) -> None:
        reference = self.options.reference
        if reference is None:
            screen.say("there is no reference kernel, so nothing is said of a difference; see --reference")
            return
        exercised, untouched = self._differing()
        screen.say(
            f"{plural(len(exercised) + len(untouched), 'row')} in which it differs from {reference.name}:"
            f" {len(exercised)} exercised, {len(untouched)} not"
        )
        for title, rows in (("exercised", exercised), ("NOT exercised: nothing is known of", untouched)):
            for line in _folded(rows):
                screen.say(f"    {title} {line}", style="" if rows is exercised else "yellow")


def _folded(rows: Sequence[RowDiff]) -> Iterable[str]:
    """Rows by rule, as terms."""
    by_rule: dict[str, set[int]] = {}
    for row in rows:
        by_rule.setdefault(row.rule, set()).add(row.row)
    for name, numbers in by_rule.items():
        terms = " or ".join(map(str, fold_rows(RULE_BY_NAME[name], numbers)))
        yield f"{name}: {terms} ({plural(len(numbers), 'row')})"


def _row_document(row: RowDiff) -> dict[str, object]:
    return {"rule": row.rule, "row": row.row, "bits": row.bits, "reference": row.a, "here": row.b}


def _is_shipped(kernel: Kernel) -> bool:
    return any(each.name == kernel.name for each in (*shipped_kernels(), *canary_kernels()))
