"""One op of a trace: the value, its line, its word for the core, and what can be wrong with it."""

from dataclasses import dataclass
from itertools import zip_longest
from typing import Literal

from simcore.constants import LAST_TOKEN, WHOLE_AREA
from simcore.errors import TraceError, unknown_name
from simcore.ops import KERNEL_ACTORS, OP_BY_CODE, OP_BY_NAME, OPS, ArgKind, OpSpec, actor_name, actor_numbers
from simcore.world import World

# The word's layout is described in simcore.ops. For each argument, its lowest bit and how many bits it has; a token
# has a place of its own.
TOKEN_BITS = (24, 8)
ARG_BITS: tuple[tuple[int, int], ...] = ((8, 4), (16, 5), TOKEN_BITS)
CODE_MASK = 255
THREAD_BIT = 12
BEGIN_BIT = 13
MAX_COUNT = 31
# How the page number of the whole huge area is written.
AREA_WORD = "area"


@dataclass(frozen=True, slots=True)
class Op:
    """One op of a trace. The only argument of `step` is an actor's number.

    `thread` 1 is the second thread of the op's process; `begin` starts the op's path instead of running it.
    """

    name: str
    args: tuple[int, ...] = ()
    thread: int = 0
    begin: bool = False

    def __str__(self) -> str:
        """The op's line in a trace."""
        words = ["begin", self.name] if self.begin else [self.name]
        spec = OP_BY_NAME.get(self.name)
        kinds: tuple[ArgKind | None, ...] = spec.args if spec else ()
        words += [_arg_text(kind, value) for kind, value in zip_longest(kinds, self.args) if value is not None]
        if self.thread:
            words.append(f"@{self.thread}")
        return " ".join(words)


def _arg_text(kind: ArgKind | None, value: int) -> str:
    if kind == "actor":
        return actor_name(value)
    return AREA_WORD if kind == "page" and value == WHOLE_AREA else str(value)


@dataclass(frozen=True, slots=True)
class Mistake:
    """Why an op cannot be in a trace. `part` is what is at fault; for an argument, its number from 0."""

    part: int | Literal["begin", "name", "thread"]
    message: str


def find_mistake(op: Op, world: World) -> Mistake | None:
    """The first thing wrong with an op in a world; None when nothing is."""
    spec = OP_BY_NAME.get(op.name)
    if spec is None:
        return Mistake("name", unknown_name("op", op.name, OP_BY_NAME))
    return _find_missing_feature(op, spec, world) or _find_wrong_form(op, spec) or _find_wrong_arg(op, spec, world)


def arg_fields(spec: OpSpec) -> tuple[tuple[int, int], ...]:
    """For each argument of an op, the lowest bit of its field in the word and how many bits it has."""
    return tuple(TOKEN_BITS if kind == "token" else bits for kind, bits in zip(spec.args, ARG_BITS, strict=False))


def signature(spec: OpSpec) -> str:
    """How an op is written: `write PROCESS PAGE TOKEN`."""
    return " ".join([spec.name, *(kind.upper() for kind in spec.args)])


def encode_op(op: Op) -> int:
    """The op's word for the core. TraceError when it does not fit into one."""
    spec = OP_BY_NAME.get(op.name)
    if spec is None:
        raise TraceError(unknown_name("op", op.name, OP_BY_NAME))
    if len(op.args) != len(spec.args) or op.thread not in (0, 1):
        raise TraceError(f"`{op}` has no word: it is written `{signature(spec)}`, with thread 0 or 1")
    word = spec.code | op.thread << THREAD_BIT | op.begin << BEGIN_BIT
    for value, (shift, width) in zip(op.args, arg_fields(spec), strict=True):
        if value >> width:
            raise TraceError(f"`{op}` has no word: {value} is outside 0 to {(1 << width) - 1}")
        word |= value << shift
    return word


def decode_op(word: int) -> Op:
    """The op of a word: the inverse of encode_op. TraceError for a word that no op has."""
    spec = OP_BY_CODE.get(word & CODE_MASK)
    if spec is None:
        raise TraceError(f"word {word:#010x}: no op has the code {word & CODE_MASK}; codes are 1 to {len(OPS)}")
    args = tuple(word >> shift & (1 << width) - 1 for shift, width in arg_fields(spec))
    op = Op(spec.name, args, word >> THREAD_BIT & 1, bool(word >> BEGIN_BIT & 1))
    if encode_op(op) != word:
        raise TraceError(f"word {word:#010x}: it has bits that `{signature(spec)}` does not use")
    return op


def _find_missing_feature(op: Op, spec: OpSpec, world: World) -> Mistake | None:
    for feature in sorted(spec.needs - world.features):
        return Mistake("name", f"{op.name} needs the feature {feature}, which the world is without")
    if "steps" in world.features:
        return None
    if op.begin:
        return Mistake("begin", "begin needs the feature steps, which the world is without")
    if op.thread:
        return Mistake("thread", "a second thread needs the feature steps, which the world is without")
    return None


def _find_wrong_form(op: Op, spec: OpSpec) -> Mistake | None:
    """What is wrong whatever the world."""
    if len(op.args) != len(spec.args):
        arguments = f"{len(op.args)} argument{'' if len(op.args) == 1 else 's'}"
        return Mistake("name", f"{op.name} with {arguments}; it is written `{signature(spec)}`")
    if op.begin and not spec.path:
        others = ", ".join(other.name for other in OPS if other.path)
        return Mistake("begin", f"{op.name} is done in one step and cannot be begun; what can: {others}")
    if op.thread not in (0, 1):
        return Mistake("thread", f"@{op.thread}: a process has the threads @0 and @1")
    if op.thread and spec.actor != "thread":
        return Mistake("thread", f"{op.name} is not done by a thread of a process; leave @{op.thread} out")
    return None


def _find_wrong_arg(op: Op, spec: OpSpec, world: World) -> Mistake | None:
    for i, (kind, value) in enumerate(zip(spec.args, op.args, strict=True)):
        if kind == "actor":
            actors = actor_numbers(world.processes)
            if value not in actors.values():
                return Mistake(i, f"no actor has the number {value}; there are: {', '.join(actors)}")
            continue
        if kind == "page" and value == WHOLE_AREA and spec.area and world.huge and "thp" in world.features:
            continue
        least, greatest = arg_range(kind, world)
        if not least <= value <= greatest:
            return Mistake(i, f"{kind} {value}; in this world it can be {least} to {greatest}")
    return None


def arg_range(kind: ArgKind, world: World) -> tuple[int, int]:
    """The least and the greatest value of an argument in a world. Actors have gaps: see actor_numbers()."""
    ranges: dict[ArgKind, tuple[int, int]] = {
        "process": (0, world.processes - 1),
        "page": (0, world.total_pages - 1),
        "token": (1, LAST_TOKEN),
        "memcg": (0, world.memcgs - 1),
        "count": (0, MAX_COUNT),
        "actor": (0, max(KERNEL_ACTORS.values())),
    }
    return ranges[kind]
