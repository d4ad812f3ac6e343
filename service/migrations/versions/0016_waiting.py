"""Who waits for a person, the steps taken for them, the board in General, and names of topics that follow the talk."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "waits",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), nullable=False),
        sa.Column("conversation_id", sa.BigInteger(), sa.ForeignKey("conversations.id"), nullable=False),
        sa.Column("reason", sa.String(32), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("wake_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("courtesy_id", sa.BigInteger(), sa.ForeignKey("outbox.id"), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answered", sa.Boolean(), server_default=sa.false(), nullable=False),
    )
    still = sa.text("ended_at IS NULL")
    op.create_index("waits_open", "waits", ["conversation_id"], unique=True, postgresql_where=still)
    op.create_index("waits_line", "waits", ["community_id", "since"], postgresql_where=still)
    op.create_index("waits_due", "waits", ["wake_at"], postgresql_where=sa.text("wake_at IS NOT NULL"))
    op.create_index("waits_by_conversation", "waits", ["conversation_id", "id"])
    op.create_table(
        "wait_steps",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("wait_id", sa.BigInteger(), sa.ForeignKey("waits.id"), nullable=False),
        sa.Column("step", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("told", postgresql.JSONB(), nullable=True),
        sa.UniqueConstraint("wait_id", "step"),
    )
    op.create_table(
        "boards",
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), primary_key=True),
        sa.Column("look_at", sa.DateTime(timezone=True), server_default=sa.text("to_timestamp(0)"), nullable=False),
        sa.Column("outbox_id", sa.BigInteger(), sa.ForeignKey("outbox.id"), nullable=True),
        sa.Column("edit_id", sa.BigInteger(), sa.ForeignKey("outbox.id"), nullable=True),
        sa.Column("digest", sa.String(64), nullable=True),
    )
    op.create_index("boards_due", "boards", ["look_at"])
    op.add_column("topics", sa.Column("rename_at", sa.DateTime(timezone=True), nullable=True))
    op.add_column("topics", sa.Column("renamed_at", sa.DateTime(timezone=True), nullable=True))
    op.create_index("topics_to_rename", "topics", ["rename_at"], postgresql_where=sa.text("rename_at IS NOT NULL"))
    # Whoever waits while this is rolled out keeps their place.
    op.execute("""
        INSERT INTO waits (community_id, conversation_id, reason, since, wake_at)
        SELECT talk.community_id, talk.id, log.reason, log.at, log.at FROM conversations AS talk
        JOIN handovers AS log ON log.conversation_id = talk.id AND log.epoch = talk.epoch
        WHERE talk.owner <> 'bot' AND talk.butler_id IS NULL
    """)
    op.execute("INSERT INTO boards (community_id) SELECT id FROM communities")


def downgrade() -> None:
    op.drop_index("topics_to_rename", "topics")
    for column in ("renamed_at", "rename_at"):
        op.drop_column("topics", column)
    for table in ("boards", "wait_steps", "waits"):
        op.drop_table(table)
