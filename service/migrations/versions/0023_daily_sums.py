"""What pages of a large community need: daily sums of the charts, the audit log by moment, what was not sent."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

# Whatever a figure is made of writes down, in the same transaction, that its day is to be counted anew: the table, what
# of a row makes it count, what of it a figure shows, and where its community and its moment stand.
OWN_CASE = "SELECT community_id, opened_at FROM cases WHERE id = {row}.case_id"
COUNTED = (
    (
        "cases",
        "true",
        ("community_id", "opened_at", "kind", "category", "state = 'withdrawn'"),
        "SELECT {row}.community_id, {row}.opened_at",
    ),
    ("case_clocks", "{row}.stopped_at IS NOT NULL", ("case_id", "clock", "stopped_at > {row}.due_at"), OWN_CASE),
    ("case_events", "{row}.event = 'reopened'", ("case_id", "event"), OWN_CASE),
    ("call_backs", "{row}.outcome IS NOT NULL", ("case_id", "resolution", "outcome"), OWN_CASE),
    ("surveys", "{row}.stars IS NOT NULL", ("case_id", "resolution", "stars"), OWN_CASE),
    (
        "messages",
        "{row}.author = 'resident'",
        ("conversation_id", "author", "said_at"),
        "SELECT community_id, {row}.said_at FROM conversations WHERE id = {row}.conversation_id",
    ),
    (
        "candidates",
        "{row}.why = 'rephrase'",
        ("community_id", "why", "noticed_at"),
        "SELECT {row}.community_id, {row}.noticed_at",
    ),
)
WRITE_DOWN = """
CREATE FUNCTION guanjia_{table}_counted() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN
    INSERT INTO figure_changes (community_id, at) {old};
  END IF;
  IF TG_OP <> 'DELETE' THEN
    INSERT INTO figure_changes (community_id, at) {new};
  END IF;
  RETURN NULL;
END
$$
"""
TRIGGER = """
CREATE TRIGGER {table}_counted_{event} AFTER {event} ON {table} FOR EACH ROW
WHEN ({when}) EXECUTE FUNCTION guanjia_{table}_counted()
"""

# By moment instead of by number: who asks for a day two years ago begins there.
AUDIT = (
    ("audit_entries_by_community", ["community_id"]),
    ("audit_entries_by_actor", ["community_id", "actor"]),
    ("audit_entries_by_object", ["community_id", "object", "object_id"]),
)
# What was not sent and why, and whose work order a line is.
LISTS = (
    ("cases_by_work_order", "cases", ["work_order_id"], "work_order_id IS NOT NULL"),
    ("outbox_gone", "outbox", ["community_id", "created_at", "id"], "state IN ('dropped', 'dead')"),
    ("call_backs_cancelled", "call_backs", ["due_at", "id"], "state = 'cancelled'"),
    ("surveys_cancelled", "surveys", ["asked_at", "id"], "state = 'cancelled'"),
    ("case_events_not_reminded", "case_events", ["at", "id"], "event = 'visit_reminded' AND data ? 'not_sent'"),
)


def upgrade() -> None:
    op.create_table(
        "daily_sums",
        sa.Column("community_id", sa.BigInteger(), sa.ForeignKey("communities.id"), primary_key=True),
        sa.Column("zone", sa.String(), primary_key=True),
        sa.Column("day", sa.Date(), primary_key=True),
        sa.Column("counts", JSONB(none_as_null=True), nullable=False),
    )
    op.create_table(
        "figure_changes",
        sa.Column("id", sa.BigInteger(), primary_key=True),
        sa.Column("community_id", sa.BigInteger(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("figure_changes_by_moment", "figure_changes", ["community_id", "at"])
    for table, counts, shown, found in COUNTED:
        _watch(table, counts, shown, found)
    for name, columns in AUDIT:
        op.drop_index(name, "audit_entries")
        op.create_index(name, "audit_entries", [*columns, "at", "id"])
    for name, table, columns, where in LISTS:
        op.create_index(name, table, columns, postgresql_where=sa.text(where))


def _watch(table: str, counts: str, shown: tuple[str, ...], found: str) -> None:
    op.execute(WRITE_DOWN.format(table=table, old=found.format(row="OLD"), new=found.format(row="NEW")))
    old, new = (", ".join(f"{{row}}.{each}" for each in shown).format(row=row) for row in ("OLD", "NEW"))
    for event, when in (
        ("INSERT", counts.format(row="NEW")),
        ("DELETE", counts.format(row="OLD")),
        ("UPDATE", f"({old}) IS DISTINCT FROM ({new})"),
    ):
        op.execute(TRIGGER.format(table=table, event=event, when=when))


def downgrade() -> None:
    for name, table, _, _ in LISTS:
        op.drop_index(name, table)
    for name, columns in AUDIT:
        op.drop_index(name, "audit_entries")
        op.create_index(name, "audit_entries", [*columns, "id"])
    for table, *_ in COUNTED:
        op.execute(f"DROP FUNCTION guanjia_{table}_counted() CASCADE")
    op.drop_table("figure_changes")
    op.drop_table("daily_sums")
