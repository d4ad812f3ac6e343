"""What of a fee was paid or waived, so that a part of it can be."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0029"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for name in ("waived", "paid"):
        op.add_column("fees", sa.Column(name, sa.Numeric(12, 2), nullable=False, server_default="0"))
    op.execute("UPDATE fees SET paid = amount WHERE paid_on IS NOT NULL")


def downgrade() -> None:
    for name in ("paid", "waived"):
        op.drop_column("fees", name)
