"""The command as a user runs it: a process of its own, with a home and a database of its own."""

import json
import os
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any, NoReturn

import pytest

from cli.main import main

REFUSED = "linux-4.0-rc7-mm1+dirty-on-swapin"
BEFORE = "linux-4.0-rc7-mm1"
SOUND = "canary-sound"

LOST_STORE = f"""mmfuzz trace 1
kernel {REFUSED}
world processes=1 pages=2 frames=4 slots=2 memcgs=1 mergeable=0 swap=disk
read 0 1
write 0 0 1
migrate 0 0
read 0 1
reclaim
"""


@dataclass(frozen=True, slots=True)
class Done:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one document on stdout."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Shell:
    """Runs mmfuzz in a folder, with that folder's data and nothing of the caller's settings."""

    root: Path
    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The environment of the process."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("MMFUZZ_", "XDG_"))}
        places = {"XDG_DATA_HOME": str(self.folder / "data"), "XDG_STATE_HOME": str(self.folder / "state")}
        own = {"PYTHONPATH": str(self.root), "COLUMNS": "120"} | places
        return kept | own

    @property
    def database(self) -> Path:
        """Where the default database is."""
        return self.folder / "data" / "mmfuzz" / "mmfuzz.db"

    def command(self, *arguments: object) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "cli.main", *map(str, arguments)]

    def __call__(self, *arguments: object, stdin: str | bytes = "", **environment: str) -> Done:
        """Run it to its end, in a process that is forked from this one, which saves starting Python each time."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        with TemporaryFile() as source, TemporaryFile() as out, TemporaryFile() as err:
            source.write(given)
            source.seek(0)
            child = os.fork()
            if child == 0:
                self._be(list(map(str, arguments)), environment, [file.fileno() for file in (source, out, err)])
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            return Done(code, _written(out), _written(err))

    def _be(self, arguments: list[str], environment: dict[str, str], files: list[int]) -> NoReturn:
        """Become the command: nothing of the test is left but the modules that were imported."""
        for number, file in enumerate(files):
            os.dup2(file, number)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115
        code = 70
        try:
            os.chdir(self.folder)
            wanted = self.environment | environment
            os.environ.clear()
            os.environ.update(wanted)
            main(arguments)
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def run_afresh(self, *arguments: object) -> Done:
        """Run it to its end, in a Python that is started for it."""
        with self.start(*arguments) as process:
            out, err = process.communicate(timeout=120)
        return Done(process.returncode, out, err)

    def start(self, *arguments: object) -> "subprocess.Popen[str]":
        """Start it, with pipes."""
        return subprocess.Popen(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def _written(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode()


@pytest.fixture
def mmfuzz(root: Path, tmp_path: Path) -> Shell:
    """The command in an empty folder."""
    return Shell(root, tmp_path)


@pytest.fixture(scope="session")
def found(root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Shell, dict[str, Any]]:
    """The command where the refused patch was fuzzed and the failures stored, and what that run said."""
    shell = Shell(root, tmp_path_factory.mktemp("found"))
    done = shell.run_afresh("run", REFUSED, "--ops", 10_000, "--seed", 1, "--json")
    assert done.code == 1, done.err
    return shell, done.json


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    """A trace that loses a store on the refused patch, with ops that are not needed."""
    path = tmp_path / "lost.trace"
    path.write_text(LOST_STORE)
    return path
