"""Butlers may talk in their private chats with the bot."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("communities", sa.Column("talks_in", sa.String(16), server_default="group", nullable=False))
    op.add_column("staff", sa.Column("private_since", sa.DateTime(timezone=True), nullable=True))
    for column in ("talks_with_id", "shown_id"):
        op.add_column("staff", sa.Column(column, sa.BigInteger(), nullable=True))


def downgrade() -> None:
    for column in ("shown_id", "talks_with_id", "private_since"):
        op.drop_column("staff", column)
    op.drop_column("communities", "talks_in")
