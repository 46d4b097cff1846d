"""`mmfuzz db backup`, `export` and `import`: what a user sees of them, and what is left when they fail."""

import json
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from db import schema
from tests.cli.conftest import Shell

Found = tuple[Shell, dict[str, Any]]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def failures(shell: Shell, database: Path) -> list[tuple[str, str, int]]:
    """The failures in a database: id, trace, and how often each was seen."""
    done = shell("failure", "list", "--database", database, "--json")
    assert done.code == 0, done.err
    return [(each["id"], each["trace"], each["count"]) for each in done.json["failures"]]


def test_backup_is_a_database_with_the_same_failures(found: Found, tmp_path: Path) -> None:
    shell, run = found
    done = shell("db", "backup", tmp_path / "copy.db", "--json")
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "database": str(shell.database),
        "file": str(tmp_path / "copy.db"),
        "form": "sqlite",
        "revision": schema.revisions()[-1],
        "bytes": (tmp_path / "copy.db").stat().st_size,
    }
    assert failures(shell, tmp_path / "copy.db") == failures(shell, shell.database)
    replayed = shell("replay", run["failures"][0]["id"], "--database", tmp_path / "copy.db")
    assert replayed.code == 1


def test_backup_says_what_it_has_done(found: Found, tmp_path: Path) -> None:
    shell, _ = found
    done = shell("db", "backup", tmp_path / "copy.db")
    assert done.out.startswith(f"{shell.database}: copied to {tmp_path / 'copy.db'}, ")
    assert done.out.endswith(f" bytes, schema {schema.revisions()[-1]}\n")


@pytest.mark.parametrize("command", ["backup", "export"])
def test_file_that_cannot_be_made_is_a_mistake_and_nothing_is_touched(
    found: Found, tmp_path: Path, command: str
) -> None:
    shell, _ = found
    (tmp_path / "letter").write_text("dear friend")
    for name, said in (("letter", "a file is there already"), ("no/copy", "folder does not exist"), (".", "a folder")):
        done = shell("db", command, tmp_path / name, "--json")
        assert done.code == 3
        assert said in done.json["error"]["message"]
        assert str(tmp_path) in done.err
    assert (tmp_path / "letter").read_text() == "dear friend"
    assert names(tmp_path) == ["letter"]


@pytest.mark.parametrize("command", ["backup", "export"])
def test_database_that_is_missing_is_told_and_nothing_is_made(mmfuzz: Shell, command: str) -> None:
    for database in ([], ["--database", mmfuzz.folder / "missing.db"]):
        done = mmfuzz("db", command, "copy", *database)
        assert (done.code, done.out) == (4, "")
        assert "there is no database" in done.err or "nothing was ever stored" in done.err
    assert names(mmfuzz.folder) == []


def test_export_is_the_same_in_a_file_and_on_stdout(found: Found, tmp_path: Path) -> None:
    shell, run = found
    printed = shell("db", "export", "-")
    assert (printed.code, printed.err) == (0, "")
    done = shell("db", "export", tmp_path / "all.jsonl", "--json")
    assert (tmp_path / "all.jsonl").read_text() == printed.out
    lines = [json.loads(line) for line in printed.out.splitlines()]
    assert lines[0]["mmfuzz"] == run["versions"]["mmfuzz"]
    assert done.json["rows"] == lines[-1]["end"]
    assert (done.json["file"], done.json["scope"]) == (str(tmp_path / "all.jsonl"), "all")
    assert done.json["rows"]["failure"] == len(run["failures"])


def test_export_of_failures_has_no_runs(found: Found, tmp_path: Path) -> None:
    shell, run = found
    done = shell("db", "export", tmp_path / "failures.jsonl", "--failures")
    assert done.code == 0
    assert f"rows of 3 tables written to {tmp_path / 'failures.jsonl'}\n" in done.out
    stored = [json.loads(line) for line in (tmp_path / "failures.jsonl").read_text().splitlines()]
    traces = {line["row"]["text"] for line in stored[1:-1] if line["table"] == "trace"}
    assert {failure["trace"] for failure in run["failures"]} <= traces
    assert "run" not in stored[-1]["end"]


