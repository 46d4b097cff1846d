"""Sets of rows, and how likely the next unit is to reach one that none has."""

from collections import Counter
from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fuzzer.campaign.rows import ROW_BYTES, Coverage, count_rows, pack_rows, unpack_rows
from simcore.rules import TOTAL_ROWS

ROW_SETS = st.frozensets(st.integers(0, TOTAL_ROWS - 1), max_size=20)


def packed(rows: frozenset[int] | set[int]) -> bytes:
    """The set as bits."""
    return pack_rows(bytes(number in rows for number in range(TOTAL_ROWS)))


@given(ROW_SETS)
def test_packed_rows_come_back(rows: frozenset[int]) -> None:
    flags = bytes(number in rows for number in range(TOTAL_ROWS))
    assert unpack_rows(pack_rows(flags)) == flags
    assert len(pack_rows(flags)) == ROW_BYTES
    assert count_rows(pack_rows(flags)) == len(rows)


def test_row_n_is_bit_n_modulo_8_of_byte_n_over_8() -> None:
    assert packed({0, 9, 23})[:3] == bytes([0b1, 0b10, 0b10000000])
    assert packed({TOTAL_ROWS - 1})[-1] != 0


@given(st.lists(ROW_SETS, max_size=12))
def test_coverage_knows_what_was_seen_and_what_again(units: list[frozenset[int]]) -> None:
    coverage, seen = Coverage(), Counter[int]()
    for rows in units:
        coverage, new = coverage.add(packed(rows))
        assert new == packed({row for row in rows if seen[row] == 0})
        seen.update(rows)
        assert coverage.seen == packed(set(seen))
        assert coverage.again == packed({row for row, times in seen.items() if times > 1})


@given(st.lists(ROW_SETS, min_size=1, max_size=12))
def test_chance_of_news_is_the_rows_seen_in_one_unit_over_the_units(units: list[frozenset[int]]) -> None:
    coverage = reduce(lambda coverage, rows: coverage.add(packed(rows))[0], units, Coverage())
    seen = Counter(row for rows in units for row in rows)
    once = sum(times == 1 for times in seen.values())
    assert coverage.chance_of_news(len(units)) == pytest.approx(min(1.0, once / len(units)))


def test_chance_of_news_is_not_known_before_the_first_unit() -> None:
    assert Coverage().chance_of_news(0) is None
    assert Coverage().chance_of_news(3) == 0.0
