"""The console: links that sign in, sessions, the audit log, and indexes for its board."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

AT_WORK = "state NOT IN ('finished', 'closed', 'withdrawn')"
INDEXES = (
    ("conversations_waiting", "conversations", ["community_id"], "owner = 'waiting'"),
    ("cases_at_work", "cases", ["community_id", "department_id"], AT_WORK),
    ("case_clocks_running", "case_clocks", ["due_at"], "stopped_at IS NULL"),
    ("surveys_rated", "surveys", ["answered_at"], "stars IS NOT NULL"),
)


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def key(name: str, *more: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("staff_id", sa.BigInteger(), sa.ForeignKey("staff.id"), nullable=False, index=True),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        moment("made_at"),
        *more,
        moment("ended_at", nullable=True),
    )


def upgrade() -> None:
    key("console_links", moment("expires_at"))
    key(
        "console_sessions",
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        moment("used_at"),
    )
    op.create_table(
        "audit_entries",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=False),
        moment("at"),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        sa.Column("object", sa.String(32), nullable=False),
        sa.Column("object_id", sa.BigInteger(), nullable=True),
    )
    op.create_index("audit_entries_by_community", "audit_entries", ["community_id", "id"])
    op.create_index("audit_entries_by_actor", "audit_entries", ["community_id", "actor", "id"])
    op.create_index("audit_entries_by_object", "audit_entries", ["community_id", "object", "object_id", "id"])
    op.add_column("communities", sa.Column("console_url", sa.String(), nullable=True))
    for name, table, columns, where in INDEXES:
        op.create_index(name, table, columns, postgresql_where=sa.text(where))


def downgrade() -> None:
    for name, table, _, _ in INDEXES:
        op.drop_index(name, table)
    op.drop_column("communities", "console_url")
    for table in ("audit_entries", "console_sessions", "console_links"):
        op.drop_table(table)
