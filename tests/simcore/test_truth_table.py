"""Truth tables over fewer bits, over more, and folded into terms."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from simcore.rules import RULE_BY_NAME, RULES, Rule
from simcore.truth_table import bits_that_matter, expand_rows, fold_rows, narrow_rows

RULE = RULE_BY_NAME["wp_reuses_page"]


@st.composite
def tables(draw: st.DrawFn) -> tuple[Rule, tuple[str, ...], bytes]:
    """A rule, some of its bits in some order, and a table over them."""
    rule = draw(st.sampled_from(RULES))
    bits = draw(st.permutations(rule.bits))[: draw(st.integers(0, min(4, len(rule.bits))))]
    rows = draw(st.lists(st.integers(0, 1), min_size=1 << len(bits), max_size=1 << len(bits)))
    return rule, tuple(bits), bytes(rows)


@given(tables())
def test_narrow_rows_undoes_expand_rows(case: tuple[Rule, tuple[str, ...], bytes]) -> None:
    rule, bits, rows = case
    assert narrow_rows(rule, bits, expand_rows(rule, bits, rows)) == rows


@given(tables())
def test_bits_that_matter_are_enough_for_the_table(case: tuple[Rule, tuple[str, ...], bytes]) -> None:
    rule, bits, rows = case
    table = expand_rows(rule, bits, rows)
    matter = bits_that_matter(rule, table)
    assert set(matter) <= set(bits)
    assert expand_rows(rule, matter, narrow_rows(rule, matter, table)) == table


def test_expand_rows_reads_the_first_bit_as_the_least() -> None:
    # True where page_dirty is set and active is not asked for at all.
    rule = Rule("r", ("a", "b", "c"), "", "")
    assert expand_rows(rule, ["c", "a"], [0, 1, 0, 0]) == bytes([0, 0, 0, 0, 1, 0, 1, 0])


@given(st.data())
def test_fold_rows_covers_the_rows_and_no_others(data: st.DataObject) -> None:
    rule = data.draw(st.sampled_from(RULES))
    rows = data.draw(st.sets(st.integers(0, rule.row_count - 1)))
    terms = fold_rows(rule, rows)
    assert {row for row in range(rule.row_count) if any(term.covers(row) for term in terms)} == rows
    for term in terms:
        others = [other for other in terms if other != term]
        assert any(not any(other.covers(row) for other in others) for row in rows if term.covers(row))


def test_fold_rows_of_all_rows_is_always() -> None:
    terms = fold_rows(RULE, range(RULE.row_count))
    assert [str(term) for term in terms] == ["always"]
    assert fold_rows(RULE, []) == ()


def test_fold_rows_drops_what_does_not_matter() -> None:
    rows = [row for row in range(RULE.row_count) if row & 1 and not row & 2]
    assert [str(term) for term in fold_rows(RULE, rows)] == ["sole=1 ksm=0"]


def test_fold_rows_is_the_same_whatever_the_order() -> None:
    rows = [0, 1, 3, 7, 12, 13, 22, 30]
    results = {tuple(map(str, fold_rows(RULE, order))) for order in itertools.permutations(rows[:6])}
    assert len(results) == 1
