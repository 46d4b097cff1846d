"""Traces on a real kernel, judged: does it lose what was stored, and how often."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

from fuzzer.real.drivable import drivable_ops, find_obstacle
from fuzzer.real.witness import Witness
from simcore.run import Violation
from simcore.trace import Trace
from simcore.trace_op import encode_op
from simcore.world import World
from workers.targets.console import Trouble
from workers.targets.messages import Batch
from workers.targets.observed import Observed, Status
from workers.targets.session import Session

# Half the width of a 95 % interval, in standard deviations.
_Z = 1.96
# Traces in a message: enough that the channel costs little, few enough that a lost guest costs few.
_MOST_IN_A_BATCH = 200


@dataclass(frozen=True, slots=True)
class Judged:
    """One execution: the violation or the kernel's own trouble, `known` False where nothing can be said of it."""

    violation: Violation | None = None
    trouble: Trouble | None = None
    known: bool = True
    reason: str = ""

    @property
    def key(self) -> str | None:
        """By what failures are told apart; None for none."""
        if self.violation is not None:
            return self.violation.oracle
        return f"{self.trouble.kind} {self.trouble.place}".strip() if self.trouble else None


@dataclass(frozen=True, slots=True)
class Rate:
    """How many of so many executions failed in the same way."""

    failed: int
    runs: int

    @property
    def interval(self) -> tuple[float, float]:
        """Where the true share lies, with 95 % confidence (Wilson 1927)."""
        if not self.runs:
            return 0.0, 1.0
        share, n = self.failed / self.runs, self.runs
        middle = (share + _Z * _Z / (2 * n)) / (1 + _Z * _Z / n)
        half = _Z * sqrt(share * (1 - share) / n + _Z * _Z / (4 * n * n)) / (1 + _Z * _Z / n)
        return max(0.0, middle - half), min(1.0, middle + half)

    def __str__(self) -> str:
        """As people say it."""
        low, high = self.interval
        return f"{self.failed} of {self.runs} ({low:.0%} to {high:.0%})"


class Executor:
    """Runs traces of any worlds on a session, and judges them."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._witnesses: dict[World, Witness] = {}
        self.executions = 0

    def run(self, traces: Sequence[Trace]) -> list[Judged]:
        """Run the traces once, in order; those of one world must stand together to be quick."""
        judged: list[Judged] = []
        while len(judged) < len(traces):
            group = [traces[len(judged)]]
            while len(group) < _MOST_IN_A_BATCH and len(judged) + len(group) < len(traces):
                following = traces[len(judged) + len(group)]
                if following.world != group[0].world:
                    break
                group.append(following)
            judged += self._run_group(group)
        return judged

    def rate(self, trace: Trace, runs: int, key: str) -> Rate:
        """How often the trace fails in that way."""
        judged = self.run([trace] * runs)
        return Rate(sum(each.key == key for each in judged), sum(each.known for each in judged))

    def _run_group(self, traces: Sequence[Trace]) -> list[Judged]:
        world = traces[0].world
        words = tuple(tuple(map(encode_op, drivable_ops(trace))) for trace in traces)
        outcomes = self._session.execute(Batch(world, words, 0, pages=False))
        self.executions += len(traces)
        return [
            self._judge(trace, outcome) if isinstance(outcome, Observed) else Judged(
                trouble=outcome.trouble, known=outcome.trouble is not None, reason=outcome.reason
            )
            for trace, outcome in zip(traces, outcomes, strict=True)
        ]  # fmt: skip

    def _judge(self, trace: Trace, seen: Observed) -> Judged:
        if trace.world not in self._witnesses:
            self._witnesses[trace.world] = Witness(trace.world)
        violation = self._witnesses[trace.world].judge(drivable_ops(trace), seen.results, seen.final)
        known = violation is not None or seen.status == Status.DONE
        return Judged(violation, known=known, reason="" if known else seen.status.name.lower())


def can_be_driven(trace: Trace) -> bool:
    """Whether a target can be driven through the trace."""
    return find_obstacle(trace) is None
