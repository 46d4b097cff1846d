"""Ops of a reading in the simulator."""

import pytest

from fuzzer.conform.reading import AREA, Reading
from fuzzer.conform.replay import ERRNO, follow_choices, moves, read_op, trace_op, word_of
from simcore import constants
from simcore.constants import FOLLOW_ANY, FOLLOW_CACHE, FOLLOW_KEEP, FOLLOW_KEEP_SWAPBACKED, FOLLOW_TAKE
from simcore.trace_op import Op, encode_op

ZERO_PAGE, PRESENT, SWAP = 1, 2, 3
SWAPBACKED, CACHED = 1 << 5, 1 << 25


@pytest.mark.parametrize(
    ("op", "line"),
    [
        (("write", 1, 3, 7), "write 1 3 7"),
        (("fork", 2, 0, 0), "fork 2"),
        (("reclaim", 0, 0, 0), "reclaim"),
        (("drain", 1, 0, 0), "drain 1"),
        (("madv_free", 0, AREA, 0), "madv_free 0 area"),
    ],
)
def test_op_of_a_reading_is_an_op_of_a_trace_and_back(op: tuple[str, int, int, int], line: str) -> None:
    assert str(trace_op(op)) == line
    assert read_op(trace_op(op)) == op
    assert word_of(op) == encode_op(trace_op(op)) == word_of(op)


def test_every_result_has_an_errno() -> None:
    internal = {"RESULT_AGAIN_SMALL"}
    results = {value for name, value in vars(constants).items() if name.startswith("RESULT_") and name not in internal}
    assert results == set(ERRNO)
    assert len(set(ERRNO.values())) == len(ERRNO)


def test_reclaim_follows_what_became_of_each_page() -> None:
    pages = (0, PRESENT, PRESENT | SWAPBACKED, SWAP, SWAP | CACHED, CACHED, ZERO_PAGE | CACHED)
    choices = follow_choices((pages, None, (PRESENT,)))
    assert choices[:7] == (
        FOLLOW_TAKE, FOLLOW_KEEP, FOLLOW_KEEP_SWAPBACKED, FOLLOW_TAKE, FOLLOW_CACHE, FOLLOW_CACHE, FOLLOW_ANY,
    )  # fmt: skip
    assert choices[32:64] == (0,) * 32
    assert choices[64:66] == (FOLLOW_KEEP, 0)


def test_only_reclaim_has_choices(reading: Reading) -> None:
    for op, move in zip(reading.ops, moves(reading), strict=True):
        assert (move.choices is not None) == (op[0] == "reclaim")
        assert move.drains == (op[0] == "reclaim")


def test_read_op_of_an_op_without_arguments() -> None:
    assert read_op(Op("ksm_scan")) == ("ksm_scan", 0, 0, 0)
