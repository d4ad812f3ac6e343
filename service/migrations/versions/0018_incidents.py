"""Known incidents, and the residents who were told of them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    moment = sa.DateTime(timezone=True)
    op.create_table(
        "incidents",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=False),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("category", sa.String(32), nullable=False),
        sa.Column("trouble", sa.String(32)),
        sa.Column("places", postgresql.JSONB(), nullable=False),
        sa.Column("text_zh", sa.String()),
        sa.Column("text_en", sa.String()),
        sa.Column("begins_at", moment, nullable=False),
        sa.Column("expected_until", moment),
        sa.Column("reminded_at", moment),
        sa.Column("ended_at", moment),
        sa.Column("entered_by", sa.String(), nullable=False),
        sa.UniqueConstraint("community_id", "source"),
    )
    op.create_index("incidents_open", "incidents", ["community_id"], postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "incident_reports",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("incident_id", sa.BigInteger(), sa.ForeignKey("incidents.id"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("matter", sa.String(), nullable=False),
        sa.Column("place", sa.String()),
        sa.Column("phone", sa.String()),
        sa.Column("joined_at", moment, nullable=False),
        sa.Column("due_at", moment),
        sa.Column("told_at", moment),
        sa.Column("outcome", sa.String(16)),
        sa.Column("reason", sa.String()),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("cases.id")),
        sa.UniqueConstraint("incident_id", "conversation_id"),
    )
    due = sa.text("due_at IS NOT NULL")
    op.create_index("incident_reports_due", "incident_reports", ["due_at"], postgresql_where=due)
    op.create_index("ix_incident_reports_conversation_id", "incident_reports", ["conversation_id"])
    # A report from one building is looked for by the hour (service/incident_hints.py).
    op.create_index("cases_by_category", "cases", ["community_id", "category", "opened_at"])


def downgrade() -> None:
    op.drop_index("cases_by_category", table_name="cases")
    op.drop_table("incident_reports")
    op.drop_table("incidents")
