"""A database for each test, on SQLite and on a PostgreSQL server of our own, and records to fill it with."""

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from db import schema
from db.database import Database, open_database
from db.models import Base
from db.values import FailureRecord, RunRecord
from simcore.kernel import compile_kernel
from simcore.kernels.linux_4_0_rc7_mm1 import Linux40Rc7Mm1, MakeEveryPteDirty
from simcore.trace import Trace, parse_trace
from simcore.world import World
from tests.services.fixtures import cluster as cluster
from tests.services.postgres import Cluster


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.needs_postgres)])
def target(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The place of a database that does not exist yet, of each kind."""
    if request.param == "postgresql":
        server: Cluster = request.getfixturevalue("cluster")
        return server.new_database()
    return str(tmp_path / "mmfuzz.db")


@pytest.fixture
def database(target: str) -> Iterator[Database]:
    """An open, empty database of each kind."""
    with open_database(target) as opened:
        yield opened


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Within, file permissions count even when the tests run as root."""
    # Read once and kept; the migrations may lie where only root can read.
    schema.revisions()
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def as_nobody() -> Callable[[], AbstractContextManager[None]]:
    return _as_nobody


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that `as_nobody` can reach and write; pytest's own belong to one user alone."""
    with tempfile.TemporaryDirectory(prefix="mmfuzz-db-") as name:
        folder = Path(name)
        if os.geteuid() == 0:
            os.chown(folder, 65534, 65534)
        yield folder
        folder.chmod(0o755)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 512 kB in memory."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=512k", "none", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"a small disk cannot be mounted: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


class Records:
    """Makes records that differ only in what a test names."""

    def __init__(self) -> None:
        self.kernel = compile_kernel(Linux40Rc7Mm1)
        self.patched = compile_kernel(MakeEveryPteDirty)
        self.world = World(processes=1, pages=2)
        self.start = datetime(2026, 11, 24, 6, 20, 0, 123456, tzinfo=UTC)

    def at(self, minutes: float) -> datetime:
        """A time so many minutes after the start of the first run."""
        return self.start + timedelta(minutes=minutes)

    def trace(self, *ops: str) -> Trace:
        """A trace of ops in their text form."""
        header = ["mmfuzz trace 1", f"kernel {self.kernel.name}", f"world {self.world}"]
        return parse_trace("\n".join([*header, *ops]) + "\n")

    def long_trace(self, ops: int, token: int = 1) -> Trace:
        """A trace of so many ops, all of them stores of one token."""
        return self.trace(*(f"write 0 0 {token}" for _ in range(ops)))

    def run(self, **changes: Any) -> RunRecord:
        """A run as it starts."""
        record = RunRecord(
            kernel=self.kernel,
            world=self.world,
            engine="random",
            seed=1,
            options={"length": 40, "weights": {"write": 3}},
            versions={"mmfuzz": "0.1.0"},
            rows_total=len(self.kernel.rows),
            started=self.start,
        )
        return replace(record, **changes)

    def failure(self, number: int = 1, *, ops: int = 3, **changes: Any) -> FailureRecord:
        """A failure; `number` gives it its signature and id, `ops` the length of its minimized trace."""
        record = FailureRecord(
            id=f"fail-{number:010x}",
            signature=f"sig-{number:012x}",
            oracle="lost-store",
            cls="safety",
            kind="migrate",
            kernel=self.kernel,
            original=self.long_trace(ops + 20),
            minimized=self.long_trace(ops),
            reason="the store of token 1 is lost",
            violation={"at": ops, "process": 0, "page": 0, "expected": 1, "seen": 0},
            cause={"rows": [["swapin_pte_dirty", 0]], "complete": True},
            minimization={"executions": 10, "slips": 0, "one_minimal": True},
            seed=7,
            count=1,
            options={"length": 40},
            versions={"mmfuzz": "0.1.0"},
            seen=self.at(1),
            reference=self.patched,
        )
        return replace(record, **changes)


@pytest.fixture
def records() -> Records:
    return Records()


def _dump(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    with database.read() as session:
        return {
            name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for name, table in Base.metadata.tables.items()
        }


@pytest.fixture
def dump() -> Callable[[Database], dict[str, list[tuple[Any, ...]]]]:
    return _dump
