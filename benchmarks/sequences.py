"""What a sequence costs besides its ops: bringing the machine to the start, and ending the trace.

Measured with sequences of one op, as nobody runs them: start, one op on an empty machine, settling, reading every
page, hashing what is left. Beside it a sequence of the usual length.
"""

from functools import partial

from benchmarks._loop import run_loop
from benchmarks._measure import TYPICAL_WORLD, Claim, Figures, Spread, side_by_side, spread
from fuzzer.unit import UnitSpec
from simcore.kernel_files import find_kernel

OPS = 1_000_000
QUICK_OPS = 100_000
NS = 1e9


def main(quick: bool = False) -> Figures:
    """Measure nanoseconds of CPU time a sequence."""
    kernel = find_kernel("linux-4.5")
    ops = QUICK_OPS if quick else OPS
    specs = {
        "one op": UnitSpec(kernel, TYPICAL_WORLD, "random", 1, ops // 10, length=1),
        "usual": UnitSpec(kernel, TYPICAL_WORLD, "random", 1, ops),
    }
    works = {name: partial(_sequences, spec) for name, spec in specs.items()}
    measured = side_by_side(works, 3 if quick else 7)
    ns = {name: spread([NS / rate for rate in measured.rates[name]]) for name in works}
    share = spread([b / a for a, b in zip(measured.rates["one op"], measured.rates["usual"], strict=True)])
    print(f"the cost of a sequence (engine random, {kernel.name})")
    for name, each in ns.items():
        print(f"  {name:8} {_in_words(each)}")
    print(f"  start and end are at most {100 * share.median:.0f} % of a sequence of the usual length")
    claim = Claim("start and end of a sequence, at most", ns["one op"], "ns")
    return {
        "claims": [claim.to_json()],
        "ns_per_sequence": {name: each.to_json() for name, each in ns.items()},
        "share_of_start_and_end": share.to_json(),
    }


def _sequences(spec: UnitSpec) -> int:
    return run_loop(spec)[0]


def _in_words(ns: Spread) -> str:
    return f"{ns.median:8,.0f} ns  [{ns.least:,.0f} to {ns.greatest:,.0f}]"
