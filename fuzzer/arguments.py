"""What the ops of a trace name: which numbers they use, and the same trace with other numbers."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from simcore.constants import KSWAPD
from simcore.ops import OP_BY_NAME, ArgKind
from simcore.trace import Trace
from simcore.trace_op import Op


def used(ops: Iterable[Op], kind: ArgKind) -> tuple[int, ...]:
    """The numbers of a kind that the ops name, in the order of first use. A step of a thread names its
    process.
    """
    found: dict[int, None] = {}
    for op in ops:
        for arg_kind, value in zip(OP_BY_NAME[op.name].args, op.args, strict=True):
            if arg_kind == kind:
                found.setdefault(value)
            elif arg_kind == "actor" and kind == "process" and value < KSWAPD:
                found.setdefault(value // 2)
    return tuple(found)


def least_size(ops: tuple[Op, ...], kind: ArgKind) -> int:
    """How many of a kind a world must have for these ops; at least one."""
    return max(used(ops, kind), default=0) + 1


def renamed(trace: Trace, kind: ArgKind, names: Mapping[int, int]) -> Trace:
    """The trace with some numbers of a kind replaced by others."""
    return replace(trace, ops=tuple(renamed_op(op, kind, names) for op in trace.ops))


def renamed_op(op: Op, kind: ArgKind, names: Mapping[int, int]) -> Op:
    """The op with some numbers of a kind replaced by others."""
    args = tuple(
        _renamed(value, arg_kind, kind, names)
        for arg_kind, value in zip(OP_BY_NAME[op.name].args, op.args, strict=True)
    )
    return op if args == op.args else replace(op, args=args)


def _renamed(value: int, arg_kind: ArgKind, kind: ArgKind, names: Mapping[int, int]) -> int:
    if arg_kind == kind:
        return names.get(value, value)
    if arg_kind == "actor" and kind == "process" and value < KSWAPD:
        process, thread = divmod(value, 2)
        return names.get(process, process) * 2 + thread
    return value
