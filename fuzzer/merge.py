"""Results of several units folded into one."""

from collections.abc import Iterable
from dataclasses import replace

from fuzzer.unit import SAMPLES_PER_KEY, FailureKey, FoundFailure, UnitResult
from simcore.rules import TOTAL_ROWS


def merge_results(results: Iterable[UnitResult]) -> UnitResult:
    """The results of several units, in the order of the units, as one.

    A key keeps SAMPLES_PER_KEY samples; the counts of those dropped go to the key's first sample. Counts,
    rows and digest do not depend on the order.
    """
    traces, ops, rows, digest = 0, 0, 0, 0
    failures: list[FoundFailure] = []
    for result in results:
        traces += result.traces
        ops += result.ops
        rows |= int.from_bytes(result.rows, "big")
        digest = (digest + int(result.digest.removeprefix("unit-"), 16)) % (1 << 64)
        failures += result.failures
    kept = tuple(_keep_first_samples(failures))
    return UnitResult(traces, ops, rows.to_bytes(TOTAL_ROWS, "big"), kept, f"unit-{digest:016x}")


def _keep_first_samples(failures: Iterable[FoundFailure]) -> Iterable[FoundFailure]:
    kept: dict[FailureKey, list[FoundFailure]] = {}
    order: list[tuple[FailureKey, int]] = []
    for found in failures:
        samples = kept.setdefault(found.key, [])
        if len(samples) < SAMPLES_PER_KEY:
            order.append((found.key, len(samples)))
            samples.append(found)
        else:
            samples[0] = replace(samples[0], count=samples[0].count + found.count)
    return [kept[key][place] for key, place in order]
