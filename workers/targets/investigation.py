"""A trace that failed on a real kernel, looked into: run again, minimized there, and run in fresh guests."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

from fuzzer.passes import PASSES, steps_to_plain_ops
from fuzzer.reducer import Reducer, run_passes
from simcore.run import Violation
from simcore.trace import Trace
from simcore.world import World
from workers.targets.console import Trouble
from workers.targets.execution import Executor, Judged, Rate, can_be_driven
from workers.targets.session import Session

# How often a trace is run to know whether it fails again, and each candidate of its minimization.
RERUNS = 10
TRIES = 3
# What is minimized must fail at least this often.
LEAST_RATE = 0.5
FRESH_GUESTS = 3
# Where each failing run takes a guest with it, a boot is paid for each.
RERUNS_OF_TROUBLE = 3
CANDIDATES_OF_TROUBLE = 40
# A pass that takes steps apart has nothing to do where nothing is begun.
_PASSES = tuple(each for each in PASSES if each is not steps_to_plain_ops)


@dataclass(frozen=True, slots=True)
class RealFailure:
    """A trace that a real kernel fails. `rate` is of the original in the guest that found it; `fresh` that of the
    minimized one in guests of their own. A failure that does not come again is kept as it was found.
    """

    key: str
    original: Trace
    minimized: Trace
    violation: Violation | None
    trouble: Trouble | None
    rate: Rate
    fresh: Rate
    executions: int
    is_minimized: bool


class Investigator:
    """Looks into failing traces on a session. `stopping` ends it early, with what is known by then."""

    def __init__(self, session: Session, executor: Executor, stopping: Callable[[], bool] = lambda: False) -> None:
        self._session = session
        self._executor = executor
        self._stopping = stopping

    def investigate(self, trace: Trace, judged: Judged, known: Collection[tuple[str, Trace]] = ()) -> RealFailure:
        """Run a failing trace again, minimize it if it fails often enough, and run what is left in fresh guests.

        What is minimized to something in `known` (keys and traces) is not run in fresh guests again.
        """
        key = judged.key
        assert key is not None, "only what failed is looked into"
        before = self._executor.executions
        reruns = RERUNS_OF_TROUBLE if judged.trouble else RERUNS
        rate = self._rate(trace, reruns, key)
        minimized = trace
        if rate.runs and rate.failed / rate.runs >= LEAST_RATE:
            minimized = self._minimize(trace, key, CANDIDATES_OF_TROUBLE if judged.trouble else None)
        last, fresh = (None, Rate(0, 0)) if (key, minimized) in known else self._run_fresh(minimized, reruns, key)
        last = last or judged
        return RealFailure(
            key, trace, minimized, last.violation, last.trouble, rate, fresh, self._executor.executions - before,
            is_minimized=minimized != trace and not self._stopping(),
        )  # fmt: skip

    def find_culprit(self, traces: Sequence[Trace], key: str) -> Trace | None:
        """Which of the traces makes the kernel report trouble. After a warning it goes on, with whatever comes next."""
        for trace in traces:
            if not self._stopping() and self._executor.run([trace])[0].key == key:
                return trace
        return None

    def _minimize(self, trace: Trace, key: str, most: int | None) -> Trace:
        asked = 0

        def fails(candidate: Trace) -> bool:
            nonlocal asked
            if self._stopping() or not _on_the_same_machine(candidate.world, trace.world):
                return False
            asked += 1
            return (most is None or asked <= most) and self._fails(candidate, key)

        reducer = Reducer(trace, fails)
        run_passes(reducer, _PASSES)
        return reducer.best

    def _fails(self, candidate: Trace, key: str) -> bool:
        """Whether a candidate fails in the same way more often than not."""
        if not can_be_driven(candidate) or self._executor.run([candidate])[0].key != key:
            return False
        return self._executor.rate(candidate, TRIES - 1, key).failed * 2 >= TRIES - 1

    def _run_fresh(self, trace: Trace, runs: int, key: str) -> tuple[Judged | None, Rate]:
        """How often it fails in guests that ran nothing else before, and how it looked there last."""
        seen: list[Judged] = []
        for _ in range(FRESH_GUESTS):
            if not self._stopping():
                self._session.stop()
                seen += self._executor.run([trace] * runs)
        failing = [each for each in seen if each.key == key]
        return failing[-1] if failing else None, Rate(len(failing), sum(each.known for each in seen))

    def _rate(self, trace: Trace, runs: int, key: str) -> Rate:
        return Rate(0, 0) if self._stopping() else self._executor.rate(trace, runs, key)


def _on_the_same_machine(one: World, other: World) -> bool:
    """Whether nothing differs that only the simulated machine has; the real one's is as it is."""
    return (one.frames, one.slots, one.swap, one.batch) == (other.frames, other.slots, other.swap, other.batch)
