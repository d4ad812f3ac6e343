"""Since when a butler owes an answer, when a talk is looked at next, and when others were called for it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None

COURTESY = (
    "^(好的?|嗯|收到|(非常)?感谢|多谢|(谢谢)+[您你啦了]?|辛苦[了啦]?|再见|拜拜|"
    "ok|okay|thanks|thank you|bye|👍|🙏|[ ,.!，。！～])+$"
)
MOMENTS = (("conversations", "owed_since"), ("conversations", "look_at"), ("waits", "called_at"))


def upgrade() -> None:
    for table, column in MOMENTS:
        op.add_column(table, sa.Column(column, sa.DateTime(timezone=True)))
    # Whom a butler had forgotten is looked at right after this; who has only thanked is handed back, as from now on.
    carry_over = sa.text("""
        UPDATE conversations AS talk SET
            owed_since = CASE WHEN owner = 'waiting' THEN coalesce((
                SELECT since FROM waits WHERE conversation_id = talk.id AND ended_at IS NULL LIMIT 1), active_at)
              WHEN answer_owed AND coalesce((
                SELECT kind NOT IN ('sticker', 'dice', 'game') AND coalesce(text !~* :courtesy, true)
                FROM messages WHERE conversation_id = talk.id AND author = 'resident'
                ORDER BY id DESC LIMIT 1), true) THEN active_at END,
            look_at = coalesce(idle_told_at + interval '10 min', active_at + interval '30 min')
        WHERE owner <> 'bot'
    """)
    op.execute(carry_over.bindparams(courtesy=COURTESY))
    op.drop_column("conversations", "answer_owed")
    _index_by("look_at")


def downgrade() -> None:
    op.add_column("conversations", sa.Column("answer_owed", sa.Boolean(), server_default="false", nullable=False))
    op.execute("UPDATE conversations SET answer_owed = true WHERE owed_since IS NOT NULL")
    _index_by("active_at")
    for table, column in MOMENTS:
        op.drop_column(table, column)


def _index_by(column: str) -> None:
    name, of_butlers = "conversations_of_butlers", sa.text("owner = 'butler'")
    op.drop_index(name, "conversations")
    op.create_index(name, "conversations", [column], postgresql_where=of_butlers)
