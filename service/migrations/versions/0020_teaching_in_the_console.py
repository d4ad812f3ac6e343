"""Second opinions on labels; trainings that the console asks for, and what models made of the exams."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def number(name: str, *key: sa.ForeignKey, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger(), *key, nullable=nullable)


def word(name: str, length: int | None = None, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.String(length), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "opinions",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        number("label_id", sa.ForeignKey("labels.id", ondelete="CASCADE")),
        word("by"),
        word("intent", 32),
        word("was", 32),
        moment("at"),
        moment("decided_at", nullable=True),
        sa.UniqueConstraint("label_id", "by"),
    )
    undecided = sa.text("decided_at IS NULL AND intent <> was")
    op.create_index("opinions_in_conflict", "opinions", ["label_id"], postgresql_where=undecided)
    op.create_table(
        "model_reports",
        sa.Column("model_id", sa.BigInteger(), sa.ForeignKey("language_models.id"), primary_key=True),
        word("measured"),
        sa.Column("report", postgresql.JSONB(none_as_null=True, astext_type=sa.Text()), nullable=False),
        moment("at"),
    )
    op.create_table(
        "training_runs",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        number("community_id", sa.ForeignKey("communities.id")),
        word("asked_by"),
        moment("asked_at"),
        word("state", 16),
        number("step"),
        number("steps"),
        word("doing"),
        number("model_id", sa.ForeignKey("language_models.id"), nullable=True),
        moment("started_at", nullable=True),
        moment("ended_at", nullable=True),
        word("failure", 32, nullable=True),
    )
    under_way = sa.text("ended_at IS NULL")
    one = [sa.text("(true)")]
    op.create_index("training_runs_one_at_a_time", "training_runs", one, unique=True, postgresql_where=under_way)
    op.create_index("candidates_by_label", "candidates", ["label_id"])


def downgrade() -> None:
    op.drop_index("candidates_by_label", "candidates")
    for table in ("training_runs", "model_reports", "opinions"):
        op.drop_table(table)
