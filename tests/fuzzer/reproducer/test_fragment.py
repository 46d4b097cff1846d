"""Fragments: what is put together for what."""

from fuzzer.reproducer.fragment import Fragment, choose_fragments, resolve_conditions
from fuzzer.reproducer.source import FRAGMENTS
from fuzzer.reproducer.steps import CALLS

KNOWN = (Fragment("a", "A"), Fragment("b", "B", ("a",)), Fragment("c", "C", ("b",)), Fragment("d", "D"))


def test_what_is_wanted_comes_with_what_it_uses_in_the_order_of_the_file() -> None:
    assert [fragment.name for fragment in choose_fragments(["d", "c"], KNOWN)] == ["a", "b", "c", "d"]
    assert choose_fragments([], KNOWN) == ()


def test_lines_with_conditions_are_kept_only_where_they_hold() -> None:
    text = "one;\n\ttwo; /*?swap*/\n\tthree; /*?!swap*/\n/*?swap*/"
    assert resolve_conditions(text, frozenset({"swap"})) == "one;\n\ttwo;\n"
    assert resolve_conditions(text, frozenset()) == "one;\n\tthree;"


def test_every_fragment_stands_once_and_behind_all_that_it_uses() -> None:
    seen: set[str] = set()
    for fragment in FRAGMENTS:
        assert fragment.name not in seen
        assert set(fragment.uses) <= seen, fragment.name
        seen.add(fragment.name)
    assert {name for _, names in CALLS.values() for name in names} <= seen
