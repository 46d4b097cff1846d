"""`mmfuzz ablate`: one table of what is left when features are left out."""

import signal
import time

import pytest

from simcore.core import is_compiled
from simcore.trace import parse_trace
from tests.cli.conftest import BEFORE, REFUSED, SOUND, Shell

OPS = 20_000 if is_compiled() else 1_000
SMALL = ("--ops", OPS, "--seed", 1)
TWO = ("--features", "ksm,swapoff")


def test_the_table_has_a_line_for_each_subset_from_all_in_to_none(mmfuzz: Shell) -> None:
    done = mmfuzz("ablate", REFUSED, *SMALL, *TWO)
    assert done.code == 1, done.err
    lines = done.out.splitlines()
    assert lines[0].startswith(f"kernel     {REFUSED}")
    assert "seed       1" in lines
    assert "left out   every subset of ksm, swapoff: 4 worlds" in lines
    table = lines[[line.startswith("IN ") for line in lines].index(True) + 1 :]
    assert [line.split("  ")[0] for line in table[:4]] == ["ksm swapoff", "swapoff", "ksm", "none"]
    assert all("lost-store: migration" in line and "write 0 0 1; migrate 0 0; reclaim" in line for line in table[:4])
    assert lines[-1] == f"FAIL: {REFUSED} fails on its own account in 4 of 4 worlds"
    assert "without ksm,swapoff: " in done.err
    assert not mmfuzz.database.exists()


def test_the_document_has_every_world_with_its_failures(mmfuzz: Shell) -> None:
    done = mmfuzz("ablate", REFUSED, *SMALL, *TWO, "--json")
    assert done.code == done.json["exit_code"] == 1
    assert [world["left_out"] for world in done.json["worlds"]] == [[], ["ksm"], ["swapoff"], ["ksm", "swapoff"]]
    for world in done.json["worlds"]:
        assert world["ops"] >= OPS
        assert 0 < world["first_ops"] <= world["ops"]
        assert 0 < world["first_seconds"] <= world["seconds"]
        for failure in world["failures"]:
            trace = parse_trace(failure["trace"])
            assert len(trace.ops) == failure["ops"]
            assert not trace.world.features & set(world["left_out"])
            assert failure["cause"]["reference"] == BEFORE
    assert {(way["oracle"], way["kind"]) for way in done.json["ways"]} >= {("lost-store", "migration")}
    assert done.json["options"]["seed"] == 1


def test_markdown_is_tables_and_nothing_else(mmfuzz: Shell) -> None:
    done = mmfuzz("ablate", REFUSED, *SMALL, *TWO, "--markdown")
    assert done.code == 1
    worlds, ways = done.out.strip().split("\n\n")
    assert [line.split(" | ")[0] for line in worlds.splitlines()[2:]] == [
        "| ksm swapoff",
        "| swapoff",
        "| ksm",
        "| none",
    ]
    assert {line.count("|") for line in worlds.splitlines()} == {8}
    assert {line.count("|") for line in ways.splitlines()} == {6}
    assert f"kernel     {REFUSED}" in done.err


def test_the_same_seed_finds_the_same(mmfuzz: Shell) -> None:
    asked = ("ablate", REFUSED, *SMALL, "--features", "ksm", "--json")
    worlds = [mmfuzz(*asked).json["worlds"] for _ in range(2)]
    for of_one in worlds:
        for world in of_one:
            del world["seconds"], world["first_seconds"]
    assert worlds[0] == worlds[1]


def test_a_sound_kernel_passes_with_0(mmfuzz: Shell) -> None:
    done = mmfuzz("ablate", SOUND, "--ops", 3_000, "--seed", 1, "--features", "ksm", "--world", "pages=2")
    assert done.code == 0, done.out
    assert done.out.splitlines()[-1] == f"PASS: {SOUND} fails on its own account in 0 of 2 worlds"


def test_time_is_a_budget_of_each_world(mmfuzz: Shell) -> None:
    done = mmfuzz("ablate", SOUND, "--seconds", 0, "--features", "ksm", "--json")
    assert done.json["options"]["ops"] is None
    assert [world["traces"] > 0 for world in done.json["worlds"]] == [True, True]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--features", "kms"], "did you mean 'ksm'?"),
        (["--features", "ksm,ksm"], "twice"),
        (["--world", "pages=2 huge=1"], "file=1"),
        (["--json", "--markdown"], "two forms"),
        (["--ops", "0"], "--ops"),
        (["--reference", REFUSED], "same rows"),
    ],
)
def test_bad_input_is_told_with_what_is_right(mmfuzz: Shell, arguments: list[str], said: str) -> None:
    done = mmfuzz("ablate", REFUSED, *arguments)
    assert done.code == 3
    assert said in done.err


def test_ctrl_c_keeps_the_worlds_that_are_done(mmfuzz: Shell) -> None:
    with mmfuzz.start("ablate", REFUSED, "--seconds", 2, "--seed", 1, "--features", "ksm,steps") as process:
        assert process.stderr is not None
        assert "with everything" in process.stderr.readline()
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 1
    assert "in 1 of 1 world" in out
