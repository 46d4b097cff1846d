"""A failure: a found trace, deflaked, minimized and explained, with all that is needed to see it again."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from fuzzer.cause import Cause, find_cause
from fuzzer.errors import FlakyTrace
from fuzzer.minimize import Minimized, minimize
from fuzzer.search import DEFAULT_BUDGET
from fuzzer.signature import failure_id, signature
from fuzzer.unit import FailureKey, FoundFailure
from simcore.core import is_compiled
from simcore.kernel import Kernel
from simcore.oracles import OracleClass
from simcore.run import Violation, run_trace
from simcore.trace import Trace, format_trace

# The uncompiled core repeats the compiled one's work on traces up to this length; it is much slower.
LONGEST_UNCOMPILED = 100


@dataclass(frozen=True, slots=True)
class Failure:
    """A minimized failing trace with its verdict and cause.

    `violation` is what the minimized trace shows. `count` is how many sequences it stands for, `seed` the
    unit's in which it was found, `options` what that unit derived. `minimization` says what was tried.
    """

    id: str
    oracle: str
    cls: OracleClass
    kind: str
    kernel: str
    kernel_digest: str
    original: Trace
    minimized: Trace
    violation: Violation
    cause: Cause
    signature: str
    count: int
    seed: int
    options: dict[str, object] = field(hash=False)
    versions: dict[str, str] = field(hash=False)
    minimization: dict[str, object] = field(hash=False)

    @property
    def key(self) -> FailureKey:
        """The oracle and the kind."""
        return self.oracle, self.kind


def make_failure(
    found: FoundFailure,
    kernel: Kernel,
    reference: Kernel | None,
    *,
    versions: Mapping[str, str] | None = None,
    search_budget: int = DEFAULT_BUDGET,
    compiled: bool | None = None,
) -> Failure:
    """Deflake, minimize and explain what a unit found.

    FlakyTrace when the trace does not end the same way every time, NotAFailure when it does not show the
    violation.
    """
    deflake(found.trace, kernel, compiled=compiled)
    minimized = minimize(
        found.trace, kernel, found.violation,
        reference=reference, search_budget=search_budget, compiled=compiled,
    )  # fmt: skip
    deflake(minimized.trace, kernel, compiled=compiled)
    cause = find_cause(minimized.trace, kernel, minimized.violation, reference, compiled=compiled)
    its_signature = signature(minimized.violation, cause, minimized.trace)
    return Failure(
        failure_id(its_signature, kernel.digest),
        minimized.violation.oracle,
        minimized.violation.cls,
        minimized.violation.kind,
        kernel.name,
        kernel.digest,
        found.trace,
        minimized.trace,
        minimized.violation,
        cause,
        its_signature,
        found.count,
        found.seed,
        dict(found.options),
        dict(versions or {}),
        _minimization(minimized),
    )


def deflake(trace: Trace, kernel: Kernel, *, compiled: bool | None = None) -> None:
    """Run the trace twice, and once on the other core where that is cheap. FlakyTrace when the outcomes
    differ.
    """
    outcomes = {
        "first": run_trace(trace, kernel, compiled=compiled).digest,
        "second": run_trace(trace, kernel, compiled=compiled).digest,
    }
    runs_compiled = is_compiled() if compiled is None else compiled
    if runs_compiled and len(trace.ops) <= LONGEST_UNCOMPILED:
        outcomes["uncompiled"] = run_trace(trace, kernel, compiled=False).digest
    if len(set(outcomes.values())) > 1:
        told = ", ".join(f"{run} {digest}" for run, digest in outcomes.items())
        raise FlakyTrace(
            f"this trace did not end the same way every time ({told}), which is a bug of mmfuzz;"
            f" please report it:\n{format_trace(trace)}"
        )


def _minimization(minimized: Minimized) -> dict[str, object]:
    return {
        "executions": minimized.executions,
        "slips": minimized.slips,
        "one_minimal": minimized.one_minimal,
        "shortest": minimized.shortest,
        "tried": list(minimized.tried),
    }
