"""When a visit is wanted, as a moment or an interval beside the resident's words."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("cases", sa.Column("wanted_from", sa.DateTime(timezone=True), nullable=True))
    op.add_column("cases", sa.Column("wanted_until", sa.DateTime(timezone=True), nullable=True))


def downgrade() -> None:
    op.drop_column("cases", "wanted_until")
    op.drop_column("cases", "wanted_from")
