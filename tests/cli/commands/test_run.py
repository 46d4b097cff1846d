"""`mmfuzz run` as a user runs it: what it finds, says and stores, and how it is stopped."""

import json
import re
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import BEFORE, REFUSED, SOUND, Done, Shell

FAILURE_KEYS = {"id", "oracle", "class", "ops", "trace", "cause", "signature", "count", "kind", "replay", "explain"}
RUN_KEYS = {"kernel", "seed", "traces", "ops", "seconds", "rows_covered", "rows_total", "failures"}
RUN_KEYS |= {"options", "versions", "digest", "database", "difference", "ended_by"}

MY_PATCH = """
from simcore.kernels.linux_4_5 import Linux45

class MyPatch(Linux45):
    def {rule}({bits}):
        return {value}
"""


def what_was_found(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [{key: failure[key] for key in FAILURE_KEYS} for failure in document["failures"]]


def test_the_document_has_what_is_promised(found: tuple[Shell, dict[str, Any]]) -> None:
    _, document = found
    assert set(document) >= RUN_KEYS
    assert (document["kernel"], document["seed"], document["ended_by"]) == (REFUSED, 1, "ops")
    assert 0 < document["rows_covered"] < document["rows_total"]
    assert all(set(failure) >= FAILURE_KEYS for failure in document["failures"])


def test_the_refused_patch_loses_a_store_by_migration(found: tuple[Shell, dict[str, Any]]) -> None:
    worst = found[1]["failures"][0]
    assert (worst["oracle"], worst["class"], worst["kind"]) == ("lost-store", "safety", "migration")
    assert worst["trace"].splitlines()[3:] == ["write 0 0 1", "migrate 0 0", "reclaim"]
    assert {row["rule"] for row in worst["cause"]["rows"]} == {"reclaim_freeable", "unmap_discards"}
    assert worst["ops"] == 3


def test_rows_of_the_difference_are_exercised_or_not(found: tuple[Shell, dict[str, Any]]) -> None:
    difference = found[1]["difference"]
    assert difference["reference"] == BEFORE
    assert difference["exercised"]
    assert len(difference["exercised"]) + len(difference["not_exercised"]) == difference["rows"]


def test_the_same_seed_finds_the_same_on_every_run_and_with_any_number_of_jobs(
    mmfuzz: Shell, found: tuple[Shell, dict[str, Any]]
) -> None:
    asked = ("run", REFUSED, "--ops", 10_000, "--seed", 1, "--json", "--jobs", 2)
    again = mmfuzz(*asked)
    assert what_was_found(again.json) == what_was_found(found[1])
    assert again.json["digest"] == found[1]["digest"]


def test_text_says_options_first_then_failures_difference_and_verdict(mmfuzz: Shell) -> None:
    done = mmfuzz("run", BEFORE, "--ops", 4_000, "--seed", 3, "--stop-after", 1, "--without", "ksm,steps")
    assert done.code == 1
    lines = done.out.splitlines()
    assert lines[0].startswith(f"kernel     {BEFORE}")
    assert "seed       3" in lines
    assert any("without=ksm,steps" in line for line in lines[:5])
    assert "found fail-" in done.err
    assert re.search(r"^  replay:  mmfuzz replay fail-[0-9a-f]{10}$", done.out, re.MULTILINE)
    assert re.search(r"^fail-[0-9a-f]{10} explained$", done.out, re.MULTILINE)
    assert "rows in which it differs from linux-4.5" in done.out
    assert "NOT exercised: nothing is known of" in done.out
    assert re.match(r"FAIL: 1 failure \(1 \w+\) in linux-4.0-rc7-mm1; stored as run-[0-9a-f]{10} in /", lines[-1])
    assert mmfuzz.database.is_file()


def test_a_sound_kernel_passes_with_0(mmfuzz: Shell) -> None:
    done = mmfuzz("run", SOUND, "--ops", 3_000, "--seed", 1, "--no-store")
    assert done.code == 0
    assert done.out.splitlines()[-1] == f"PASS: no failure in {SOUND}; not stored"
    assert not mmfuzz.database.exists()


def test_a_run_that_does_nothing_is_inconclusive(mmfuzz: Shell) -> None:
    done = mmfuzz("run", SOUND, "--ops", 0, "--no-store")
    assert done.code == 2
    assert done.out.splitlines()[-1].startswith("UNKNOWN: no failure")


def test_a_seed_that_is_not_given_is_drawn_and_printed(mmfuzz: Shell) -> None:
    seeds = {mmfuzz("run", SOUND, "--ops", 100, "--no-store", "--json").json["seed"] for _ in range(2)}
    assert len(seeds) == 2
    assert all(0 <= seed < 2**63 for seed in seeds)


def test_a_users_kernel_runs_from_its_file_and_replays_from_what_is_printed(mmfuzz: Shell) -> None:
    patch = mmfuzz.folder / "my patch.py"
    patch.write_text(MY_PATCH.format(rule="migration_keeps_page_dirty", bits="", value="False"))
    wanted = ("--oracles", "lost-store", "--without", "ksm,steps", "--stop-after", "1")
    done = mmfuzz("run", patch, "--ops", 20_000, "--seed", 1, "--no-store", "--json", *wanted)
    assert done.code == 1, done.err
    (failure,) = done.json["failures"]
    assert (done.json["kernel"], failure["cause"]["reference"]) == ("my-patch", "linux-4.5")
    command = f"{' '.join(mmfuzz.command())} {failure['replay'].removeprefix('mmfuzz')}"
    replayed = subprocess.run(
        command, shell=True, cwd=mmfuzz.folder, env=mmfuzz.environment, capture_output=True, text=True, check=False
    )  # fmt: skip
    assert replayed.returncode == 1, replayed.stderr
    assert replayed.stdout.startswith("FAIL: safety lost-store")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["linux-4.6"], ["unknown kernel 'linux-4.6'", REFUSED, "linux-4.5"]),
        (["linux-4.5", "--without", "kms"], ["unknown feature 'kms'", "did you mean 'ksm'?", "swapoff"]),
        (["linux-4.5", "--world", "pages=99"], ["--world", "pages=99; it can be 1 to 24"]),
        (["linux-4.5", "--world", "pagse=2"], ["unknown world field 'pagse'", "processes"]),
        (["linux-4.5", "--engine", "swram"], ["unknown engine 'swram'", "random, swarm"]),
        (["linux-4.5", "--oracles", "lost-stroe"], ["unknown oracle 'lost-stroe'", "never-discardable"]),
        (["linux-4.5", "--reference", "linux-4.5"], ["same rows"]),
        (["linux-4.5", "--database", "mysql://x/y"], ["mysql", "postgresql://"]),
        (["no/such.py:Kernel"], ["no such file", "linux-4.5"]),
        (["linux-4.5", "--seed", str(2**63)], ["--seed"]),
    ],
)
def test_bad_input_is_told_with_what_is_right(mmfuzz: Shell, arguments: list[str], said: list[str]) -> None:
    done = mmfuzz("run", *arguments)
    assert (done.code, done.out) == (3, "")
    assert "Traceback" not in done.err
    assert all(each in done.err for each in said), done.err


