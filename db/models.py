"""The shape of what is stored: one class a table.

The migrations make the tables; these classes are what the code reads and writes them by, and a test holds the
two together. Rows never leave this folder: see `db.values`.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.types import Big, Document, RowNumber, UTCDateTime

CLASSES: Final = ("safety", "liveness", "cost", "conformance", "crash")
VERDICTS: Final = ("PASS", "FAIL", "UNKNOWN", "SKIPPED")
RUN_STATES: Final = ("running", "done", "stopped", "died")
CAMPAIGN_STATES: Final = ("new", "running", "paused", "draining", "done", "stopped")
ENDED_BY: Final = ("seconds", "ops", "failures", "plateau", "user")
UNIT_KINDS: Final = ("fuzz", "minimize", "canary")
UNIT_STATES: Final = ("ready", "leased", "done", "split", "quarantined", "withdrawn")
SWAPS: Final = ("zram", "virtio")
FORMS: Final = ("as it is", "drained")
CONFIRMATIONS: Final = ("confirmed", "not confirmed", "cannot be judged", "cannot be driven", "unknown")

# Every constraint has a name, so that a later migration can change it.
NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


def _one_of(column: str, values: tuple[str, ...], name: str) -> CheckConstraint:
    """A CHECK in place of a native enum, which PostgreSQL cannot change in a transaction."""
    listed = ", ".join(f"'{value}'" for value in values)
    return CheckConstraint(f"{column} IN ({listed})", name=name)


def _not_negative(*columns: str) -> tuple[CheckConstraint, ...]:
    return tuple(CheckConstraint(f"{column} >= 0", name=f"{column}_not_negative") for column in columns)


class Base(DeclarativeBase):
    """All tables."""

    metadata = MetaData(naming_convention=NAMING)


class KernelRow(Base):
    """A kernel some run was made with."""

    __tablename__ = "kernel"
    __table_args__ = ({"comment": "Kernels, by the digest of their rows; never changed"},)

    digest: Mapped[str] = mapped_column(Text, primary_key=True, comment="krn-...: digest of the rows alone")
    name: Mapped[str] = mapped_column(Text, index=True, comment="Name under which it was first stored")
    parent: Mapped[str | None] = mapped_column(Text, comment="Name of the kernel it was derived from")
    doc: Mapped[str] = mapped_column(Text, comment="What it is and where that is written")
    rules: Mapped[dict[str, Any]] = mapped_column(
        Document,
        comment="Per rule the bits that matter, its rows and its source; outlives today's table of rules",
    )
    successor: Mapped[str | None] = mapped_column(Text, comment="Name of the kernel that came after it")


class TraceRow(Base):
    """A trace that failed, or a minimized one."""

    __tablename__ = "trace"
    __table_args__ = (
        *_not_negative("ops"),
        {"comment": "Traces, by the digest of their text; never changed, never deleted"},
    )

    digest: Mapped[str] = mapped_column(Text, primary_key=True, comment="trc-...: digest of the text")
    kernel_name: Mapped[str] = mapped_column(Text, index=True, comment="Kernel named in the trace's header")
    world: Mapped[dict[str, Any]] = mapped_column(Document, comment="The world's sizes and features")
    world_text: Mapped[str] = mapped_column(Text, comment="The world as the trace's header says it")
    text: Mapped[str] = mapped_column(Text, comment="The trace as people read, mail and replay it")
    ops: Mapped[int] = mapped_column(Big, comment="Number of ops")


class RunRow(Base):
    """One run of the fuzzer."""

    __tablename__ = "run"
    __table_args__ = (
        _one_of("state", RUN_STATES, "state"),
        *_not_negative("seed", "seconds", "traces", "ops", "rows_covered", "rows_total"),
        CheckConstraint("rows_covered <= rows_total", name="rows_covered_at_most_total"),
        CheckConstraint("(ended IS NULL) = (state = 'running')", name="ended_unless_running"),
        {"comment": "Runs of the fuzzer; only the process that runs one writes its row"},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True, comment="run-...: digest of what was asked, and when")
    kernel_digest: Mapped[str] = mapped_column(
        ForeignKey("kernel.digest"), index=True, comment="The kernel that was fuzzed"
    )
    kernel_name: Mapped[str] = mapped_column(Text, comment="Name by which it was asked for")
    world: Mapped[dict[str, Any]] = mapped_column(Document, comment="The world's sizes and features")
    world_text: Mapped[str] = mapped_column(Text, comment="The world in one line")
    engine: Mapped[str] = mapped_column(Text, comment="How the sequences were chosen")
    seed: Mapped[int] = mapped_column(Big, comment="From which everything random follows; 63 bits")
    options: Mapped[dict[str, Any]] = mapped_column(Document, comment="Every option, given or derived")
    versions: Mapped[dict[str, Any]] = mapped_column(Document, comment="Versions of all that took part")
    state: Mapped[str] = mapped_column(Text, comment="running, done, stopped (by its user) or died")
    started: Mapped[datetime] = mapped_column(UTCDateTime, index=True, comment="When it began, UTC")
    heard: Mapped[datetime] = mapped_column(UTCDateTime, comment="When it last said that it runs, UTC")
    ended: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="When it ended, UTC; NULL while it runs")
    seconds: Mapped[float] = mapped_column(comment="Time spent fuzzing")
    traces: Mapped[int] = mapped_column(Big, comment="Traces executed")
    ops: Mapped[int] = mapped_column(Big, comment="Ops executed")
    rows_covered: Mapped[int] = mapped_column(Big, comment="Rows of the kernel's rules that decided something")
    rows_total: Mapped[int] = mapped_column(Big, comment="Rows of all rules")
    campaign_id: Mapped[str | None] = mapped_column(
        ForeignKey("campaign.id"),
        index=True,
        comment="The campaign it is a cell of; NULL for runs before there were any",
    )
    cell: Mapped[int | None] = mapped_column(Big, comment="Number of the campaign's cell, from 0 on")
    units: Mapped[int | None] = mapped_column(Big, comment="Units folded in")
    rows_seen: Mapped[bytes | None] = mapped_column(LargeBinary, comment="A bit for each row that decided something")
    rows_again: Mapped[bytes | None] = mapped_column(LargeBinary, comment="A bit for each row that several units saw")


class FailureRow(Base):
    """One way in which one kernel fails, with the shortest trace known for it."""

    __tablename__ = "failure"
    __table_args__ = (
        UniqueConstraint("signature", "kernel_digest"),
        _one_of("class", CLASSES, "class"),
        _one_of("verdict", VERDICTS, "verdict"),
        *_not_negative("seed"),
        CheckConstraint("first_seen <= last_seen", name="seen_in_order"),
        {"comment": "Failures, one per signature and kernel; shows the finding with the shortest trace"},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True, comment="fail-...: digest of signature and kernel")
    signature: Mapped[str] = mapped_column(Text, comment="sig-...: failures that are the same")
    oracle: Mapped[str] = mapped_column(Text, index=True, comment="The oracle that judged")
    cls: Mapped[str] = mapped_column("class", Text, index=True, comment="safety, liveness, cost, conformance or crash")
    kind: Mapped[str] = mapped_column(Text, comment="How the page came to be what it was")
    kernel_digest: Mapped[str] = mapped_column(ForeignKey("kernel.digest"), index=True, comment="The kernel that fails")
    kernel_name: Mapped[str] = mapped_column(Text, index=True, comment="Its name when it was first seen to fail")
    original_digest: Mapped[str] = mapped_column(
        ForeignKey("trace.digest"), index=True, comment="The trace as it was drawn"
    )
    minimized_digest: Mapped[str] = mapped_column(
        ForeignKey("trace.digest"), index=True, comment="The shortest trace known"
    )
    verdict: Mapped[str] = mapped_column(Text, comment="PASS, FAIL, UNKNOWN or SKIPPED")
    reason: Mapped[str] = mapped_column(Text, comment="Why, in one sentence")
    violation: Mapped[dict[str, Any]] = mapped_column(Document, comment="Where and what, as the oracle saw it")
    cause: Mapped[dict[str, Any]] = mapped_column(Document, comment="The guilty rows and how they were found")
    reference_digest: Mapped[str | None] = mapped_column(
        ForeignKey("kernel.digest"), comment="The kernel whose rows were exchanged to find the cause"
    )
    minimization: Mapped[dict[str, Any]] = mapped_column(Document, comment="What was tried, what is proved")
    seed: Mapped[int] = mapped_column(Big, comment="Seed of the sequence; 63 bits")
    options: Mapped[dict[str, Any]] = mapped_column(Document, comment="Every option, given or derived")
    versions: Mapped[dict[str, Any]] = mapped_column(Document, comment="Versions of all that took part")
    first_seen: Mapped[datetime] = mapped_column(UTCDateTime, comment="First time any run saw it, UTC")
    last_seen: Mapped[datetime] = mapped_column(UTCDateTime, index=True, comment="Last time any run saw it, UTC")


class RunFailureRow(Base):
    """What one run saw of a failure. How often a failure was seen is the sum over these."""

    __tablename__ = "run_failure"
    __table_args__ = (
        CheckConstraint("count > 0", name="count_positive"),
        CheckConstraint("first_seen <= last_seen", name="seen_in_order"),
        {"comment": "Which run saw which failure, and how often"},
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True, comment="The run")
    failure_id: Mapped[str] = mapped_column(
        ForeignKey("failure.id"), primary_key=True, index=True, comment="The failure it saw"
    )
    count: Mapped[int] = mapped_column(Big, comment="How often the run saw it, in all")
    first_seen: Mapped[datetime] = mapped_column(UTCDateTime, comment="First time this run saw it, UTC")
    last_seen: Mapped[datetime] = mapped_column(UTCDateTime, comment="Last time this run saw it, UTC")


class FailureTraceRow(Base):
    """A pair of traces by which a failure was found. The failure itself shows the shortest of them."""

    __tablename__ = "failure_trace"
    __table_args__ = (
        *_not_negative("seed"),
        {"comment": "Every trace ever found for a failure, the shorter and the longer ones; never deleted"},
    )

    failure_id: Mapped[str] = mapped_column(ForeignKey("failure.id"), primary_key=True, comment="The failure")
    original_digest: Mapped[str] = mapped_column(
        ForeignKey("trace.digest"), primary_key=True, comment="The trace as it was drawn"
    )
    minimized_digest: Mapped[str] = mapped_column(
        ForeignKey("trace.digest"), primary_key=True, comment="What it was minimized to"
    )
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), comment="The run that first found it")
    seed: Mapped[int] = mapped_column(Big, comment="Seed of the sequence; 63 bits")


class CampaignRow(Base):
    """A campaign: what is to be fuzzed, and how far that is."""

    __tablename__ = "campaign"
    __table_args__ = (
        UniqueConstraint("name"),
        _one_of("state", CAMPAIGN_STATES, "state"),
        _one_of("ended_by", ENDED_BY, "ended_by"),
        _one_of("origin", ("campaign", "run"), "origin"),
        *_not_negative(
            "seed", "seconds", "next_number", "seeds_planned", "ops_planned", "folded_number", "news_at_ops"
        ),
        CheckConstraint("weight > 0", name="weight_positive"),
        CheckConstraint("folded_number <= next_number", name="folded_only_what_was_planned"),
        CheckConstraint("(ended IS NULL) = (state NOT IN ('done', 'stopped'))", name="ended_when_over"),
        {"comment": "Campaigns; the cursors are moved by whichever coordinator comes first"},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True, comment="cmp-...: digest of name, settings and time")
    name: Mapped[str] = mapped_column(Text, comment="What people call it")
    origin: Mapped[str] = mapped_column(Text, comment="campaign, or run: made by `mmfuzz run` for itself")
    spec: Mapped[dict[str, Any]] = mapped_column(Document, comment="Every setting, given or derived")
    cloned_from: Mapped[str | None] = mapped_column(
        ForeignKey("campaign.id"), comment="The campaign whose settings it started from"
    )
    results_version: Mapped[str] = mapped_column(
        Text, comment="Workers of the same results version compute the same results"
    )
    versions: Mapped[dict[str, Any]] = mapped_column(Document, comment="Versions of what it was made with")
    weight: Mapped[int] = mapped_column(Big, comment="Its share of the workers, against the other campaigns' weights")
    seed: Mapped[int] = mapped_column(Big, comment="From which everything random follows; 63 bits")
    state: Mapped[str] = mapped_column(Text, index=True, comment="new, running, paused, draining, done or stopped")
    ended_by: Mapped[str | None] = mapped_column(Text, comment="Which budget ended it, or its user")
    created: Mapped[datetime] = mapped_column(UTCDateTime, index=True, comment="When it was made, UTC")
    started: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="When it was first started, UTC")
    ended: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="When its last unit was settled, UTC")
    running_since: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="Begin of this stretch; NULL at rest")
    seconds: Mapped[float] = mapped_column(comment="Time it was running before this stretch")
    next_number: Mapped[int] = mapped_column(Big, comment="Number of the next unit to be planned")
    seeds_planned: Mapped[int] = mapped_column(Big, comment="Seeds of all numbers below, whatever became of them")
    ops_planned: Mapped[int] = mapped_column(Big, comment="Ops of all numbers below")
    folded_number: Mapped[int] = mapped_column(Big, comment="Results of all numbers below are folded in")
    news_at_ops: Mapped[int] = mapped_column(Big, comment="Ops folded when a row or a failure was last new")
    canary_asked: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="When the last canary was planned")
    canary_caught: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="When a canary was last caught")
    canary_missed: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="When a canary last went unseen")


class UnitRow(Base):
    """A unit of a campaign, and who has it."""

    __tablename__ = "unit"
    __table_args__ = (
        UniqueConstraint("campaign_id", "kind", "number", "seed_start", "seed_count"),
        _one_of("kind", UNIT_KINDS, "kind"),
        _one_of("state", UNIT_STATES, "state"),
        *_not_negative("number", "seed_start", "seed_count", "ops", "attempt", "fence"),
        CheckConstraint("(state = 'leased') = (lease_until IS NOT NULL)", name="leased_until"),
        Index(None, "state", "kind", "id"),
        Index(None, "state", "lease_until"),
        {"comment": "Units of work; claimed, settled and re-leased by conditional updates only"},
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True, comment="In order of planning")
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id"), comment="Its campaign")
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True, comment="The cell it belongs to")
    kind: Mapped[str] = mapped_column(Text, comment="fuzz, minimize (a sample) or canary (must fail)")
    number: Mapped[int] = mapped_column(
        Big, comment="Its place in the campaign, shared by parts split off; of one that minimizes, the id of its sample"
    )
    seed_start: Mapped[int] = mapped_column(Big, comment="Number of its first seed in the campaign")
    seed_count: Mapped[int] = mapped_column(Big, comment="How many seeds it has; 0 unless it fuzzes")
    ops: Mapped[int] = mapped_column(Big, comment="Budget of ops over all its seeds")
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("unit.id"), comment="The unit it was split off from")
    state: Mapped[str] = mapped_column(Text, comment="ready, leased, done, split, quarantined or withdrawn")
    attempt: Mapped[int] = mapped_column(Big, comment="How often it was claimed and not given back")
    fence: Mapped[int] = mapped_column(Big, comment="Raised by every claim; a result counts with the last one only")
    lease_owner: Mapped[str | None] = mapped_column(Text, comment="The worker that claimed it last")
    lease_until: Mapped[datetime | None] = mapped_column(UTCDateTime, comment="When its worker counts as gone, UTC")
    note: Mapped[str | None] = mapped_column(Text, comment="Why it was split or quarantined")


class UnitResultRow(Base):
    """What came out of a unit that fuzzes. At most one for each unit, for ever."""

    __tablename__ = "unit_result"
    __table_args__ = (
        *_not_negative("seeds", "traces", "ops", "seconds"),
        {"comment": "Results of units; stored in the transaction that settles the unit"},
    )

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True, comment="The unit")
    seeds: Mapped[int] = mapped_column(Big, comment="Seeds executed")
    traces: Mapped[int] = mapped_column(Big, comment="Traces executed")
    ops: Mapped[int] = mapped_column(Big, comment="Ops executed")
    rows: Mapped[bytes] = mapped_column(LargeBinary, comment="A bit for each row that decided something")
    digest: Mapped[str] = mapped_column(Text, comment="unit-...: digest of every outcome")
    counts: Mapped[list[Any]] = mapped_column(Document, comment="Failing traces by oracle and kind")
    samples: Mapped[list[Any] | None] = mapped_column(Document, comment="Traces that failed; NULL once folded")
    seconds: Mapped[float] = mapped_column(comment="Time it took")
    worker: Mapped[str] = mapped_column(Text, comment="Who executed it")
    recorded: Mapped[datetime] = mapped_column(UTCDateTime, comment="When it was stored, UTC")


class SampleRow(Base):
    """A failing trace that the fold has chosen to be minimized."""

    __tablename__ = "sample"
    __table_args__ = (
        UniqueConstraint("unit_id", "position"),
        *_not_negative("number", "position"),
        CheckConstraint("count > 0", name="count_positive"),
        {"comment": "Failing traces to be minimized, and the failure each turned out to be"},
    )

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True, comment="In order of folding")
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True, comment="The cell it was found in")
    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), comment="The unit that found it")
    number: Mapped[int] = mapped_column(Big, comment="That unit's number")
    position: Mapped[int] = mapped_column(Big, comment="Its place among the unit's samples")
    oracle: Mapped[str] = mapped_column(Text, comment="The oracle that judged")
    kind: Mapped[str] = mapped_column(Text, comment="How the page came to be what it was")
    count: Mapped[int] = mapped_column(Big, comment="How many of the unit's traces it stands for")
    trace_digest: Mapped[str] = mapped_column(ForeignKey("trace.digest"), comment="The trace as it was drawn")
    found: Mapped[dict[str, Any]] = mapped_column(Document, comment="Seed, options and what the oracle saw")
    failure_id: Mapped[str | None] = mapped_column(
        ForeignKey("failure.id"), index=True, comment="The failure it is; NULL before it is minimized"
    )


class RunKeyRow(Base):
    """How often a cell has seen an oracle and kind fail; the fold's account."""

    __tablename__ = "run_key"
    __table_args__ = (
        *_not_negative("later_samples", "count"),
        {"comment": "Failing traces by cell, oracle and kind, as folded so far"},
    )

    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), primary_key=True, comment="The cell")
    oracle: Mapped[str] = mapped_column(Text, primary_key=True, comment="The oracle")
    kind: Mapped[str] = mapped_column(Text, primary_key=True, comment="How the page came to be what it was")
    count: Mapped[int] = mapped_column(Big, comment="Failing traces")
    later_samples: Mapped[int] = mapped_column(Big, comment="Samples chosen after the first unit that had any")


