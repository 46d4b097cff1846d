"""The table of observables, and pages in words."""

import pytest

from fuzzer.conform.observables import (
    APPLIES_MASK,
    OBSERVABLE_BY_NAME,
    OBSERVABLES,
    SMAPS_KSM,
    TRUSTED_MASK,
    all_words,
    difference,
    smaps_mask,
    trusted_mask,
    words,
)

PRESENT, SWAP, ZERO = 2, 3, 1
TAIL, HEAD, THP = 1 << 21, 1 << 20, 1 << 19
TRUSTED = {
    "class", "share", "anon", "file", "mapcount", "exclusive", "anon-exclusive", "ksm", "frame-changed", "node",
    "dirty", "swapbacked", "swapcache", "soft-dirty", "thp", "compound",
}  # fmt: skip


def test_observables_cover_every_bit_once() -> None:
    assert sum(each.mask for each in OBSERVABLES) == (1 << 38) - 1
    assert len({each.name for each in OBSERVABLES}) == len(OBSERVABLES)


def test_observables_that_are_trusted() -> None:
    assert {each.name for each in OBSERVABLES if each.trusted} == TRUSTED
    for bit in (6, 7, 8, *range(12, 19), 25):
        assert not TRUSTED_MASK >> bit & 1, bit


def test_ksm_is_masked_where_the_kernel_reports_it_wrongly() -> None:
    assert trusted_mask(False) - trusted_mask(True) == 1 << 9
    assert smaps_mask((6, 12)) - smaps_mask((6, 1)) == SMAPS_KSM


def test_whether_an_observable_applies_depends_on_these_bits_alone() -> None:
    for each in OBSERVABLES:
        for kind in range(5):
            for tail in (0, TAIL):
                state = kind | tail
                assert each.applies(state) == each.applies(state | ~APPLIES_MASK & (1 << 38) - 1), each.name


def test_difference_is_nothing_for_equal_pages_and_all_for_others() -> None:
    assert difference(PRESENT | 8, PRESENT | 8, TRUSTED_MASK) == 0
    assert difference(PRESENT | 8, PRESENT, TRUSTED_MASK) == 8
    assert difference(PRESENT, SWAP, TRUSTED_MASK) == 1


def test_difference_of_a_tail_leaves_out_what_only_the_head_shows() -> None:
    dirty = 1 << 3
    assert difference(PRESENT | THP | TAIL | dirty, PRESENT | THP | TAIL, TRUSTED_MASK) == 0
    assert difference(PRESENT | THP | HEAD | dirty, PRESENT | THP | HEAD, TRUSTED_MASK) == dirty
    mapcount = 1 << 28
    assert difference(PRESENT | TAIL | dirty, PRESENT | TAIL | mapcount, TRUSTED_MASK) == mapcount
    assert difference(PRESENT | dirty, PRESENT | TAIL, TRUSTED_MASK) == TAIL


def test_difference_of_the_huge_zero_page_leaves_out_head_and_tail() -> None:
    assert difference(ZERO | THP, ZERO | THP | TAIL, TRUSTED_MASK) == 0
    assert difference(ZERO, ZERO | THP, TRUSTED_MASK) == THP


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (0, "none"),
        (1, "zero-page"),
        (SWAP, "swap"),
        (SWAP | 1 << 25, "swap cached"),
        (PRESENT | 1 << 3 | 1 << 5 | 1 << 10 | 1 << 23, "present dirty swapbacked anon exclusive"),
        (PRESENT | 1 << 9 | 1 << 4, "present swapcache ksm"),
        (PRESENT | 1 << 24, "present file"),
        (PRESENT | THP | HEAD | 1 << 11, "present head anon-exclusive"),
    ],
)
def test_words_say_what_a_page_is(state: int, said: str) -> None:
    assert words(state) == said


def test_words_leave_out_ksm_where_it_is_wrong() -> None:
    assert words(PRESENT | 1 << 9 | 1 << 10, ksm=False) == "present anon"


def test_all_words_say_the_rest_too() -> None:
    said = all_words(PRESENT | 1 << 6 | 1 << 22 | 3 << 28 | 5 << 32)
    assert said == "present soft-dirty lru mapcount=3 share=5"
    assert all_words(1 << 25 | 9 << 32) == "none resident share=9"


def test_value_of_an_observable() -> None:
    assert OBSERVABLE_BY_NAME["mapcount"].value(PRESENT | 7 << 28) == 7
    assert OBSERVABLE_BY_NAME["share"].value(35 << 32) == 35
