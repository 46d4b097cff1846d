"""Which ops, worlds and traces a real kernel can be driven through."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from simcore.features import ALL_FEATURES
from simcore.ops import OP_BY_NAME, OPS
from simcore.trace import Trace
from simcore.trace_op import Op
from simcore.world import World

DRIVEN_OPS: frozenset[str] = frozenset(op.name for op in OPS if op.guest)
# Writes to swap end by themselves on a real machine, and are waited for after every op.
WAITED_FOR: frozenset[str] = frozenset({"io_done"})
# What userspace has no hand in: a device that fails, and the moment where a path is cut.
OUT_OF_REACH: frozenset[str] = frozenset({"io_error", "steps"})


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a trace cannot be driven: the op, by its number from 1, or the world (number 0), and the reason."""

    number: int
    op: str
    reason: str

    def __str__(self) -> str:
        return f"op {self.number}, `{self.op}`: {self.reason}" if self.number else self.reason


def find_obstacle(trace: Trace, lacks: Mapping[str, str] | None = None) -> Obstacle | None:
    """What userspace cannot drive first in a trace, or a target lacks (op -> reason); None if nothing."""
    for number, op in enumerate(trace.ops, start=1):
        reason = _reason(op, lacks or {})
        if reason is not None:
            return Obstacle(number, str(op), reason)
    return None


def drivable_ops(trace: Trace) -> tuple[Op, ...]:
    """The ops as a target gets them: without those that only wait for what is waited for anyhow."""
    return tuple(op for op in trace.ops if op.name not in WAITED_FOR)


def drivable_world(world: World, lacks: Collection[str] = ()) -> World:
    """The world without what no userspace drives, and without features all of whose ops a target lacks."""
    needed: dict[str, set[str]] = {}
    for op in OPS:
        for feature in op.needs:
            needed.setdefault(feature, set()).add(op.name)
    gone = {feature for feature, ops in needed.items() if ops & DRIVEN_OPS and not (ops & DRIVEN_OPS) - set(lacks)}
    return world.without((OUT_OF_REACH | gone) & ALL_FEATURES)


def _reason(op: Op, lacks: Mapping[str, str]) -> str | None:
    if op.begin:
        return "a path cannot be begun and left there: userspace does not choose where the kernel is interrupted"
    if op.thread:
        return "a second thread of the process: the driver has one"
    if op.name in lacks:
        return f"this target cannot: {lacks[op.name]}"
    if op.name in WAITED_FOR or op.name in DRIVEN_OPS:
        return None
    if op.name in OP_BY_NAME and OP_BY_NAME[op.name].needs & OUT_OF_REACH:
        return "it happens inside the kernel or the device; no system call does it"
    return "no system call does it repeatably"
