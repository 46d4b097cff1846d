"""Which machine a reading was made on."""

from pathlib import Path

import pytest

from fuzzer.conform.errors import WorldUnknown
from fuzzer.conform.world import Source, base_world, batch_size, find_source, named_version

ZRAM = Source("main-6.1-zram.jsonl.gz", "main", "6.1", "zram")
DISK = Source("thp-6.12-virtio.jsonl.gz", "thp", "6.12", "virtio")


@pytest.mark.parametrize("source", [ZRAM, DISK])
def test_source_is_what_the_name_says(source: Source) -> None:
    assert find_source(Path("/anywhere") / source.name, "linux-4.5") == source


def test_source_without_a_name_takes_kernel_and_option() -> None:
    found = find_source(Path("mine.jsonl"), "linux-6.12", "virtio")
    assert (found.version, found.swap, found.set) == ("6.12", "virtio", "-")


def test_option_goes_before_the_name() -> None:
    assert find_source(Path(ZRAM.name), "linux-6.1", "virtio").swap == "virtio"


def test_source_that_nothing_names_is_refused() -> None:
    with pytest.raises(WorldUnknown, match="say --swap zram or virtio"):
        find_source(Path("mine.jsonl"), "linux-6.1")
    with pytest.raises(WorldUnknown, match="which version"):
        find_source(Path("mine.jsonl"), "mine", "zram")


def test_version_in_a_name() -> None:
    assert named_version(Path(DISK.name)) == "6.12"
    assert named_version(Path("mine.jsonl")) is None


def test_batch_size_follows_the_simulated_kernel_then_the_reading() -> None:
    assert batch_size("linux-6.1", DISK) == 15
    assert batch_size("linux-6.12", ZRAM) == 31
    assert batch_size("mine", ZRAM) == 15
    assert batch_size("mine", DISK) == 31
    assert batch_size("linux-6.9", ZRAM) == 15


def test_ksm_is_wrong_from_6_12_on() -> None:
    assert not ZRAM.ksm_is_wrong
    assert DISK.ksm_is_wrong


def test_world_has_the_pages_of_a_reading() -> None:
    world = base_world(ZRAM, 15)
    assert (world.processes, world.total_pages, world.mergeable, world.swap, world.batch) == (3, 12, 4, "zram", 15)
    assert base_world(DISK, 31).swap == "disk"
    assert {"memcg", "io_error", "steps"} == set(world.missing)
