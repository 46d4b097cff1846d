"""Which local variables need their C types said."""

import ast

import pytest

from simcore.headers import C_TYPES
from simcore.local_types import local_types


def types_in(body: str) -> dict[str, str]:
    """The declared locals of a function with two parameters and this body."""
    function = ast.parse("def f(n: int, ok: bool) -> int:\n" + "\n".join(f"    {line}" for line in body.split("\n")))
    return local_types(function.body[0], C_TYPES, {"page_locked"})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "value",
    ["n > 3", "not n", "True", "ok", "ok and n == 1", "page_locked(n)", "ok if n else n < 2", "ok | (n > 1)"],
)
def test_boolean_values_make_a_boolean(value: str) -> None:
    assert types_in(f"x = {value}") == {"x": "bint"}


@pytest.mark.parametrize("value", ["n", "n & 3", "count(n)", "n and 3", "1", "n if ok else 0"])
def test_other_values_are_left_to_cython(value: str) -> None:
    assert types_in(f"x = {value}") == {}


def test_the_first_value_decides() -> None:
    assert types_in("x = 0\nx = n > 3\ny = n > 3\ny = False") == {"y": "bint"}


def test_annotations_are_taken_at_their_word() -> None:
    assert types_in('x: "u64" = 1\ny: bool = n\nz = y') == {"x": "uint64_t", "y": "bint", "z": "bint"}


def test_nested_blocks_are_looked_into() -> None:
    assert types_in("while n:\n    if ok:\n        a = n == 1\n    else:\n        b = n == 2") == {
        "a": "bint",
        "b": "bint",
    }


def test_parameters_are_not_declared_again() -> None:
    assert types_in("ok = n > 3") == {}
