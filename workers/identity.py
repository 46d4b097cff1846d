"""Who a process is: what it says of itself in the database."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from db.campaign_values import WorkerRecord
from fuzzer.results_version import RESULTS_VERSION


@dataclass(frozen=True, slots=True)
class Identity:
    """A process at work. `role` is local, celery or coordinator; `id` has host, process and when it started."""

    id: str
    role: str
    host: str
    pid: int
    started: datetime
    versions: Mapping[str, str] = field(hash=False)
    results_version: str = RESULTS_VERSION

    def record(self, doing: str, unit_id: int | None, units_done: int) -> WorkerRecord:
        """What is stored of it at this moment."""
        return WorkerRecord(
            self.id,
            self.role,
            self.host,
            self.pid,
            self.results_version,
            self.versions,
            self.started,
            doing,
            unit_id,
            units_done,
            datetime.now(UTC),
        )


def child_process(parent: Identity) -> Identity:
    """The identity of a process that a worker has started, from inside that process."""
    child = this_process(parent.role, parent.versions)
    return replace(child, id=f"{children_of(parent)}{child.pid}")


def children_of(parent: Identity) -> str:
    """How the ids of all processes begin that a worker has started."""
    return f"{parent.id}/"


def this_process(role: str, versions: Mapping[str, str]) -> Identity:
    """The identity of the process that asks."""
    started = datetime.now(UTC)
    host, pid = socket.gethostname(), os.getpid()
    return Identity(f"{host}:{pid}:{int(started.timestamp() * 1000):x}", role, host, pid, started, dict(versions))
