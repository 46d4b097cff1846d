"""The edits that put a bug into a kernel: each is made at one place, and can be taken back."""

from pathlib import Path

import pytest

from guest.errors import KernelBuildError
from guest.kernel.bugs import BUGS, Bug, put_in, take_out, take_out_left_over
from guest.kernel.config import FRAGMENT, NEEDED, config_lines, missing_options

BUG = Bug("mm/rmap.c", "if (a && b) {\n", "if (a) {\n", "forgets b")


def source(folder: Path, text: str) -> Path:
    (folder / "mm").mkdir()
    (folder / "mm" / "rmap.c").write_text(text)
    return folder


def test_an_edit_is_made_and_taken_back(tmp_path: Path) -> None:
    tree = source(tmp_path, "first\nif (a && b) {\nlast\n")
    put_in(BUG, tree)
    assert (tree / "mm/rmap.c").read_text() == "first\nif (a) {\nlast\n"
    take_out(BUG, tree)
    assert (tree / "mm/rmap.c").read_text() == "first\nif (a && b) {\nlast\n"


@pytest.mark.parametrize("text", ["nothing of it\n", "if (a && b) {\nif (a && b) {\n"])
def test_a_place_that_is_not_there_exactly_once_is_not_edited(text: str, tmp_path: Path) -> None:
    tree = source(tmp_path, text)
    with pytest.raises(KernelBuildError, match=r"mm/rmap\.c: the place to edit is there [02] times"):
        put_in(BUG, tree)
    assert (tree / "mm/rmap.c").read_text() == text


@pytest.mark.parametrize("name", BUGS)
def test_what_a_killed_build_left_is_taken_out(name: str, tmp_path: Path) -> None:
    for bug in BUGS.values():
        path = tmp_path / bug.file
        path.parent.mkdir(exist_ok=True)
        path.write_text((path.read_text() if path.exists() else "") + bug.before)
    before = {bug.file: (tmp_path / bug.file).read_text() for bug in BUGS.values()}
    put_in(BUGS[name], tmp_path)
    take_out_left_over(tmp_path)
    assert {file: (tmp_path / file).read_text() for file in before} == before


@pytest.mark.parametrize("name", BUGS)
def test_every_bug_leaves_out_something_and_says_what_goes_wrong(name: str) -> None:
    bug = BUGS[name]
    assert len(bug.after) < len(bug.before)
    assert bug.before.count("\n") < 20
    assert bug.effect


def test_the_configuration_asks_for_all_that_is_needed() -> None:
    assert {f"{option}=y" for option in NEEDED} <= set(FRAGMENT.split())
    assert missing_options(config_lines("seeded-discard")) == ()
    assert missing_options(config_lines("x").replace("CONFIG_KSM=y", "# CONFIG_KSM is not set")) == ("KSM",)
