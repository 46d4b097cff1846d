"""A class of failures more: conformance, where a real kernel showed otherwise."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    """Let a failure be of the class, and say so in the column's comment."""
    with op.batch_alter_table("failure") as table:
        table.drop_constraint(op.f("ck_failure_class"), type_="check")
        table.create_check_constraint(
            op.f("ck_failure_class"), "class IN ('safety', 'liveness', 'cost', 'conformance')"
        )
        table.alter_column("class", existing_type=sa.Text(), comment="safety, liveness, cost or conformance")
