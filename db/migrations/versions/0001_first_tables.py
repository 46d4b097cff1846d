"""The first tables: kernels, traces, runs, failures."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TEXT = sa.Text()
BIG = sa.BigInteger()
UTC = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the tables in an empty database."""
    _kernel()
    _trace()
    _run()
    _failure()
    _run_failure()
    _failure_trace()


def _kernel() -> None:
    op.create_table(
        "kernel",
        sa.Column("digest", TEXT, nullable=False, comment="krn-...: digest of the rows alone"),
        sa.Column("name", TEXT, nullable=False, comment="Name under which it was first stored"),
        sa.Column("parent", TEXT, nullable=True, comment="Name of the kernel it was derived from"),
        sa.Column("doc", TEXT, nullable=False, comment="What it is and where that is written"),
        sa.Column(
            "rules",
            DOCUMENT,
            nullable=False,
            comment="Per rule the bits that matter, its rows and its source; outlives today's table of rules",
        ),
        sa.Column("successor", TEXT, nullable=True, comment="Name of the kernel that came after it"),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_kernel")),
        comment="Kernels, by the digest of their rows; never changed",
    )
    op.create_index(op.f("ix_kernel_name"), "kernel", ["name"], unique=False)


def _trace() -> None:
    op.create_table(
        "trace",
        sa.Column("digest", TEXT, nullable=False, comment="trc-...: digest of the text"),
        sa.Column("kernel_name", TEXT, nullable=False, comment="Kernel named in the trace's header"),
        sa.Column("world", DOCUMENT, nullable=False, comment="The world's sizes and features"),
        sa.Column("world_text", TEXT, nullable=False, comment="The world as the trace's header says it"),
        sa.Column("text", TEXT, nullable=False, comment="The trace as people read, mail and replay it"),
        sa.Column("ops", BIG, nullable=False, comment="Number of ops"),
        sa.CheckConstraint("ops >= 0", name=op.f("ck_trace_ops_not_negative")),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_trace")),
        comment="Traces, by the digest of their text; never changed, never deleted",
    )
    op.create_index(op.f("ix_trace_kernel_name"), "trace", ["kernel_name"], unique=False)


