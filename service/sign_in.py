"""Sign in to the console without a password: a single-use link in one's private chat, then a session.

Of links and sessions the database has only digests, so nobody who reads it can use them.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from sqlalchemy import delete, select, text, update
from sqlalchemy.orm import Session, joinedload

from service import staff
from service.errors import LinkNotValid, TooManyTries
from service.models.communities import Community
from service.models.console import ConsoleLink, ConsoleSession
from service.models.people import Staff
from service.models.queues import Budget
from service.staff import Right

LINK_VALID = timedelta(minutes=5)
IDLE = timedelta(hours=2)  # without a click
LONGEST = timedelta(hours=12)  # from sign-in: a shift
USED_EVERY = timedelta(minutes=1)  # how exactly it is known when a session was used last
TRIES = 10  # links one address may try at once …
TRY_EVERY = timedelta(seconds=6)  # … and after that
TOKEN_BYTES = 32  # random
LANGUAGE = "zh"  # until another is chosen


def make_link(session: Session, member: Staff, *, now: datetime) -> str:
    """Make a link and give its token, which is kept nowhere; an earlier one of theirs ends.

    Args:
        session: the caller's transaction.
        member: who signs in with it.
        now: the moment, aware UTC.

    Raises:
        NotAllowed: their role has no use for the console.
    """
    staff.check(member, Right.CONSOLE)
    earlier = update(ConsoleLink).where(ConsoleLink.staff_id == member.id, ConsoleLink.ended_at.is_(None))
    session.execute(earlier.values(ended_at=now))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    session.add(ConsoleLink(staff_id=member.id, digest=digest(token), made_at=now, expires_at=now + LINK_VALID))
    session.flush()
    return token


def address(community: Community, token: str) -> str:
    """What the owner of a link opens."""
    return f"{community.console_url}/enter/{token}"


def redeem(session: Session, token: str, *, now: datetime) -> tuple[Staff, str]:
    """Use a link up; gives who signed in and the token of a new session, for their cookie.

    Raises:
        LinkNotValid: unknown, used or expired, or its owner has left.
    """
    used = update(ConsoleLink).where(
        ConsoleLink.digest == digest(token), ConsoleLink.ended_at.is_(None), ConsoleLink.expires_at > now
    )
    member_id = session.scalar(used.values(ended_at=now).returning(ConsoleLink.staff_id))
    member = session.get(Staff, member_id) if member_id is not None else None
    if member is None or not staff.may(member, Right.CONSOLE):
        raise LinkNotValid
    key = secrets.token_urlsafe(TOKEN_BYTES)
    signed_in = ConsoleSession(
        staff_id=member.id, digest=digest(key), role=member.role, language=LANGUAGE, made_at=now, used_at=now
    )
    session.add(signed_in)
    session.flush()
    return member, key


def access(session: Session, key: str, *, now: datetime, by_a_person: bool = True) -> ConsoleSession | None:
    """The session of a cookie with its member of staff, or None: unknown, over, or another role than at sign-in.

    Args:
        session: the caller's transaction.
        key: what the cookie holds.
        now: the moment, aware UTC.
        by_a_person: not by a page that renews itself, which keeps no session alive.
    """
    found = select(ConsoleSession).where(ConsoleSession.digest == digest(key), ConsoleSession.ended_at.is_(None))
    held = session.scalars(found.options(joinedload(ConsoleSession.member))).one_or_none()
    if held is None or _is_over(held, now):
        return None
    if by_a_person and now - held.used_at > USED_EVERY:
        held.used_at = now
    return held


def _is_over(held: ConsoleSession, now: datetime) -> bool:
    too_long = now >= held.made_at + LONGEST or now >= held.used_at + IDLE
    return too_long or held.member.role is not held.role or not staff.may(held.member, Right.CONSOLE)


def sign_out(session: Session, key: str, *, now: datetime) -> None:
    """End the session of a cookie, if there is one."""
    ended = update(ConsoleSession).where(ConsoleSession.digest == digest(key), ConsoleSession.ended_at.is_(None))
    session.execute(ended.values(ended_at=now))


def choose_language(session: Session, key: str, language: str) -> None:
    """Have the pages of a session in this language."""
    session.execute(update(ConsoleSession).where(ConsoleSession.digest == digest(key)).values(language=language))


_TRY = text("""
    INSERT INTO budgets AS b (key, full_at, closed_until) VALUES (:key, :now + :each, :now)
    ON CONFLICT (key) DO UPDATE SET full_at = greatest(b.full_at, :now) + :each
      WHERE greatest(b.full_at, :now) + :each <= :now + :most
    RETURNING 1
""")


def count_try(session: Session, address: str, *, now: datetime) -> None:
    """Count a try to use a link; the caller commits it also when the link is not valid.

    Raises:
        TooManyTries: the address has to wait.
    """
    facts = {"key": _tries_of(address), "now": now, "each": TRY_EVERY, "most": TRIES * TRY_EVERY}
    if session.scalar(_TRY, facts) is None:
        raise TooManyTries


def forget_tries(session: Session, address: str) -> None:
    """It was one of ours: the address begins afresh."""
    session.execute(delete(Budget).where(Budget.key == _tries_of(address)))


def _tries_of(address: str) -> str:
    return f"sign_in:{digest(address)[:16]}"


def digest(token: str) -> str:
    """What the database keeps of a token; a random one needs no salt."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()
