"""What is told of the hunts of `mmfuzz ablate`: one table, for people, as Markdown, or as JSON."""

from collections.abc import Iterable, Sequence

from rich.text import Text

from cli.ablate_run import AblateOptions, Timed
from cli.exit_codes import ExitCode
from cli.output import Screen, plural
from cli.verdicts import VERDICT_STYLES
from fuzzer.ablation import subsets, ways
from fuzzer.failure import Failure
from simcore.trace import Trace, format_trace

HEADINGS = ("in", "fails by", "also", "first at op", "s", "shortest", "trace")
WAY_HEADINGS = ("fails by", "worlds", "needs", "ops", "trace")
NUMBERS = ("also", "first at op", "s", "shortest", "worlds", "ops")
NOTHING = "-"


class AblateReport:
    """The report of all hunts that came to their end."""

    def __init__(self, options: AblateOptions, done: Sequence[Timed]) -> None:
        self.options = options
        self.done = done

    def exit_code(self) -> ExitCode:
        """FAILURE_FOUND if any hunt found one; INCONCLUSIVE without one where not all hunts came to their end."""
        if any(each.ablated.own or each.ablated.common for each in self.done):
            return ExitCode.FAILURE_FOUND
        whole = len(self.done) == len(subsets(self.options.features))
        return ExitCode.PASS if whole and all(each.ablated.traces for each in self.done) else ExitCode.INCONCLUSIVE

    def rows(self) -> list[tuple[str, ...]]:
        """The table's cells: a row for each hunt, all features in first."""
        return [self._row(each) for each in self.done]

    def way_rows(self) -> list[tuple[str, ...]]:
        """The cells of the table of ways to fail; `needs` are those of the features that the trace is not without."""
        return [
            (
                f"{way.failure.oracle}: {way.failure.kind}",
                str(way.worlds),
                " ".join(name for name in self.options.features if name in way.failure.minimized.world.features)
                or "none",
                str(len(way.failure.minimized.ops)),
                one_line(way.failure.minimized),
            )
            for way in ways(each.ablated for each in self.done)
        ]

    def print(self, screen: Screen) -> None:
        """Print the tables and the verdict for people."""
        screen.table(HEADINGS, self.rows(), right=NUMBERS)
        screen.say()
        if self.options.reference:
            screen.say(f"also: failures that {self.options.reference.name} has, too; only their number is in the table")
            screen.say()
        screen.table(WAY_HEADINGS, self.way_rows(), right=NUMBERS)
        screen.say()
        failing = [each for each in self.done if each.ablated.own]
        verdict = {ExitCode.PASS: "PASS", ExitCode.FAILURE_FOUND: "FAIL"}.get(self.exit_code(), "UNKNOWN")
        screen.say(
            Text.assemble(
                (verdict, VERDICT_STYLES[verdict]),
                f": {self.options.spec.kernel.name} fails on its own account in {len(failing)} of"
                f" {plural(len(self.done), 'world')}",
            )
        )

    def markdown(self) -> str:
        """The tables as Markdown."""
        return f"{_markdown(HEADINGS, self.rows())}\n\n{_markdown(WAY_HEADINGS, self.way_rows())}"

    def document(self, versions: dict[str, str]) -> dict[str, object]:
        """The report as --json gives it."""
        return {
            "kernel": self.options.spec.kernel.name,
            "kernel_digest": self.options.spec.kernel.digest,
            "worlds": [self._world_document(each) for each in self.done],
            "ways": [
                _failure_document(way.failure) | {"worlds": way.worlds}
                for way in ways(each.ablated for each in self.done)
            ],
            "exit_code": int(self.exit_code()),
            "options": self.options.to_json(),
            "versions": versions,
        }

    def _row(self, timed: Timed) -> tuple[str, ...]:
        ablated = timed.ablated
        shortest = ablated.shortest
        return (
            " ".join(self._features_in(timed)) or "none",
            kinds_by_oracle(ablated.own) or NOTHING,
            str(len(ablated.common)),
            NOTHING if ablated.first_ops is None else f"{ablated.first_ops:,}",
            NOTHING if timed.first_seconds is None else f"{timed.first_seconds:.2f}",
            NOTHING if shortest is None else str(len(shortest.minimized.ops)),
            NOTHING if shortest is None else one_line(shortest.minimized),
        )

    def _features_in(self, timed: Timed) -> list[str]:
        return [name for name in self.options.features if name not in timed.ablated.left_out]

    def _world_document(self, timed: Timed) -> dict[str, object]:
        ablated = timed.ablated
        return {
            "in": self._features_in(timed),
            "left_out": list(ablated.left_out),
            "world": str(ablated.world),
            "traces": ablated.traces,
            "ops": ablated.ops,
            "seconds": round(timed.seconds, 3),
            "first_ops": ablated.first_ops,
            "first_seconds": None if timed.first_seconds is None else round(timed.first_seconds, 3),
            "failures": [_failure_document(each) for each in ablated.own],
            "common": [_failure_document(each) for each in ablated.common],
        }


def kinds_by_oracle(failures: Iterable[Failure]) -> str:
    """What fails by which path: `lost-store: migration, swapoff; foreign-value: file`, in the order of the failures."""
    kinds: dict[str, dict[str, None]] = {}
    for failure in failures:
        kinds.setdefault(failure.oracle, {}).setdefault(failure.kind)
    return "; ".join(f"{oracle}: {', '.join(of)}" for oracle, of in kinds.items())


def one_line(trace: Trace) -> str:
    """The ops of a trace in one line."""
    return "; ".join(map(str, trace.ops))


def _markdown(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [headings, ["---:" if heading in NUMBERS else "---" for heading in headings]]
    lines += [[*row[:-1], row[-1] if row[-1] == NOTHING else f"`{row[-1]}`"] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _failure_document(failure: Failure) -> dict[str, object]:
    return {
        "id": failure.id,
        "oracle": failure.oracle,
        "kind": failure.kind,
        "reason": failure.violation.what,
        "ops": len(failure.minimized.ops),
        "trace": format_trace(failure.minimized),
        "cause": failure.cause.to_json(),
        "count": failure.count,
    }
