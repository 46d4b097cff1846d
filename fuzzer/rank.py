"""Which of two failing traces is the simpler one: a total order, so that minimizing comes to an end.

Fewer ops before all; then fewer ops that cut paths into steps; then fewer features, a plainer world (without batches,
a huge area and a file), a smaller one, and the ops that need less, say less and stand earlier in the table of ops.
"""

from functools import lru_cache

from simcore.ops import OP_BY_NAME
from simcore.trace import Trace
from simcore.trace_op import Op
from simcore.world import World

OpRank = tuple[int, int, int, bool, int, tuple[int, ...]]
WorldRank = tuple[int, tuple[int, ...], bool, tuple[str, ...]]
Rank = tuple[int, int, WorldRank, tuple[OpRank, ...]]


@lru_cache(maxsize=1 << 14)
def op_rank(op: Op) -> OpRank:
    """What orders ops: features needed, arguments, code, begin, thread, and the arguments' values."""
    spec = OP_BY_NAME[op.name]
    return len(spec.needs), len(spec.args), spec.code, op.begin, op.thread, op.args


def is_stepped(op: Op) -> bool:
    """Whether the op is part of a race: begun, a step, or done by a second thread."""
    return op.begin or op.thread != 0 or op.name == "step"


def stepped(ops: tuple[Op, ...]) -> int:
    """How many of the ops are part of a race."""
    return sum(map(is_stepped, ops))


@lru_cache(maxsize=1 << 10)
def world_rank(world: World) -> WorldRank:
    """What orders worlds: the number of features, the sizes, zram after disk, and the features' names.

    The sizes that bring in something of another sort come first: anonymous pages are simpler, however many.
    """
    sorts = (world.batch, world.huge, world.file, 1 - world.advised)
    sizes = (world.processes, world.pages, world.memcgs, world.mergeable, world.frames, world.slots)
    return len(world.features), sorts + sizes, world.swap == "zram", tuple(sorted(world.features))


def rank(trace: Trace) -> Rank:
    """The trace's place in the order; the least is the simplest."""
    ops = trace.ops
    return len(ops), stepped(ops), world_rank(trace.world), tuple(map(op_rank, ops))
