"""Traces that would fail if a real kernel decided one thing otherwise than the simulated one does.

Random traces rarely come near a decision in which something could be lost. So one row of the simulated kernel's rules
is flipped, that kernel is fuzzed for a moment, and what it loses is cut down to the ops that it takes. On a real kernel
such a trace passes, unless that kernel decides there as the flipped one does (mutation testing: DeMillo, Lipton and
Sayward 1978). The simulated kernel as it is comes first: what it loses, the real one may lose, too.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

from fuzzer.drawn import drawn_trace
from fuzzer.engine_table import new_engine
from fuzzer.passes import delete_ops
from fuzzer.real.drawing import Drawing, draw_weights
from fuzzer.real.forms import SEEN_BY_LOADS, make_form
from fuzzer.reducer import Reducer
from fuzzer.seeds import unit_seed
from fuzzer.unit import takes_bits
from simcore.constants import MAX_OP_CODES
from simcore.core import NEEDS, new_machine
from simcore.kernel import Kernel, with_rows
from simcore.ops import OPS
from simcore.run import run_trace
from simcore.trace import Trace
from simcore.world import World

# What is drawn in one world for a flipped kernel, and for the one as it is, which loses more rarely.
OPS_FLIPPED = 60_000
OPS_AS_IT_IS = 1_000_000
_WORLDS_AS_IT_IS = 8
# Traces kept of each kind of loss, in one world.
_SAMPLES = 2
# A row that many traces depend on leaves time for the others.
MOST_OF_A_ROW = 6
_COVER_OPS = 300_000


def draw_aimed(drawing: Drawing, choose_world: Callable[[int], World]) -> Iterator[Trace]:
    """Traces without end, as they are and with a drain before each op; `choose_world` gives each seed a world."""
    number = 0
    covered: set[int] = set()
    for _ in range(_WORLDS_AS_IT_IS):
        seed = unit_seed(drawing.seed, number)
        world = choose_world(seed)
        covered |= _covered_rows(drawing, world, seed)
        yield from _losses(drawing, drawing.kernel, world, seed, OPS_AS_IT_IS)
        number += 1
    # A kernel whose rules nothing reaches has nothing to be flipped.
    while covered:
        shuffled = unit_seed(drawing.seed, number)
        for row in sorted(covered, key=lambda each, seed=shuffled: unit_seed(seed, each)):  # type: ignore[misc]
            number += 1
            seed = unit_seed(drawing.seed, number)
            flipped = with_rows(drawing.kernel, {row: not drawing.kernel.rows[row]})
            yield from islice(_losses(drawing, flipped, choose_world(seed), seed, OPS_FLIPPED), MOST_OF_A_ROW)


def _losses(drawing: Drawing, kernel: Kernel, world: World, seed: int, ops: int) -> Iterator[Trace]:
    """What this kernel loses in that world, cut down, each trace in every form."""
    engine = _start_engine(drawing, kernel, world, seed, new_machine())
    known: set[Trace] = set()
    while engine.run(ops):
        trace = drawn_trace(engine, kernel.name)
        oracle = _visible_loss(trace, kernel)
        if oracle is None:
            continue
        cut = replace(_cut(trace, kernel, oracle), kernel=drawing.kernel.name)
        # What a flipped row has no part in was tried when the kernel was as it is.
        by_flip = kernel is not drawing.kernel and _visible_loss(cut, drawing.kernel) is None
        if cut not in known and (by_flip or kernel is drawing.kernel):
            known.add(cut)
            yield cut
            yield make_form(cut, "drained")


def _cut(trace: Trace, kernel: Kernel, oracle: str) -> Trace:
    """The trace without ops that its loss does not need."""
    reducer = Reducer(trace, lambda candidate: _visible_loss(candidate, kernel) == oracle)
    delete_ops(reducer)
    return reducer.best


def _covered_rows(drawing: Drawing, world: World, seed: int) -> set[int]:
    """The rows that decide something while traces are drawn."""
    machine = new_machine()
    engine = _start_engine(drawing, drawing.kernel, world, seed, machine)
    while engine.run(_COVER_OPS):
        pass
    return {row for row, used in enumerate(machine.covered()) if used}


def _start_engine(drawing: Drawing, kernel: Kernel, world: World, seed: int, machine: Any) -> Any:
    """An engine that draws in that world with weights of its own."""
    machine.load_kernel(kernel.rows)
    machine.set_world(world.encode(), NEEDS)
    machine.clear_covered()
    engine = new_engine(machine)
    takes = [0] * MAX_OP_CODES
    for op in OPS:
        takes[op.code] = takes_bits(op)
    engine.configure(seed, 0, drawing.most, _SAMPLES, 0, draw_weights(seed, drawing.without), takes)
    engine.set_world(world.encode())
    return engine


def _visible_loss(trace: Trace, kernel: Kernel) -> str | None:
    """The oracle that a load would tell of first, None if all loads are right."""
    for violation in run_trace(trace, kernel).violations:
        if violation.oracle in SEEN_BY_LOADS:
            return violation.oracle
    return None
