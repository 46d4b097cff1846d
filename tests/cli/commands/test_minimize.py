"""`mmfuzz minimize`: any given trace becomes as simple as it can be."""

from pathlib import Path
from typing import Any

from simcore.trace import parse_trace
from tests.cli.conftest import BEFORE, LOST_STORE, Shell


def test_what_is_printed_is_the_minimized_trace_with_what_was_tried(mmfuzz: Shell, trace_file: Path) -> None:
    done = mmfuzz("minimize", trace_file)
    assert done.code == 0
    assert [str(op) for op in parse_trace(done.out).ops] == ["write 0 0 1", "migrate 0 0", "reclaim"]
    assert "# 5 ops -> 3 in" in done.out
    assert "# tried: " in done.out
    assert mmfuzz("replay", "-", stdin=done.out).code == 1


def test_json_says_how_far_it_can_be_trusted(mmfuzz: Shell) -> None:
    document = mmfuzz("minimize", "-", "--json", stdin=LOST_STORE).json
    assert document["one_minimal"] is True
    assert document["shortest"] == "known"
    assert document["trace"]["ops"] == 3
    assert document["executions"] > 0
    assert document["tried"]


def test_of_a_failure_the_original_is_minimized(found: tuple[Shell, dict[str, Any]]) -> None:
    shell, document = found
    failure = document["failures"][0]
    assert shell("minimize", failure["id"], "--json").json["original"]["digest"] == failure["original_digest"]


def test_a_trace_that_does_not_fail_is_inconclusive(mmfuzz: Shell, trace_file: Path) -> None:
    done = mmfuzz("minimize", trace_file, "--kernel", BEFORE)
    assert (done.code, done.out) == (2, "")
    assert "nothing to minimize" in done.err


def test_an_oracle_that_does_not_speak_is_told(mmfuzz: Shell, trace_file: Path) -> None:
    silent = mmfuzz("minimize", trace_file, "--oracle", "cow-leak")
    assert silent.code == 3
    assert "what does: lost-store" in silent.err
    unknown = mmfuzz("minimize", trace_file, "--oracle", "cow-laek")
    assert unknown.code == 3
    assert "did you mean 'cow-leak'?" in unknown.err
