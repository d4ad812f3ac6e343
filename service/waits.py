"""Who waits for a person, since when, and the line they make. What they are told meanwhile: `service/waiting.py`."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, select, tuple_
from sqlalchemy.orm import Session, joinedload
from sqlalchemy.sql.elements import Tuple

from service import outbox
from service.held import COURTESY
from service.models.communities import Community
from service.models.queues import Delivery, Priority
from service.models.talks import Conversation, Owner, Wait

URGENT = "emergency"  # the reason that goes before all others
LEFT = "left"  # the reason of who had a butler that did not come back: they wait since their first unanswered word
TO_STAFF = "waiting"  # the kind of what staff are told of somebody who waits
FIRST_LINE = timedelta(seconds=5)  # after the handoff phrase; who is answered by then hears nothing more
KEPT_FOR = timedelta(minutes=10)  # the place of who left the line unanswered


def follow(session: Session, conversation: Conversation, *, reason: str, now: datetime) -> None:
    """Let a wait begin or end with a change of who answers; whoever waits goes on waiting for the next one.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose owner has just changed.
        reason: why.
        now: the moment, aware UTC.
    """
    unanswered = conversation.owner is not Owner.BOT and conversation.butler_id is None
    wait = of(session, conversation)
    if unanswered and wait is None:
        _begin(session, conversation, reason=reason, now=now)
    elif unanswered and wait is not None:
        wait.wake_at = now
        quieten(session, conversation, wait, reason="others are to answer")
    elif wait is not None:
        wait.ended_at, wait.answered, wait.wake_at = now, conversation.owner is Owner.BUTLER, None
        quieten(session, conversation, wait, reason="nobody waits any more")


def of(session: Session, conversation: Conversation) -> Wait | None:
    """The wait that has not ended."""
    open_one = select(Wait).where(Wait.conversation_id == conversation.id, Wait.ended_at.is_(None))
    return session.scalars(open_one.execution_options(populate_existing=True)).one_or_none()


def is_urgent(session: Session, conversation: Conversation) -> bool:
    """Whether their newest wait for a person, also one that has ended, was for a danger."""
    newest = select(Wait.reason).where(Wait.conversation_id == conversation.id).order_by(Wait.id.desc()).limit(1)
    return session.scalar(newest) == URGENT


def put_first(session: Session, conversation: Conversation, *, now: datetime) -> bool:
    """Who waits is in danger by now: they go before all others. False when they do so already, or nobody waits."""
    wait = of(session, conversation)
    if wait is None or wait.reason == URGENT:
        return False
    wait.reason, wait.wake_at = URGENT, now
    return True


def ahead(session: Session, wait: Wait) -> int:
    """How many of the community's residents are to be answered before."""
    before = select(func.count()).where(
        *open_in(wait.community_id),
        in_line() < tuple_(wait.reason != URGENT, wait.since, wait.id),
    )
    return session.scalar(before) or 0


def line(session: Session, community_id: int, *, limit: int) -> tuple[Sequence[Wait], int]:
    """Who waits for a person, in the order in which they are to be answered, and how many there are.

    Args:
        session: a transaction; it is only read.
        community_id: whose residents.
        limit: waits at the most, each with its conversation.
    """
    found = select(Wait, func.count().over()).options(joinedload(Wait.conversation))
    rows = session.execute(found.where(*open_in(community_id)).order_by(in_line()).limit(limit)).all()
    return [row[0] for row in rows], rows[0][1] if rows else 0


def open_in(community_id: int) -> tuple[ColumnElement[bool], ...]:
    """What makes a wait one of the community's that has not ended: nobody in particular answers, and not the bot."""
    return Wait.community_id == community_id, Wait.ended_at.is_(None)


def in_line() -> Tuple:
    """What orders the line: emergencies first, then by when the waiting began."""
    return tuple_(Wait.reason != URGENT, Wait.since, Wait.id)


def quieten(session: Session, conversation: Conversation, wait: Wait, *, reason: str) -> None:
    """Take back what has not been said of the waiting, and the line that counts it."""
    session.flush()
    outbox.withdraw_kinds(session, conversation.id, (COURTESY, TO_STAFF), reason=reason)
    if wait.courtesy_id is None:
        return
    community = session.get_one(Community, conversation.community_id)
    outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=conversation.resident.chat_id,
        kind=COURTESY,
        act="delete",
        payload={},
        edits_id=wait.courtesy_id,
        priority=Priority.CARD,
        delivery=Delivery.RETRY,
    )
    wait.courtesy_id = None


def _begin(session: Session, conversation: Conversation, *, reason: str, now: datetime) -> None:
    """Start a wait, or go on with the one that was left a moment ago."""
    left = (
        select(Wait)
        .where(Wait.conversation_id == conversation.id, ~Wait.answered, Wait.ended_at > now - KEPT_FOR)
        .order_by(Wait.id.desc())
        .limit(1)
    )
    wait = session.scalars(left).one_or_none()
    if wait is None:
        wait = Wait(community_id=conversation.community_id, conversation_id=conversation.id, since=now)
        if reason == LEFT:
            wait.since, wait.called_at = conversation.owed_since or now, now
        session.add(wait)
    wait.reason, wait.ended_at, wait.wake_at = reason, None, now + FIRST_LINE
    session.flush()
