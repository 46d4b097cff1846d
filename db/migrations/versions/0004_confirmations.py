"""Confirmations: what became of failures on real kernels."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

TEXT = sa.Text()
BIG = sa.BigInteger()
UTC = sa.DateTime(timezone=True)
DOCUMENT = sa.JSON(none_as_null=True).with_variant(postgresql.JSONB(none_as_null=True), "postgresql")


def upgrade() -> None:
    """Make the table; nothing that exists is changed."""
    op.create_table(
        "confirmation",
        sa.Column("id", TEXT, nullable=False, comment="cnf-...: digest of what was tried, and when"),
        sa.Column("failure_id", TEXT, nullable=False, comment="The failure"),
        sa.Column(
            "trace_digest",
            TEXT,
            nullable=False,
            comment="The trace of it that was run; a shorter one may be known since",
        ),
        sa.Column("target", TEXT, nullable=False, comment="Name of the real kernel among its user's targets"),
        sa.Column("kernel_sha256", TEXT, nullable=False, comment="Digest of the real kernel's file"),
        sa.Column("release", TEXT, nullable=False, comment="What the real kernel calls itself"),
        sa.Column("swap", TEXT, nullable=False, comment="The guests' swap device: zram or virtio"),
        sa.Column(
            "verdict",
            TEXT,
            nullable=False,
            comment="confirmed, not confirmed, cannot be judged, cannot be driven or unknown",
        ),
        sa.Column(
            "form",
            TEXT,
            nullable=True,
            comment="The form that failed: as it is, or drained (before every op); NULL where none did",
        ),
        sa.Column("failed", BIG, nullable=False, comment="Runs that failed in the way that the reason tells"),
        sa.Column("runs", BIG, nullable=False, comment="Runs of that form, or of all, of which anything is known"),
        sa.Column("unknown", BIG, nullable=False, comment="Runs beside them of which nothing is known"),
        sa.Column("reason", TEXT, nullable=False, comment="What was seen, or why nothing was, in one sentence"),
        sa.Column("console", TEXT, nullable=True, comment="The kernel's own report; NULL where it made none"),
        sa.Column("versions", DOCUMENT, nullable=False, comment="Versions of all that took part"),
        sa.Column("at", UTC, nullable=False, comment="When it was done, UTC"),
        sa.CheckConstraint("swap IN ('zram', 'virtio')", name=op.f("ck_confirmation_swap")),
        sa.CheckConstraint(
            "verdict IN ('confirmed', 'not confirmed', 'cannot be judged', 'cannot be driven', 'unknown')",
            name=op.f("ck_confirmation_verdict"),
        ),
        sa.CheckConstraint("form IN ('as it is', 'drained')", name=op.f("ck_confirmation_form")),
        sa.CheckConstraint("failed >= 0", name=op.f("ck_confirmation_failed_not_negative")),
        sa.CheckConstraint("runs >= 0", name=op.f("ck_confirmation_runs_not_negative")),
        sa.CheckConstraint("unknown >= 0", name=op.f("ck_confirmation_unknown_not_negative")),
        sa.CheckConstraint("failed <= runs", name=op.f("ck_confirmation_failed_at_most_runs")),
        sa.CheckConstraint(
            "(verdict = 'confirmed') = (form IS NOT NULL)", name=op.f("ck_confirmation_form_if_confirmed")
        ),
        sa.ForeignKeyConstraint(["failure_id"], ["failure.id"], name=op.f("fk_confirmation_failure_id_failure")),
        sa.ForeignKeyConstraint(["trace_digest"], ["trace.digest"], name=op.f("fk_confirmation_trace_digest_trace")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_confirmation")),
        comment="Failures tried on real kernels; only ever added",
    )
    op.create_index(op.f("ix_confirmation_failure_id"), "confirmation", ["failure_id"], unique=False)
    op.create_index(op.f("ix_confirmation_kernel_sha256"), "confirmation", ["kernel_sha256"], unique=False)
