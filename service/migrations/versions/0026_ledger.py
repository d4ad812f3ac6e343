"""What the property system says of a household: fees, parking spaces, visitor codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _table(
        "fees",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("period", sa.String(64)),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("currency", sa.String(3), nullable=False),
        sa.Column("due", sa.Date()),
        sa.Column("paid_on", sa.Date()),
        sa.Column("reference", sa.String(64)),
    )
    _table(
        "parking_spaces",
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("plate", sa.String(64)),
        sa.Column("valid_until", sa.Date()),
    )
    _table(
        "visitor_codes",
        sa.Column("name", sa.String(64)),
        sa.Column("code", sa.String(64), nullable=False),
        sa.Column("valid_from", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
    )


def _table(name: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        name,
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=False),
        sa.Column("household_id", sa.BigInteger(), sa.ForeignKey("households.id"), nullable=False, index=True),
        *columns,
        sa.Column("as_of", sa.Date(), nullable=False),
    )


def downgrade() -> None:
    for name in ("visitor_codes", "parking_spaces", "fees"):
        op.drop_table(name)
