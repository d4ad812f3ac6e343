"""Clocks of cases as an index, and each community's own targets."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "case_clocks",
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("cases.id"), primary_key=True),
        sa.Column("clock", sa.String(32), primary_key=True),
        sa.Column("run", sa.BigInteger(), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("stopped_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
    )
    op.create_index("case_clocks_due", "case_clocks", ["wake_at"], postgresql_where=sa.text("wake_at IS NOT NULL"))
    op.create_table(
        "clock_targets",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("clock", sa.String(32), nullable=False),
        sa.Column("category", sa.String(32), nullable=True),
        sa.Column("urgency", sa.BigInteger(), nullable=True),
        sa.Column("minutes", sa.BigInteger(), nullable=False),
        sa.Column("always", sa.Boolean(), nullable=False),
        sa.UniqueConstraint(
            "community_id", "kind", "clock", "category", "urgency",
            name="clock_targets_once", postgresql_nulls_not_distinct=True,
        ),
        sa.CheckConstraint("minutes > 0", name="clock_targets_positive"),
    )  # fmt: skip


def downgrade() -> None:
    op.drop_table("clock_targets")
    op.drop_table("case_clocks")
