"""The loop of the engines: draw, execute, judge, count; sequence after sequence, without Python."""

from collections.abc import Sequence
from typing import Any

import cython


def whole_world(g: "EngineState", s: "MmState") -> None:
    """Give the machine the unit's world."""
    s.features = g.features
    s.nr_mm_max = g.max_processes
    s.nr_anon = g.max_pages
    s.nr_frames = g.max_frames
    s.nr_slots = g.max_slots
    s.nr_memcgs = g.max_memcgs
    s.nr_mergeable = g.max_mergeable
    s.nr_file = g.max_file
    s.nr_huge = g.max_huge
    s.batch_size = g.max_batch


def draw_options(g: "EngineState", base: "EngineState", s: "MmState") -> None:
    """Draw what the next sequences have in common: swarm draws worlds and weights, random takes them as given."""
    s.sync_io = g.sync_io
    s.advised = g.advised
    s.checks = g.checks
    if g.swarm:
        seed_random(g, -1 - g.sequence // SWARM_SEQUENCES)
        draw_world(g, s)
        draw_weights(g, base)
    else:
        whole_world(g, s)
    fill_op_table(g, s.features, s)


def run_sequence(g: "EngineState", s: "MmState") -> None:
    """Draw and execute one sequence, and end its trace."""
    seed_random(g, g.sequence)
    reset(s)
    g.next_token = 1
    g.last_first = 0
    g.last_second = 0
    length = 1 + below(next_random(g) >> 8, g.length_max)
    count = 0
    while count < length and not s.stopped:
        word = draw_op(g, s)
        g.words[count] = word
        execute_op(s, word)
        count += 1
    g.nr_words = count
    finish_trace(s)
    g.ops += count
    g.digest = mix(g.digest ^ s.outcome, 1)


def count_failures(g: "EngineState", s: "MmState") -> bool:
    """Count the sequence's failures by oracle and origin; True if one of them is wanted as a sample."""
    wanted = False
    for oracle in range(MAX_ORACLES):
        if s.failed >> oracle & 1:
            key = oracle * ORIGINS + s.fail_origin[oracle]
            g.failures[key] += 1
            if g.failures[key] <= g.samples_per_key:
                wanted = True
    return wanted


def run_sequences(g: "EngineState", base: "EngineState", s: "MmState", ops: "i64") -> bool:
    """Run sequences until so many ops are done, or a failure is wanted as a sample (then True)."""
    while g.ops < ops:
        if g.sequence % SWARM_SEQUENCES == 0:
            draw_options(g, base, s)
        run_sequence(g, s)
        g.sequence += 1
        if s.failed and count_failures(g, s):
            return True
    return False


class Engine:
    """An engine on a machine. The unit's pure function drives it; nothing here knows a clock."""

    def __init__(self, machine: Any) -> None:
        self.machine = machine
        if not cython.compiled:
            self.g = EngineState()
            self.base = EngineState()

    def configure(
        self,
        seed: int,
        swarm: int,
        length_max: int,
        samples_per_key: int,
        checks: int,
        weights: Sequence[int],
        takes: Sequence[int],
    ) -> None:
        """Take a unit's options; weights and TAKES_* bits by op code."""
        self.g.seed = seed
        self.g.swarm = swarm
        self.g.length_max = length_max
        self.g.samples_per_key = samples_per_key
        self.g.checks = checks
        for code in range(MAX_OPS):
            self.g.weights[code] = weights[code]
            self.base.weights[code] = weights[code]
            self.g.takes[code] = takes[code]
        for key in range(FAILURE_KEYS):
            self.g.failures[key] = 0
        self.g.sequence = 0
        self.g.ops = 0
        self.g.digest = 1

    def set_world(self, numbers: Sequence[int]) -> None:
        """Take the unit's world, in the order of World.encode()."""
        (
            self.g.max_processes,
            self.g.max_pages,
            self.g.max_frames,
            self.g.max_slots,
            self.g.max_memcgs,
            self.g.max_mergeable,
            self.g.max_file,
            self.g.max_huge,
            self.g.advised,
            self.g.max_batch,
            self.g.sync_io,
            self.g.features,
        ) = numbers

    def run(self, ops: int) -> bool:
        """Go on until so many ops in all, or a sample; True if there is one."""
        if cython.compiled:
            return run_sequences(
                cython.address(self.g),
                cython.address(self.base),
                cython.address(self.machine.s),
                ops,
            )
        return run_sequences(self.g, self.base, self.machine.s, ops)

    def words(self) -> list[int]:
        """The words of the sequence last run."""
        return [self.g.words[i] for i in range(self.g.nr_words)]

    def world(self) -> tuple[int, ...]:
        """The sizes and features of the sequence last run, in the order of World.encode()."""
        s = self.machine.s
        return (
            s.nr_mm_max,
            s.nr_anon,
            s.nr_frames,
            s.nr_slots,
            s.nr_memcgs,
            s.nr_mergeable,
            s.nr_file,
            s.nr_huge,
            s.advised,
            s.batch_size,
            s.sync_io,
            s.features,
        )

    def weights(self) -> list[int]:
        """The ops' weights in the sequence last run, by op code."""
        return [self.g.weights[code] for code in range(MAX_OPS)]

    def counts(self) -> tuple[int, int, int]:
        """(sequences, ops, digest of all outcomes)."""
        return (self.g.sequence, self.g.ops, self.g.digest)

    def failure_counts(self) -> dict[int, int]:
        """How many sequences failed, by key: oracle code * ORIGINS + origin."""
        return {key: self.g.failures[key] for key in range(FAILURE_KEYS) if self.g.failures[key]}


if not cython.compiled:
    from fuzzer.engine_constants import FAILURE_KEYS, MAX_OPS, ORIGINS, SWARM_SEQUENCES
    from fuzzer.engine_types import EngineState
    from fuzzer.engines.draw import below, draw_op, fill_op_table, next_random, seed_random
    from fuzzer.engines.swarm import draw_weights, draw_world
    from simcore.bits import mix
    from simcore.constants import MAX_ORACLES
    from simcore.execute import execute_op, reset
    from simcore.finish import finish_trace
    from simcore.mm_types import MmState, i64
