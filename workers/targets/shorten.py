"""A shorter trace that shows a disagreement, on the real kernel and in the simulator.

Each op is left out in turn, the last ones first. What is left is run on the real kernel (twice, as every reading) and
in the simulator, and must first disagree in the same class. So the shortened trace is a reading like any other.
"""

from dataclasses import dataclass, replace

from fuzzer.conform.classes import ClassKey, class_of
from fuzzer.conform.compare import Disagreement, Tally, compare
from fuzzer.conform.comparison import DisagreementClass, Plan
from fuzzer.conform.reading import Reading
from fuzzer.conform.replay import prepare, trace_op
from simcore.core import new_machine
from simcore.trace import Trace
from simcore.trace_op import Op
from simcore.world import World
from workers.targets.recording import record
from workers.targets.session import Session


@dataclass(frozen=True, slots=True)
class Shown:
    """A reading that shows the class, and where in it."""

    reading: Reading
    found: Disagreement


class TargetShortener:
    """Shortens the examples of one comparison on guests of the same kernel and swap device."""

    def __init__(self, session: Session, plan: Plan) -> None:
        self._session = session
        self._plan = plan
        self._machine = new_machine(plan.compiled)
        self.executions = 0

    def shorten(self, each: DisagreementClass) -> DisagreementClass | None:
        """The class with the shortest example found; None if its example does not come again."""
        example = each.example
        before = self.executions
        ops = tuple(map(trace_op, example.reading.ops[: example.found.at + 1]))
        best = self._first(each.key, example.world, [ops], smaps=bool(example.reading.sm))
        while best is not None:
            ops = tuple(map(trace_op, best.reading.ops))
            shorter = [ops[:at] + ops[at + 1 :] for at in reversed(range(len(ops)))]
            found = self._first(each.key, example.world, shorter, smaps=bool(example.reading.sm))
            if found is None:
                shortened = replace(
                    example, reading=best.reading, found=best.found, executions=self.executions - before
                )
                return replace(each, example=shortened)
            best = found
        return None

    def _first(self, key: ClassKey, world: World, candidates: list[tuple[Op, ...]], *, smaps: bool) -> Shown | None:
        """The first candidate that shows the class."""
        traces = [Trace(self._plan.kernel.name, world, ops) for ops in candidates if ops]
        self.executions += 2 * len(traces)
        for reading in record(self._session, traces, smaps=smaps):
            if isinstance(reading, Reading) and reading.det:
                found = self._shows(reading, key, world)
                if found is not None:
                    return Shown(reading, found)
        return None

    def _shows(self, reading: Reading, key: ClassKey, world: World) -> Disagreement | None:
        prepare(self._machine, self._plan.kernel.rows, world)
        found = compare(self._machine, reading, self._plan.masks, Tally())
        ksm = not self._plan.source.ksm_is_wrong
        here = [each for each in found if each.at == found[0].at]
        return next((each for each in here if class_of(each, reading, ksm=ksm) == key), None)
