"""`mmfuzz failure`: what is stored, by filters, and one in full."""

from typing import Any

import pytest

from tests.cli.conftest import REFUSED, Shell

Found = tuple[Shell, dict[str, Any]]


def ids(failures: list[dict[str, Any]]) -> set[str]:
    return {failure["id"] for failure in failures}


def test_the_list_has_what_the_run_found(found: Found) -> None:
    shell, document = found
    listed = shell("failure", "list", "--json").json
    assert ids(listed["failures"]) == ids(document["failures"])
    assert listed["total"] == listed["matching"] == len(document["failures"])
    by_id = {failure["id"]: failure for failure in listed["failures"]}
    for failure in document["failures"]:
        kept = ("trace", "original_trace", "cause", "signature", "count", "oracle", "class", "violation", "seed")
        assert {key: by_id[failure["id"]][key] for key in kept} == {key: failure[key] for key in kept}
    text = shell("failure", "list").out
    assert all(failure["id"] in text for failure in document["failures"])


@pytest.mark.parametrize(
    ("option", "value", "key"),
    [("--oracle", "lost-store", "oracle"), ("--class", "cost", "class"), ("--kind", "ksm", "kind")],
)
def test_filters_leave_what_matches_and_totals_stay(found: Found, option: str, value: str, key: str) -> None:
    shell, document = found
    listed = shell("failure", "list", option, value, "--json").json
    assert ids(listed["failures"]) == ids([each for each in document["failures"] if each[key] == value])
    assert (listed["matching"], listed["total"]) == (len(listed["failures"]), len(document["failures"]))


def test_kernel_text_signature_and_limit_filter_too(found: Found) -> None:
    shell, document = found
    worst = document["failures"][0]
    kernel, nobody = ("--kernel", REFUSED), ("--kernel", "linux-4.5")
    assert shell("failure", "list", *kernel, "--text", "SWAPOFF_ON", "--json").json["failures"]
    assert ids(shell("failure", "list", "--signature", worst["signature"], "--json").json["failures"]) == {worst["id"]}
    assert "0 shown of 0 that match" in shell("failure", "list", *nobody).out
    assert len(shell("failure", "list", "--limit", 1, "--json").json["failures"]) == 1


def test_show_has_everything(found: Found) -> None:
    shell, document = found
    worst = document["failures"][0]
    out = shell("failure", "show", worst["id"][:9]).out
    for part in (worst["id"], worst["signature"], worst["replay"], worst["trace_digest"], document["run"], REFUSED):
        assert part in out
    for line in (worst["trace"] + worst["original_trace"]).splitlines():
        assert f"    {line}\n" in out
    shown = shell("failure", "show", worst["id"], "--json").json
    assert shown["findings"][0]["run"] == document["run"]
    assert shown["options"]["seed"] == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["list", "--class", "danger"], "safety, liveness, cost"),
        (["list", "--oracle", "lost-stroe"], "did you mean 'lost-store'?"),
        (["show", "fail-0000000000"], "no such failure is stored"),
        (["show", "fail-"], "hex digits"),
    ],
)
def test_bad_filters_and_ids_are_told(found: Found, arguments: list[str], said: str) -> None:
    done = found[0]("failure", *arguments)
    assert (done.code, done.out) == (3, "")
    assert said in done.err


def test_before_the_first_run_it_is_said_that_nothing_was_stored(mmfuzz: Shell) -> None:
    done = mmfuzz("failure", "list")
    assert done.code == 4
    assert "nothing was ever stored" in done.err
    assert not mmfuzz.database.parent.exists()
