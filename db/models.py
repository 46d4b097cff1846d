"""The shape of what is stored: one class a table.

The migrations make the tables; these classes are what the code reads and writes them by, and a test holds the
two together. Rows never leave this folder: see `db.values`.
"""

from datetime import datetime
from typing import Any, Final

from sqlalchemy import CheckConstraint, ForeignKey, MetaData, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.types import Big, Document, UTCDateTime

CLASSES: Final = ("safety", "liveness", "cost", "conformance")
VERDICTS: Final = ("PASS", "FAIL", "UNKNOWN", "SKIPPED")
RUN_STATES: Final = ("running", "done", "stopped", "died")

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
    cls: Mapped[str] = mapped_column("class", Text, index=True, comment="safety, liveness, cost or conformance")
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
