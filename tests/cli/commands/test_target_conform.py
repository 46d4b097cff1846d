"""`mmfuzz target conform` and `mmfuzz target test` on a real kernel."""

import shutil
from pathlib import Path

import pytest

from fuzzer.conform.reading import read_file
from tests.cli.conftest import Done, Shell
from tests.workers.targets.kernels import debian_6_1 as debian_6_1
from workers.targets.images import KernelImage
from workers.targets.machine import QEMU
from workers.targets.place import cache_folder

pytestmark = [
    pytest.mark.skipif(shutil.which(QEMU) is None, reason=f"{QEMU} is not installed (package qemu-system-x86)"),
    pytest.mark.timeout(600),
]


def run(shell: Shell, *arguments: object) -> Done:
    """Run it with the cache in which the kernels of tests are."""
    return shell(*arguments, MMFUZZ_CACHE=str(cache_folder()))


def test_fresh_traces_are_compared_and_kept(mmfuzz: Shell, debian_6_1: KernelImage, tmp_path: Path) -> None:
    options = ("--swap", "zram", "--traces", 20, "--seed", 5, "--no-store", "--keep", tmp_path / "kept", "--json")
    done = run(mmfuzz, "target", "conform", debian_6_1.name, *options)
    said = done.json
    assert done.code in (0, 1), done.err
    assert said["recordings"][0]["readings"] == 20
    assert said["recordings"][0]["release"] == debian_6_1.release
    kept = [reading for _, reading in read_file(tmp_path / "kept" / "fresh-6.1-zram.jsonl.gz")]
    assert [reading.id for reading in kept] == list(range(20))
    assert all(10 <= len(reading.ops) <= 30 for reading in kept)


def test_a_disagreement_is_shortened_on_the_real_kernel(mmfuzz: Shell, debian_6_1: KernelImage, tmp_path: Path) -> None:
    """The rules of another kernel do otherwise: what they do not share is found, and cut down to what shows it."""
    database = str(tmp_path / "found.db")
    options = ("--kernel", "linux-4.5", "--swap", "zram", "--traces", 12, "--json", "--database", database)
    done = run(mmfuzz, "target", "conform", debian_6_1.name, *options)
    assert done.code == 1, done.err
    said = done.json
    assert said["runs"]
    assert "shortened to" in done.err
    listed = run(mmfuzz, "failure", "list", "--json", "--database", database).json
    shortened = [
        run(mmfuzz, "failure", "show", each["id"], "--json", "--database", database).json for each in listed["failures"]
    ]
    again = [each for each in shortened if each["minimization"]["rerun_on_real_kernel"]]
    assert again
    assert min(each["ops"] for each in again) <= 4


def test_fewer_ops_than_the_least_are_refused(mmfuzz: Shell) -> None:
    done = run(mmfuzz, "target", "conform", "debian-6.1", "--least", "20", "--most", "10")
    assert done.code == 3
    assert "--least 20" in done.err


@pytest.mark.parametrize("command", ["conform", "test"])
def test_a_target_that_is_not_there_is_told(mmfuzz: Shell, command: str) -> None:
    done = run(mmfuzz, "target", command, "nothing-here")
    assert done.code == 3
    assert "nothing-here" in done.err
