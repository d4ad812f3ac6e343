"""Invitations: a link on paper that binds one account to a household, once, until it expires or is revoked.

Only the paper has the token; the database has its digest, so nobody who reads the database can use it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service.models.archive import Building, Household, Invitation

TOKEN_BYTES = 24  # random
TOKEN = re.compile(r"[A-Za-z0-9_-]{32}")  # how these are written; Telegram allows 64 characters behind ?start=
VALID = timedelta(days=30)


def households(
    session: Session, community_id: int, *, building: str | None, unit: str | None, room: str | None
) -> Sequence[Household]:
    """The households of a building, a unit or a door, as they lie along the stairs."""
    found = select(Household).join(Household.building).where(Household.community_id == community_id)
    wanted = ((Building.name, building), (Household.unit, unit), (Household.room, room))
    for column, value in wanted:
        if value is not None:
            found = found.where(column == value)
    doors = session.scalars(found).all()
    return sorted(doors, key=lambda door: [(len(part), part) for part in (door.building.name, door.unit, door.room)])


def invite(session: Session, household: Household, *, now: datetime, valid: timedelta = VALID) -> str:
    """Make an invitation and give its token, which is kept nowhere; earlier ones of the household end.

    Args:
        session: the caller's transaction.
        household: whose.
        now: the moment, aware UTC.
        valid: for how long.
    """
    revoke(session, [household], now=now)
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation(
        community_id=household.community_id,
        household_id=household.id,
        digest=digest(token),
        made_at=now,
        expires_at=now + valid,
    )
    session.add(invitation)
    return token


def revoke(session: Session, doors: Sequence[Household], *, now: datetime) -> int:
    """End what is open for these households; returns how many invitations there were."""
    still_open = update(Invitation).where(
        Invitation.household_id.in_([door.id for door in doors]),
        Invitation.used_at.is_(None),
        Invitation.revoked_at.is_(None),
    )
    ended = session.scalars(still_open.values(revoked_at=now).returning(Invitation.id))
    return len(ended.all())


def find(session: Session, community_id: int, token: str) -> Invitation | None:
    """The invitation of a token, also one that has ended, locked until the transaction ends."""
    found = select(Invitation).where(Invitation.digest == digest(token), Invitation.community_id == community_id)
    return session.scalars(found.with_for_update().execution_options(populate_existing=True)).one_or_none()


def why_not(invitation: Invitation | None, *, now: datetime) -> str | None:
    """Why an invitation opens nothing, for the log; the person is told the same in every case."""
    if invitation is None:
        return "unknown"
    if invitation.used_at is not None:
        return "used"
    if invitation.revoked_at is not None:
        return "revoked"
    return "expired" if invitation.expires_at <= now else None


def digest(token: str) -> str:
    """What the database keeps of a token; a random one needs no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
