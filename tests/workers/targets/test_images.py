"""Kernels that are kept: what comes back is what was given, and nothing half is ever there."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from simcore.errors import UnknownName
from tests.guest.modules import module, tree
from tests.workers.targets.kernels import RELEASE, bzimage
from workers.targets.errors import BadTargetError, TargetError
from workers.targets.images import BrokenImage, KernelImage, add, image_names, list_images, load, remove


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the targets are kept."""
    return tmp_path / "cache" / "targets"


@pytest.fixture
def kernel(tmp_path: Path) -> Path:
    """A file that looks like a kernel."""
    file = tmp_path / "bzImage"
    file.write_bytes(bzimage())
    return file


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """What `make modules_install` makes, the links to the sources included."""
    folder = tree(tmp_path / "root" / "lib" / "modules" / RELEASE, {"drivers/a.ko.xz": module("a")}, ["b.ko"])
    (folder / "build").symlink_to("/usr/src")
    return folder


def files_of(folder: Path) -> set[str]:
    """The names of everything in a folder."""
    return {path.name for path in folder.iterdir()}


def test_what_was_added_is_loaded_and_listed(folder: Path, kernel: Path, modules: Path) -> None:
    added = add("own", kernel, modules, folder=folder)
    assert added.modules is not None
    assert added.kernel.read_bytes() == kernel.read_bytes()
    assert (added.modules / "kernel" / "drivers" / "a.ko.xz").is_file()
    assert not (added.modules / "build").exists()
    assert (added.name, added.release, added.size_bytes) == ("own", RELEASE, kernel.stat().st_size)
    assert added.source == str(kernel)
    kernel.unlink()
    shutil.rmtree(modules)
    assert load("own", folder) == added
    assert list_images(folder) == (added,)


def test_a_kernel_needs_no_modules(folder: Path, kernel: Path) -> None:
    assert add("own", kernel, folder=folder).modules is None


@pytest.mark.parametrize("levels", range(4))
def test_modules_are_found_from_any_folder_above_them(folder: Path, kernel: Path, modules: Path, levels: int) -> None:
    given = (modules, *modules.parents)[levels]
    if given == modules.parents[1]:
        with pytest.raises(BadTargetError, match=f"no modules of {RELEASE} in .*/lib; give the folder lib/modules"):
            add("own", kernel, given, folder=folder)
    else:
        assert add("own", kernel, given, folder=folder).modules


def test_modules_that_are_not_the_kernels_are_refused(folder: Path, kernel: Path, modules: Path) -> None:
    kernel.write_bytes(bzimage("6.1.0-other"))
    with pytest.raises(BadTargetError, match=f"are for {RELEASE}, the kernel is 6.1.0-other"):
        add("own", kernel, modules, folder=folder)
    with pytest.raises(BadTargetError, match="no folder of modules"):
        add("own", kernel, modules / "nowhere", folder=folder)
    assert image_names(folder) == ()


def test_modules_that_are_none_are_refused(folder: Path, kernel: Path, modules: Path) -> None:
    (modules / "kernel" / "drivers" / "a.ko.xz").write_bytes(b"nothing")
    with pytest.raises(BadTargetError, match="the module cannot be read"):
        add("own", kernel, modules, folder=folder)


@pytest.mark.parametrize("name", ["", "a/b", "..", ".hidden", "-x", "a b", "ä", "x" * 61])
def test_a_name_that_cannot_be_is_refused(folder: Path, kernel: Path, name: str) -> None:
    with pytest.raises(BadTargetError, match="no name for a target"):
        add(name, kernel, folder=folder)
    with pytest.raises(BadTargetError, match="no name for a target"):
        remove(name, folder)


def test_a_name_is_taken_once_and_free_again_when_removed(folder: Path, kernel: Path) -> None:
    first = add("own", kernel, folder=folder)
    kernel.write_bytes(bzimage("6.2"))
    with pytest.raises(BadTargetError, match="there is a target own already"):
        add("own", kernel, folder=folder)
    assert load("own", folder) == first
    remove("own", folder)
    assert files_of(folder) == {".lock"}
    assert add("own", kernel, folder=folder).release == "6.2"


def test_an_unknown_name_is_told_with_those_there_are(folder: Path, kernel: Path) -> None:
    with pytest.raises(BadTargetError, match=r"`mmfuzz target fetch debian:6\.1` gets one"):
        load("own", folder)
    add("own", kernel, folder=folder)
    for look in (load, remove):
        with pytest.raises(UnknownName, match="did you mean 'own'"):
            look("owm", folder)


def test_in_place_of_another_nothing_is_left_of_that(folder: Path, kernel: Path, modules: Path) -> None:
    add("own", kernel, modules, folder=folder)
    kernel.write_bytes(bzimage("6.2"))
    replaced = add("own", kernel, source="elsewhere", replace=True, folder=folder)
    assert (replaced.release, replaced.modules, replaced.source) == ("6.2", None, "elsewhere")
    assert files_of(folder / "own") == {"manifest.json", replaced.kernel.parent.name}


