"""`mmfuzz db` and `mmfuzz doctor`, and every command on a database that is not ours or newer."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.cli.conftest import Shell


def foreign(path: Path) -> None:
    """Another program's database."""
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE letter (text)")
        connection.execute("INSERT INTO letter VALUES ('dear friend')")


def newer(path: Path, shell: Shell) -> None:
    """A database of a later release."""
    assert shell("db", "upgrade", "--database", path).code == 0
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE mmfuzz_schema SET version_num = '9999'")


COMMANDS = pytest.mark.parametrize(
    "command",
    [
        ["run", "canary-sound", "--ops", "100"],
        ["failure", "list"],
        ["replay", "fail-0123456789"],
        ["db", "upgrade"],
        ["db", "check"],
        ["db", "backup", "copy"],
        ["db", "export", "-"],
    ],
    ids=" ".join,
)


@COMMANDS
def test_a_foreign_database_is_refused_and_left_alone(mmfuzz: Shell, command: list[str]) -> None:
    path = mmfuzz.folder / "theirs.db"
    foreign(path)
    before = path.read_bytes()
    done = mmfuzz(*command, "--database", path)
    assert (done.code, done.out) == (4, "")
    assert "letter" in done.err
    assert path.read_bytes() == before
    assert [each.name for each in mmfuzz.folder.glob("theirs*")] == ["theirs.db"]


def test_a_newer_schema_is_refused_and_left_alone(mmfuzz: Shell) -> None:
    path = mmfuzz.folder / "later.db"
    newer(path, mmfuzz)
    before = path.read_bytes()
    for command in (["run", "canary-sound", "--ops", "100"], ["failure", "list"], ["db", "upgrade"]):
        done = mmfuzz(*command, "--database", path)
        assert (done.code, done.out) == (4, "")
        assert "later release" in done.err
        assert "9999" in done.err
        assert path.read_bytes() == before


def test_upgrade_makes_the_database_once(mmfuzz: Shell) -> None:
    assert mmfuzz("db", "check", "--json").json["schema"] == "missing"
    assert not mmfuzz.database.exists()
    first = mmfuzz("db", "upgrade")
    assert (first.code, "made" in first.out) == (0, True)
    again = mmfuzz("db", "upgrade", "--json").json
    assert again["revision_before"] == again["revision"] == again["latest"]
    checked = mmfuzz("db", "check", "--json").json
    assert (checked["schema"], checked["writable"], checked["damage"]) == ("current", True, [])


def test_the_environment_names_the_database(mmfuzz: Shell) -> None:
    path = mmfuzz.folder / "mine.db"
    assert mmfuzz("db", "upgrade", MMFUZZ_DATABASE_URL=f"sqlite:///{path}").code == 0
    assert path.is_file()
    assert not mmfuzz.database.exists()


def test_doctor_finds_all_well_and_changes_nothing(mmfuzz: Shell) -> None:
    done = mmfuzz("doctor")
    assert done.code == 0, done.out
    assert done.out.endswith("all is well\n")
    for checked in ("python", "packages", "core", "self-test", "database", "disk", "terminal"):
        assert checked in done.out
    assert not mmfuzz.database.parent.exists()


def test_doctor_says_what_is_wrong_with_a_database_and_how_to_mend_it(mmfuzz: Shell) -> None:
    path = mmfuzz.folder / "theirs.db"
    foreign(path)
    done = mmfuzz("doctor", "--database", path, "--json")
    assert done.code == 4
    (wrong,) = [finding for finding in done.json["findings"] if finding["status"] == "wrong"]
    assert wrong["name"] == "database"
    assert "letter" in wrong["what"]
    assert wrong["mend"]
