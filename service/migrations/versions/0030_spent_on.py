"""Which message a household's budget was spent on, so that just that one is given back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("unasked_messages", sa.Column("outbox_id", sa.BigInteger))
    op.create_index(
        "unasked_messages_by_row",
        "unasked_messages",
        ["outbox_id"],
        postgresql_where=sa.text("outbox_id IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_column("unasked_messages", "outbox_id")