def broken(folder: Path, name: str) -> str:
    """Why a target cannot be used; the list says the same."""
    with pytest.raises(TargetError) as caught:
        load(name, folder)
    assert not isinstance(caught.value, BadTargetError)
    assert BrokenImage(name, str(caught.value)) in list_images(folder)
    return str(caught.value)


def test_a_kernel_that_changed_or_is_gone_is_told(folder: Path, kernel: Path, modules: Path) -> None:
    image = add("own", kernel, modules, folder=folder)
    other = add("other", kernel, folder=folder)
    assert image.modules is not None
    shutil.rmtree(image.modules)
    assert "the modules of own are gone" in broken(folder, "own")
    with image.kernel.open("r+b") as file:
        file.write(b"x")
    assert "is not the one that was added" in broken(folder, "own")
    image.kernel.unlink()
    assert "cannot be read" in broken(folder, "own")
    assert other in list_images(folder)
    remove("own", folder)
    assert image_names(folder) == ("other",)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"version": 2}, "of version 2, not 1"),
        ({"version": "x"}, "is damaged"),
        ({"more": 1}, "is damaged"),
        ({"sha256": None}, "is damaged"),
        ({"name": "another"}, "is of something else"),
        ({"files": "files-x/../.."}, "is of something else"),
        ({"files": "other"}, "is of something else"),
    ],
)
def test_a_manifest_that_is_not_ours_is_told(folder: Path, kernel: Path, change: dict[str, object], said: str) -> None:
    add("own", kernel, folder=folder)
    manifest = folder / "own" / "manifest.json"
    manifest.write_text(json.dumps(json.loads(manifest.read_text()) | change))
    assert said in broken(folder, "own")


@pytest.mark.parametrize("text", ["", "{", "[]", "\xff\xfe"])
def test_a_manifest_that_is_no_json_is_told_and_can_be_removed(folder: Path, kernel: Path, text: str) -> None:
    add("own", kernel, folder=folder)
    (folder / "own" / "manifest.json").write_text(text, "latin-1")
    assert "is damaged" in broken(folder, "own")
    remove("own", folder)
    assert list_images(folder) == ()


def test_what_is_not_ours_in_the_folder_is_left_alone(folder: Path, kernel: Path) -> None:
    (folder / "mine").mkdir(parents=True)
    (folder / "mine" / "precious").write_text("x")
    add("own", kernel, folder=folder)
    add("mine", kernel, folder=folder)
    assert files_of(folder / "mine") >= {"precious", "manifest.json"}
    assert image_names(folder) == ("mine", "own")


def test_a_cache_that_cannot_be_written_is_told(tmp_path: Path, kernel: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(TargetError, match="MMFUZZ_CACHE names another place"):
        add("own", kernel, folder=tmp_path / "file" / "targets")


# Kills itself after so many of the operating system's calls that change names, writes included.
KILLED = """
import os, signal, sys
from pathlib import Path
from workers.targets.images import add
name, kernel, modules, folder, left = *sys.argv[1:5], int(sys.argv[5])
def count(event, arguments):
    global left
    changes = event in {"os.rename", "os.mkdir", "os.rmdir", "os.remove", "shutil.rmtree", "shutil.copyfile"}
    if changes or (event == "open" and arguments[1] not in {"r", "rb"} and str(arguments[0]).startswith(folder)):
        left -= 1
        if left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
sys.addaudithook(count)
add(name, Path(kernel), Path(modules), replace=True, folder=Path(folder))
"""


def test_whoever_is_killed_leaves_the_kernel_before_or_the_one_after(
    root: Path, folder: Path, kernel: Path, modules: Path
) -> None:
    sources: set[str] = set()
    for replaced in (False, True):
        for calls in range(100):
            if replaced:
                add("own", kernel, folder=folder, source="before", replace=True)
                assert len(files_of(folder / "own")) == 2
            command = [sys.executable, "-c", KILLED, "own", str(kernel), str(modules), str(folder), str(calls)]
            code = subprocess.run(command, check=False, env=os.environ | {"PYTHONPATH": str(root)}).returncode
            found = list_images(folder)
            assert all(isinstance(image, KernelImage) for image in found)
            sources |= {image.source for image in found if isinstance(image, KernelImage)}
            if code == 0:
                break
            assert code == -signal.SIGKILL
            if found and not replaced:
                remove("own", folder)
        assert calls > 5
        # Whatever was left is taken away with the next change.
        add("other", kernel, folder=folder)
        remove("other", folder)
        assert files_of(folder) == {".lock", "own"}
        assert len(files_of(folder / "own")) == 2
        remove("own", folder)
    assert sources == {"before", str(kernel)}
