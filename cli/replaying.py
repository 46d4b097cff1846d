"""What a replay says: the verdict now, and how it compares with the one that was stored."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cli.inputs import Input
from cli.verdicts import Verdict, verdict_of
from cli.versions import find_versions
from simcore.run import Observation, Violation, run_trace
from workers.records import OUTCOME

if TYPE_CHECKING:
    from db.values import StoredFailure


@dataclass(frozen=True, slots=True)
class Replay:
    """The verdict, its reason, and a sentence about what was stored; UNKNOWN where that cannot both be true.

    `violation` is the one that the reason tells of.
    """

    verdict: Verdict
    reason: str
    comparison: str
    observation: Observation
    violation: Violation | None


def replay(asked: Input, *, original: bool) -> Replay:
    """Run the trace and compare."""
    observation = run_trace(asked.trace, asked.kernel)
    if asked.failure is None:
        return _replay(observation, _first(observation), "nothing is stored to compare with")
    if asked.kernel.digest != asked.failure.kernel_digest:
        return _compare_kernels(asked.failure, observation)
    return _compare_runs(asked.failure, observation, original=original)


def _replay(observation: Observation, violation: Violation | None, comparison: str) -> Replay:
    reason = violation.what if violation else "no oracle spoke"
    return Replay(verdict_of(observation), reason, comparison, observation, violation)


def _compare_kernels(failure: "StoredFailure", observation: Observation) -> Replay:
    """On a kernel other than the one it was found on, any verdict can be."""
    same = _find_same(failure, observation)
    if same is not None:
        return _replay(observation, same, f"as on {failure.kernel_name}, where it was found")
    found_on = f"on {failure.kernel_name} it is {failure.verdict}: {failure.reason}"
    return _replay(observation, _first(observation), found_on)


def _compare_runs(failure: "StoredFailure", observation: Observation, *, original: bool) -> Replay:
    """On the same kernel the same must happen."""
    same = _find_same(failure, observation)
    if same is None:
        seen = f"now {verdict_of(observation)}, stored {failure.verdict}: {failure.reason}"
        return Replay("UNKNOWN", "it differs from what was stored", seen, observation, _first(observation))
    stored = failure.violation.get(OUTCOME)
    if original or stored in (None, observation.digest):
        return _replay(observation, same, "as stored")
    if failure.versions.get("core") == find_versions()["core"]:
        outcomes = f"the outcome is {observation.digest}, stored is {stored}, by the same core"
        return Replay("UNKNOWN", "it differs from what was stored", outcomes, observation, same)
    return _replay(observation, same, "the verdict is as stored; the outcome's digest is another core's")


def _find_same(failure: "StoredFailure", observation: Observation) -> Violation | None:
    """The violation that is the stored failure: by oracle and kind, as minimization tells failures apart."""
    for violation in observation.violations:
        if (violation.oracle, violation.kind) == (failure.oracle, failure.kind):
            return violation
    return None


def _first(observation: Observation) -> Violation | None:
    return observation.violations[0] if observation.violations else None
