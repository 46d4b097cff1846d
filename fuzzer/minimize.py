"""From a failing trace to the simplest one that fails in the same way, and what was done to find it."""

from dataclasses import dataclass
from typing import Literal

from fuzzer.errors import NotAFailure
from fuzzer.judge import Judge
from fuzzer.passes import PASSES
from fuzzer.reducer import Reducer, is_one_minimal, run_passes
from fuzzer.search import DEFAULT_BUDGET, find_simpler
from fuzzer.unit import FailureKey, key_of
from simcore.kernel import Kernel
from simcore.run import Violation, run_trace
from simcore.trace import Trace


@dataclass(frozen=True, slots=True)
class Minimized:
    """The trace that minimization came to, what it shows, and how far it can be trusted to be the simplest.

    `slips` are candidates that failed in another way and were refused. `one_minimal`: without any one op the
    failure is gone. `shortest` is "known" when every shorter trace of the minimized world was tried (see
    fuzzer.search). `tried` names the passes, in order.
    """

    trace: Trace
    violation: Violation
    executions: int
    slips: int
    one_minimal: bool
    shortest: Literal["known", "unknown"]
    tried: tuple[str, ...]


def minimize(
    trace: Trace,
    kernel: Kernel,
    violation: Violation,
    *,
    reference: Kernel | None = None,
    search_budget: int = DEFAULT_BUDGET,
    compiled: bool | None = None,
) -> Minimized:
    """The simplest trace found that shows the violation's oracle and kind. NotAFailure when the trace does
    not.

    With a reference kernel, the trace also goes on to fail, or not to fail, in the reference as it did
    before: a failure that the two kernels have in common does not take the place of one that only the kernel
    has. `search_budget` are the executions of one exhaustive search; 0 leaves it out. Cost: a few thousand
    executions.
    """
    key = key_of(violation)
    judge = Judge(trace, kernel, key, reference, compiled=compiled)
    if not judge(trace):
        raise NotAFailure(f"the trace {trace.digest} does not show {' of kind '.join(key)} on {kernel.name}")
    reducer = Reducer(trace, judge)
    none_shorter = _reduce(reducer, judge, search_budget)
    tried = [each.__name__.replace("_", " ") for each in PASSES]
    return Minimized(
        reducer.best,
        _violation_of(reducer.best, kernel, key, compiled=compiled),
        judge.executions,
        judge.slips,
        is_one_minimal(reducer.best, judge),
        "known" if none_shorter else "unknown",
        (*tried, "exhaustive search") if search_budget else tuple(tried),
    )


def _reduce(reducer: Reducer, judge: Judge, search_budget: int) -> bool:
    """Run passes and search until neither finds anything; whether no shorter trace exists in the world."""
    while True:
        run_passes(reducer, PASSES)
        result = find_simpler(reducer.best, judge, search_budget)
        if result.simpler is None or not reducer.attempt(result.simpler):
            return result.none_shorter


def _violation_of(trace: Trace, kernel: Kernel, key: FailureKey, *, compiled: bool | None) -> Violation:
    for violation in run_trace(trace, kernel, compiled=compiled).violations:
        if key_of(violation) == key:
            return violation
    raise AssertionError(f"the minimized trace {trace.digest} does not show what the judge saw in it")
