"""Results of units folded into failures: what is new is minimized and explained, what is known is counted.

Counts. Only keys are counted while sequences run, for a sequence that is not minimized could be any failure
of its key. So what a unit counts for a key goes to the first failure found for the key; each further failure
of the key counts its own minimized samples and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fuzzer.choice import choose_samples
from fuzzer.failure import Failure, make_failure
from fuzzer.rank import rank
from fuzzer.search import DEFAULT_BUDGET
from fuzzer.unit import FailureKey, FoundFailure, UnitResult
from simcore.kernel import Kernel


class Triage:
    """The failures of one kernel so far. What they are depends on the results taken and their order alone."""

    def __init__(
        self,
        kernel: Kernel,
        reference: Kernel | None,
        *,
        versions: Mapping[str, str] | None = None,
        search_budget: int = DEFAULT_BUDGET,
        compiled: bool | None = None,
    ) -> None:
        self._kernel = kernel
        self._reference = reference
        self._versions = dict(versions or {})
        self._search_budget = search_budget
        self._compiled = compiled
        self._failures: dict[str, Failure] = {}
        self._first_of_key: dict[FailureKey, str] = {}
        self._later_samples: dict[FailureKey, int] = {}

    @property
    def failures(self) -> tuple[Failure, ...]:
        """The failures in the order in which they were found, with their counts so far."""
        return tuple(self._failures.values())

    def take(self, result: UnitResult) -> Iterator[Failure]:
        """Fold the next unit's result in, and give each failure that is new as soon as it is explained."""
        chosen, self._later_samples = choose_samples(self._later_samples, result.failures)
        for place in chosen:
            failure = self._explain(result.failures[place])
            is_new = failure.id not in self._failures
            self._keep(failure)
            if is_new:
                yield self._failures[failure.id]
        for place, found in enumerate(result.failures):
            if place not in chosen:
                self._count(self._first_of_key[found.key], found.count)

    def _explain(self, found: FoundFailure) -> Failure:
        return make_failure(
            found, self._kernel, self._reference,
            versions=self._versions, search_budget=self._search_budget, compiled=self._compiled,
        )  # fmt: skip

    def _keep(self, failure: Failure) -> None:
        """Add a failure, or count it and keep the simpler of its traces."""
        first = self._first_of_key.setdefault(failure.key, failure.id)
        if first != failure.id:
            self._count(first, failure.count - 1)
            failure = replace(failure, count=1)
        known = self._failures.get(failure.id)
        if known is None:
            self._failures[failure.id] = failure
            return
        simpler = failure if rank(failure.minimized) < rank(known.minimized) else known
        self._failures[failure.id] = replace(simpler, count=known.count + failure.count)

    def _count(self, failure_id: str, count: int) -> None:
        known = self._failures[failure_id]
        self._failures[failure_id] = replace(known, count=known.count + count)
