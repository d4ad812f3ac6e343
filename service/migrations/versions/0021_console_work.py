"""The console's work: search by pairs of characters, indexes for its lists, saved views."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

# Chinese has no blanks, and not every PostgreSQL has pg_trgm: every two characters that stand together are a key.
# A text is cut at 4,096 characters, which is what Telegram carries.
PAIRS = """
CREATE FUNCTION guanjia_pairs(words text) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE STRICT AS $$
  SELECT coalesce(array_agg(DISTINCT pair), '{}') FROM (
    SELECT letter || lead(letter) OVER (ORDER BY place) AS pair
    FROM unnest(string_to_array(lower(left(words, 4096)), NULL)) WITH ORDINALITY AS letters (letter, place)
  ) AS pairs WHERE pair IS NOT NULL
$$
"""
# Of what of a row can be searched; as in service/models.py.
WORDS = {
    "cases": ("number", "matter", "place", "contact", "phone"),
    "residents": ("display_name", "surname", "phone", "place"),
    "members": ("name", "phone"),
    "messages": ("text",),
}
LISTS = (
    ("cases_by_community", "cases", ["community_id", "id"], None),
    ("cases_by_state", "cases", ["community_id", "state", "id"], None),
    ("cases_by_department", "cases", ["community_id", "department_id", "id"], None),
    ("cases_urgent", "cases", ["community_id", "id"], "urgency > 0"),
    ("conversations_by_activity", "conversations", ["community_id", "active_at", "id"], None),
    ("residents_by_community", "residents", ["community_id", "id"], None),
    ("households_by_community", "households", ["community_id", "id"], None),
    ("messages_reworded", "messages", ["conversation_id"], "earlier IS NOT NULL"),
    ("outbox_attention_of", "outbox", ["community_id", "state", "id"], "state IN ('unconfirmed', 'dead')"),
)


def upgrade() -> None:
    op.execute(PAIRS)
    for table, (first, *others) in WORDS.items():
        words = " || ".join([first, *(f"' ' || coalesce({name}, '')" for name in others)])
        op.create_index(f"{table}_words", table, [sa.text(f"guanjia_pairs({words})")], postgresql_using="gin")
    for name, table, columns, where in LISTS:
        op.create_index(name, table, columns, postgresql_where=sa.text(where) if where else None)
    op.create_table(
        "saved_views",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("staff_id", sa.BigInteger(), sa.ForeignKey("staff.id"), nullable=False),
        sa.Column("page", sa.String(16), nullable=False),
        sa.Column("name", sa.String(32), nullable=False),
        sa.Column("query", sa.String(), nullable=False),
        sa.UniqueConstraint("staff_id", "page", "name"),
    )


def downgrade() -> None:
    op.drop_table("saved_views")
    for name, table, _, _ in reversed(LISTS):
        op.drop_index(name, table)
    for table in reversed(WORDS):
        op.drop_index(f"{table}_words", table)
    op.execute("DROP FUNCTION guanjia_pairs(text)")
