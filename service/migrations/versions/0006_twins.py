"""Twins: a message that was passed on, and its copy; what a line answers, whence it came, when it was taken back."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "twins",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("album", sa.String(), nullable=True),
        sa.Column("said_chat_id", sa.BigInteger(), nullable=False),
        sa.Column("said_message_id", sa.BigInteger(), nullable=False),
        sa.Column("chat_id", sa.BigInteger(), nullable=False),
        sa.Column("message_id", sa.BigInteger(), nullable=True),
        sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"]),
        sa.ForeignKeyConstraint(["outbox_id"], ["outbox.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("outbox_id", "place"),
    )
    op.create_index("twins_by_original", "twins", ["said_chat_id", "said_message_id"])
    op.create_index("twins_by_copy", "twins", ["chat_id", "message_id"])
    op.add_column(
        "messages", sa.Column("entities", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.add_column("messages", sa.Column("reply_to", sa.BigInteger(), nullable=True))
    op.add_column("messages", sa.Column("forwarded_from", sa.String(), nullable=True))
    op.add_column("messages", sa.Column("withdrawn_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("messages", sa.Column("withdrawn_by_id", sa.BigInteger(), nullable=True))
    op.create_foreign_key(None, "messages", "staff", ["withdrawn_by_id"], ["id"])


def downgrade() -> None:
    for column in ("withdrawn_by_id", "withdrawn_at", "forwarded_from", "reply_to", "entities"):
        op.drop_column("messages", column)
    op.drop_table("twins")
