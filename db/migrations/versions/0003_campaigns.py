"""Campaigns: their units, results, samples and events; workers; a class of failures more: crash."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TEXT = sa.Text()
BIG = sa.BigInteger()
ROW_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
UTC = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the tables, let a run be a cell of a campaign, and a failure be a crash."""
    _campaign()
    _run_columns()
    _worker()
    _event()
    _run_key()
    _unit()
    _corpus()
    _sample()
    _unit_result()
    _failure_class()


def _campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", TEXT, nullable=False, comment="cmp-...: digest of name, settings and time"),
        sa.Column("name", TEXT, nullable=False, comment="What people call it"),
        sa.Column("origin", TEXT, nullable=False, comment="campaign, or run: made by `mmfuzz run` for itself"),
        sa.Column("spec", DOCUMENT, nullable=False, comment="Every setting, given or derived"),
        sa.Column("cloned_from", TEXT, nullable=True, comment="The campaign whose settings it started from"),
        sa.Column(
            "results_version",
            TEXT,
            nullable=False,
            comment="Workers of the same results version compute the same results",
        ),
        sa.Column("versions", DOCUMENT, nullable=False, comment="Versions of what it was made with"),
        sa.Column(
            "weight", BIG, nullable=False, comment="Its share of the workers, against the other campaigns' weights"
        ),
        sa.Column("seed", BIG, nullable=False, comment="From which everything random follows; 63 bits"),
        sa.Column("state", TEXT, nullable=False, comment="new, running, paused, draining, done or stopped"),
        sa.Column("ended_by", TEXT, nullable=True, comment="Which budget ended it, or its user"),
        sa.Column("created", UTC, nullable=False, comment="When it was made, UTC"),
        sa.Column("started", UTC, nullable=True, comment="When it was first started, UTC"),
        sa.Column("ended", UTC, nullable=True, comment="When its last unit was settled, UTC"),
        sa.Column("running_since", UTC, nullable=True, comment="Begin of this stretch; NULL at rest"),
        sa.Column("seconds", sa.Double(), nullable=False, comment="Time it was running before this stretch"),
        sa.Column("next_number", BIG, nullable=False, comment="Number of the next unit to be planned"),
        sa.Column("seeds_planned", BIG, nullable=False, comment="Seeds of all numbers below, whatever became of them"),
        sa.Column("ops_planned", BIG, nullable=False, comment="Ops of all numbers below"),
        sa.Column("folded_number", BIG, nullable=False, comment="Results of all numbers below are folded in"),
        sa.Column("news_at_ops", BIG, nullable=False, comment="Ops folded when a row or a failure was last new"),
        sa.Column("canary_asked", UTC, nullable=True, comment="When the last canary was planned"),
        sa.Column("canary_caught", UTC, nullable=True, comment="When a canary was last caught"),
        sa.Column("canary_missed", UTC, nullable=True, comment="When a canary last went unseen"),
        sa.CheckConstraint(
            "(ended IS NULL) = (state NOT IN ('done', 'stopped'))", name=op.f("ck_campaign_ended_when_over")
        ),
        sa.CheckConstraint(
            "ended_by IN ('seconds', 'ops', 'failures', 'plateau', 'user')", name=op.f("ck_campaign_ended_by")
        ),
        sa.CheckConstraint("origin IN ('campaign', 'run')", name=op.f("ck_campaign_origin")),
        sa.CheckConstraint(
            "state IN ('new', 'running', 'paused', 'draining', 'done', 'stopped')", name=op.f("ck_campaign_state")
        ),
        sa.CheckConstraint("folded_number <= next_number", name=op.f("ck_campaign_folded_only_what_was_planned")),
        sa.CheckConstraint("folded_number >= 0", name=op.f("ck_campaign_folded_number_not_negative")),
        sa.CheckConstraint("news_at_ops >= 0", name=op.f("ck_campaign_news_at_ops_not_negative")),
        sa.CheckConstraint("next_number >= 0", name=op.f("ck_campaign_next_number_not_negative")),
        sa.CheckConstraint("ops_planned >= 0", name=op.f("ck_campaign_ops_planned_not_negative")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_campaign_seconds_not_negative")),
        sa.CheckConstraint("seed >= 0", name=op.f("ck_campaign_seed_not_negative")),
        sa.CheckConstraint("seeds_planned >= 0", name=op.f("ck_campaign_seeds_planned_not_negative")),
        sa.CheckConstraint("weight > 0", name=op.f("ck_campaign_weight_positive")),
        sa.ForeignKeyConstraint(["cloned_from"], ["campaign.id"], name=op.f("fk_campaign_cloned_from_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("name", name=op.f("uq_campaign_name")),
        comment="Campaigns; the cursors are moved by whichever coordinator comes first",
    )
    op.create_index(op.f("ix_campaign_created"), "campaign", ["created"], unique=False)
    op.create_index(op.f("ix_campaign_state"), "campaign", ["state"], unique=False)


def _worker() -> None:
    op.create_table(
        "worker",
        sa.Column("id", TEXT, nullable=False, comment="Host, process and when it started"),
        sa.Column("role", TEXT, nullable=False, comment="local, celery or coordinator"),
        sa.Column("host", TEXT, nullable=False, comment="The machine"),
        sa.Column("pid", BIG, nullable=False, comment="The process's number there"),
        sa.Column("results_version", TEXT, nullable=False, comment="Which campaigns it can work for"),
        sa.Column("versions", DOCUMENT, nullable=False, comment="Versions of what it is made of"),
        sa.Column("started", UTC, nullable=False, comment="When it came, UTC"),
        sa.Column("heard", UTC, nullable=False, comment="When it was last heard, UTC"),
        sa.Column("doing", TEXT, nullable=False, comment="What it does, for people"),
        sa.Column("unit_id", BIG, nullable=True, comment="The unit it has in hand"),
        sa.Column("units_done", BIG, nullable=False, comment="Units it has settled"),
        sa.Column(
            "clock_ahead", sa.Double(), nullable=False, comment="Seconds by which its clock is ahead of the database's"
        ),
        sa.CheckConstraint("units_done >= 0", name=op.f("ck_worker_units_done_not_negative")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_worker")),
        comment="Processes at work; each writes its own row now and then",
    )
    op.create_index(op.f("ix_worker_heard"), "worker", ["heard"], unique=False)


def _event() -> None:
    op.create_table(
        "event",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False, comment="In order of happening"),
        sa.Column("campaign_id", TEXT, nullable=False, comment="The campaign"),
        sa.Column("at", UTC, nullable=False, comment="When, UTC"),
        sa.Column("what", TEXT, nullable=False, comment="started, paused, lease lost, split, quarantined, ..."),
        sa.Column("detail", DOCUMENT, nullable=False, comment="The particulars"),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_event_campaign_id_campaign")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        comment="What happened to campaigns: changes of state, lost leases, splits, canaries",
    )
    op.create_index(op.f("ix_event_campaign_id"), "event", ["campaign_id"], unique=False)


def _run_key() -> None:
    op.create_table(
        "run_key",
        sa.Column("run_id", TEXT, nullable=False, comment="The cell"),
        sa.Column("oracle", TEXT, nullable=False, comment="The oracle"),
        sa.Column("kind", TEXT, nullable=False, comment="How the page came to be what it was"),
        sa.Column("count", BIG, nullable=False, comment="Failing traces"),
        sa.Column("later_samples", BIG, nullable=False, comment="Samples chosen after the first unit that had any"),
        sa.CheckConstraint("count >= 0", name=op.f("ck_run_key_count_not_negative")),
        sa.CheckConstraint("later_samples >= 0", name=op.f("ck_run_key_later_samples_not_negative")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_run_key_run_id_run")),
        sa.PrimaryKeyConstraint("run_id", "oracle", "kind", name=op.f("pk_run_key")),
        comment="Failing traces by cell, oracle and kind, as folded so far",
    )


def _unit() -> None:
    op.create_table(
        "unit",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False, comment="In order of planning"),
        sa.Column("campaign_id", TEXT, nullable=False, comment="Its campaign"),
        sa.Column("run_id", TEXT, nullable=False, comment="The cell it belongs to"),
        sa.Column("kind", TEXT, nullable=False, comment="fuzz, minimize (a sample) or canary (must fail)"),
        sa.Column(
            "number",
            BIG,
            nullable=False,
            comment="Its place in the campaign, shared by parts split off; of one that minimizes, the id of its sample",
        ),
        sa.Column("seed_start", BIG, nullable=False, comment="Number of its first seed in the campaign"),
        sa.Column("seed_count", BIG, nullable=False, comment="How many seeds it has; 0 unless it fuzzes"),
        sa.Column("ops", BIG, nullable=False, comment="Budget of ops over all its seeds"),
        sa.Column("parent_id", ROW_NUMBER, nullable=True, comment="The unit it was split off from"),
        sa.Column("state", TEXT, nullable=False, comment="ready, leased, done, split, quarantined or withdrawn"),
        sa.Column("attempt", BIG, nullable=False, comment="How often it was claimed and not given back"),
        sa.Column(
            "fence", BIG, nullable=False, comment="Raised by every claim; a result counts with the last one only"
        ),
        sa.Column("lease_owner", TEXT, nullable=True, comment="The worker that claimed it last"),
        sa.Column("lease_until", UTC, nullable=True, comment="When its worker counts as gone, UTC"),
        sa.Column("note", TEXT, nullable=True, comment="Why it was split or quarantined"),
        sa.CheckConstraint("(state = 'leased') = (lease_until IS NOT NULL)", name=op.f("ck_unit_leased_until")),
        sa.CheckConstraint("kind IN ('fuzz', 'minimize', 'canary')", name=op.f("ck_unit_kind")),
        sa.CheckConstraint(
            "state IN ('ready', 'leased', 'done', 'split', 'quarantined', 'withdrawn')", name=op.f("ck_unit_state")
        ),
        sa.CheckConstraint("attempt >= 0", name=op.f("ck_unit_attempt_not_negative")),
        sa.CheckConstraint("fence >= 0", name=op.f("ck_unit_fence_not_negative")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_unit_number_not_negative")),
        sa.CheckConstraint("ops >= 0", name=op.f("ck_unit_ops_not_negative")),
        sa.CheckConstraint("seed_count >= 0", name=op.f("ck_unit_seed_count_not_negative")),
        sa.CheckConstraint("seed_start >= 0", name=op.f("ck_unit_seed_start_not_negative")),
        sa.ForeignKeyConstraint(["campaign_id"], ["campaign.id"], name=op.f("fk_unit_campaign_id_campaign")),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id_unit")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_unit_run_id_run")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint(
            "campaign_id",
            "kind",
            "number",
            "seed_start",
            "seed_count",
            name=op.f("uq_unit_campaign_id_kind_number_seed_start_seed_count"),
        ),
        comment="Units of work; claimed, settled and re-leased by conditional updates only",
    )
    op.create_index(op.f("ix_unit_run_id"), "unit", ["run_id"], unique=False)
    op.create_index(op.f("ix_unit_state_kind_id"), "unit", ["state", "kind", "id"], unique=False)
    op.create_index(op.f("ix_unit_state_lease_until"), "unit", ["state", "lease_until"], unique=False)


def _corpus() -> None:
    op.create_table(
        "corpus",
        sa.Column("unit_id", ROW_NUMBER, nullable=False, comment="The unit"),
        sa.Column("run_id", TEXT, nullable=False, comment="Its cell"),
        sa.Column("rows", sa.LargeBinary(), nullable=False, comment="A bit for each row it reached first"),
        sa.Column("new_rows", BIG, nullable=False, comment="How many these are"),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_corpus_run_id_run")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_corpus_unit_id_unit")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_corpus")),
        comment="Units that reached a row first; their seeds draw the traces again",
    )
    op.create_index(op.f("ix_corpus_run_id"), "corpus", ["run_id"], unique=False)


def _sample() -> None:
    op.create_table(
        "sample",
        sa.Column("id", ROW_NUMBER, autoincrement=True, nullable=False, comment="In order of folding"),
        sa.Column("run_id", TEXT, nullable=False, comment="The cell it was found in"),
        sa.Column("unit_id", ROW_NUMBER, nullable=False, comment="The unit that found it"),
        sa.Column("number", BIG, nullable=False, comment="That unit's number"),
        sa.Column("position", BIG, nullable=False, comment="Its place among the unit's samples"),
        sa.Column("oracle", TEXT, nullable=False, comment="The oracle that judged"),
        sa.Column("kind", TEXT, nullable=False, comment="How the page came to be what it was"),
        sa.Column("count", BIG, nullable=False, comment="How many of the unit's traces it stands for"),
        sa.Column("trace_digest", TEXT, nullable=False, comment="The trace as it was drawn"),
        sa.Column("found", DOCUMENT, nullable=False, comment="Seed, options and what the oracle saw"),
        sa.Column("failure_id", TEXT, nullable=True, comment="The failure it is; NULL before it is minimized"),
        sa.CheckConstraint("count > 0", name=op.f("ck_sample_count_positive")),
        sa.CheckConstraint("number >= 0", name=op.f("ck_sample_number_not_negative")),
        sa.CheckConstraint("position >= 0", name=op.f("ck_sample_position_not_negative")),
        sa.ForeignKeyConstraint(["failure_id"], ["failure.id"], name=op.f("fk_sample_failure_id_failure")),
        sa.ForeignKeyConstraint(["run_id"], ["run.id"], name=op.f("fk_sample_run_id_run")),
        sa.ForeignKeyConstraint(["trace_digest"], ["trace.digest"], name=op.f("fk_sample_trace_digest_trace")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_sample_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sample")),
        sa.UniqueConstraint("unit_id", "position", name=op.f("uq_sample_unit_id_position")),
        comment="Failing traces to be minimized, and the failure each turned out to be",
    )
    op.create_index(op.f("ix_sample_failure_id"), "sample", ["failure_id"], unique=False)
    op.create_index(op.f("ix_sample_run_id"), "sample", ["run_id"], unique=False)


def _unit_result() -> None:
    op.create_table(
        "unit_result",
        sa.Column("unit_id", ROW_NUMBER, nullable=False, comment="The unit"),
        sa.Column("seeds", BIG, nullable=False, comment="Seeds executed"),
        sa.Column("traces", BIG, nullable=False, comment="Traces executed"),
        sa.Column("ops", BIG, nullable=False, comment="Ops executed"),
        sa.Column("rows", sa.LargeBinary(), nullable=False, comment="A bit for each row that decided something"),
        sa.Column("digest", TEXT, nullable=False, comment="unit-...: digest of every outcome"),
        sa.Column("counts", DOCUMENT, nullable=False, comment="Failing traces by oracle and kind"),
        sa.Column("samples", DOCUMENT, nullable=True, comment="Traces that failed; NULL once folded"),
        sa.Column("seconds", sa.Double(), nullable=False, comment="Time it took"),
        sa.Column("worker", TEXT, nullable=False, comment="Who executed it"),
        sa.Column("recorded", UTC, nullable=False, comment="When it was stored, UTC"),
        sa.CheckConstraint("ops >= 0", name=op.f("ck_unit_result_ops_not_negative")),
        sa.CheckConstraint("seconds >= 0", name=op.f("ck_unit_result_seconds_not_negative")),
        sa.CheckConstraint("seeds >= 0", name=op.f("ck_unit_result_seeds_not_negative")),
        sa.CheckConstraint("traces >= 0", name=op.f("ck_unit_result_traces_not_negative")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_unit_result_unit_id_unit")),
        sa.PrimaryKeyConstraint("unit_id", name=op.f("pk_unit_result")),
        comment="Results of units; stored in the transaction that settles the unit",
    )


def _run_columns() -> None:
    with op.batch_alter_table("run") as table:
        table.add_column(
            sa.Column(
                "campaign_id",
                TEXT,
                nullable=True,
                comment="The campaign it is a cell of; NULL for runs before there were any",
            )
        )
        table.add_column(sa.Column("cell", BIG, nullable=True, comment="Number of the campaign's cell, from 0 on"))
        table.add_column(sa.Column("units", BIG, nullable=True, comment="Units folded in"))
        table.add_column(
            sa.Column("rows_seen", sa.LargeBinary(), nullable=True, comment="A bit for each row that decided something")
        )
        table.add_column(
            sa.Column(
                "rows_again", sa.LargeBinary(), nullable=True, comment="A bit for each row that several units saw"
            )
        )
        table.create_index(table.f("ix_run_campaign_id"), ["campaign_id"], unique=False)
        table.create_foreign_key(table.f("fk_run_campaign_id_campaign"), "campaign", ["campaign_id"], ["id"])


def _failure_class() -> None:
    with op.batch_alter_table("failure") as table:
        table.drop_constraint(op.f("ck_failure_class"), type_="check")
        table.create_check_constraint(
            op.f("ck_failure_class"), "class IN ('safety', 'liveness', 'cost', 'conformance', 'crash')"
        )
        table.alter_column("class", existing_type=sa.Text(), comment="safety, liveness, cost, conformance or crash")
