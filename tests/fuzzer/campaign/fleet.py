"""A fleet that lives in one process and by a simulated clock, and in which everything goes wrong that can.

Its workers use the functions of db.units that real workers use, at the simulated time.
"""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from sqlalchemy.orm import Session

from db import campaigns, folds, units
from db.campaign_queries import run_setup, settled_keys
from db.campaign_values import StoredUnit
from db.database import Database
from db.store import save_failures
from fuzzer.campaign.protocols import UnitKind
from fuzzer.campaign.work import UnitWork
from fuzzer.choice import LATER_SAMPLES
from fuzzer.results_version import RESULTS_VERSION
from fuzzer.unit import FailureKey, UnitSpec
from tests.fuzzer.campaign.drawing import PAIR, WORLD, Drawing, minimize
from workers.claims import ALL_KINDS
from workers.records import failure_record
from workers.results import result_record

LEASE = timedelta(seconds=30)
START = datetime(2026, 3, 1, 12, tzinfo=UTC)


class SimulatedClock:
    """Shows what it was last set to."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> datetime:
        """The simulated time."""
        return self.time

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.time += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Faults:
    """How likely each thing goes wrong, from 0 to 1: with a hint, or with a unit in hand.

    `slow` workers take longer than their lease, and settle nevertheless. `looks` is how likely a worker that was told
    of nothing looks by itself.
    """

    hint_lost: float = 0.0
    hint_repeated: float = 0.0
    death: float = 0.0
    slow: float = 0.0
    settles_twice: float = 0.0
    gives_back: float = 0.0
    looks: float = 1.0


ORDERLY = Faults()
STORMY = Faults(0.3, 0.3, 0.12, 0.15, 0.2, 0.1, 0.5)


@dataclass(frozen=True, slots=True)
class InHand:
    """A unit that a worker executes, and when it will be done. `worker` is a new name for each claim."""

    worker: str
    unit: StoredUnit
    settled: frozenset[FailureKey]
    until: datetime


@dataclass
class SimulatedFleet:
    """`workers` processes; any that executes one of the seeds in `killers` dies. `idle` ones claim nothing.

    With `spares`, chance does nothing to samples, canaries and single seeds that have lost a worker: lost again and
    again, they are given up, and rightly.
    """

    database: Database
    clock: SimulatedClock
    random: Random
    faults: Faults = ORDERLY
    drawing: Drawing = field(default_factory=Drawing)
    workers: int = 6
    killers: Collection[int] = ()
    kinds: Sequence[str] = ALL_KINDS
    idle: bool = False
    spares: bool = True
    messages: int = 0
    in_hand: list[InHand] = field(default_factory=list)
    last_claim: dict[int, str] = field(default_factory=dict)
    settled: set[int] = field(default_factory=set)
    executed: Counter[int] = field(default_factory=Counter)
    claims: int = 0
    deaths: int = 0
    refused: int = 0

    def hint(self, ready: Mapping[UnitKind, int]) -> int:
        """Put messages in the queue until as many wait as there are units: some get lost, some come twice."""
        missing = max(0, sum(ready.values()) - self.messages)
        for _ in range(missing):
            if not self._happens(self.faults.hint_lost):
                self.messages += 2 if self._happens(self.faults.hint_repeated) else 1
        return missing

    def step(self) -> None:
        """Settle what is done by now, and let workers with empty hands claim."""
        now = self.clock.now()
        for each in [each for each in self.in_hand if each.until <= now]:
            self.in_hand.remove(each)
            self._finish(each)
        # A worker that was taken for dead works on; a new one stands in its place.
        busy = sum(each.until - now <= LEASE for each in self.in_hand)
        for _ in range(0 if self.idle else self.workers - busy):
            if not self._claim():
                break

    def _claim(self) -> bool:
        """Let a worker that took a message, or looks by itself, take the unit that is due; whether it got any."""
        if self.messages:
            self.messages -= 1
        elif not self._happens(self.faults.looks):
            return False
        with self.database.read() as session:
            found = units.next_ready(session, self.kinds, RESULTS_VERSION)
        return found is not None and self._take(found)

    def _take(self, unit_id: int) -> bool:
        self.claims += 1
        worker, now = f"worker-{self.claims}", self.clock.now()
        with self.database.write() as session:
            unit = units.claim_unit(session, unit_id, worker, RESULTS_VERSION, now, LEASE)
            if unit is None:
                return False
            settled = settled_keys(session, unit.run_id, LATER_SAMPLES)
        assert unit.id not in self.settled, f"unit {unit.id} was handed out after it was settled"
        self.last_claim[unit.id] = worker
        spared = self.spares and unit.attempt > 1 and unit.seed_count <= 1
        if self._kills(unit) or (self._happens(self.faults.death) and not spared):
            self.deaths += 1
            return True
        longest = 4.0 if self._happens(self.faults.slow) and not spared else 0.5
        self.in_hand.append(InHand(worker, unit, settled, now + LEASE * self.random.uniform(0.05, longest)))
        return True

    def _finish(self, each: InHand) -> None:
        if self._happens(self.faults.gives_back):
            with self.database.write() as session:
                given = units.give_back(session, each.unit.id, each.unit.fence)
            assert not given or self._is_last(each)
            return
        for _ in range(2 if self._happens(self.faults.settles_twice) else 1):
            taken = self._settle(each)
            assert not taken or self._is_last(each), f"{each.worker} settled what is another's or done"
            self.refused += not taken
            if taken:
                self.settled.add(each.unit.id)
                self.executed.update(seeds_of(each.unit) if each.unit.kind == "fuzz" else [])

    def _settle(self, each: InHand) -> bool:
        settle = {"fuzz": self._settle_fuzz, "minimize": self._settle_sample, "canary": self._settle_canary}
        with self.database.write() as session:
            return settle[each.unit.kind](session, each)

    def _settle_fuzz(self, session: Session, each: InHand) -> bool:
        unit, setup = each.unit, run_setup(session, each.unit.run_id)
        spec = UnitSpec(PAIR.kernel, WORLD, setup.engine, 0, 0)
        seed_ops = setup.options["seed_ops"]
        work = UnitWork(spec, setup.campaign_seed, unit.seed_start, unit.seed_count, unit.ops, seed_ops, each.settled)
        result = result_record(self.drawing.execute(work), 1.0, each.worker)
        return units.save_result(session, unit.id, unit.fence, result, self.clock.now())

    def _settle_sample(self, session: Session, each: InHand) -> bool:
        setup = run_setup(session, each.unit.run_id)
        failure = minimize(folds.get_sample(session, each.unit.number))
        record = failure_record(failure, PAIR.kernel, PAIR.reference, setup.options, self.clock.now())
        if not units.settle_unit(session, each.unit.id, each.unit.fence):
            return False
        save_failures(session, setup.run_id, [record])
        folds.explain_sample(session, each.unit.number, record, self.clock.now())
        return True

    def _settle_canary(self, session: Session, each: InHand) -> bool:
        if not units.settle_unit(session, each.unit.id, each.unit.fence):
            return False
        campaigns.note_canary(session, each.unit.campaign_id, self.clock.now(), caught=True)
        return True

    def _is_last(self, each: InHand) -> bool:
        return self.last_claim[each.unit.id] == each.worker and each.unit.id not in self.settled

    def _kills(self, unit: StoredUnit) -> bool:
        return unit.kind == "fuzz" and not set(self.killers).isdisjoint(seeds_of(unit))

    def _happens(self, chance: float) -> bool:
        return self.random.random() < chance


def seeds_of(unit: StoredUnit) -> range:
    """The numbers of a unit's seeds."""
    return range(unit.seed_start, unit.seed_start + unit.seed_count)
