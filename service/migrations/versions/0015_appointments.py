"""Appointments: windows with places, and what is ahead of each."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

LIVE = sa.text("state IN ('proposed', 'agreed')")


def upgrade() -> None:
    for column, value in (("visit_minutes", "120"), ("visits_per_window", "2")):
        op.add_column("communities", sa.Column(column, sa.BigInteger(), server_default=value, nullable=False))
    op.add_column("communities", sa.Column("remind_visits_at", sa.Time(), server_default="19:00", nullable=False))
    op.add_column("departments", sa.Column("visit_places", sa.BigInteger(), nullable=True))
    op.create_table(
        "appointments",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("case_id", sa.BigInteger(), sa.ForeignKey("cases.id"), nullable=False),
        sa.Column("department_id", sa.BigInteger(), sa.ForeignKey("departments.id"), nullable=False),
        sa.Column("begins_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("step", sa.String(16), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.String(), nullable=True),
        sa.Column("outbox_id", sa.BigInteger(), sa.ForeignKey("outbox.id"), nullable=True),
    )
    op.create_index("appointments_once", "appointments", ["case_id"], unique=True, postgresql_where=LIVE)
    op.create_index("appointments_by_window", "appointments", ["department_id", "begins_at"], postgresql_where=LIVE)
    op.create_index("appointments_due", "appointments", ["due_at"], postgresql_where=sa.text("due_at IS NOT NULL"))


def downgrade() -> None:
    op.drop_table("appointments")
    op.drop_column("departments", "visit_places")
    for column in ("remind_visits_at", "visits_per_window", "visit_minutes"):
        op.drop_column("communities", column)
