"""From the fuzzer's failures to the records that the database keeps."""

from collections.abc import Mapping
from datetime import datetime

from cli.replaying import OUTCOME
from cli.run_options import RunOptions
from cli.verdicts import violation_document
from db.values import FailureRecord
from fuzzer.failure import Failure
from simcore.run import run_trace


class FailureRecords:
    """Makes the records of one run. What does not change about a failure is made once for each trace it has."""

    def __init__(self, options: RunOptions) -> None:
        self._options = options
        self._seen: dict[str, datetime] = {}
        self._outcomes: dict[str, str] = {}

    def record(self, failure: Failure, seen: datetime) -> FailureRecord:
        """The record; `seen` is now."""
        first_seen = self._seen.setdefault(failure.id, seen)
        return FailureRecord(
            id=failure.id,
            signature=failure.signature,
            oracle=failure.oracle,
            cls=failure.cls,
            kind=failure.kind,
            kernel=self._options.kernel,
            original=failure.original,
            minimized=failure.minimized,
            reason=failure.violation.what,
            violation=self._violation(failure),
            cause=failure.cause.to_json(),
            minimization=failure.minimization,
            seed=failure.seed,
            count=failure.count,
            options=self._options.to_json() | failure.options,
            versions=failure.versions,
            seen=first_seen,
            reference=self._options.reference,
        )

    def _violation(self, failure: Failure) -> Mapping[str, object]:
        digest = failure.minimized.digest
        if digest not in self._outcomes:
            self._outcomes[digest] = run_trace(failure.minimized, self._options.kernel).digest
        return violation_document(failure.violation) | {OUTCOME: self._outcomes[digest]}
