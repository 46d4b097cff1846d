"""Unit after unit, until the caller has seen enough."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from fuzzer.failure import Failure
from fuzzer.merge import merge_results
from fuzzer.search import DEFAULT_BUDGET
from fuzzer.seeds import unit_seed
from fuzzer.triage import Triage
from fuzzer.unit import UnitResult, UnitSpec, run_unit
from simcore.kernel import Kernel
from simcore.rules import TOTAL_ROWS

# Some 40 ms of the compiled core: short enough to stop soon, long enough not to be all overhead.
UNIT_OPS = 200_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a hunt has come. `units` are those that are done with all that they found.

    `traces`, `ops` and `rows` are sums over the units run. `failures` are all so far, with their counts;
    `new` is the one just found, None at the end of a unit.
    """

    units: int = 0
    traces: int = 0
    ops: int = 0
    rows: bytes = bytes(TOTAL_ROWS)
    failures: tuple[Failure, ...] = ()
    new: Failure | None = None


def hunt(
    spec: UnitSpec,
    reference: Kernel | None,
    *,
    versions: Mapping[str, str] | None = None,
    search_budget: int = DEFAULT_BUDGET,
    compiled: bool | None = None,
) -> Iterator[Progress]:
    """Run the units of a run for ever: unit i is the spec with the seed unit_seed(spec.seed, i).

    Gives a Progress at every new failure and at the end of every unit; the caller stops it by asking for no
    more. The failures after n units depend on the arguments and n alone.
    """
    triage = Triage(spec.kernel, reference, versions=versions, search_budget=search_budget, compiled=compiled)
    progress = Progress()
    total = UnitResult()
    while True:
        seed = unit_seed(spec.seed, progress.units)
        result = run_unit(replace(spec, seed=seed), compiled=compiled)
        total = merge_results([total, replace(result, failures=())])
        progress = replace(progress, traces=total.traces, ops=total.ops, rows=total.rows)
        for new in triage.take(result):
            yield replace(progress, failures=triage.failures, new=new)
        progress = replace(progress, units=progress.units + 1, failures=triage.failures)
        yield progress
