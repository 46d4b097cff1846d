"""mmfuzz's own processes around a database and a broker: commands that end, and processes that run."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.services.processes import OwnProcess, wait_until

COMMAND_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Service:
    """Runs mmfuzz of the checkout `root` in `folder`. `program` are Python's arguments to start it."""

    folder: Path
    root: Path
    broker: str
    program: Sequence[str] = ("-m", "cli.main")
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def spool(self) -> Path:
        """Where workers keep results that they cannot deliver."""
        return self.folder / "spool"

    def ask(self, database: str, *words: str, seconds: float = COMMAND_SECONDS) -> Any:
        """The document that a command prints."""
        done = subprocess.run(
            [*self._mmfuzz(), *words, "--json"],
            env=self._environment(database),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
        assert done.returncode in (0, 1), f"{words}: {done.stdout}{done.stderr}"
        return json.loads(done.stdout)

    def start(self, name: str, database: str, *words: str) -> OwnProcess:
        """Start a command that runs until it is stopped, in a folder of its own, which may be there."""
        place = self.folder / name
        place.mkdir(exist_ok=True)
        return OwnProcess(place, [*self._mmfuzz(), *words], place / "log", environment=self._environment(database))

    def start_worker(self, name: str, database: str, *words: str) -> OwnProcess:
        """Start a worker, and wait until it takes units."""
        worker = self.start(name, database, "worker", *words)
        wait_until(lambda: "worker ready" in worker.output(), f"{name} to be ready")
        return worker

    def _mmfuzz(self) -> list[str]:
        return [sys.executable, *self.program]

    def _environment(self, database: str) -> dict[str, str]:
        return {
            **{name: value for name, value in os.environ.items() if not name.startswith("MMFUZZ_")},
            "PYTHONPATH": str(self.root),
            "PYTHONUNBUFFERED": "1",
            "MMFUZZ_DATABASE_URL": database,
            "MMFUZZ_BROKER_URL": self.broker,
            "MMFUZZ_SPOOL": str(self.spool),
            **self.variables,
        }
