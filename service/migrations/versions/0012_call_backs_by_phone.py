"""Call-backs: answered in part, reminded of once, then made by phone."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("call_backs", sa.Column("outcome", sa.String(16), nullable=True))
    op.execute("UPDATE call_backs SET outcome = CASE WHEN held THEN 'held' ELSE 'not_held' END WHERE held IS NOT NULL")
    op.drop_column("call_backs", "held")
    op.add_column("call_backs", sa.Column("reminded_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("call_backs", sa.Column("task_id", sa.BigInteger(), sa.ForeignKey("outbox.id"), nullable=True))
    op.add_column("call_backs", sa.Column("tries", sa.BigInteger(), server_default="0", nullable=False))
    op.add_column("call_backs", sa.Column("warned_at", sa.DateTime(timezone=True), nullable=True))
    # What was asked before there were reminders can still be answered; nobody is called about it.
    op.execute("UPDATE call_backs SET reminded_at = due_at, due_at = '9999-12-31 00:00+00' WHERE state = 'sent'")
    op.drop_index("call_backs_due", table_name="call_backs")
    op.create_index(
        "call_backs_due",
        "call_backs",
        ["due_at"],
        postgresql_where=sa.text("state IN ('planned', 'sent', 'phone')"),
    )


def downgrade() -> None:
    op.drop_index("call_backs_due", table_name="call_backs")
    op.create_index("call_backs_due", "call_backs", ["due_at"], postgresql_where=sa.text("state = 'planned'"))
    for column in ("warned_at", "tries", "task_id", "reminded_at"):
        op.drop_column("call_backs", column)
    op.add_column("call_backs", sa.Column("held", sa.Boolean(), nullable=True))
    op.execute("UPDATE call_backs SET held = outcome = 'held' WHERE outcome IS NOT NULL")
    op.drop_column("call_backs", "outcome")
