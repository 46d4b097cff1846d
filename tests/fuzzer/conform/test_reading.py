"""Records as they come from a file, and what is said of those that cannot be."""

import gzip
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fuzzer.conform.errors import ReadingError
from fuzzer.conform.reading import Reading, read_file, second_run

Write = Callable[..., Path]
TINY: dict[str, Any] = {
    "id": 7, "thp": 0, "hp": 0, "ops": [["write", 0, 3, 1]], "res": [[0, 0, 0, 1]], "st": [[[0] * 12]],
    "vm": [[[2, 1]]], "fin": [[0, 0, 0, 1] + [0] * 8], "det": 1, "xdet": 1,
}  # fmt: skip


def only(path: Path) -> Reading:
    """The one reading of a file."""
    ((_, reading),) = read_file(path)
    return reading


@pytest.mark.parametrize("name", ["main-6.1-zram.jsonl.gz", "plain.jsonl"])
def test_reading_is_read_from_gzip_and_from_plain_text(write: Write, name: str) -> None:
    reading = only(write(TINY, name=name))
    assert reading.id == 7
    assert reading.ops == (("write", 0, 3, 1),)
    assert reading.st == (((0,) * 12,),)
    assert reading.values[3] == 1
    assert reading.pages == 12


def test_reading_gives_the_line_it_stood_in(write: Write) -> None:
    assert [line for line, _ in read_file(write(TINY, TINY | {"id": 9}))] == [1, 2]


def test_reading_skips_empty_lines_and_counts_them(tmp_path: Path) -> None:
    path = tmp_path / "empty.jsonl"
    path.write_text("\n\n")
    assert list(read_file(path)) == []


WRONG: tuple[tuple[dict[str, Any], str], ...] = (
    ({"ops": [["wriet", 0, 3, 1]]}, r"field ops\[0\]: unknown op 'wriet'; did you mean 'write'"),
    ({"ops": [["write", 3, 3, 1]]}, r"field ops\[0\]: process 3; it can be 0 to 2"),
    ({"ops": [["write", 0, 12, 1]]}, r"field ops\[0\]: page 12; it can be 0 to 11"),
    ({"ops": [["write", 0, 18, 1]]}, r"field ops\[0\]: page 18; it can be 0 to 11"),
    ({"ops": [["write", 0, 3, 256]]}, r"field ops\[0\]: token 256; it can be 0 to 255"),
    ({"ops": [["write", 0, 3]]}, r"not a reading: .*`\$\.ops\[0\]`"),
    ({"ops": [["write", 0, "3", 1]]}, r"not a reading: Expected `int`, got `str` - at `\$\.ops\[0\]\[2\]`"),
    ({"res": []}, "field res: 0 entries for 1 ops; there is one for each"),
    ({"st": []}, "field st: 0 entries for 1 ops; there is one for each"),
    ({"vm": []}, "field vm: 0 entries for 1 ops; there is one for each"),
    ({"sm": [[[0] * 12], [[0] * 12]]}, "field sm: 2 entries for 1 ops; there is one for each"),
    ({"st": [[[0] * 11]]}, r"field st\[0\]: P0 has 11 pages; it has 12"),
    ({"st": [[None, None, None, None]]}, r"field st\[0\]: 4 processes; there are at most 3"),
    ({"thp": 1}, r"field st\[0\]: P0 has 12 pages; it has 18"),
    ({"id": "x"}, r"not a reading: Expected `int`, got `str` - at `\$\.id`"),
)


@pytest.mark.parametrize(("changed", "message"), WRONG)
def test_reading_with_a_mistake_is_refused_with_file_line_and_field(
    write: Write, changed: dict[str, Any], message: str
) -> None:
    path = write(TINY, TINY | changed)
    with pytest.raises(ReadingError, match=message) as caught:
        list(read_file(path))
    assert str(caught.value).startswith(f"{path}:2: ")
    assert (caught.value.source, caught.value.line) == (str(path), 2)


def test_reading_without_a_field_is_refused_with_its_name(write: Write) -> None:
    record = {name: value for name, value in TINY.items() if name != "res"}
    with pytest.raises(ReadingError, match="missing required field `res`"):
        only(write(record))


def test_line_that_is_no_json_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "broken.jsonl"
    path.write_text('{"id": 1,\n')
    with pytest.raises(ReadingError, match=r"broken\.jsonl:1: not a reading"):
        list(read_file(path))


def test_file_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReadingError, match=r"gone\.jsonl: cannot be read: No such file"):
        list(read_file(tmp_path / "gone.jsonl"))


def test_file_that_is_no_gzip_or_cut_short_is_refused(tmp_path: Path, write: Write) -> None:
    path = tmp_path / "text.jsonl.gz"
    path.write_text("{}\n")
    with pytest.raises(ReadingError, match="not whole, or not gzip"):
        list(read_file(path))
    whole = write(*[TINY | {"id": i, "dm": i * 7919} for i in range(2000)]).read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ReadingError, match="not whole, or not gzip"):
        list(read_file(path))
    path.write_bytes(gzip.compress(b"\n"))
    assert list(read_file(path)) == []


def test_second_run_has_what_differed_and_the_rest_of_the_first(write: Write) -> None:
    changed = {"res": [14, 0, 0, 0], "st": [[5] * 12], "vm": []}
    other = only(write(TINY | {"det": 0, "dm": 5, "alt": {"0": changed, "fin": [[9] * 12]}}))
    again = second_run(other)
    assert again.res == ((14, 0, 0, 0),)
    assert again.st == (((5,) * 12,),)
    assert again.values == [9] * 12
    assert again.ops == other.ops


def test_second_run_of_a_settled_reading_is_itself(write: Write) -> None:
    reading = only(write(TINY))
    assert second_run(reading) is reading
