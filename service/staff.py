"""Staff: whoever is in the community's staff group; leaving it takes the rights away."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.models import Staff

FIRST_NUMBER = 101  # staff numbers are spoken to residents (N2), so they start where they sound like one


def access_staff(session: Session, community_id: int, user_id: int, *, display_name: str) -> Staff:
    """The member of staff who wrote or tapped in the staff group, enrolled with a number on their first act.

    Args:
        session: the caller's transaction.
        community_id: the community whose staff group it was.
        user_id: the Telegram user; being able to write there is the proof of membership.
        display_name: how they call themselves on Telegram.
    """
    found = select(Staff).where(Staff.community_id == community_id, Staff.user_id == user_id)
    member = session.scalars(found).one_or_none()
    if member is None:
        highest = select(func.coalesce(func.max(Staff.number), FIRST_NUMBER - 1) + 1)
        number = highest.where(Staff.community_id == community_id).scalar_subquery()
        values = {"community_id": community_id, "user_id": user_id, "display_name": display_name, "number": number}
        session.execute(select(func.pg_advisory_xact_lock(community_id)))
        session.execute(insert(Staff).values(values).on_conflict_do_nothing())
        member = session.scalars(found).one()
    member.left_at = None
    return member


def leave(session: Session, community_id: int, user_id: int, *, now: datetime) -> None:
    """The member left the staff group or was put out of it."""
    gone = update(Staff).where(Staff.community_id == community_id, Staff.user_id == user_id, Staff.left_at.is_(None))
    session.execute(gone.values(left_at=now))
