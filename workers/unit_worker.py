"""The work of one process: claim a unit, execute it, deliver what came out; the same for every kind of fleet."""

import time
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

import stamina
import structlog

from db import campaigns, folds, units
from db.clock import database_now
from db.database import Database
from db.errors import BusyDatabaseError, DatabaseError
from db.store import save_failures
from db.values import FailureRecord
from fuzzer.campaign.samples import found_from_json
from fuzzer.campaign.work import run_work
from fuzzer.failure import make_failure
from workers.canary import canary_is_caught
from workers.claims import ALL_KINDS, Claimed, Claims
from workers.heart import Heart
from workers.identity import Identity
from workers.records import failure_record
from workers.results import result_record
from workers.spool import Spool, SpooledResult, SpoolError

LEASE = timedelta(seconds=60)

log = structlog.get_logger()


class UnitWorker:
    """Executes units of a database. `go_on` says whether a unit may be executed to its end."""

    def __init__(
        self,
        database: Database,
        identity: Identity,
        *,
        lease: timedelta = LEASE,
        spool: Spool | None = None,
        only: Collection[str] | None = None,
        go_on: Callable[[], bool] = lambda: True,
    ) -> None:
        self._database = database
        self._identity = identity
        self._only = only
        self._spool = spool
        self._go_on = go_on
        self._claims = Claims(database, identity, lease)
        self.heart = Heart(database, identity, lease)
        # Failures that the database did not take: their units will be done again, but here they are known.
        self.unsaved: list[FailureRecord] = []

    def work_once(self, kinds: Sequence[str] = ALL_KINDS) -> bool:
        """Execute the unit that is due, if there is one; whether there was."""
        claimed = self._claims.claim_next(kinds, self._only)
        if claimed is not None:
            self._execute(claimed)
        return claimed is not None

    def deliver_spooled(self) -> int:
        """Deliver results that were spooled, as far as the database takes them; how many."""
        if self._spool is None:
            return 0
        try:
            return self._spool.deliver(self._take_spooled)
        except DatabaseError as error:
            log.warning("spooled results stay where they are", error=str(error))
            return 0

    def _execute(self, claimed: Claimed) -> None:
        unit = claimed.unit
        bound = log.bind(
            campaign=claimed.setup.options["campaign"], unit=unit.id, worker=self._identity.id, seed=unit.seed_start
        )
        bound.debug("claimed", kind=unit.kind, attempt=unit.attempt)
        self.heart.take(unit.id, unit.fence, _doing(claimed))
        done = False
        try:
            done = self._do(claimed)
        finally:
            self.heart.drop(done=done)
        bound.debug("settled" if done else "not settled", kind=unit.kind)

    def _do(self, claimed: Claimed) -> bool:
        if claimed.work is not None:
            return self._fuzz(claimed)
        return self._minimize(claimed) if claimed.sample is not None else self._try_canary(claimed)

    def _fuzz(self, claimed: Claimed) -> bool:
        assert claimed.work is not None
        started = time.monotonic()
        output = run_work(claimed.work, lambda: self._go_on() and self.heart.held)
        unit = claimed.unit
        if output is None:
            self._give_back(claimed)
            return False
        result = result_record(output, time.monotonic() - started, self._identity.id)
        spooled = SpooledResult(self._database.shown, unit.id, unit.fence, result)
        try:
            return self._save_result(spooled)
        except DatabaseError as error:
            if self._spool is None:
                raise
            log.warning("no database for a result", unit=unit.id, error=str(error))
            return _put_by(self._spool, spooled)

    @stamina.retry(on=BusyDatabaseError, attempts=5, timeout=None)
    def _save_result(self, spooled: SpooledResult) -> bool:
        with self._database.write() as session:
            return units.save_result(session, spooled.unit_id, spooled.fence, spooled.result, database_now(session))

    def _take_spooled(self, spooled: SpooledResult) -> None:
        taken = self._save_result(spooled)
        log.info("spooled result delivered" if taken else "spooled result came too late", unit=spooled.unit_id)

    @stamina.retry(on=BusyDatabaseError, attempts=5, timeout=None)
    def _give_back(self, claimed: Claimed) -> None:
        with self._database.write() as session:
            units.give_back(session, claimed.unit.id, claimed.unit.fence)

    def _minimize(self, claimed: Claimed) -> bool:
        assert claimed.sample is not None
        sample = claimed.sample
        found = found_from_json(sample.found | {"trace": sample.trace_text})
        failure = make_failure(found, claimed.kernel, claimed.reference, versions=self._identity.versions)
        now = datetime.now(UTC)
        record = failure_record(failure, claimed.kernel, claimed.reference, claimed.setup.options, now)
        try:
            return self._save_failure(claimed, record)
        except DatabaseError:
            self.unsaved.append(record)
            raise

    @stamina.retry(on=BusyDatabaseError, attempts=5, timeout=None)
    def _save_failure(self, claimed: Claimed, record: FailureRecord) -> bool:
        assert claimed.sample is not None
        setup = claimed.setup
        with self._database.write() as session:
            now = database_now(session)
            if not units.settle_unit(session, claimed.unit.id, claimed.unit.fence):
                return False
            folds.lock_failures_of(session, [setup.run_id])
            save_failures(session, setup.run_id, [record])
            folds.explain_sample(session, claimed.sample.id, record, now)
        return True

    def _try_canary(self, claimed: Claimed) -> bool:
        caught = canary_is_caught(claimed.unit.number)
        with self._database.write() as session:
            if not units.settle_unit(session, claimed.unit.id, claimed.unit.fence):
                return False
            campaigns.note_canary(session, claimed.unit.campaign_id, database_now(session), caught=caught)
        return True


def _put_by(spool: Spool, spooled: SpooledResult) -> bool:
    """Spool a result; False where that fails, too: the unit's lease ends and somebody does it again."""
    try:
        spool.put(spooled.unit_id, spooled.fence, spooled.result)
    except SpoolError as error:
        log.error("a result is given up; its unit will be done again", unit=spooled.unit_id, error=str(error))
        return False
    return True


def _doing(claimed: Claimed) -> str:
    unit, options = claimed.unit, claimed.setup.options
    if unit.kind == "fuzz":
        last = unit.seed_start + unit.seed_count - 1
        return f"{options['campaign']}: unit {unit.number} of {claimed.kernel.name}, seeds {unit.seed_start} to {last}"
    return f"{options['campaign']}: " + ("minimizing a sample" if unit.kind == "minimize" else "a canary")
