"""Each community's hours by weekday, and its holidays and working days in lieu."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "weekday_hours",
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), primary_key=True),
        sa.Column("weekday", sa.BigInteger(), primary_key=True),
        sa.Column("hours", sa.String(), nullable=False),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday_hours_weekday"),
    )
    op.create_table(
        "calendar_days",
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("hours", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=True),
    )


def downgrade() -> None:
    op.drop_table("calendar_days")
    op.drop_table("weekday_hours")
