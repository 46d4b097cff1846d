"""What disagreements have in common, in words."""

from dataclasses import replace

import pytest

from fuzzer.conform.classes import ORDER, ClassKey, choose_first, class_of, page_kind, page_name
from fuzzer.conform.compare import END, Disagreement
from fuzzer.conform.reading import AREA, Reading

PRESENT, SWAP = 2, 3
DIRTY = 1 << 3


def reading(*ops: tuple[str, int, int, int], st: tuple[tuple[tuple[int, ...] | None, ...], ...] = ()) -> Reading:
    """A reading of these ops; of the states only those that a class looks at."""
    empty = (((0,) * 12, (0,) * 12),) * len(ops)
    return Reading(0, 0, 0, ops, ((0, 0, 0, 1),) * len(ops), st or empty, ((),) * len(ops), (), 1)


WRITE = ("write", 0, 3, 1)


def key(found: Disagreement, of: Reading) -> ClassKey:
    """The class."""
    return class_of(found, of)


def test_class_names_op_page_state_before_and_both_sides() -> None:
    before = ((((0, 0, 0, PRESENT | DIRTY | 1 << 10) + (0,) * 8),) * 2,) * 2
    found = Disagreement(1, 0, 3, "dirty", PRESENT | DIRTY, PRESENT)
    assert key(found, reading(WRITE, WRITE, st=before)) == ClassKey(
        "dirty", "write", "its anon page", "present dirty anon", "set, really clear"
    )


@pytest.mark.parametrize(
    ("op", "process", "page", "said"),
    [
        (("write", 0, 3, 1), 0, 3, "its anon page"),
        (("write", 0, 3, 1), 1, 3, "the same anon page of another process"),
        (("write", 0, 3, 1), 1, 8, "another shared file page"),
        (("write", 0, 3, 1), 0, 10, "another private file page"),
        (("reclaim", 0, 0, 0), 0, 0, "anon page"),
        (("drain", 0, 0, 0), 0, 11, "private file page"),
        (("split", 0, AREA, 0), 0, AREA, "its area"),
        (("split", 0, AREA, 0), 0, 13, "its area"),
        (("split", 0, AREA, 0), 1, 13, "the area of another process"),
        (("split", 0, AREA, 0), 1, 3, "another anon page"),
    ],
)
def test_class_says_which_page_it_is_for_the_op(
    op: tuple[str, int, int, int], process: int, page: int, said: str
) -> None:
    rows = ((0,) * 18,) * 2
    of = Reading(0, 1, 1, (WRITE, op), ((0, 0, 0, 1),) * 2, (rows, rows), ((), ()), (), 1)
    assert key(Disagreement(1, process, page, "class", 0, PRESENT), of).page == said


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Disagreement(0, 0, 3, "class", 0, PRESENT), "none, really present"),
        (Disagreement(0, 0, 3, "share", 3 << 32, 0), "apart, really shared"),
        (Disagreement(0, 0, 3, "mapcount", 2 << 28, 1 << 28), "2, really 1"),
        (Disagreement(0, 0, 3, "compound", 1 << 20, 1 << 21), "head, really tail"),
        (Disagreement(0, 0, 3, "errno", 0, 22), "no error, really EINVAL"),
        (Disagreement(0, 0, 3, "errno", -1, 0), "blocked, really no error"),
        (Disagreement(0, 0, 3, "value", 0, 5), "zeros, really a token"),
        (Disagreement(0, 0, 3, "value", 255, 0), "bytes nobody stored, really zeros"),
        (Disagreement(0, 1, 0, "alive", 0, 1), "gone, really alive"),
        (Disagreement(0, 0, 3, "smaps-Swap", 1 << 8, 0), "some, really none"),
    ],
)
def test_class_says_what_both_sides_show(found: Disagreement, said: str) -> None:
    assert key(found, reading(WRITE)).change == said


def test_class_of_a_migrate_names_the_node() -> None:
    found = Disagreement(0, 0, 3, "value", 1, 0)
    assert key(found, reading(("migrate", 0, 3, 0))).change == "node 1, really node 0"


def test_class_at_the_end_has_no_op() -> None:
    found = key(Disagreement(1, 0, 3, "value", 0, 1), reading(WRITE))
    assert (found.op, found.page) == (END, "anon page")
    assert str(found) == "value at the end: zeros, really a token; anon page, before: none"


def test_class_of_a_page_that_was_not_there() -> None:
    assert key(Disagreement(0, 1, 3, "class", 0, PRESENT), reading(WRITE)).before == "of a process not there yet"


def test_class_id_is_of_its_text_and_stays() -> None:
    one = ClassKey("dirty", "write", "its anon page", "none", "set, really clear")
    assert one.id == "dis-4a105de5"
    for name in ("observable", "op", "page", "before", "change"):
        assert replace(one, **{name: "other"}).id != one.id


def test_first_disagreement_is_chosen_by_observable_then_page() -> None:
    dirty, kind = Disagreement(0, 0, 1, "dirty", 0, 8), Disagreement(0, 0, 2, "class", 0, 2)
    assert choose_first([dirty, kind]) is kind
    other = Disagreement(0, 1, 0, "class", 0, 2)
    assert choose_first([other, kind]) is kind
    assert ORDER.index("value") < ORDER.index("class") < ORDER.index("dirty")


def test_pages_by_number() -> None:
    assert [page_kind(page) for page in (0, 7, 8, 9, 10, 11, 12, 17)] == [
        "anon", "anon", "shared file", "shared file", "private file", "private file", "area", "area",
    ]  # fmt: skip
    assert page_name(1, 3) == "P1 page 3"
    assert page_name(0, AREA) == "P0 the area"
