"""`mmfuzz campaign` as a user runs it: made, executed here, interrupted in every way, and what is wrongly asked."""

import json
import signal
import tomllib
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands.conftest import SMALL, WORLD, change, count, going_on, make, wait_while
from tests.cli.conftest import REFUSED, Done, Shell

NAMED = ["start", "resume", "pause", "stop", "show", "watch", "ledger", "priority", "clone"]
LAST_ARGUMENT = {"priority": ["5"], "clone": ["other"]}

FILE = f"""
format = "mmfuzz campaign 1"
kernels = ["{REFUSED}"]
worlds = ["{WORLD}"]
without = [["steps", "ksm", "memcg"]]
oracles = ["lost-store"]
seed = 7
canary_minutes = 0

[engines]
swarm = 2
random = 1

[budget]
ops = 1000

[units]
seeds = 5
"""


def refused(done: Done, *said: str) -> None:
    """It was refused as wrong usage, in words that name all of this."""
    assert (done.code, done.out) == (3, ""), done.err
    assert "Traceback" not in done.err
    assert all(each in done.err for each in said), done.err


def ledger(shell: Shell, name: str) -> Any:
    done = shell("campaign", "ledger", name, "--json")
    assert done.code == 0, done.err
    return done.json


def same_outcome(shell: Shell, name: str, wanted: Any) -> None:
    """The campaign is done, with the digest of the one that nobody interrupted, and nothing was lost or done twice."""
    shown = shell("campaign", "show", name, "--json").json
    assert (shown["state"], shown["ended_by"]) == ("done", "ops")
    assert shown["digest"] == wanted["digest"]
    assert ledger(shell, name)["balanced"]


def test_options_make_a_campaign_that_is_not_started(mmfuzz: Shell) -> None:
    made = make(mmfuzz, "mine", "--engine", "swarm=2", "--engine", "random", "--priority", 4, "--failures", 3)
    settings = made["settings"]
    assert (made["name"], made["cells"]) == ("mine", 2)
    assert settings["kernels"][0]["name"] == REFUSED
    assert settings["engines"] == [["swarm", 2], ["random", 1]]
    assert settings["budget"] == {"seconds": None, "ops": 20_000, "failures": 3, "plateau": None}
    shown = mmfuzz("campaign", "show", "mine", "--json").json
    assert (shown["state"], shown["priority"], shown["units_planned"]) == ("new", 4, 0)
    assert shown["settings"] == settings


def test_a_file_makes_the_campaign_it_describes_and_options_go_before_it(mmfuzz: Shell) -> None:
    (mmfuzz.folder / "mine.toml").write_text(FILE)
    done = mmfuzz("campaign", "new", "mine", "--from", "mine.toml", "--seed", 8, "--json")
    assert done.code == 0, done.err
    settings = done.json["settings"]
    written = tomllib.loads(FILE)
    assert settings["seed"] == 8
    assert settings["engines"] == [list(pair) for pair in written["engines"].items()]
    as_written = ("worlds", "without", "oracles", "canary_minutes")
    assert {name: settings[name] for name in as_written} == {name: written[name] for name in as_written}
    assert (settings["budget"]["ops"], settings["units"]["seeds"]) == (1000, 5)