def test_export_to_stdout_leaves_no_room_for_a_document(found: Found) -> None:
    shell, _ = found
    done = shell("db", "export", "-", "--json")
    assert done.code == 3
    assert "name a file" in done.json["error"]["message"]


def test_export_that_does_not_fit_on_the_disk_is_told(found: Found) -> None:
    shell, _ = found
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            shell.command("db", "export", "-"),
            cwd=shell.folder,
            env=shell.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 4
    assert "the output cannot be written: No space left on device" in done.stderr


def test_export_that_nobody_reads_ends_without_a_word(found: Found) -> None:
    shell, _ = found
    with shell.start("db", "export", "-") as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 4


def test_import_makes_the_database_that_was_exported(found: Found, mmfuzz: Shell) -> None:
    shell, run = found
    exported = shell("db", "export", "-").out
    done = mmfuzz("db", "import", "-", "--json", stdin=exported)
    assert (done.code, done.err) == (0, "")
    assert done.json == {
        "database": str(mmfuzz.database),
        "file": "-",
        "rows": json.loads(exported.splitlines()[-1])["end"],
    }
    assert failures(mmfuzz, mmfuzz.database) == failures(shell, shell.database)
    assert mmfuzz("db", "export", "-").out == exported
    assert mmfuzz("replay", run["failures"][0]["id"]).code == 1


def test_import_into_a_database_that_holds_something_is_refused(found: Found, tmp_path: Path) -> None:
    shell, _ = found
    shell("db", "export", tmp_path / "all.jsonl")
    before = failures(shell, shell.database)
    done = shell("db", "import", tmp_path / "all.jsonl")
    assert (done.code, done.out) == (4, "")
    assert "the database is not empty" in done.err
    assert failures(shell, shell.database) == before


def test_import_of_what_is_no_export_is_a_mistake_and_makes_no_database(mmfuzz: Shell) -> None:
    (mmfuzz.folder / "letter").write_text("dear friend\n")
    for given, said in (
        ("letter", "not an export: letter; give a file that `mmfuzz db export` wrote"),
        ("missing", "'missing' cannot be read: No such file or directory"),
        (".", "'.' cannot be read: Is a directory"),
        ("-", "not an export: <stdin>"),
    ):
        done = mmfuzz("db", "import", given)
        assert (done.code, done.out) == (3, "")
        assert said in done.err
    assert names(mmfuzz.folder) == ["letter"]


def test_import_names_the_line_that_is_wrong_and_stores_nothing(found: Found, mmfuzz: Shell) -> None:
    shell, _ = found
    lines = shell("db", "export", "-").out.splitlines(keepends=True)
    done = mmfuzz("db", "import", "-", stdin="".join([*lines[:5], "{}\n", *lines[5:]]))
    assert done.code == 3
    assert "<stdin>:6: neither" in done.err
    assert failures(mmfuzz, mmfuzz.database) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_import_that_is_stopped_stores_nothing(found: Found, mmfuzz: Shell, number: signal.Signals) -> None:
    shell, _ = found
    lines = shell("db", "export", "-").out.splitlines(keepends=True)
    command = mmfuzz.command("db", "import", "-")
    with subprocess.Popen(
        command, cwd=mmfuzz.folder, env=mmfuzz.environment, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        process.stdin.write("".join(lines[:-1]))
        process.stdin.flush()
        while not Path(f"{mmfuzz.database}-wal").exists():
            assert process.poll() is None
        process.send_signal(number)
        assert process.stderr is not None
        assert process.stderr.read().strip() == "mmfuzz: interrupted"
    assert process.returncode == 2
    assert failures(mmfuzz, mmfuzz.database) == []
