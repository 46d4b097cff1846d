"""`mmfuzz replay`: the stored verdict comes out again, on its kernel and on others."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from db.database import open_database
from tests.cli.conftest import BEFORE, LOST_STORE, REFUSED, Shell

Found = tuple[Shell, dict[str, Any]]


def test_a_stored_failure_fails_as_stored(found: Found) -> None:
    shell, document = found
    for failure in document["failures"][:2]:
        done = shell(*failure["replay"].split()[1:])
        assert done.code == 1
        assert done.out.startswith(f"FAIL: {failure['class']} {failure['oracle']} ({failure['kind']})")
        assert "  as stored\n" in done.out


def test_the_original_fails_in_the_same_way(found: Found) -> None:
    shell, document = found
    failure = document["failures"][0]
    done = shell("replay", failure["id"], "--original", "--json")
    assert done.code == 1
    assert done.json["comparison"] == "as stored"
    assert done.json["trace"]["text"] == failure["original_trace"]
    assert done.json["violation"]["oracle"] == failure["oracle"]


def test_on_another_kernel_the_verdict_is_that_kernels(found: Found) -> None:
    shell, document = found
    done = shell("replay", document["failures"][0]["id"], "--kernel", BEFORE, "--json")
    assert (done.code, done.json["verdict"], done.json["kernel"]) == (0, "PASS", BEFORE)
    assert REFUSED in done.json["comparison"]


def test_a_file_and_stdin_are_replayed(mmfuzz: Shell, trace_file: Path) -> None:
    from_file, from_stdin = mmfuzz("replay", trace_file, "--json"), mmfuzz("replay", "-", "--json", stdin=LOST_STORE)
    assert from_file.code == from_stdin.code == 1
    assert from_file.json == from_stdin.json
    assert from_file.json["comparison"] == "nothing is stored to compare with"


def test_what_is_not_as_stored_is_unknown(found: Found, tmp_path: Path) -> None:
    shell, document = found
    copy = tmp_path / "copy.db"
    copy.write_bytes(shell.database.read_bytes())
    worst = document["failures"][0]["id"]
    with open_database(copy) as database, database.write() as session:
        session.execute(text("UPDATE failure SET kind = 'cow' WHERE id = :id"), {"id": worst})
    done = shell("replay", worst, "--database", copy)
    assert done.code == 2
    assert done.out.startswith("UNKNOWN: it differs from what was stored")


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["replay", "fail-0000000000"], 3, "no such failure is stored"),
        (["replay", "none.trace"], 3, "there is no file 'none.trace'"),
        (["replay", "fail-00", "--database", "none.db"], 4, "there is no database"),
        (["replay", "-", "--original"], 3, "only a stored failure"),
    ],
)
def test_what_is_not_there_is_told(found: Found, arguments: list[str], code: int, said: str) -> None:
    done = found[0](*arguments)
    assert (done.code, done.out) == (code, "")
    assert said in done.err
    assert "Traceback" not in done.err


def test_a_trace_for_a_kernel_that_is_not_shipped_asks_for_it(mmfuzz: Shell, trace_file: Path) -> None:
    trace_file.write_text(LOST_STORE.replace(REFUSED, "./mine.py"))
    (mmfuzz.folder / "mine.py").write_text("raise SystemExit('a trace must not run programs')")
    done = mmfuzz("replay", trace_file)
    assert done.code == 3
    assert "--kernel" in done.err
    assert "must not run" not in done.err
    assert mmfuzz("replay", trace_file, "--kernel", REFUSED).code == 1
