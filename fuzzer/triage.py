"""Results of units folded into failures: what is new is minimized and explained, what is known is counted.

Minimizing the same failure again and again would take longer than finding it. So a key (oracle and kind) has
the samples of the first unit that shows it minimized, and after that at most LATER_SAMPLES more over all
units.

Counts. Only keys are counted while sequences run, for a sequence that is not minimized could be any failure
of its key. So what a unit counts for a key goes to the first failure found for the key; each further failure
of the key counts its own minimized samples and nothing else.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from fuzzer.failure import Failure, make_failure
from fuzzer.rank import rank
from fuzzer.search import DEFAULT_BUDGET
from fuzzer.unit import FailureKey, FoundFailure, UnitResult
from simcore.kernel import Kernel

LATER_SAMPLES = 4


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
        known = frozenset(self._first_of_key)
        for found in _first_samples_first(result.failures):
            if found.key in known and not self._may_minimize_again(found.key):
                self._count(self._first_of_key[found.key], found.count)
                continue
            failure = self._explain(found)
            is_new = failure.id not in self._failures
            self._keep(failure)
            if is_new:
                yield self._failures[failure.id]

    def _may_minimize_again(self, key: FailureKey) -> bool:
        self._later_samples[key] = self._later_samples.get(key, 0) + 1
        return self._later_samples[key] <= LATER_SAMPLES

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


def _first_samples_first(failures: tuple[FoundFailure, ...]) -> list[FoundFailure]:
    """The failures in an order in which every key is seen once before any is seen twice."""
    seen: dict[FailureKey, int] = {}
    rounds = []
    for found in failures:
        seen[found.key] = seen.get(found.key, 0) + 1
        rounds.append(seen[found.key])
    return [failures[i] for i in sorted(range(len(failures)), key=lambda i: rounds[i])]
