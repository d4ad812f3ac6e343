"""Follow-ups can be held back and released, with who and why."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversations.id"), nullable=True),
        sa.Column("of", sa.String(32), nullable=False),
        sa.Column("row_id", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("why", sa.String(), nullable=False),
        sa.Column("held_at", moment, nullable=False),
        sa.Column("released_at", moment, nullable=True),
        sa.Column("released_by", sa.String(), nullable=True),
    )
    still = sa.text("released_at IS NULL")
    op.create_index("holds_open", "holds", ["of", "row_id"], unique=True, postgresql_where=still)


def downgrade() -> None:
    op.drop_table("holds")
