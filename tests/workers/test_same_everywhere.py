"""One campaign, whoever executes it: what it finds is the same, digest for digest."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.services.postgres import Cluster
from tests.services.service import Service

pytestmark = [pytest.mark.needs_postgres, pytest.mark.needs_compiled, pytest.mark.slow]

SETTINGS = (
    *("--kernel", "linux-4.0-rc7-mm1+dirty-on-swapin", "--kernel", "linux-4.5", "--engine", "swarm=2"),
    *("--engine", "random", "--world", "processes=2 pages=2 frames=8 slots=4", "--without", "steps,ksm,memcg"),
    *("--oracles", "lost-store", "--seed", "5", "--seeds", "4", "--seed-ops", "50000", "--ops", "1500000"),
)
SECONDS = 240


@pytest.fixture(scope="module")
def run(
    root: Path, redis_server: Any, cluster: Cluster, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str, int], Any]:
    """Executes the campaign by one of the fleets with so many processes or workers; the report."""

    def execute(fleet: str, number: int) -> Any:
        redis_server.empty()
        service = Service(tmp_path_factory.mktemp(f"{fleet}{number}"), root, redis_server.url())
        database = cluster.new_database() if fleet == "celery" else str(service.folder / "same.db")
        service.ask(database, "campaign", "new", "same", *SETTINGS)
        if fleet == "local":
            words = ("campaign", "start", "same", "--local", "--jobs", str(number))
            return service.ask(database, *words, seconds=SECONDS)
        processes = [service.start("coordinator", database, "coordinator", "--every", "0.3")]
        try:
            processes += [service.start_worker(f"worker{index}", database) for index in range(number)]
            service.ask(database, "campaign", "start", "same")
            return service.ask(database, "campaign", "watch", "same", "--every", "0.5", seconds=SECONDS)
        finally:
            for process in processes:
                process.end()

    return execute


@pytest.fixture(scope="module")
def alone(run: Callable[[str, int], Any]) -> Any:
    """The report of one process, on SQLite."""
    return run("local", 1)


def found(report: Any) -> Any:
    """All that must be the same."""
    cells = [
        {name: cell[name] for name in ("kernel", "world", "engine", "units", "traces", "ops", "rows_covered")}
        | {"failures": {failure["id"]: failure["count"] for failure in cell["failures"]}}
        for cell in report["cells"]
    ]
    return {"digest": report["digest"], "ledger": report["ledger"], "cells": cells}


def test_the_campaign_has_something_to_find(alone: Any) -> None:
    assert alone["state"] == "done"
    assert alone["ledger"]["balanced"]
    assert len(alone["cells"]) == 4
    assert sum(len(cell["failures"]) for cell in alone["cells"]) > 5


@pytest.mark.parametrize(("fleet", "number"), [("local", 3), ("celery", 1), ("celery", 2)])
def test_others_find_the_same(fleet: str, number: int, alone: Any, run: Callable[[str, int], Any]) -> None:
    assert found(run(fleet, number)) == found(alone)
