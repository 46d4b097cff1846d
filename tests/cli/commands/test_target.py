"""`mmfuzz target`: kernels added, fetched, listed, shown and removed; bad ones told in a line."""

from pathlib import Path

import pytest

from tests.cli.conftest import Done, Shell
from tests.guest.modules import module, tree
from tests.workers.targets.kernels import RELEASE, bzimage
from tests.workers.targets.kernels import debian_6_1 as debian_6_1
from workers.targets.images import KernelImage


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """A file that looks like a kernel."""
    file = tmp_path / "bzImage"
    file.write_bytes(bzimage())
    return file


def target(shell: Shell, *arguments: object) -> Done:
    """Run it with a cache of its own."""
    return shell("target", *arguments, MMFUZZ_CACHE=str(shell.folder / "cache"))


def test_a_kernel_is_added_listed_shown_and_removed(mmfuzz: Shell, kernel: Path) -> None:
    modules = tree(mmfuzz.folder / "m" / RELEASE, {"a.ko": module("a")})
    added = target(mmfuzz, "add", "own", kernel, "--modules", modules, "--json")
    assert added.code == 0, added.err
    assert (added.json["name"], added.json["release"], added.json["source"]) == ("own", RELEASE, str(kernel))
    assert Path(added.json["kernel"]).is_relative_to(mmfuzz.folder / "cache" / "targets" / "own")
    assert target(mmfuzz, "list", "--json").json == [added.json]
    assert target(mmfuzz, "show", "own", "--json").json == added.json
    assert target(mmfuzz, "remove", "own", "--json").json == {"removed": "own"}
    assert target(mmfuzz, "list", "--json").json == []


def test_people_are_told_the_same(mmfuzz: Shell, kernel: Path) -> None:
    assert "`mmfuzz target fetch debian:6.1` gets one" in target(mmfuzz, "list").out
    assert target(mmfuzz, "add", "own", kernel).out == f"own: added, {RELEASE} without modules, from {kernel}\n"
    heading, row = target(mmfuzz, "list").out.splitlines()
    assert heading.split() == ["NAME", "RELEASE", "MODULES", "MB", "ADDED", "FROM"]
    assert row.split()[:4] == ["own", RELEASE, "no", "0.0"]
    shown = target(mmfuzz, "show", "own").out
    assert f"release    {RELEASE}\n" in shown
    assert "modules    none: all that it has is built in\n" in shown
    assert target(mmfuzz, "remove", "own").out == "own: removed\n"


def test_a_damaged_kernel_is_listed_shown_as_trouble_and_can_be_removed(mmfuzz: Shell, kernel: Path) -> None:
    added = target(mmfuzz, "add", "own", kernel, "--json").json
    Path(added["kernel"]).write_bytes(b"x")
    done = target(mmfuzz, "show", "own")
    assert (done.code, done.out) == (4, "")
    assert "is not the one that was added" in done.err
    (listed,) = target(mmfuzz, "list", "--json").json
    assert (listed["name"], "has changed" in listed["broken"]) == ("own", True)
    assert "broken" in target(mmfuzz, "list").out
    assert target(mmfuzz, "remove", "own").code == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["add", "own", "nowhere"], "no such file: nowhere"),
        (["add", "own", "."], "not a file"),
        (["add", "own", "empty"], "empty is empty"),
        (["add", "own", "vmlinux"], "give arch/x86/boot/bzImage, not vmlinux"),
        (["add", "own", "text"], "text is text"),
        (["add", "own", "half"], "half is cut off"),
        (["add", "a/b", "bzImage"], "no name for a target: 'a/b'"),
        (["add", "own", "bzImage", "--modules", "nowhere"], "no folder of modules: nowhere"),
        (["add", "own", "bzImage", "--modules", "."], f"no modules of {RELEASE} in ."),
        (["fetch", "ubuntu:6.1"], "unknown kernel to fetch: 'ubuntu:6.1'"),
        (["fetch", "debian:6.1", "--name", "../x"], "no name for a target"),
        (["show", "own"], "there is no target own"),
        (["remove", "own"], "there is no target own"),
    ],
)
def test_bad_input_is_told_in_a_line(mmfuzz: Shell, kernel: Path, arguments: list[str], said: str) -> None:
    for name, content in {
        "empty": b"",
        "vmlinux": b"\x7fELF\x02\x01",
        "text": b"hello\n",
        "half": kernel.read_bytes()[:4000],
    }.items():
        (mmfuzz.folder / name).write_bytes(content)
    done = target(mmfuzz, *arguments, "--json")
    assert done.code == 3
    assert said in done.err
    assert len(done.err.splitlines()) == 1
    assert said in done.json["error"]["message"]


def test_a_cache_that_cannot_be_written_is_trouble_of_the_machine(mmfuzz: Shell, kernel: Path) -> None:
    (mmfuzz.folder / "cache").write_text("a file")
    done = target(mmfuzz, "add", "own", kernel)
    assert (done.code, done.out) == (4, "")
    assert "MMFUZZ_CACHE names another place" in done.err


def test_a_fetched_kernel_is_fetched_once(mmfuzz: Shell, debian_6_1: KernelImage) -> None:
    # In the user's cache, where the fixture has put it.
    done = mmfuzz("target", "fetch", "debian:6.1", "--json", MMFUZZ_CACHE=str(debian_6_1.kernel.parents[3]))
    assert done.code == 0, done.err
    assert (done.json["name"], done.json["changed"], done.json["before"]) == ("debian-6.1", False, None)
    assert "downloading" not in done.err