def test_a_seed_that_is_not_given_is_drawn(mmfuzz: Shell) -> None:
    seeds = {mmfuzz("campaign", "new", name, "--kernel", REFUSED, "--json").json["settings"]["seed"] for name in "abc"}
    assert len(seeds) == 3


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], ["no kernel was named", "--kernel", "--from"]),
        (["--kernel", "linux-4.6"], ["unknown kernel 'linux-4.6'", REFUSED]),
        (["--kernel", "none.py:Mine"], ["no such file", "none.py"]),
        (["--kernel", REFUSED, "--kernel", REFUSED], ["same rows", "once"]),
        (["--kernel", REFUSED, "--reference", REFUSED], ["same rows", REFUSED]),
        (["--kernel", REFUSED, "--engine", "swram"], ["unknown engine 'swram'", "swarm"]),
        (["--kernel", REFUSED, "--engine", "swarm=many"], ["swarm=many", "swarm=2"]),
        (["--kernel", REFUSED, "--engine", "swarm=0"], ["engines.swarm=0", "1 to 100"]),
        (["--kernel", REFUSED, "--world", "pages=99"], ["pages=99", "1 to 24"]),
        (["--kernel", REFUSED, "--world", "pagse=2"], ["unknown world field 'pagse'"]),
        (["--kernel", REFUSED, "--without", "kms"], ["unknown feature 'kms'", "'ksm'"]),
        (["--kernel", REFUSED, "--oracles", "lost-stroe"], ["unknown oracle 'lost-stroe'"]),
        (["--kernel", REFUSED, "--priority", "0"], ["priority=0", "1 to 100"]),
        (["--kernel", REFUSED, "--seed", str(2**63)], [f"seed={2**63}"]),
        (["--kernel", REFUSED, "--ops", "-1"], ["budget.ops=-1"]),
        (["--kernel", REFUSED, "--seconds", "nan"], ["budget.seconds=nan"]),
        (["--kernel", REFUSED, "--seeds", "0"], ["units.seeds=0"]),
        (["--kernel", REFUSED, "--canary-minutes", "-1"], ["canary_minutes=-1"]),
        (["--from", "none.toml"], ["none.toml"]),
    ],
)
def test_wrong_settings_are_told_and_nothing_is_stored(mmfuzz: Shell, options: list[str], said: list[str]) -> None:
    refused(mmfuzz("campaign", "new", "mine", *options), *said)
    assert not mmfuzz.database.exists()


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ('kernels = ["', 'kernels = "', ["not TOML", "line 3"]),
        ("seed = 7", "seed = 7\nsede = 7", ["sede"]),
        ("[budget]\nops", "[budget]\nopps", ["opps", "budget"]),
        ("seed = 7", 'seed = "seven"', ["$.seed", "int"]),
        ("campaign 1", "campaign 2", ["'mmfuzz campaign 2'", "'mmfuzz campaign 1'"]),
        ('format = "mmfuzz campaign 1"', "", ["format"]),
        ("swarm = 2", "swram = 2", ["unknown engine 'swram'"]),
        (REFUSED, "linux-4.6", ["unknown kernel 'linux-4.6'"]),
        ("pages=2", "pages=99", ["pages=99"]),
        (f'["{REFUSED}"]', "[]", ["kernels is empty"]),
        ("seeds = 5", "seeds = 0", ["units.seeds=0"]),
    ],
)
def test_a_wrong_file_is_told_with_its_place(mmfuzz: Shell, before: str, after: str, said: list[str]) -> None:
    assert before in FILE
    (mmfuzz.folder / "wrong.toml").write_text(FILE.replace(before, after))
    refused(mmfuzz("campaign", "new", "mine", "--from", "wrong.toml"), *said)
    assert not mmfuzz.database.exists()


def test_a_file_that_is_no_text_is_told(mmfuzz: Shell) -> None:
    (mmfuzz.folder / "binary.toml").write_bytes(b"\xff\xfe\x00")
    refused(mmfuzz("campaign", "new", "mine", "--from", "binary.toml"), "binary.toml", "UTF-8")


def test_a_taken_name_is_refused_and_the_first_stays(mmfuzz: Shell) -> None:
    first = make(mmfuzz, "mine")
    refused(mmfuzz("campaign", "new", "mine", *SMALL, "--priority", 9), "mine", "campaign clone")
    assert [each["id"] for each in mmfuzz("campaign", "list", "--json").json["campaigns"]] == [first["id"]]
    assert mmfuzz("campaign", "show", "mine", "--json").json["priority"] == 1


@pytest.mark.parametrize("name", ["", " ", "cmp-0123456789"])
def test_a_name_that_cannot_be_is_refused(mmfuzz: Shell, name: str) -> None:
    refused(mmfuzz("campaign", "new", name, *SMALL), repr(name), "cmp-")
    assert not mmfuzz.database.exists()


@pytest.mark.parametrize("command", NAMED)
def test_an_unknown_campaign_is_told_with_the_latest(finished: tuple[Shell, Any], command: str) -> None:
    shell, _ = finished
    done = shell("campaign", command, "noe", *LAST_ARGUMENT.get(command, []))
    refused(done, "no such campaign: noe", "`campaign list`", "one")


def test_without_a_database_there_is_nothing_to_be_shown(mmfuzz: Shell) -> None:
    done = mmfuzz("campaign", "list")
    assert (done.code, done.out) == (4, "")
    assert "nothing was ever stored" in done.err


def test_what_is_over_cannot_be_started_paused_or_stopped_again(finished: tuple[Shell, Any]) -> None:
    shell, document = finished
    for command in (["start", "one"], ["start", "one", "--local"], ["resume", "one"]):
        refused(shell("campaign", *command), "one is done", "campaign clone one")
    refused(shell("campaign", "pause", "one"), "one is done", "running")
    refused(shell("campaign", "stop", "one"), "one is done", "running")
    assert shell("campaign", "show", "one", "--json").json["digest"] == document["digest"]