class CorpusRow(Base):
    """A unit that reached rows which no unit of its cell before it had."""

    __tablename__ = "corpus"
    __table_args__ = ({"comment": "Units that reached a row first; their seeds draw the traces again"},)

    unit_id: Mapped[int] = mapped_column(ForeignKey("unit.id"), primary_key=True, comment="The unit")
    run_id: Mapped[str] = mapped_column(ForeignKey("run.id"), index=True, comment="Its cell")
    rows: Mapped[bytes] = mapped_column(LargeBinary, comment="A bit for each row it reached first")
    new_rows: Mapped[int] = mapped_column(Big, comment="How many these are")


class WorkerRow(Base):
    """A process that executes units, or plans them."""

    __tablename__ = "worker"
    __table_args__ = (
        *_not_negative("units_done"),
        {"comment": "Processes at work; each writes its own row now and then"},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True, comment="Host, process and when it started")
    role: Mapped[str] = mapped_column(Text, comment="local, celery or coordinator")
    host: Mapped[str] = mapped_column(Text, comment="The machine")
    pid: Mapped[int] = mapped_column(Big, comment="The process's number there")
    results_version: Mapped[str] = mapped_column(Text, comment="Which campaigns it can work for")
    versions: Mapped[dict[str, Any]] = mapped_column(Document, comment="Versions of what it is made of")
    started: Mapped[datetime] = mapped_column(UTCDateTime, comment="When it came, UTC")
    heard: Mapped[datetime] = mapped_column(UTCDateTime, index=True, comment="When it was last heard, UTC")
    doing: Mapped[str] = mapped_column(Text, comment="What it does, for people")
    unit_id: Mapped[int | None] = mapped_column(Big, comment="The unit it has in hand")
    units_done: Mapped[int] = mapped_column(Big, comment="Units it has settled")
    clock_ahead: Mapped[float] = mapped_column(comment="Seconds by which its clock is ahead of the database's")


