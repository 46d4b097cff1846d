"""The local pool: its processes may die at any moment, and end in order when they are asked to."""

import os
import signal
import time
from pathlib import Path

import pytest
from sqlalchemy import select

from db import campaign_queries
from db.campaign_digest import campaign_digest
from db.clock import database_now
from db.models import UnitRow, WorkerRow
from tests.workers.conftest import Campaign, started_campaign
from workers.local_pool import LocalPool, PoolSettings
from workers.local_session import LocalSession

pytestmark = pytest.mark.needs_compiled


def run(campaign: Campaign, jobs: int) -> str:
    session = LocalSession(
        campaign.database,
        campaign.place,
        campaign.id,
        jobs=jobs,
        versions={},
        stopping=lambda: False,
        on_stop="pause",
        each_step=lambda: None,
    )
    return session.run()


def pool(campaign: Campaign, jobs: int) -> LocalPool:
    return LocalPool(campaign.database, PoolSettings(campaign.place, frozenset({campaign.id}), {}), jobs)


def wait_for_workers(campaign: Campaign, number: int) -> list[int]:
    """The processes that have said that they are there."""
    for _ in range(600):
        with campaign.database.read() as session:
            pids = list(session.execute(select(WorkerRow.pid)).scalars())
        if len(pids) >= number:
            return pids
        time.sleep(0.05)
    raise AssertionError(f"fewer than {number} workers are there")


def test_two_processes_find_what_one_finds(campaign: Campaign, tmp_path: Path) -> None:
    with started_campaign(tmp_path / "alone.db") as alone:
        assert run(campaign, 2) == run(alone, 1) == "done"
        digests = []
        for each in (campaign, alone):
            with each.database.read() as session:
                digests.append(campaign_digest(session, each.id))
                assert campaign_queries.ledger(session, each.id).balanced
    assert digests[0] == digests[1]


def test_a_process_that_was_killed_is_replaced_and_its_unit_offered_again_at_once(campaign: Campaign) -> None:
    busy = pool(campaign, 2)
    busy.start()
    try:
        for pid in wait_for_workers(campaign, 2):
            os.kill(pid, signal.SIGKILL)
        replaced = 0
        for _ in range(200):
            replaced += busy.watch()
            if replaced >= 2:
                break
            time.sleep(0.05)
        assert replaced >= 2
        with campaign.database.read() as session:
            now = database_now(session)
            leases = session.execute(select(UnitRow.lease_until).where(UnitRow.state == "leased")).scalars().all()
            owners = session.execute(select(UnitRow.lease_owner).where(UnitRow.state == "leased")).scalars().all()
        assert all(until is not None for until in leases)
        ended = [owner for owner, until in zip(owners, leases, strict=True) if until is not None and until < now]
        # What the dead had in hand waits for nobody; the living have theirs.
        assert all(owner is not None and owner.endswith(("/1", "/2")) for owner in ended)
    finally:
        busy.stop()


def test_a_stopped_pool_leaves_no_process_no_row_and_no_lease(campaign: Campaign) -> None:
    idle = pool(campaign, 2)
    idle.start()
    pids = wait_for_workers(campaign, 2)
    idle.stop()
    for pid in pids:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
    with campaign.database.read() as session:
        assert session.execute(select(WorkerRow.id)).first() is None
        assert session.execute(select(UnitRow.id).where(UnitRow.state == "leased")).first() is None
