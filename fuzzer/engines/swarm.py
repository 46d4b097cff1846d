"""The swarm engine's options: random subsets of features and ops, random weights, smaller worlds.

Swarm testing (Groce, Zhang, Eide, Chen, Regehr 2012): leaving features out of a run lets those that are in go further.
Departs: options are drawn for 32 sequences at a time, and sizes of the world are drawn with them.
"""

import cython


def shrunk(g: "EngineState", least: int, most: int) -> int:
    """A size of the world: the largest, or one drawn between the least that makes sense and the largest."""
    bits = next_random(g) >> 8
    if most <= least or bits & 255 >= SWARM_SHRINK_CHANCE:
        return most
    return least + below(bits >> 8, most - least + 1)


def draw_features(g: "EngineState") -> int:
    """The features of the unit with some left out."""
    features = g.features
    for bit in range(FEATURE_BITS):
        if (next_random(g) >> 8 & 255) < SWARM_FEATURE_OUT_CHANCE:
            features &= ~(1 << bit)
    return features


def draw_world(g: "EngineState", s: "MmState") -> None:
    """Give the machine a world inside the unit's."""
    s.features = draw_features(g)
    s.nr_mm_max = shrunk(g, 1, g.max_processes)
    s.nr_anon = shrunk(g, 1, g.max_pages)
    s.nr_frames = shrunk(g, min(4, g.max_frames), g.max_frames)
    s.nr_slots = shrunk(g, min(2, g.max_slots), g.max_slots)
    s.nr_memcgs = shrunk(g, 1, g.max_memcgs)
    s.nr_mergeable = min(g.max_mergeable, s.nr_anon)
    s.nr_file = shrunk(g, min(1, g.max_file), g.max_file)
    s.nr_huge = g.max_huge
    s.batch_size = shrunk(g, 1, g.max_batch)


def draw_weights(g: "EngineState", base: "EngineState") -> None:
    """Scale every op's weight at random, and take some ops out; stores stay in."""
    for code in range(MAX_OPS):
        bits = next_random(g) >> 8
        g.weights[code] = base.weights[code] * (1 + below(bits, 8))
        if (bits >> 8 & 255) < SWARM_OP_OUT_CHANCE and code != OP_WRITE:
            g.weights[code] = 0


if not cython.compiled:
    from fuzzer.engine_constants import (
        MAX_OPS,
        SWARM_FEATURE_OUT_CHANCE,
        SWARM_OP_OUT_CHANCE,
        SWARM_SHRINK_CHANCE,
    )
    from fuzzer.engine_types import EngineState
    from fuzzer.engines.draw import below, next_random
    from simcore.constants import FEATURE_BITS
    from simcore.mm_types import MmState
    from simcore.op_ids import OP_WRITE
