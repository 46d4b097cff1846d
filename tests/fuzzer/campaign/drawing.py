"""A cheap stand-in for the execution of seeds: what comes out of one follows from the seed alone.

The coordinator and the tables do not care how rows and failures were found. The traces that "failed" are real ones, so
that they are stored and minimized as any.
"""

import hashlib
from dataclasses import dataclass, replace
from functools import cache

from db.campaign_values import StoredSample
from fuzzer.campaign.samples import found_from_json
from fuzzer.campaign.spec import KernelPair
from fuzzer.campaign.work import UnitOutput, UnitWork, output_of
from fuzzer.failure import Failure, make_failure
from fuzzer.merge import merge_results
from fuzzer.unit import FoundFailure, UnitResult, UnitSpec, run_unit
from simcore.kernel_files import find_kernel
from simcore.rules import TOTAL_ROWS
from simcore.world import World

WORLD = World(processes=2, pages=2, frames=8, slots=4)
PAIR = KernelPair(find_kernel("linux-4.0-rc7-mm1+dirty-on-swapin"), find_kernel("linux-4.0-rc7-mm1"))


@dataclass(frozen=True, slots=True)
class Drawing:
    """What the campaign's seeds are like. One in `fails_every` fails, 0 for none; all reach some of `rows` rows."""

    fails_every: int = 12
    rows: int = 400

    def execute(self, work: UnitWork) -> UnitOutput:
        """What run_work() would give."""
        results = [self._seed(work.seed_spec(index)) for index in range(work.seed_count)]
        return output_of(merge_results(results), work.seed_count, work.settled)

    def _seed(self, spec: UnitSpec) -> UnitResult:
        drawn = hashlib.sha256(str(spec.seed).encode()).digest()
        rows = bytearray(TOTAL_ROWS)
        for byte in drawn[:6]:
            # Squared, so that some rows are reached by nearly every seed and others hardly ever.
            rows[byte * byte * self.rows // (256 * 256)] = 1
        failures: tuple[FoundFailure, ...] = ()
        if self.fails_every and drawn[6] % self.fails_every == 0:
            known = failing_traces()
            failures = (replace(known[drawn[7] % len(known)], seed=spec.seed, count=1 + drawn[8] % 5),)
        return UnitResult(1 + drawn[9], spec.ops, bytes(rows), failures, f"unit-{drawn[10:18].hex()}")


@cache
def failing_traces() -> tuple[FoundFailure, ...]:
    """Traces that the refused patch fails, of several keys."""
    found = run_unit(UnitSpec(PAIR.kernel, WORLD, "swarm", 7, 6_000, oracles=("lost-store",))).failures
    assert len({each.key for each in found}) > 1
    return found


def minimize(sample: StoredSample) -> Failure:
    """The failure that a stored sample is; the work is done once for each trace."""
    found = found_from_json(sample.found | {"trace": sample.trace_text})
    places = [place for place, each in enumerate(failing_traces()) if each.trace == found.trace]
    return replace(_minimized(places[0]), seed=found.seed, count=found.count)


@cache
def _minimized(place: int) -> Failure:
    return make_failure(failing_traces()[place], PAIR.kernel, PAIR.reference, search_budget=0)
