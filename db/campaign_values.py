"""What goes into and comes out of the tables of campaigns: frozen values, never rows."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from simcore.kernel import Kernel
from simcore.world import World


@dataclass(frozen=True, slots=True)
class CellRecord:
    """A cell of a campaign as it is made. `options` is all that its units need to be executed."""

    number: int
    kernel: Kernel
    reference: Kernel | None
    world: World
    engine: str
    options: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class CampaignRecord:
    """A campaign as it is made; `spec` is every setting as JSON."""

    name: str
    origin: str
    spec: Mapping[str, Any]
    weight: int
    seed: int
    results_version: str
    versions: Mapping[str, str]
    rows_total: int
    cells: tuple[CellRecord, ...]
    created: datetime
    cloned_from: str | None = None


@dataclass(frozen=True, slots=True)
class StoredCampaign:
    """A campaign as it stands. `seconds` is the time it was running, up to the moment of asking."""

    id: str
    name: str
    origin: str
    spec: dict[str, Any]
    cloned_from: str | None
    results_version: str
    weight: int
    seed: int
    state: str
    ended_by: str | None
    created: datetime
    started: datetime | None
    ended: datetime | None
    seconds: float
    next_number: int
    seeds_planned: int
    ops_planned: int
    folded_number: int
    news_at_ops: int
    canary_asked: datetime | None
    canary_caught: datetime | None
    canary_missed: datetime | None


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit to be planned; see the columns of `unit`."""

    cell: int
    kind: str
    number: int
    seed_start: int = 0
    seed_count: int = 0
    ops: int = 0


@dataclass(frozen=True, slots=True)
class StoredUnit:
    """A unit as it stands."""

    id: int
    campaign_id: str
    run_id: str
    kind: str
    number: int
    seed_start: int
    seed_count: int
    ops: int
    state: str
    attempt: int
    fence: int
    owner: str | None
    is_part: bool


@dataclass(frozen=True, slots=True)
class RunSetup:
    """What a worker has to know of a cell to execute its units."""

    run_id: str
    campaign_id: str
    campaign_seed: int
    kernel_digest: str
    kernel_name: str
    world_text: str
    engine: str
    options: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ResultRecord:
    """The output of a unit that fuzzes, as it is stored. `rows` is packed; `counts` are [oracle, kind, count]."""

    seeds: int
    traces: int
    ops: int
    rows: bytes
    digest: str
    counts: list[list[Any]]
    samples: list[dict[str, Any]]
    seconds: float
    worker: str


@dataclass(frozen=True, slots=True)
class StoredResult:
    """The result of one unit, or of one part of a unit that was split; None where it is quarantined."""

    unit_id: int
    cell: int
    number: int
    seed_start: int
    result: ResultRecord | None


@dataclass(frozen=True, slots=True)
class CellAccount:
    """The fold's account of a cell, as stored. `keys` are (oracle, kind) -> (count, later samples)."""

    cell: int
    run_id: str
    units: int
    traces: int
    ops: int
    rows_seen: bytes
    rows_again: bytes
    keys: dict[tuple[str, str], tuple[int, int]] = field(hash=False)


@dataclass(frozen=True, slots=True)
class SampleRecord:
    """A sample that was chosen to be minimized; `trace` is its text, `found` the rest of it."""

    cell: int
    unit_id: int
    number: int
    position: int
    oracle: str
    kind: str
    count: int
    trace_text: str
    found: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class StoredSample:
    """A sample to be minimized."""

    id: int
    run_id: str
    trace_text: str
    count: int
    found: dict[str, Any]


@dataclass(frozen=True, slots=True)
class CorpusRecord:
    """A unit that reached rows first; `rows` is packed."""

    cell: int
    unit_id: int
    rows: bytes
    new_rows: int


@dataclass(frozen=True, slots=True)
class FoldRecord:
    """All that folding some numbers of a campaign changes, stored as a whole.

    `folded_before` and `folded_after` are the campaign's cursor; the fold counts only if it still stands at the first.
    `unit_ids` are the units whose samples are settled by it.
    """

    folded_before: int
    folded_after: int
    news_at_ops: int
    accounts: tuple[CellAccount, ...]
    samples: tuple[SampleRecord, ...]
    corpus: tuple[CorpusRecord, ...]
    unit_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class WorkerRecord:
    """What a process says of itself. `clock` is what its own clock shows."""

    id: str
    role: str
    host: str
    pid: int
    results_version: str
    versions: Mapping[str, str]
    started: datetime
    doing: str
    unit_id: int | None
    units_done: int
    clock: datetime


@dataclass(frozen=True, slots=True)
class StoredWorker:
    """A process as it was last heard. `silent` is for how many seconds."""

    id: str
    role: str
    host: str
    pid: int
    results_version: str
    versions: dict[str, str]
    started: datetime
    heard: datetime
    silent: float
    doing: str
    unit_id: int | None
    units_done: int
    clock_ahead: float


@dataclass(frozen=True, slots=True)
class StoredEvent:
    """Something that happened to a campaign."""

    at: datetime
    what: str
    detail: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ledger:
    """What became of all that was planned for a campaign, counted anew from the rows of its units.

    Parts of a split unit count, the unit itself does not. `seeds_twice` are seeds that two results claim, which must
    not be.
    """

    units_planned: int
    units_done: int
    units_outstanding: int
    units_quarantined: int
    units_withdrawn: int
    units_folded: int
    seeds_planned: int
    seeds_executed: int
    seeds_outstanding: int
    seeds_quarantined: int
    seeds_withdrawn: int
    seeds_twice: int
    seeds_missing: int
    results: int
    traces: int
    ops: int
    samples: int
    samples_explained: int
    samples_waiting: int
    samples_quarantined: int
    samples_withdrawn: int

    @property
    def balanced(self) -> bool:
        """Whether everything planned is accounted for exactly once."""
        return (
            self.units_planned == self.units_done + self.units_outstanding + self.units_quarantined
            and self.seeds_planned == self.seeds_executed + self.seeds_outstanding + self.seeds_quarantined
            and self.results == self.units_done
            and self.seeds_twice == 0
            and self.seeds_missing == 0
            and self.samples
            == self.samples_explained + self.samples_waiting + self.samples_quarantined + self.samples_withdrawn
        )
