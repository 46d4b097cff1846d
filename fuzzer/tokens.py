"""Tokens in normal form.

The oracles tell from a token which store it was, so two stores have the same token only where equal contents
matter, and then one of the shared tokens. In normal form, a token stored once is the next of 1, 2, 3, ...;
one stored more than once is the next of the shared ones; both in the order of first use.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import chain

from simcore.constants import FIRST_SHARED_TOKEN, LAST_SHARED_TOKEN, LAST_TOKEN
from simcore.ops import OP_BY_NAME
from simcore.trace import Trace
from simcore.trace_op import Op

SHARED_TOKENS = range(FIRST_SHARED_TOKEN, LAST_SHARED_TOKEN + 1)
OWN_TOKENS = tuple(chain(range(1, FIRST_SHARED_TOKEN), range(LAST_SHARED_TOKEN + 1, LAST_TOKEN + 1)))


def token_of(op: Op) -> int | None:
    """The token that the op stores."""
    place = _token_place(op)
    return None if place is None else op.args[place]


def with_token(op: Op, token: int) -> Op:
    """The op storing another token."""
    place = _token_place(op)
    assert place is not None, f"{op} stores nothing"
    return replace(op, args=(*op.args[:place], token, *op.args[place + 1 :]))


def renumber_tokens(trace: Trace) -> Trace:
    """The trace with its tokens in normal form; unchanged when there are not enough tokens."""
    stores = Counter(token for op in trace.ops if (token := token_of(op)) is not None)
    own = iter(OWN_TOKENS)
    shared = iter(SHARED_TOKENS)
    names = {token: next(own if count == 1 else shared, None) for token, count in stores.items()}
    if None in names.values():
        return trace
    return replace(trace, ops=tuple(_renamed(op, names) for op in trace.ops))


def free_token(ops: Iterable[Op]) -> int | None:
    """A token that none of the ops stores and that is not shared; None when all are taken."""
    taken = {token_of(op) for op in ops}
    return next((token for token in OWN_TOKENS if token not in taken), None)


def with_own_token(trace: Trace, place: int) -> Trace:
    """The trace whose op at a place stores a token that no other does, in normal form."""
    free = free_token(trace.ops)
    if free is None:
        return trace
    op = with_token(trace.ops[place], free)
    return renumber_tokens(replace(trace, ops=(*trace.ops[:place], op, *trace.ops[place + 1 :])))


def shared_stores(trace: Trace) -> tuple[int, ...]:
    """The places of the ops whose token is stored more than once."""
    stores = Counter(map(token_of, trace.ops))
    return tuple(
        place for place, op in enumerate(trace.ops) if (token := token_of(op)) is not None and stores[token] > 1
    )


def _token_place(op: Op) -> int | None:
    args = OP_BY_NAME[op.name].args
    return args.index("token") if "token" in args else None


def _renamed(op: Op, names: dict[int, int | None]) -> Op:
    token = token_of(op)
    return op if token is None else with_token(op, names[token] or token)
