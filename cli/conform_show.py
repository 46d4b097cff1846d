"""The example of one class of disagreements, op by op, with both sides of the page."""

from collections.abc import Mapping, Sequence

from rich.text import Text

from cli.conform_report import class_document
from cli.conform_run import Compared
from cli.output import Screen, plural
from cli.trace_text import trace_document
from fuzzer.conform.classes import page_name
from fuzzer.conform.compare import Disagreement, Tally, compare
from fuzzer.conform.comparison import DisagreementClass
from fuzzer.conform.errors import UnknownClass
from fuzzer.conform.finding import Finding, make_finding, reason_of
from fuzzer.conform.observables import KSM_MASK, all_words
from fuzzer.conform.replay import Step, prepare, steps, trace_op
from simcore.core import new_machine
from simcore.trace import format_trace

# Disagreements that are not about what is shown of a page.
NOT_OF_A_PAGE = ("errno", "value", "alive")


def find_class(classes: Sequence[DisagreementClass], wanted: str) -> DisagreementClass:
    """The class whose id begins like this. UnknownClass where none or several do."""
    found = [each for each in classes if each.key.id.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    listed = ", ".join(each.key.id for each in classes[:10]) or "there are none"
    what = "no class of disagreements" if not found else f"{len(found)} classes of disagreements"
    raise UnknownClass(f"{what} here with an id that begins with {wanted!r}; the most frequent: {listed}")


class Shown:
    """A class's example, replayed."""

    def __init__(self, each: DisagreementClass, compared: Sequence[Compared]) -> None:
        self._class = each
        self._compared = compared
        example = each.example
        plan = next(c.plan for c in compared if c.plan.path == example.path)
        self._ksm_is_wrong = plan.source.ksm_is_wrong
        self.finding: Finding = make_finding(each, plan.kernel)
        machine = new_machine()
        prepare(machine, plan.kernel.rows, example.world)
        self._steps: list[Step] = list(steps(machine, example.reading))
        prepare(machine, plan.kernel.rows, example.world)
        self._found = compare(machine, example.reading, plan.masks, Tally())

    def document(self, failures: Mapping[str, str]) -> dict[str, object]:
        """The example as --json gives it; `simulated` and `real` are the integers of the page at fault, op by op."""
        return class_document(self._class, self._compared, failures) | {
            "reason": self.finding.reason,
            "trace": trace_document(self.finding.minimized),
            "original": trace_document(self.finding.original),
            "minimization": self.finding.minimization,
            "steps": [self._step_document(at) for at in range(self._last + 1)],
        }

    def print(self, screen: Screen) -> None:
        """Print it for people."""
        each, example = self._class, self._class.example
        reading = example.reading
        screen.say(Text.assemble((each.key.id, "bold"), f"  {each.key}"))
        screen.say(f"  {self.finding.reason}")
        counts = f"first in {plural(each.first, 'trace')}, seen {plural(each.total, 'time')} in {each.traces:,}"
        screen.say(f"  {counts}; this is trace {reading.id}, line {example.line} of {example.path}", style="dim")
        if each.known is not None:
            screen.say(f"  known, {each.known.fault}: {each.known.reason}", style="yellow")
        screen.say()
        self._print_minimized(screen)
        screen.say(f"op by op, {page_name(example.found.process, example.found.page)}", style="bold")
        for at in range(self._last + 1):
            self._print_step(screen, at)
        if example.found.at >= len(reading.ops):
            screen.say(Text.assemble("  at the end  ", (f"<- {self.finding.reason}", "red")))

    @property
    def _last(self) -> int:
        """The op that shows it, or the last one."""
        return min(self._class.example.found.at, len(self._class.example.reading.ops) - 1)

    def _print_minimized(self, screen: Screen) -> None:
        short, whole = len(self.finding.minimized.ops), len(self.finding.original.ops)
        screen.say(f"{plural(short, 'op')} of {whole} show the simulator's side", style="bold")
        screen.say("  the real kernel was NOT run on this shortened trace", style="yellow")
        for line in format_trace(self.finding.minimized).splitlines():
            screen.say(f"    {line}")
        screen.say()

    def _print_step(self, screen: Screen, at: int) -> None:
        reading = self._class.example.reading
        screen.say(Text.assemble(f"  {at + 1:>2}  ", (str(trace_op(reading.ops[at])), "bold")))
        here = [each for each in self._found if each.at == at]
        for each in here:
            if each.observable in NOT_OF_A_PAGE:
                self._print_result(screen, each)
        here = [each for each in here if each.observable not in NOT_OF_A_PAGE]
        for process, page in self._places(at, here):
            names = [each.observable for each in here if (each.process, each.page) == (process, page)]
            self._print_page(screen, at, process, page, names)

    def _places(self, at: int, here: Sequence[Disagreement]) -> list[tuple[int, int]]:
        found = self._class.example.found
        places = {(each.process, each.page) for each in here}
        if at == 0 or self._sides(at, found.process, found.page) != self._sides(at - 1, found.process, found.page):
            places.add((found.process, found.page))
        return sorted(places)

    def _print_page(self, screen: Screen, at: int, process: int, page: int, names: Sequence[str]) -> None:
        simulated, real = self._sides(at, process, page)
        where = f"        {page_name(process, page)}"
        if simulated == real:
            screen.say(f"{where}  both       {self._words(real)}", style="dim")
            return
        marks = (f"   <- {', '.join(names)}", "red") if names else ("   <- nothing that is trusted", "dim")
        screen.say(f"{where}  simulator  {self._words(simulated)}", style="" if names else "dim")
        kernel = f"Linux {self._class.version}".ljust(11)
        screen.say(Text.assemble(" " * len(where), f"  {kernel}{self._words(real)}", marks))

    def _words(self, state: int | None) -> str:
        return "not there" if state is None else all_words(state, ksm=not self._ksm_is_wrong)

    def _print_result(self, screen: Screen, each: Disagreement) -> None:
        reason = reason_of(each, self._class.example.reading, self._class.version)
        screen.say(f"        {reason}   <- {each.observable}", style="red")

    def _sides(self, at: int, process: int, page: int) -> tuple[int | None, int | None]:
        """The integers of a page on both sides, KSM left out where it is wrong; None where it has none."""
        shown, real = self._steps[at].states, self._class.example.reading.st[at]
        simulated = shown[process][page] if process < len(shown) and page < len(shown[process]) else None
        row = real[process] if process < len(real) else None
        read = row[page] if row is not None and page < len(row) else None
        if self._ksm_is_wrong and simulated is not None and read is not None:
            read = read & ~KSM_MASK | simulated & KSM_MASK
        return simulated, read

    def _step_document(self, at: int) -> dict[str, object]:
        found, reading = self._class.example.found, self._class.example.reading
        simulated, real = self._sides(at, found.process, found.page)
        return {
            "op": str(trace_op(reading.ops[at])),
            "errno": [self._steps[at].errno, reading.res[at][0]],
            "simulated": simulated,
            "real": real,
            "disagreements": [
                {"observable": e.observable, "process": e.process, "page": e.page} for e in self._found if e.at == at
            ],
        }