def _run() -> None:
    op.create_table(
        "run",
        sa.Column("id", TEXT, nullable=False, comment="run-...: digest of what was asked, and when"),
        sa.Column("kernel_digest", TEXT, nullable=False, comment="The kernel that was fuzzed"),
        sa.Column("kernel_name", TEXT, nullable=False, comment="Name by which it was asked for"),
        sa.Column("world", DOCUMENT, nullable=False, comment="The world's sizes and features"),
        sa.Column("world_text", TEXT, nullable=False, comment="The world in one line"),
        sa.Column("engine", TEXT, nullable=False, comment="How the sequences were chosen"),
        sa.Column("seed", BIG, nullable=False, comment="From which everything random follows; 63 bits"),
        sa.Column("options", DOCUMENT, nullable=False, comment="Every option, given or derived"),
        sa.Column("versions", DOCUMENT, nullable=False, comment="Versions of all that took part"),
        sa.Column("state", TEXT, nullable=False, comment="running, done, stopped (by its user) or died"),
        sa.Column("started", UTC, nullable=False, comment="When it began, UTC"),
        sa.Column("heard", UTC, nullable=False, comment="When it last said that it runs, UTC"),
        sa.Column("ended", UTC, nullable=True, comment="When it ended, UTC; NULL while it runs"),
        sa.Column("seconds", sa.Double(), nullable=False, comment="Time spent fuzzing"),
        sa.Column("traces", BIG, nullable=False, comment="Traces executed"),
        sa.Column("ops", BIG, nullable=False, comment="Ops executed"),
        sa.Column("rows_covered", BIG, nullable=False, comment="Rows of the kernel's rules that decided something"),
        sa.Column("rows_total", BIG, nullable=False, comment="Rows of all rules"),
        sa.CheckConstraint("(ended IS NULL) = (state = 'running')", name=op.f("ck_run_ended_unless_running")),
        sa.CheckConstraint("state IN ('running', 'done', 'stopped', 'died')", name=op.f("ck_run_state")),
        sa.CheckConstraint("ops >= 0", name=op.f("ck_run_ops_not_negative")),
        sa.CheckConstraint("rows_covered <= rows_total", name=op.f("ck_run_rows_covered_at_most_total")),
        sa.CheckConstraint("rows_covered >= 0", name=op.f("ck_run_rows_covered_not_negative")),
        sa.CheckConstraint("rows_total >= 0", name=op.f("ck_run_rows_total_not_negative")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_run_seconds_not_negative")),
        sa.CheckConstraint("seed >= 0", name=op.f("ck_run_seed_not_negative")),
        sa.CheckConstraint("traces >= 0", name=op.f("ck_run_traces_not_negative")),
        sa.ForeignKeyConstraint(["kernel_digest"], ["kernel.digest"], name=op.f("fk_run_kernel_digest_kernel")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_run")),
        comment="Runs of the fuzzer; only the process that runs one writes its row",
    )
    op.create_index(op.f("ix_run_kernel_digest"), "run", ["kernel_digest"], unique=False)
    op.create_index(op.f("ix_run_started"), "run", ["started"], unique=False)


def _failure() -> None:
    op.create_table(
        "failure",
        sa.Column("id", TEXT, nullable=False, comment="fail-...: digest of signature and kernel"),
        sa.Column("signature", TEXT, nullable=False, comment="sig-...: failures that are the same"),
        sa.Column("oracle", TEXT, nullable=False, comment="The oracle that judged"),
        sa.Column("class", TEXT, nullable=False, comment="safety, liveness or cost"),
        sa.Column("kind", TEXT, nullable=False, comment="How the page came to be what it was"),
        sa.Column("kernel_digest", TEXT, nullable=False, comment="The kernel that fails"),
        sa.Column("kernel_name", TEXT, nullable=False, comment="Its name when it was first seen to fail"),
        sa.Column("original_digest", TEXT, nullable=False, comment="The trace as it was drawn"),
        sa.Column("minimized_digest", TEXT, nullable=False, comment="The shortest trace known"),
        sa.Column("verdict", TEXT, nullable=False, comment="PASS, FAIL, UNKNOWN or SKIPPED"),
        sa.Column("reason", TEXT, nullable=False, comment="Why, in one sentence"),
        sa.Column("violation", DOCUMENT, nullable=False, comment="Where and what, as the oracle saw it"),
        sa.Column("cause", DOCUMENT, nullable=False, comment="The guilty rows and how they were found"),
        sa.Column(
            "reference_digest",
            TEXT,
            nullable=True,
            comment="The kernel whose rows were exchanged to find the cause",
        ),
        sa.Column("minimization", DOCUMENT, nullable=False, comment="What was tried, what is proved"),
        sa.Column("seed", BIG, nullable=False, comment="Seed of the sequence; 63 bits"),
        sa.Column("options", DOCUMENT, nullable=False, comment="Every option, given or derived"),
        sa.Column("versions", DOCUMENT, nullable=False, comment="Versions of all that took part"),
        sa.Column("first_seen", UTC, nullable=False, comment="First time any run saw it, UTC"),
        sa.Column("last_seen", UTC, nullable=False, comment="Last time any run saw it, UTC"),
        sa.CheckConstraint("class IN ('safety', 'liveness', 'cost')", name=op.f("ck_failure_class")),
        sa.CheckConstraint("verdict IN ('PASS', 'FAIL', 'UNKNOWN', 'SKIPPED')", name=op.f("ck_failure_verdict")),
        sa.CheckConstraint("first_seen <= last_seen", name=op.f("ck_failure_seen_in_order")),
        sa.CheckConstraint("seed >= 0", name=op.f("ck_failure_seed_not_negative")),
        sa.ForeignKeyConstraint(["kernel_digest"], ["kernel.digest"], name=op.f("fk_failure_kernel_digest_kernel")),
        sa.ForeignKeyConstraint(["minimized_digest"], ["trace.digest"], name=op.f("fk_failure_minimized_digest_trace")),
        sa.ForeignKeyConstraint(["original_digest"], ["trace.digest"], name=op.f("fk_failure_original_digest_trace")),
        sa.ForeignKeyConstraint(
            ["reference_digest"], ["kernel.digest"], name=op.f("fk_failure_reference_digest_kernel")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_failure")),
        sa.UniqueConstraint("signature", "kernel_digest", name=op.f("uq_failure_signature_kernel_digest")),
        comment="Failures, one per signature and kernel; shows the finding with the shortest trace",
    )
    op.create_index(op.f("ix_failure_class"), "failure", ["class"], unique=False)
    op.create_index(op.f("ix_failure_kernel_digest"), "failure", ["kernel_digest"], unique=False)
    op.create_index(op.f("ix_failure_kernel_name"), "failure", ["kernel_name"], unique=False)
    op.create_index(op.f("ix_failure_last_seen"), "failure", ["last_seen"], unique=False)
    op.create_index(op.f("ix_failure_minimized_digest"), "failure", ["minimized_digest"], unique=False)
    op.create_index(op.f("ix_failure_oracle"), "failure", ["oracle"], unique=False)
    op.create_index(op.f("ix_failure_original_digest"), "failure", ["original_digest"], unique=False)


def _run_failure() -> None:
    op.create_table(
        "run_failure",
        sa.Column("run_id", TEXT, nullable=False, comment="The run"),
        sa.Column("failure_id", TEXT, nullable=False, comment="The failure it saw"),
        sa.Column("count", BIG, nullable=False, comment="How often the run saw it, in all"),
        sa.Column("first_seen", UTC, nullable=False, comment="First time this run saw it, UTC"),
        sa.Column("last_seen", UTC, nullable=False, comment="Last time this run saw it, UTC"),
        sa.CheckConstraint("count > 0", name=op.f("ck_run_failure_count_positive")),
        sa.CheckConstraint("first_seen <= last_seen", name=op.f("ck_run_failure_seen_in_order")),
        sa.ForeignKeyConstraint(["failure_id"], ["failure.id"], name=op.f("fk_run_failure_failure_id_failure")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_failure_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "failure_id", name=op.f("pk_run_failure")),
        comment="Which run saw which failure, and how often",
    )
    op.create_index(op.f("ix_run_failure_failure_id"), "run_failure", ["failure_id"], unique=False)


def _failure_trace() -> None:
    op.create_table(
        "failure_trace",
        sa.Column("failure_id", TEXT, nullable=False, comment="The failure"),
        sa.Column("original_digest", TEXT, nullable=False, comment="The trace as it was drawn"),
        sa.Column("minimized_digest", TEXT, nullable=False, comment="What it was minimized to"),
        sa.Column("run_id", TEXT, nullable=False, comment="The run that first found it"),
        sa.Column("seed", BIG, nullable=False, comment="Seed of the sequence; 63 bits"),
        sa.CheckConstraint("seed >= 0", name=op.f("ck_failure_trace_seed_not_negative")),
        sa.ForeignKeyConstraint(["failure_id"], ["failure.id"], name=op.f("fk_failure_trace_failure_id_failure")),
        sa.ForeignKeyConstraint(
            ["minimized_digest"], ["trace.digest"], name=op.f("fk_failure_trace_minimized_digest_trace")
        ),
        sa.ForeignKeyConstraint(
            ["original_digest"], ["trace.digest"], name=op.f("fk_failure_trace_original_digest_trace")
        ),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_failure_trace_run_id_run")),
        sa.PrimaryKeyConstraint("failure_id", "original_digest", "minimized_digest", name=op.f("pk_failure_trace")),
        comment="Every trace ever found for a failure, the shorter and the longer ones; never deleted",
    )
