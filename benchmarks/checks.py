"""The price of the checks after every op: the count identities and the cost oracles."""

from collections.abc import Callable
from functools import partial

from benchmarks._measure import rates, table
from fuzzer.engine_table import new_engine
from fuzzer.unit import takes_bits
from simcore.constants import CHECK_COST, CHECK_COUNTS
from simcore.core import NEEDS, OP_CODES, new_machine
from simcore.kernel_files import find_kernel
from simcore.ops import OPS as OP_TABLE
from simcore.world import World

OPS = 2_000_000
CHECKS = {"none": 0, "counts": CHECK_COUNTS, "costs": CHECK_COST, "all": CHECK_COUNTS | CHECK_COST}


def work(checks: int) -> int:
    """Run an engine with a mask of checks; no sequence is taken as a sample."""
    machine = new_machine()
    machine.load_kernel(find_kernel("linux-4.0-rc7-mm1").rows)
    machine.set_world(World().encode(), NEEDS)
    weights = [0] * OP_CODES
    takes = [0] * OP_CODES
    for op in OP_TABLE:
        weights[op.code] = op.weight
        takes[op.code] = takes_bits(op)
    engine = new_engine(machine, None)
    engine.configure(1, 0, 40, 0, checks, weights, takes)
    engine.set_world(World().encode())
    engine.run(OPS)
    ops: int = engine.counts()[1]
    return ops


def main() -> dict[str, object]:
    """Measure, print, return."""
    works: dict[str, Callable[[], int]] = {name: partial(work, mask) for name, mask in CHECKS.items()}
    measured = rates(works)
    table("the price of the checks (engine random, linux-4.0-rc7-mm1)", measured, "ops/s", "none")
    return {name: rate.to_json() for name, rate in measured.items()}
