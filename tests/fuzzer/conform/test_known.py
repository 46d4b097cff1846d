"""The reviewed list of known differences."""

from dataclasses import replace
from pathlib import Path

import pytest

from fuzzer.conform.classes import ClassKey
from fuzzer.conform.errors import KnownError
from fuzzer.conform.known import OWN_LIST, Known, find_known, read_known

KEY = ClassKey("dirty", "mlock", "its anon page", "swap cached", "set, really clear")
KNOWN = Known(("6.1",), ("dirty",), ("mlock", "munlock"), "simulator", "as it is")
NAME = "main-6.1-zram:12"
ENTRY = """
[[difference]]
kernels = ["6.1", "6.12"]
observables = ["dirty"]
ops = ["mlock"]
fault = "simulator"
reason = "A page brought in by mlock stays clean."
"""


def write(folder: Path, text: str) -> Path:
    """A list with this text."""
    path = folder / "known.toml"
    path.write_text(text)
    return path


def test_own_list_can_be_read_and_every_entry_says_why() -> None:
    for known in read_known(OWN_LIST):
        assert len(known.reason.split()) > 3, known


def test_list_is_read(tmp_path: Path) -> None:
    (known,) = read_known(write(tmp_path, ENTRY))
    assert known == Known(
        ("6.1", "6.12"), ("dirty",), ("mlock",), "simulator", "A page brought in by mlock stays clean."
    )


def test_empty_list_is_a_list(tmp_path: Path) -> None:
    assert read_known(write(tmp_path, "# nothing yet\n")) == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"dirty"', '"drity"', "difference 1: unknown observable 'drity'; did you mean 'dirty'"),
        ('["mlock"]', '["mlok"]', "difference 1: unknown op 'mlok'; did you mean 'mlock'"),
        ('["mlock"]', "[]", "difference 1: an empty list explains nothing"),
        ('"simulator"', '"nobody"', r"Invalid enum value 'nobody' - at `\$\.difference\[0\]\.fault`"),
        ("reason", "raeson", "unknown field `raeson`"),
        ('"A page brought in by mlock stays clean."', '" "', "without a reason it is not judged"),
        ("[[difference]]", "[[difference", "not a list of known differences"),
    ],
)
def test_list_with_a_mistake_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = write(tmp_path, ENTRY.replace(old, new))
    with pytest.raises(KnownError, match=message) as caught:
        read_known(path)
    assert str(caught.value).startswith(str(path))


def test_list_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(KnownError, match="cannot be read: No such file"):
        read_known(tmp_path / "gone.toml")


def test_known_difference_explains_its_classes_and_no_other() -> None:
    assert KNOWN.explains(KEY, "6.1", NAME)
    assert not KNOWN.explains(KEY, "6.12", NAME)
    assert not KNOWN.explains(replace(KEY, observable="class"), "6.1", NAME)
    assert not KNOWN.explains(replace(KEY, op="write"), "6.1", NAME)


@pytest.mark.parametrize("name", ["page", "before", "change"])
def test_known_difference_may_be_narrower(name: str) -> None:
    exact = Known(**{**{f: getattr(KNOWN, f) for f in KNOWN.__struct_fields__}, name: getattr(KEY, name)})
    assert exact.explains(KEY, "6.1", NAME)
    assert not exact.explains(replace(KEY, **{name: "something else"}), "6.1", NAME)


def test_known_difference_may_be_of_single_readings() -> None:
    exact = Known(("6.1",), ("dirty",), ("mlock",), "reading", "a race", readings=(NAME,))
    assert exact.explains(KEY, "6.1", NAME)
    assert not exact.explains(KEY, "6.1", "main-6.1-zram:14")


def test_first_known_difference_that_fits_is_taken() -> None:
    other = Known(("6.1",), ("dirty",), ("mlock",), "kernel", "first")
    assert find_known(KEY, "6.1", NAME, (other, KNOWN)) is other
    assert find_known(KEY, "6.12", NAME, (other, KNOWN)) is None
