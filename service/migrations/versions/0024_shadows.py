"""A candidate model reads along; what a rollback undoes is a model and no longer a sentence."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None

DIFFERS = sa.text("guess <> intent")
UNREAD = sa.text("guess IS NULL")
RUNNING = sa.text("ended_at IS NULL")
SENTENCE = "rolled back: "  # how reasons of rollbacks began, followed by the model's name


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def number(name: str, to: str | None = None, *, nullable: bool = False) -> sa.Column[object]:
    keys = [sa.ForeignKey(to)] if to else []
    return sa.Column(name, sa.BigInteger(), *keys, nullable=nullable)


def word(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def share(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Float(), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "shadows",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        number("model_id", "language_models.id"),
        word("begun_by"),
        moment("begun_at"),
        moment("ends_at"),
        number("last_reading"),
        moment("ended_at", nullable=True),
        word("ended_by", nullable=True),
        word("why", 16, nullable=True),
        number("messages", nullable=True),
        number("agreed", nullable=True),
    )
    op.create_index("shadows_one_at_a_time", "shadows", [sa.text("(true)")], unique=True, postgresql_where=RUNNING)
    op.create_index("shadows_by_model", "shadows", ["model_id"])
    op.create_table(
        "shadow_readings",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        number("shadow_id", "shadows.id"),
        number("community_id", "communities.id"),
        number("turn_id"),
        sa.Column("rows", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        word("source"),
        number("begins"),
        number("ends"),
        word("digest", 64),
        word("language", 2),
        word("intent", 32),
        share("confidence"),
        share("margin", nullable=True),
        word("model"),
        word("guess", 32, nullable=True),
        share("guess_confidence", nullable=True),
        moment("heard_at"),
        sa.UniqueConstraint("shadow_id", "source"),
    )
    op.create_index("shadow_readings_by_turn", "shadow_readings", ["turn_id"])
    op.create_index("shadow_readings_unread", "shadow_readings", ["id"], postgresql_where=UNREAD)
    op.create_index("shadow_readings_differ", "shadow_readings", ["shadow_id", "id"], postgresql_where=DIFFERS)
    op.add_column("activations", number("undoes_id", "language_models.id", nullable=True))
    op.execute(f"""
        UPDATE activations SET undoes_id = language_models.id, reason = NULL FROM language_models
        WHERE activations.reason = '{SENTENCE}' || language_models.name
    """)  # noqa: S608


def downgrade() -> None:
    op.execute(f"""
        UPDATE activations SET reason = '{SENTENCE}' || language_models.name FROM language_models
        WHERE language_models.id = undoes_id
    """)  # noqa: S608
    op.drop_column("activations", "undoes_id")
    for table in ("shadow_readings", "shadows"):
        op.drop_table(table)
