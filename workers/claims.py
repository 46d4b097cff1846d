"""Taking a unit: from its row to all that its execution needs."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.orm import Session

from db import units
from db.campaign_queries import settled_keys
from db.campaign_values import RunSetup, StoredSample, StoredUnit
from db.clock import database_now
from db.database import Database
from db.folds import get_sample
from fuzzer.campaign.work import UnitWork
from fuzzer.choice import LATER_SAMPLES
from fuzzer.unit import UnitSpec
from simcore.kernel import Kernel
from simcore.world import World
from workers.identity import Identity
from workers.specs import Specs

ALL_KINDS = ("minimize", "canary", "fuzz")


@dataclass(frozen=True, slots=True)
class Claimed:
    """A unit in hand. `work` is None unless it fuzzes, `sample` None unless it minimizes."""

    unit: StoredUnit
    setup: RunSetup
    kernel: Kernel
    reference: Kernel | None
    work: UnitWork | None
    sample: StoredSample | None


class Claims:
    """Claims units for one process, and keeps what cells' units have in common."""

    def __init__(self, database: Database, identity: Identity, lease: timedelta) -> None:
        self._database = database
        self._identity = identity
        self._lease = lease
        self._specs = Specs()

    def claim_next(self, kinds: Sequence[str] = ALL_KINDS, only: Collection[str] | None = None) -> Claimed | None:
        """Take the unit that is due; None when there is none."""
        with self._database.read() as session:
            if units.next_ready(session, kinds, self._identity.results_version, only, lock=False) is None:
                return None
        with self._database.write() as session:
            unit_id = units.next_ready(session, kinds, self._identity.results_version, only)
            return None if unit_id is None else self._claim(session, unit_id)

    def _claim(self, session: Session, unit_id: int) -> Claimed | None:
        now = database_now(session)
        unit = units.claim_unit(session, unit_id, self._identity.id, self._identity.results_version, now, self._lease)
        if unit is None:
            return None
        setup = self._specs.setup(session, unit.run_id)
        kernel = self._specs.kernel(session, setup.kernel_digest)
        reference = setup.options["reference_digest"]
        return Claimed(
            unit,
            setup,
            kernel,
            None if reference is None else self._specs.kernel(session, reference),
            self._work(session, unit, setup, kernel) if unit.kind == "fuzz" else None,
            get_sample(session, unit.number) if unit.kind == "minimize" else None,
        )

    def _work(self, session: Session, unit: StoredUnit, setup: RunSetup, kernel: Kernel) -> UnitWork:
        options = setup.options
        oracles = options["oracles"]
        spec = UnitSpec(
            kernel,
            World.parse(setup.world_text),
            setup.engine,
            0,
            0,
            options["length"],
            None if oracles is None else tuple(oracles),
            options["checks"],
        )
        settled = settled_keys(session, unit.run_id, LATER_SAMPLES)
        return UnitWork(
            spec, setup.campaign_seed, unit.seed_start, unit.seed_count, unit.ops, options["seed_ops"], settled
        )
