"""Surveys with reasons, comment and frozen attribution; unasked-for messages are counted, and can be declined."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

WHOSE = (("worker_id", "staff.id"), ("butler_id", "staff.id"), ("department_id", "departments.id"))


def upgrade() -> None:
    for table in ("call_backs", "surveys"):
        for column, target in WHOSE:
            op.add_column(table, sa.Column(column, sa.BigInteger(), sa.ForeignKey(target), nullable=True))
    op.add_column("surveys", sa.Column("reasons", postgresql.JSONB(), nullable=True))
    op.add_column("surveys", sa.Column("comment", sa.String(), nullable=True))
    op.add_column("surveys", sa.Column("comment_asked_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("surveys_open", "surveys", ["asked_at"], postgresql_where=sa.text("state = 'sent'"))
    op.add_column("conversations", sa.Column("awaiting_survey_id", sa.BigInteger(), nullable=True))
    op.add_column("residents", sa.Column("questions_off_since", sa.DateTime(timezone=True), nullable=True))
    for column, value in (("unasked_per_day", "1"), ("survey_every_days", "14")):
        op.add_column("communities", sa.Column(column, sa.BigInteger(), server_default=value, nullable=False))
    op.create_table(
        "unasked_messages",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=False),
        sa.Column("resident_id", sa.BigInteger(), sa.ForeignKey("residents.id"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("urgent", sa.Boolean(), nullable=False),
    )
    op.create_index("unasked_messages_by_resident", "unasked_messages", ["resident_id", "sent_at"])


def downgrade() -> None:
    op.drop_table("unasked_messages")
    for column in ("survey_every_days", "unasked_per_day"):
        op.drop_column("communities", column)
    op.drop_column("residents", "questions_off_since")
    op.drop_column("conversations", "awaiting_survey_id")
    op.drop_index("surveys_open", table_name="surveys")
    for column in ("comment_asked_at", "comment", "reasons"):
        op.drop_column("surveys", column)
    for table in ("surveys", "call_backs"):
        for column, _ in reversed(WHOSE):
            op.drop_column(table, column)
