"""The best trace so far, and the one function that replaces it.

Passes propose; attempt() decides. It takes a candidate only if that is simpler (fuzzer.rank) and the
predicate holds, so that every order of passes comes to an end, and a trace that no pass can better stays as
it is when it is minimized again. What a failure is, only the predicate knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from fuzzer.rank import rank
from simcore.trace import Trace
from simcore.trace_op import Op

Predicate = Callable[[Trace], bool]


class Reducer:
    """Holds the best trace so far; the predicate holds for it."""

    def __init__(self, trace: Trace, predicate: Predicate) -> None:
        self.best = trace
        self._predicate = predicate
        self._best_rank = rank(trace)
        self._refused: set[Trace] = set()

    @property
    def ops(self) -> tuple[Op, ...]:
        """The ops of the best trace."""
        return self.best.ops

    def attempt(self, candidate: Trace) -> bool:
        """Make the candidate the best trace if it is simpler and the predicate holds; whether it is."""
        if candidate in self._refused or rank(candidate) >= self._best_rank:
            return False
        if not self._predicate(candidate):
            self._refused.add(candidate)
            return False
        self.best = candidate
        self._best_rank = rank(candidate)
        return True

    def attempt_ops(self, *parts: Sequence[Op]) -> bool:
        """Attempt the best trace with these ops, given in pieces, instead of its own."""
        return self.attempt(replace(self.best, ops=tuple(op for part in parts for op in part)))


Pass = Callable[[Reducer], None]


def run_passes(reducer: Reducer, passes: Sequence[Pass]) -> None:
    """Run the passes in turn until none of them has made progress."""
    before = None
    while reducer.best is not before:
        before = reducer.best
        for each in passes:
            each(reducer)


def is_one_minimal(trace: Trace, predicate: Predicate) -> bool:
    """Whether the predicate fails for the trace without any one of its ops: every one is asked again."""
    ops = trace.ops
    return not any(predicate(replace(trace, ops=ops[:i] + ops[i + 1 :])) for i in range(len(ops)))
