"""Filters that a member of staff has given a name, so that one tap brings the list back."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.models.console import SavedView
from service.models.people import Staff

MOST = 20  # of one list
LONGEST_NAME = 32  # characters
LONGEST_QUERY = 500  # characters


def of(session: Session, member: Staff, page: str) -> Sequence[SavedView]:
    """The member's own views of a list, in the order in which they were made."""
    mine = select(SavedView).where(SavedView.staff_id == member.id, SavedView.page == page)
    return session.scalars(mine.order_by(SavedView.id)).all()


def keep(session: Session, member: Staff, page: str, *, name: str, query: str) -> bool:
    """Keep a filter under a name; the same name again means the new filter.

    Args:
        session: the caller's transaction.
        member: whose.
        page: which list.
        name: what the link is to say, cut to its length.
        query: the filter as it stands in the address.

    Returns:
        False when they have `MOST` already.
    """
    counted = select(func.count()).where(
        SavedView.staff_id == member.id, SavedView.page == page, SavedView.name != name[:LONGEST_NAME]
    )
    if (session.scalar(counted) or 0) >= MOST:
        return False
    values = {"staff_id": member.id, "page": page, "name": name[:LONGEST_NAME], "query": query[:LONGEST_QUERY]}
    put = insert(SavedView).values(values)
    session.execute(
        put.on_conflict_do_update(index_elements=["staff_id", "page", "name"], set_={"query": put.excluded.query})
    )
    return True


def drop(session: Session, member: Staff, view_id: int) -> bool:
    """Forget one of the member's own views; False when there is no such one, or it is a colleague's."""
    mine = delete(SavedView).where(SavedView.id == view_id, SavedView.staff_id == member.id)
    return session.scalar(mine.returning(SavedView.id)) is not None
