"""Answers to questions: entries with their history, facts of a community, and what nobody could answer."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

STATES = ("open", "learnt", "ignored")


def upgrade() -> None:
    content = postgresql.JSONB(none_as_null=True, astext_type=sa.Text())
    op.add_column("communities", sa.Column("facts", content, server_default=sa.text("'{}'"), nullable=False))
    op.create_table(
        "knowledge_entries",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("content", content, nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "key", postgresql_nulls_not_distinct=True),
    )
    op.create_table(
        "knowledge_edits",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=True),
        sa.Column("content", content, nullable=False),
        sa.Column("by", sa.String(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"]),
        sa.ForeignKeyConstraint(["entry_id"], ["knowledge_entries.id"]),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("knowledge_edits_by_community", "knowledge_edits", ["community_id", "id"])
    op.create_index("ix_knowledge_edits_entry_id", "knowledge_edits", ["entry_id"])
    op.create_table(
        "unanswered_questions",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("case_id", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.Enum(*STATES, name="questionstate", native_enum=False, length=16), nullable=False),
        sa.Column("entry_id", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["cases.id"]),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"]),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"]),
        sa.ForeignKeyConstraint(["entry_id"], ["knowledge_entries.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("conversation_id", "source"),
    )
    op.create_index(
        "unanswered_questions_open",
        "unanswered_questions",
        ["community_id", "id"],
        postgresql_where=sa.text("state = 'open'"),
    )


def downgrade() -> None:
    op.drop_table("unanswered_questions")
    op.drop_table("knowledge_edits")
    op.drop_table("knowledge_entries")
    op.drop_column("communities", "facts")