class EventRow(Base):
    """Something that happened to a campaign."""

    __tablename__ = "event"
    __table_args__ = ({"comment": "What happened to campaigns: changes of state, lost leases, splits, canaries"},)

    id: Mapped[int] = mapped_column(RowNumber, primary_key=True, autoincrement=True, comment="In order of happening")
    campaign_id: Mapped[str] = mapped_column(ForeignKey("campaign.id"), index=True, comment="The campaign")
    at: Mapped[datetime] = mapped_column(UTCDateTime, comment="When, UTC")
    what: Mapped[str] = mapped_column(Text, comment="started, paused, lease lost, split, quarantined, ...")
    detail: Mapped[dict[str, Any]] = mapped_column(Document, comment="The particulars")


class ConfirmationRow(Base):
    """What became of a failure's trace on a real kernel. The next try is a row of its own."""

    __tablename__ = "confirmation"
    __table_args__ = (
        _one_of("swap", SWAPS, "swap"),
        _one_of("verdict", CONFIRMATIONS, "verdict"),
        _one_of("form", FORMS, "form"),
        *_not_negative("failed", "runs", "unknown"),
        CheckConstraint("failed <= runs", name="failed_at_most_runs"),
        CheckConstraint("(verdict = 'confirmed') = (form IS NOT NULL)", name="form_if_confirmed"),
        {"comment": "Failures tried on real kernels; only ever added"},
    )

    id: Mapped[str] = mapped_column(Text, primary_key=True, comment="cnf-...: digest of what was tried, and when")
    failure_id: Mapped[str] = mapped_column(ForeignKey("failure.id"), index=True, comment="The failure")
    trace_digest: Mapped[str] = mapped_column(
        ForeignKey("trace.digest"), comment="The trace of it that was run; a shorter one may be known since"
    )
    target: Mapped[str] = mapped_column(Text, comment="Name of the real kernel among its user's targets")
    kernel_sha256: Mapped[str] = mapped_column(Text, index=True, comment="Digest of the real kernel's file")
    release: Mapped[str] = mapped_column(Text, comment="What the real kernel calls itself")
    swap: Mapped[str] = mapped_column(Text, comment="The guests' swap device: zram or virtio")
    verdict: Mapped[str] = mapped_column(
        Text, comment="confirmed, not confirmed, cannot be judged, cannot be driven or unknown"
    )
    form: Mapped[str | None] = mapped_column(
        Text, comment="The form that failed: as it is, or drained (before every op); NULL where none did"
    )
    failed: Mapped[int] = mapped_column(Big, comment="Runs that failed in the way that the reason tells")
    runs: Mapped[int] = mapped_column(Big, comment="Runs of that form, or of all, of which anything is known")
    unknown: Mapped[int] = mapped_column(Big, comment="Runs beside them of which nothing is known")
    reason: Mapped[str] = mapped_column(Text, comment="What was seen, or why nothing was, in one sentence")
    console: Mapped[str | None] = mapped_column(Text, comment="The kernel's own report; NULL where it made none")
    versions: Mapped[dict[str, Any]] = mapped_column(Document, comment="Versions of all that took part")
    at: Mapped[datetime] = mapped_column(UTCDateTime, comment="When it was done, UTC")
