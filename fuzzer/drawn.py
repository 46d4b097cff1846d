"""What an engine drew, as a trace."""

from typing import Any

from simcore.features import FEATURES
from simcore.ops import OP_BY_CODE
from simcore.trace import Trace, decode
from simcore.trace_op import BEGIN_BIT, CODE_MASK, THREAD_BIT, arg_fields
from simcore.world import World


def drawn_trace(engine: Any, kernel: str) -> Trace:
    """The sequence that the engine ran last, in the world it drew for it."""
    return decode(map(readable_word, engine.words()), kernel, decode_world(engine.world()))


def readable_word(word: int) -> int:
    """The word without the bits that its op does not look at, which an engine draws all the same."""
    spec = OP_BY_CODE[word & CODE_MASK]
    mask = CODE_MASK
    for shift, width in arg_fields(spec):
        mask |= (1 << width) - 1 << shift
    if spec.actor == "thread":
        mask |= 1 << THREAD_BIT
    if spec.path:
        mask |= 1 << BEGIN_BIT
    return word & mask


def decode_world(numbers: tuple[int, ...]) -> World:
    """The world of the core's numbers: the inverse of World.encode()."""
    *sizes, zram, mask = numbers
    processes, pages, frames, slots, memcgs, mergeable, file, huge, advised, batch = sizes
    features = frozenset(name for i, name in enumerate(FEATURES) if mask >> i & 1)
    return World(
        processes,
        pages,
        frames,
        slots,
        memcgs,
        mergeable,
        "zram" if zram else "disk",
        features,
        file,
        huge,
        advised,
        batch,
    )
