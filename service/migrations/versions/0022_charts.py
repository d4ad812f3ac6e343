"""The console's charts: what they count, by when it happened; a person's communities."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

INDEXES = (
    ("cases_opened", "cases", ["community_id", "opened_at", "id"], ["kind", "category"], None),
    ("messages_heard", "messages", ["said_at", "id"], ["conversation_id"], "author = 'resident'"),
    ("candidates_unclear", "candidates", ["community_id", "noticed_at", "id"], None, "why = 'rephrase'"),
    ("case_events_reopened", "case_events", ["case_id"], None, "event = 'reopened'"),
    ("staff_by_user", "staff", ["user_id"], None, None),
)


def upgrade() -> None:
    for name, table, columns, include, where in INDEXES:
        only = sa.text(where) if where else None
        op.create_index(name, table, columns, postgresql_include=include, postgresql_where=only)


def downgrade() -> None:
    for name, table, *_ in INDEXES:
        op.drop_index(name, table)
