"""The command as a user runs it: a process of its own, with a home and a database of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

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
        own = {"PYTHONPATH": str(self.root), "XDG_DATA_HOME": str(self.folder / "data"), "COLUMNS": "120"}
        return kept | own

    @property
    def database(self) -> Path:
        """Where the default database is."""
        return self.folder / "data" / "mmfuzz" / "mmfuzz.db"

    def command(self, *arguments: object) -> list[str]:
        """The command line."""
        return [sys.executable, "-m", "cli.main", *map(str, arguments)]

    def __call__(self, *arguments: object, stdin: str | bytes = "", **environment: str) -> Done:
        """Run it to its end."""
        given = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            self.command(*arguments),
            cwd=self.folder,
            env=self.environment | environment,
            input=given,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

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


@pytest.fixture
def mmfuzz(root: Path, tmp_path: Path) -> Shell:
    """The command in an empty folder."""
    return Shell(root, tmp_path)


@pytest.fixture(scope="session")
def found(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shell, dict[str, Any]]]:
    """The command where the refused patch was fuzzed and the failures stored, and what that run said."""
    shell = Shell(root, tmp_path_factory.mktemp("found"))
    done = shell("run", REFUSED, "--ops", 10_000, "--seed", 1, "--json")
    assert done.code == 1, done.err
    yield shell, done.json


@pytest.fixture
def trace_file(tmp_path: Path) -> Path:
    """A trace that loses a store on the refused patch, with ops that are not needed."""
    path = tmp_path / "lost.trace"
    path.write_text(LOST_STORE)
    return path
