"""Photos and files that staff look at in the console, fetched from Telegram and kept for a while."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fetched_files",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=False),
        sa.Column("message_id", sa.BigInteger(), sa.ForeignKey("messages.id"), nullable=False),
        sa.Column("file_id", sa.String(), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True)),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("content", sa.LargeBinary()),
        sa.Column("type", sa.String(32)),
        sa.Column("refused", sa.String(16)),
        sa.UniqueConstraint("message_id", "file_id"),
    )
    op.execute("ALTER TABLE fetched_files ALTER COLUMN content SET STORAGE EXTERNAL")  # photos are compressed already
    op.create_index("fetched_files_due", "fetched_files", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index("fetched_files_by_age", "fetched_files", ["asked_at"])
    op.create_index("fetched_files_by_community", "fetched_files", ["community_id", "asked_at"])


def downgrade() -> None:
    op.drop_table("fetched_files")