def test_what_does_not_run_cannot_be_paused(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine")
    refused(mmfuzz("campaign", "pause", "mine"), "mine is new", "running")
    assert mmfuzz("campaign", "show", "mine", "--json").json["state"] == "new"


def test_a_campaign_of_another_results_version_is_not_executed_here(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine")
    change(mmfuzz.database, "UPDATE campaign SET results_version = 'results-0'")
    refused(mmfuzz("campaign", "start", "mine", "--local"), "mine", "results-0", "clone")
    assert mmfuzz("campaign", "show", "mine", "--json").json["state"] == "new"


def test_jobs_are_only_for_what_is_executed_here(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine")
    refused(mmfuzz("campaign", "start", "mine", "--jobs", 2), "--jobs", "--local", "--concurrency")
    assert mmfuzz("campaign", "show", "mine", "--json").json["state"] == "new"


def test_the_ledger_of_a_finished_campaign_balances(finished: tuple[Shell, Any]) -> None:
    shell, document = finished
    found = ledger(shell, "one")
    assert found == {"campaign": "one", "state": "done"} | document["ledger"]
    assert found["units_planned"] == found["units_done"] == 11
    assert found["seeds_planned"] == found["seeds_executed"] == 20
    assert found["units_outstanding"] == found["units_quarantined"] == found["seeds_outstanding"] == 0
    assert found["samples"] == found["samples_explained"] > 0
    assert found["balanced"] is True
    assert shell("campaign", "ledger", "one").out.endswith("balanced\n")


def test_a_ledger_that_does_not_balance_is_told_with_its_own_exit_code(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine")
    change(mmfuzz.database, "UPDATE campaign SET seeds_planned = 3, next_number = 1")
    done = mmfuzz("campaign", "ledger", "mine", "--json")
    assert (done.code, done.json["balanced"], done.json["seeds_missing"]) == (4, False, 3)
    assert "NOT BALANCED" in mmfuzz("campaign", "ledger", "mine").out


def test_show_tells_cells_failures_and_events(finished: tuple[Shell, Any]) -> None:
    shell, document = finished
    (cell,) = document["cells"]
    assert (cell["kernel"], cell["ops"]) == (REFUSED, document["ops"])
    assert 0 < cell["rows_covered"] < cell["rows_total"]
    assert {failure["oracle"] for failure in cell["failures"]} == {"lost-store"}
    done = shell("campaign", "show", "one", "--events")
    assert done.code == 0
    for said in ("one", "done (by ops)", "ledger balanced", document["digest"], "none asked for", "draining", "made"):
        assert said in done.out
    assert all(failure["id"] in done.out for failure in cell["failures"])
    events = shell("campaign", "show", "one", "--events", "--json").json["events"]
    assert [event["what"] for event in events] == ["done", "draining", "running", "made"]


def test_list_has_every_campaign_the_last_first(mmfuzz: Shell) -> None:
    for name in ("early", "late"):
        make(mmfuzz, name)
    document = mmfuzz("campaign", "list", "--json").json
    assert [each["name"] for each in document["campaigns"]] == ["late", "early"]
    assert all((each["ops"], each["failures"], each["state"]) == (0, 0, "new") for each in document["campaigns"])
    lines = mmfuzz("campaign", "list").out.splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["late", "early"]


def test_watch_ends_with_the_report_when_the_campaign_is_over(finished: tuple[Shell, Any]) -> None:
    shell, document = finished
    watched = shell("campaign", "watch", "one", "--json")
    assert (watched.code, watched.json["digest"]) == (1, document["digest"])
    text = shell("campaign", "watch", "one")
    assert "done (by ops)" in text.out
    assert "one done" in text.err


def test_a_clone_says_what_differs_and_finds_the_same_without_a_difference(finished: tuple[Shell, Any]) -> None:
    shell, document = finished
    changed = shell("campaign", "clone", "one", "changed", "--priority", 3, "--ops", 500, "--without", "ksm", "--json")
    assert changed.code == 0, changed.err
    assert {each["setting"]: (each["before"], each["after"]) for each in changed.json["changed"]} == {
        "priority": (1, 3),
        "budget.ops": (20_000, 500),
        "without": ([["steps", "ksm", "memcg"]], [["ksm"]]),
    }
    assert shell("campaign", "show", "changed", "--json").json["cloned_from"] == document["id"]
    assert "budget.ops: 500 -> 600" in shell("campaign", "clone", "changed", "again", "--ops", 600).out
    assert "all settings are the same" in shell("campaign", "clone", "one", "twin").out
    assert shell("campaign", "start", "twin", "--local").code == 1
    same_outcome(shell, "twin", document)


def test_priority_changes_at_once_and_only_to_what_can_be(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine")
    assert mmfuzz("campaign", "priority", "mine", 7, "--json").json["priority"] == 7
    refused(mmfuzz("campaign", "priority", "mine", 0), "0", "1<=x<=100")
    assert mmfuzz("campaign", "show", "mine", "--json").json["priority"] == 7


def test_start_without_a_place_only_lets_it_run(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine")
    assert mmfuzz("campaign", "start", "mine").out == "mine  running, priority 1\n"
    assert mmfuzz("campaign", "pause", "mine", "--json").json["state"] == "paused"
    assert mmfuzz("campaign", "resume", "mine", "--json").json["state"] == "running"


def test_stop_of_what_nobody_executes_waits_for_whoever_does(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine")
    assert mmfuzz("campaign", "stop", "mine", "--json").json["state"] == "draining"
    done = mmfuzz("campaign", "start", "mine", "--local", "--json")
    # Nothing was executed, so nothing is known.
    assert (done.code, done.json["state"], done.json["ended_by"]) == (2, "stopped", "user")


def at_work(file: Path, units: int = 1) -> Any:
    """Whether so many units are done."""
    return lambda: count(file, "unit_result") >= units


def test_ctrl_c_pauses_and_going_on_gives_the_same(mmfuzz: Shell, finished: tuple[Shell, Any]) -> None:
    make(mmfuzz, "mine")
    with going_on(mmfuzz, "campaign", "start", "mine", "--local", "--json") as process:
        wait_while(process, at_work(mmfuzz.database), "a unit is done")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    document = json.loads(out)
    assert (document["state"], process.returncode in (1, 2)) == ("paused", True), err
    assert "`mmfuzz campaign resume mine --local` goes on" in err
    assert document["ledger"]["balanced"]
    assert document["ledger"]["units_outstanding"] + document["ledger"]["samples_waiting"] > 0
    assert mmfuzz("campaign", "resume", "mine", "--local").code == 1
    same_outcome(mmfuzz, "mine", finished[1])


def test_pause_reaches_the_process_that_executes_and_resume_gives_the_same(
    mmfuzz: Shell, finished: tuple[Shell, Any]
) -> None:
    make(mmfuzz, "mine")
    with going_on(mmfuzz, "campaign", "start", "mine", "--local", "--json") as process:
        wait_while(process, at_work(mmfuzz.database), "a unit is done")
        assert mmfuzz("campaign", "pause", "mine").out == "mine  paused, priority 1\n"
        out, err = process.communicate(timeout=60)
    assert json.loads(out)["state"] == "paused", err
    assert mmfuzz("campaign", "resume", "mine", "--local").code == 1
    same_outcome(mmfuzz, "mine", finished[1])


def test_stop_reaches_the_process_that_executes_and_nothing_stays_in_hand(mmfuzz: Shell) -> None:
    make(mmfuzz, "mine")
    with going_on(mmfuzz, "campaign", "start", "mine", "--local", "--json") as process:
        wait_while(process, at_work(mmfuzz.database), "a unit is done")
        assert mmfuzz("campaign", "stop", "mine").code == 0
        out, err = process.communicate(timeout=60)
    document = json.loads(out)
    assert (document["state"], document["ended_by"]) == ("stopped", "user"), err
    found = ledger(mmfuzz, "mine")
    assert (found["units_outstanding"], found["samples_waiting"]) == (0, 0)
    assert found["units_withdrawn"] > 0


def test_kill_9_in_the_middle_loses_nothing_and_doubles_nothing(mmfuzz: Shell, finished: tuple[Shell, Any]) -> None:
    make(mmfuzz, "mine")
    with going_on(mmfuzz, "campaign", "start", "mine", "--local", "--jobs", 2) as process:
        wait_while(process, at_work(mmfuzz.database, 2), "two units are done")
        process.kill()
        process.wait(timeout=60)
    assert ledger(mmfuzz, "mine")["units_outstanding"] > 0
    assert mmfuzz("campaign", "show", "mine", "--json").json["state"] == "running"
    assert mmfuzz("campaign", "start", "mine", "--local").code == 1
    same_outcome(mmfuzz, "mine", finished[1])
