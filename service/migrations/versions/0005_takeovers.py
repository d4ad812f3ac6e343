"""Takeovers: who answered when, staff's roles and duty, canned phrases, the nightly self-check."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "canned_phrases",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("text", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "name", "language"),
    )
    op.create_table(
        "self_checks",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("looked_at", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.Column("violations", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        sa.ForeignKeyConstraint(["community_id"], ["communities.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("community_id", "day"),
    )
    op.create_table(
        "shifts",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("staff_id", sa.BigInteger(), nullable=False),
        sa.Column("weekday", sa.BigInteger(), nullable=False),
        sa.Column("begins", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.ForeignKeyConstraint(["staff_id"], ["staff.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("staff_id", "weekday", "begins"),
    )
    op.create_table(
        "handovers",
        sa.Column("id", sa.BigInteger(), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column(
            "owner", sa.Enum("bot", "waiting", "butler", name="owner", native_enum=False, length=16), nullable=False
        ),
        sa.Column("butler_id", sa.BigInteger(), nullable=True),
        sa.Column("department_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.String(length=32), nullable=False),
        sa.Column("note", sa.String(), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.ForeignKeyConstraint(["butler_id"], ["staff.id"]),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversations.id"]),
        sa.ForeignKeyConstraint(["department_id"], ["departments.id"]),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("conversation_id", "epoch"),
    )
    op.add_column("conversations", sa.Column("department_id", sa.BigInteger(), nullable=True))
    op.add_column("conversations", sa.Column("greeted_by_id", sa.BigInteger(), nullable=True))
    op.add_column("conversations", sa.Column("held_until", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("active_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("conversations", sa.Column("answer_owed", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("conversations", sa.Column("idle_told_at", sa.DateTime(timezone=True), nullable=True))
    op.create_foreign_key(None, "conversations", "staff", ["greeted_by_id"], ["id"])
    op.create_foreign_key(None, "conversations", "departments", ["department_id"], ["id"])
    op.add_column("topics", sa.Column("closed", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("outbox", sa.Column("case_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "staff",
        sa.Column(
            "role",
            sa.Enum("butler", "department", "supervisor", "manager", name="role", native_enum=False, length=16),
            server_default="butler",
            nullable=False,
        ),
    )
    op.add_column("staff", sa.Column("department_id", sa.BigInteger(), nullable=True))
    op.add_column(
        "staff", sa.Column("languages", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=True)
    )
    op.add_column(
        "staff", sa.Column("duty", sa.Enum("on", "off", name="duty", native_enum=False, length=16), nullable=True)
    )
    op.create_foreign_key(None, "staff", "departments", ["department_id"], ["id"])
    op.create_index("outbox_held", "outbox", ["conversation_id"], postgresql_where=sa.text("state = 'held'"))
    op.create_index("outbox_by_case", "outbox", ["case_id"], postgresql_where=sa.text("case_id IS NOT NULL"))
    op.create_index(
        "conversations_of_butlers", "conversations", ["active_at"], postgresql_where=sa.text("owner = 'butler'")
    )
    # The log begins with who answers now.
    op.execute("""
        UPDATE conversations SET active_at = clock_timestamp() WHERE owner = 'butler'
    """)
    op.execute("""
        INSERT INTO handovers (conversation_id, epoch, owner, butler_id, reason, at)
        SELECT id, epoch, owner, butler_id, 'upgrade', clock_timestamp() FROM conversations WHERE owner <> 'bot'
    """)


def downgrade() -> None:
    op.drop_index("conversations_of_butlers", table_name="conversations")
    op.drop_index("outbox_by_case", table_name="outbox")
    op.drop_index("outbox_held", table_name="outbox")
    for column in ("duty", "languages", "department_id", "role"):
        op.drop_column("staff", column)
    op.drop_column("outbox", "case_id")
    op.drop_column("topics", "closed")
    for column in ("idle_told_at", "answer_owed", "active_at", "held_until", "greeted_by_id", "department_id"):
        op.drop_column("conversations", column)
    for table in ("handovers", "shifts", "self_checks", "canned_phrases"):
        op.drop_table(table)
