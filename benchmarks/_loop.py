"""The loop that is measured: an engine that draws, executes, judges and covers, and keeps no sample."""

from fuzzer.engine_table import find_engine, new_engine
from fuzzer.unit import UnitSpec, takes_bits
from simcore.constants import MAX_OP_CODES
from simcore.core import NEEDS, new_machine
from simcore.ops import OPS
from simcore.run import ALL_CHECKS

NO_SAMPLES = 0


def run_loop(spec: UnitSpec, *, checks: int = ALL_CHECKS, compiled: bool | None = None) -> tuple[int, int]:
    """Run the unit's sequences with a mask of CHECK_* bits; sequences and ops done. Failures are only counted."""
    machine = new_machine(compiled)
    machine.load_kernel(spec.kernel.rows)
    machine.set_world(spec.world.encode(), NEEDS)
    weights = [0] * MAX_OP_CODES
    takes = [0] * MAX_OP_CODES
    for op in OPS:
        weights[op.code] = op.weight
        takes[op.code] = takes_bits(op)
    engine = new_engine(machine, compiled)
    swarm = int(find_engine(spec.engine).swarm)
    engine.configure(spec.seed, swarm, spec.length, NO_SAMPLES, checks, weights, takes)
    engine.set_world(spec.world.encode())
    engine.run(spec.ops)
    sequences, ops, _ = engine.counts()
    return sequences, ops


def ops_of_loop(spec: UnitSpec, *, checks: int = ALL_CHECKS, compiled: bool | None = None) -> int:
    """As run_loop(); the ops done."""
    return run_loop(spec, checks=checks, compiled=compiled)[1]