@pytest.mark.parametrize(
    ("rule", "bits", "value", "said"),
    [
        ("swapin_pte_drity", "", "True", "did you mean 'swapin_pte_dirty' or"),
        ("swapin_pte_dirty", "wirte", "True", "did you mean 'write'?"),
        ("swapin_pte_dirty", "", "1", "returns True or False"),
        ("swapin_pte_dirty", "", "1 / 0 > 1", "ZeroDivisionError"),
    ],
)
def test_a_wrong_rule_of_a_user_is_told_with_file_and_line(
    mmfuzz: Shell, rule: str, bits: str, value: str, said: str
) -> None:
    (mmfuzz.folder / "mine.py").write_text(MY_PATCH.format(rule=rule, bits=bits, value=value))
    done = mmfuzz("run", "mine.py:MyPatch")
    assert done.code == 3
    assert said in done.err
    assert "mine.py" in done.err
    assert "Traceback" not in done.err


def wait_for(process: "subprocess.Popen[str]", text: str) -> None:
    """Read stderr up to a line with the text."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    raise AssertionError(f"the command ended before it said {text!r}")


def stop(process: "subprocess.Popen[str]", number: signal.Signals) -> Done:
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    return Done(process.returncode, out, err)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_with_all_that_was_found_stored(mmfuzz: Shell, number: signal.Signals) -> None:
    process = mmfuzz.start("run", REFUSED, "--seconds", 600, "--seed", 1, "--json")
    wait_for(process, "found fail-")
    done = stop(process, number)
    assert done.code == 1, done.err
    document = json.loads(done.out)
    assert document["ended_by"] == "user"
    assert document["failures"]
    listed = mmfuzz("failure", "list", "--run", document["run"], "--json").json["failures"]
    assert {each["id"] for each in listed} == {each["id"] for each in document["failures"]}


def test_stopped_without_a_failure_is_inconclusive(mmfuzz: Shell) -> None:
    process = mmfuzz.start("run", SOUND, "--seconds", 600, "--no-store", "--json")
    wait_for(process, "database")
    done = stop(process, signal.SIGINT)
    assert done.code == 2, done.err
    assert json.loads(done.out)["failures"] == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"this is a letter to a friend, and no database at all\n" * 40, "not a database"),
        (b"x", "not a database"),
    ],
)
def test_a_file_that_is_no_database_is_left_as_it_was(mmfuzz: Shell, content: bytes, said: str) -> None:
    path = mmfuzz.folder / "letter.db"
    path.write_bytes(content)
    done = mmfuzz("run", SOUND, "--ops", 100, "--database", path)
    assert (done.code, done.out) == (4, "")
    assert said in done.err
    assert path.read_bytes() == content


def test_a_place_that_cannot_be_written_is_told(mmfuzz: Shell) -> None:
    for place in (Path("/proc/mmfuzz.db"), mmfuzz.folder, mmfuzz.folder / "none" / "mmfuzz.db"):
        done = mmfuzz("run", SOUND, "--ops", 100, "--database", place)
        assert done.code == 4, place
        assert str(place) in done.err
        assert "Traceback" not in done.err
