"""The household archive: buildings, households, members; how accounts are bound to them; and who did what with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    _people()
    _accounts()
    _ways_in()
    op.create_table(
        "archive_events",
        _id(),
        _of("communities", nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("actor", sa.String(32), nullable=False),
        sa.Column("act", sa.String(32), nullable=False),
        _of("residents"),
        _of("members"),
        _of("households"),
        sa.Column("detail", JSONB(none_as_null=True), nullable=True),
    )
    op.create_index("archive_events_by_resident", "archive_events", ["resident_id", "id"])
    op.create_index("archive_events_by_member", "archive_events", ["member_id", "id"])


def _people() -> None:
    op.create_table(
        "buildings",
        _id(),
        _of("communities", nullable=False),
        sa.Column("name", sa.String(16), nullable=False),
        sa.UniqueConstraint("community_id", "name"),
    )
    op.create_table(
        "households",
        _id(),
        _of("communities", nullable=False),
        _of("buildings", nullable=False),
        sa.Column("unit", sa.String(16), nullable=False),
        sa.Column("room", sa.String(16), nullable=False),
        sa.UniqueConstraint("building_id", "unit", "room"),
    )
    op.create_index("ix_households_community_id", "households", ["community_id"])
    op.create_table(
        "members",
        _id(),
        _of("communities", nullable=False),
        _of("households", nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("surname", sa.String(32), nullable=False),
        sa.Column("honorific", sa.String(8), nullable=True),
        sa.Column("language", sa.String(2), nullable=True),
        sa.Column("phone", sa.String(24), nullable=True),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("moved_in", sa.Date(), nullable=True),
        sa.Column("moved_out", sa.Date(), nullable=True),
        sa.Column("consented_at", MOMENT, nullable=True),
        sa.UniqueConstraint("household_id", "name"),
    )
    op.create_index(
        "members_by_phone", "members", ["community_id", "phone"], postgresql_where=sa.text("phone IS NOT NULL")
    )


def _accounts() -> None:
    op.add_column("residents", _of("members"))
    op.add_column("residents", sa.Column("language_chosen", sa.Boolean(), server_default="false", nullable=False))
    op.add_column("residents", sa.Column("binding_told_at", MOMENT, nullable=True))
    op.create_index("ix_residents_member_id", "residents", ["member_id"])


def _ways_in() -> None:
    op.create_table(
        "invitations",
        _id(),
        _of("communities", nullable=False),
        _of("households", nullable=False),
        sa.Column("digest", sa.String(64), nullable=False, unique=True),
        sa.Column("made_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.Column("used_at", MOMENT, nullable=True),
        sa.Column("used_by_id", sa.BigInteger(), sa.ForeignKey("residents.id"), nullable=True),
    )
    op.create_index(
        "invitations_open",
        "invitations",
        ["household_id"],
        postgresql_where=sa.text("used_at IS NULL AND revoked_at IS NULL"),
    )
    op.create_table(
        "binding_offers",
        sa.Column("resident_id", sa.BigInteger(), sa.ForeignKey("residents.id"), primary_key=True),
        sa.Column("how", sa.String(16), nullable=False),
        _of("households", nullable=False),
        _of("members"),
        _of("invitations"),
        sa.Column("until", MOMENT, nullable=False),
    )
    op.create_table(
        "binding_requests",
        _id(),
        _of("communities", nullable=False),
        _of("residents", nullable=False),
        _of("households"),
        _of("members"),
        sa.Column("words", sa.String(), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked_at", MOMENT, nullable=False),
        sa.Column("decided_at", MOMENT, nullable=True),
        sa.Column("decided_by_id", sa.BigInteger(), sa.ForeignKey("staff.id"), nullable=True),
    )
    op.create_index("ix_binding_requests_resident_id", "binding_requests", ["resident_id"])
    op.create_index(
        "binding_requests_open",
        "binding_requests",
        ["resident_id"],
        unique=True,
        postgresql_where=sa.text("state = 'open'"),
    )


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), primary_key=True)


def _of(table: str, *, nullable: bool = True) -> sa.Column[int]:
    """A column that names a row of another table."""
    name = {"communities": "community_id"}.get(table, f"{table.removesuffix('s')}_id")
    return sa.Column(name, sa.BigInteger(), sa.ForeignKey(f"{table}.id"), nullable=nullable)


def downgrade() -> None:
    for table in ("archive_events", "binding_requests", "binding_offers", "invitations"):
        op.drop_table(table)
    op.drop_index("ix_residents_member_id", table_name="residents")
    for column in ("binding_told_at", "language_chosen", "member_id"):
        op.drop_column("residents", column)
    for table in ("members", "households", "buildings"):
        op.drop_table(table)
