"""Tokens in normal form."""

import pytest

from fuzzer.tokens import renumber_tokens, shared_stores, with_own_token
from simcore.trace import Trace
from simcore.trace_op import Op
from simcore.world import World


def stores(*tokens: int) -> Trace:
    """A trace of stores with these tokens, a read between any two."""
    ops = [op for token in tokens for op in (Op("write", (0, 0, token)), Op("read", (0, 0)))]
    return Trace("linux-4.5", World(), tuple(ops))


def tokens_of(trace: Trace) -> list[int]:
    return [op.args[2] for op in trace.ops if op.name == "write"]


@pytest.mark.parametrize(
    ("given", "normal"),
    [
        ([], []),
        ([7], [1]),
        ([9, 8, 7], [1, 2, 3]),
        ([102], [1]),
        ([5, 5], [101, 101]),
        ([103, 4, 101, 103, 101], [101, 1, 102, 101, 102]),
        ([200, 103, 200, 103, 9], [101, 102, 101, 102, 1]),
    ],
)
def test_tokens_are_renumbered_in_the_order_of_first_use(given: list[int], normal: list[int]) -> None:
    assert tokens_of(renumber_tokens(stores(*given))) == normal
    assert renumber_tokens(stores(*normal)) == stores(*normal)


def test_more_shared_contents_than_shared_tokens_stay_as_they_are() -> None:
    trace = stores(1, 1, 2, 2, 3, 3, 4, 4)
    assert renumber_tokens(trace) == trace


def test_as_many_stores_as_there_are_tokens_have_one_each() -> None:
    assert tokens_of(renumber_tokens(stores(*range(250, 3, -1)))) == [*range(1, 101), *range(104, 251)]
    assert renumber_tokens(stores(*range(1, 251))) == stores(*range(1, 251))


def test_a_store_can_have_a_token_of_its_own() -> None:
    trace = stores(101, 1, 101)
    assert shared_stores(trace) == (0, 4)
    assert tokens_of(with_own_token(trace, 4)) == [1, 2, 3]
