"""The way in: help, version, what is said to a wrong command line, and what the exit codes are."""

import os
import subprocess
from collections.abc import Callable
from typing import NoReturn

import click
import pytest

from cli.edge import EXIT_CODES, run_guarded
from cli.errors import InfrastructureTrouble, OutputGone
from cli.exit_codes import ExitCode
from cli.main import COMMANDS
from db.errors import BadRequestError, DatabaseError
from fuzzer.errors import FuzzerError
from simcore.errors import SimcoreError
from tests.cli.conftest import Shell


def test_help_lists_every_command(mmfuzz: Shell) -> None:
    done = mmfuzz.run_afresh("--help")
    assert done.code == 0
    assert [line.split()[0] for line in done.out.partition("Commands:")[2].splitlines() if line] == list(COMMANDS)
    assert "..." not in done.out.partition("Commands:")[2]


def test_version_names_release_core_and_python(mmfuzz: Shell) -> None:
    done = mmfuzz("--version")
    assert done.code == 0
    assert done.out.startswith("mmfuzz 0.")
    assert "compiled" in done.out


def test_without_a_command_help_is_an_error(mmfuzz: Shell) -> None:
    done = mmfuzz()
    assert (done.code, done.out) == (3, "")
    assert "Usage:" in done.err


def test_an_unknown_command_is_told_with_those_there_are(mmfuzz: Shell) -> None:
    done = mmfuzz("rnu")
    assert done.code == 3
    assert "did you mean 'run'?" in done.err
    assert "doctor" in done.err


@pytest.mark.parametrize(
    "arguments", [["run"], ["run", "linux-4.5", "--nonsense"], ["run", "linux-4.5", "--seed", "x"]]
)
def test_a_wrong_command_line_exits_with_3(mmfuzz: Shell, arguments: list[str]) -> None:
    done = mmfuzz(*arguments)
    assert (done.code, done.out) == (3, "")
    assert "Try 'mmfuzz run --help'" in done.err


def test_an_error_with_json_is_one_document_too(mmfuzz: Shell) -> None:
    done = mmfuzz("kernel", "show", "linux-9", "--json")
    assert done.code == 3
    assert done.json["error"]["exit_code"] == 3
    assert "linux-4.5" in done.json["error"]["message"]
    assert "linux-4.5" in done.err


def raising(error: BaseException) -> Callable[[], NoReturn]:
    def command() -> NoReturn:
        raise error

    return command


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (click.UsageError("x"), ExitCode.USAGE),
        (SimcoreError("x"), ExitCode.USAGE),
        (FuzzerError("x"), ExitCode.USAGE),
        (BadRequestError("a", "b", "c"), ExitCode.USAGE),
        (DatabaseError("a", "b", "c"), ExitCode.INFRASTRUCTURE),
        (InfrastructureTrouble("x"), ExitCode.INFRASTRUCTURE),
        (OutputGone(), ExitCode.INFRASTRUCTURE),
        (KeyboardInterrupt(), ExitCode.INCONCLUSIVE),
    ],
)
def test_errors_have_the_exit_codes_of_the_table(
    error: BaseException, code: ExitCode, capfd: pytest.CaptureFixture[str]
) -> None:
    assert run_guarded(raising(error), []) is code
    assert "Traceback" not in capfd.readouterr().err


def test_no_entry_of_the_table_is_hidden_by_one_before_it() -> None:
    kinds = [kind for kind, _ in EXIT_CODES]
    hidden = [kind for i, kind in enumerate(kinds) if any(issubclass(kind, before) for before in kinds[:i])]
    assert not hidden


def test_a_bug_of_ours_shows_its_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    assert run_guarded(raising(ZeroDivisionError("planted")), []) is ExitCode.INFRASTRUCTURE
    said = capfd.readouterr().err
    assert "Traceback" in said
    assert "ZeroDivisionError: planted" in said
    assert "a bug in mmfuzz" in said


def test_a_reader_that_goes_away_is_no_traceback(mmfuzz: Shell) -> None:
    reads, writes = os.pipe()
    os.close(reads)
    done = subprocess.run(
        mmfuzz.command("kernel", "show", "linux-4.5"),
        cwd=mmfuzz.folder,
        env=mmfuzz.environment,
        stdout=writes,
        stderr=subprocess.PIPE,
        check=False,
    )
    os.close(writes)
    assert (done.returncode, done.stderr) == (4, b"")


def test_a_full_disk_behind_stdout_is_told(mmfuzz: Shell) -> None:
    with open("/dev/full", "w") as full:  # noqa: PTH123 - a device
        done = subprocess.run(
            mmfuzz.command("kernel", "list"),
            cwd=mmfuzz.folder,
            env=mmfuzz.environment,
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert done.returncode == 4
    assert b"No space left" in done.stderr
    assert b"Traceback" not in done.stderr
