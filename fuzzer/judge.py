"""Whether a trace shows a failure: the one question that minimization asks, some thousand times a trace.

One machine is kept for all answers, with the kernel loaded once.
"""

from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

from fuzzer.unit import FailureKey, key_of
from simcore.core import NEEDS, new_machine
from simcore.kernel import Kernel
from simcore.oracles import ORACLE_BY_NAME
from simcore.run import ALL_CHECKS, violations_of
from simcore.trace import Trace
from simcore.trace_op import encode_op
from simcore.world import World

Words = Sequence[int]

word_of = lru_cache(maxsize=1 << 14)(encode_op)
"""The op's word; a minimization meets the same ops again and again."""


class Probe:
    """A machine with a kernel's rows, ready for one trace after the other. Every oracle listens, as in
    run_trace().
    """

    def __init__(self, rows: bytes, *, compiled: bool | None = None) -> None:
        self._machine: Any = new_machine(compiled)
        self._machine.load_kernel(rows)
        self._world: World | None = None

    def load(self, rows: bytes) -> None:
        """Go on with other rows."""
        self._machine.load_kernel(rows)

    def run(self, world: World, words: Words) -> int:
        """Run a trace to its end; the mask of oracles that spoke."""
        self._start(world, words)
        self._machine.finish()
        failed: int = self._machine.failed()
        return failed

    def result_of_last(self, world: World, words: Words) -> int | None:
        """The RESULT_* code of the last op of an unfinished trace; None when an oracle has stopped it."""
        result = self._start(world, words)
        return None if self._machine.stopped() else result

    def shows(self, key: FailureKey) -> bool:
        """Whether the trace just run failed in this way."""
        code = ORACLE_BY_NAME[key[0]].code
        if not self._machine.failed() >> code & 1:
            return False
        return any(key_of(violation) == key for violation in violations_of(self._machine))

    def used_rows(self, world: World, words: Words) -> bytes:
        """Run a trace; a byte for each row of the flat table, 1 where the trace used it."""
        self._machine.clear_covered()
        self.run(world, words)
        return bytes(self._machine.covered())

    def _start(self, world: World, words: Words) -> int:
        machine = self._machine
        if world is not self._world:
            machine.set_world(world.encode(), NEEDS)
            self._world = world
        machine.start(ALL_CHECKS)
        result = 0
        for word in words:
            if machine.stopped():
                break
            result = machine.op(word)
        return result


class Judge:
    """Says of candidates whether they show the same failure as a trace did; counts what it was asked.

    The same: same oracle, same kind, and in the reference kernel present or absent as it was in the trace. A
    candidate that only fails in another way would be a slip into another failure: it is counted and refused.
    """

    def __init__(
        self, trace: Trace, kernel: Kernel, key: FailureKey, reference: Kernel | None = None,
        *, compiled: bool | None = None,
    ) -> None:  # fmt: skip
        self.executions = 0
        self.slips = 0
        self._key = key
        self._probe = Probe(kernel.rows, compiled=compiled)
        self._reference = Probe(reference.rows, compiled=compiled) if reference else None
        self._fails_in_reference = self._asks_reference(trace.world, words_of(trace))

    def __call__(self, trace: Trace) -> bool:
        """Whether the trace shows the failure."""
        return self.shows(trace.world, words_of(trace))

    def shows(self, world: World, words: Words) -> bool:
        """Whether a trace given as words shows the failure."""
        self.executions += 1
        if not self._probe.run(world, words):
            return False
        if self._probe.shows(self._key) and self._asks_reference(world, words) == self._fails_in_reference:
            return True
        self.slips += 1
        return False

    def result_of_last(self, world: World, words: Words) -> int | None:
        """The RESULT_* code of the last op of an unfinished trace; None when an oracle has stopped it."""
        self.executions += 1
        return self._probe.result_of_last(world, words)

    def _asks_reference(self, world: World, words: Words) -> bool:
        if self._reference is None:
            return False
        self._reference.run(world, words)
        return self._reference.shows(self._key)


def words_of(trace: Trace) -> "array[int]":
    """The trace's ops as words."""
    return array("I", map(word_of, trace.ops))
