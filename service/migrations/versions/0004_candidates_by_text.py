"""Find candidates by their words, and the near misses of a week."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_index("candidates_by_text", "candidates", ["text"], postgresql_using="hash")
    op.create_index(
        "candidates_near_misses",
        "candidates",
        ["community_id", "noticed_at"],
        postgresql_where=sa.text("why = 'near_miss'"),
    )


def downgrade() -> None:
    op.drop_index("candidates_near_misses", table_name="candidates")
    op.drop_index("candidates_by_text", table_name="candidates")
