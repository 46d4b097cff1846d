"""A file is whole or not there, whatever happens while it is written."""

import os
import resource
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from db.errors import BadFileError, UnwritableFileError
from db.new_file import UNFINISHED, new_file
from tests.db.limits import in_child


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_file_is_there_after_the_block_and_not_before(tmp_path: Path) -> None:
    with new_file(tmp_path / "copy") as part:
        part.write_text("all of it")
        assert not (tmp_path / "copy").exists()
    assert names(tmp_path) == ["copy"]
    assert (tmp_path / "copy").read_text() == "all of it"


def test_exception_leaves_nothing(tmp_path: Path) -> None:
    def fail(part: Path) -> None:
        part.write_text("half of")
        part.with_name("copy-journal").write_text("of another program")
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), new_file(tmp_path / "copy") as part:
        fail(part)
    assert names(tmp_path) == []


def test_what_is_there_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    (tmp_path / "nowhere").symlink_to("missing")
    for name in names(tmp_path):
        with pytest.raises(BadFileError, match=r"there already: .*; choose another name"), new_file(tmp_path / name):
            pytest.fail("it was made")
    assert (tmp_path / "file").read_text() == "mine"
    assert names(tmp_path) == ["file", "folder", "nowhere"]


@pytest.mark.parametrize("links", [True, False])
def test_what_came_meanwhile_is_not_replaced(tmp_path: Path, links: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    if not links:
        monkeypatch.setattr(os, "link", without_links)

    def write_both(part: Path) -> None:
        part.write_text("ours")
        (tmp_path / "copy").write_text("theirs")

    with pytest.raises(BadFileError, match="there already"), new_file(tmp_path / "copy") as part:
        write_both(part)
    assert names(tmp_path) == ["copy"]
    assert (tmp_path / "copy").read_text() == "theirs"


def without_links(_source: Path, _target: Path) -> None:
    raise PermissionError(1, "Operation not permitted")


def test_file_is_made_where_there_are_no_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "link", without_links)
    with new_file(tmp_path / "copy") as part:
        part.write_text("all of it")
    assert names(tmp_path) == ["copy"]


def test_folder_that_is_missing_is_told(tmp_path: Path) -> None:
    with pytest.raises(BadFileError, match=r"folder does not exist: .*; make "), new_file(tmp_path / "no" / "copy"):
        pytest.fail("it was made")


def test_folder_that_cannot_be_written_is_told(
    open_folder: Path, as_nobody: Callable[[], AbstractContextManager[None]]
) -> None:
    open_folder.chmod(0o555)
    with as_nobody(), pytest.raises(UnwritableFileError, match="Permission denied"), new_file(open_folder / "copy"):
        pytest.fail("it was made")


def test_file_that_grows_too_large_is_told_and_nothing_is_left(tmp_path: Path) -> None:
    def write() -> None:
        with new_file(tmp_path / "copy") as part, part.open("wb") as file:
            file.write(b"x" * 10_000)

    assert in_child(write, (resource.RLIMIT_FSIZE, 5_000)).startswith("UnwritableFileError: no space is left")
    assert names(tmp_path) == []


def test_full_disk_is_told_and_nothing_is_left(small_disk: Path) -> None:
    with pytest.raises(UnwritableFileError, match="no space is left"), new_file(small_disk / "copy") as part:
        part.write_bytes(b"x" * 10_000_000)
    assert names(small_disk) == []


def test_writer_that_is_killed_leaves_nothing_under_the_name(tmp_path: Path) -> None:
    def write() -> None:
        with new_file(tmp_path / "copy") as part:
            part.write_text("half of")
            os.kill(os.getpid(), signal.SIGKILL)

    assert in_child(write) == "ended by SIGKILL"
    (left,) = names(tmp_path)
    assert left.startswith(UNFINISHED)
    with new_file(tmp_path / "copy") as part:
        part.write_text("all of it")
    assert (tmp_path / "copy").read_text() == "all of it"
