"""Building a kernel with a bug: what is missing is said, and nothing is left edited."""

import shutil
from pathlib import Path

import pytest

from guest.errors import KernelBuildError
from guest.kernel import build
from guest.kernel.bugs import BUGS


def test_what_is_missing_is_said_with_the_command_that_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None if program == "bison" else f"/usr/bin/{program}")
    monkeypatch.setattr(build, "has_header", lambda header: header != "gelf.h")
    with pytest.raises(KernelBuildError, match="missing here: bison libelf-dev; as root: apt-get install bison libelf"):
        build.check_tools()


def test_a_build_that_fails_takes_the_bug_out_again(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    bug = BUGS["discard"]
    for each in BUGS.values():
        (tmp_path / each.file).parent.mkdir(exist_ok=True)
        (tmp_path / each.file).touch()
    path = tmp_path / bug.file
    path.write_text(bug.before)
    monkeypatch.setattr(build, "check_tools", lambda: None)
    monkeypatch.setattr(build, "get_source", lambda folder: folder)
    monkeypatch.setattr(build, "configure", lambda *_: None)

    def fail(source: Path, *_: object) -> Path:
        assert (source / bug.file).read_text() == bug.after
        raise KernelBuildError("no space")

    monkeypatch.setattr(build, "make_image", fail)
    with pytest.raises(KernelBuildError, match="no space"):
        build.build("discard", tmp_path, 1, "seeded-discard")
    assert path.read_text() == bug.before


def test_a_source_that_is_there_is_not_downloaded_again(tmp_path: Path) -> None:
    source = tmp_path / build.PACKAGE
    source.mkdir()
    (source / "Makefile").touch()
    assert build.get_source(tmp_path) == source
