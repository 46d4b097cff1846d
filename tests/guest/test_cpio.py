"""Archives, read back by what has nothing in common with their writer."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest

from guest.cpio import Entry, archive, character_device, file, folder
from tests.guest.unpack import Unpacked, unpack

ENTRIES = (
    folder("dev"),
    character_device("dev/console", 5, 1),
    file("init", b"\x7fELF" + bytes(range(256)), 0o755),
    file("empty", b""),
    file("näme", b"odd"),
)


def test_everything_is_read_back_in_its_order() -> None:
    found = unpack(archive(ENTRIES))
    assert found == [
        Unpacked("dev", stat.S_IFDIR | 0o755, b"", (0, 0)),
        Unpacked("dev/console", stat.S_IFCHR | 0o600, b"", (5, 1)),
        Unpacked("init", stat.S_IFREG | 0o755, b"\x7fELF" + bytes(range(256)), (0, 0)),
        Unpacked("empty", stat.S_IFREG | 0o644, b"", (0, 0)),
        Unpacked("näme", stat.S_IFREG | 0o644, b"odd", (0, 0)),
    ]


@pytest.mark.parametrize("size", range(9))
def test_headers_and_contents_begin_at_multiples_of_four(size: int) -> None:
    entries = [file("a" * (size + 1), b"x" * size), file("last", b"y")]
    assert [each.content for each in unpack(archive(entries))] == [b"x" * size, b"y"]


def test_the_same_entries_give_the_same_bytes() -> None:
    assert archive(ENTRIES) == archive(list(ENTRIES))


def test_an_archive_of_nothing_has_its_end() -> None:
    assert unpack(archive([])) == []


@pytest.mark.parametrize("path", ["", "/init", "a//b", "../up", "a/./b", "a/", "with\0zero", "TRAILER!!!"])
def test_a_path_that_cannot_be_is_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no path inside an archive"):
        Entry(path, stat.S_IFREG)


@pytest.mark.skipif(shutil.which("cpio") is None, reason="the program cpio is not installed")
def test_the_program_cpio_reads_them(tmp_path: Path) -> None:
    done = subprocess.run(["cpio", "-itv"], input=archive(ENTRIES), capture_output=True, check=True, cwd=tmp_path)
    lines = done.stdout.decode().splitlines()
    assert [line.split()[-1] for line in lines] == [entry.path for entry in ENTRIES]
    assert lines[1].startswith("crw-------")
    assert "5,   1" in lines[1]
