"""The desk: when it is open, and what becomes of a message that comes when it is not (N10, N14)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, joinedload

from service import calendars, clocks, conversations, holds, takeover, texts
from service.cards import Understood
from service.communities import STAFF_LANGUAGE
from service.errors import NotEnoughServiceTime
from service.models.communities import Community
from service.models.queues import Priority
from service.models.talks import Conversation, DeskMessage, Owner

WORDS = 60  # characters of a message on the list that staff read in the morning


def closed_until(session: Session, community: Community, *, now: datetime) -> datetime | None:
    """When the desk opens again; None while it is open, and when nobody can say."""
    try:
        opens = calendars.of(session, community).next_opening(now)
    except NotEnoughServiceTime:
        return None
    return opens if opens > now else None


def call_people(
    session: Session,
    conversation: Conversation,
    *,
    reason: str,
    source: str,
    now: datetime,
    understood: Understood | None = None,
) -> bool:
    """Hand the resident over to people; when the desk is closed they hear when they will be read.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        reason: as `takeover.escalate` wants it.
        source: the turn that caused it.
        now: the moment, aware UTC.
        understood: what the assistant made of the talk, for the card.

    Returns:
        False when people have it already.
    """
    if conversation.owner is not Owner.BOT:
        return False
    opens = _keep(session, conversation, "", now=now)
    takeover.escalate(
        session,
        conversation,
        reason=reason,
        source=source,
        now=now,
        quietly=opens is not None,
        understood=understood,
    )
    _tell(session, conversation, opens, now=now)
    return True


def take_message(session: Session, conversation: Conversation, words: str, *, now: datetime) -> None:
    """A message for people who are not there: taken down with its time; the first of a closed period is answered.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose, waiting for people.
        words: what was written.
        now: the moment, aware UTC.
    """
    if conversation.owner is Owner.WAITING:
        _tell(session, conversation, _keep(session, conversation, words, now=now), now=now)


def hand_over_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """The desk has opened: staff read in General who has written meanwhile and still waits.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: messages of one transaction.

    Returns:
        How many messages there were.
    """
    due = (
        select(DeskMessage)
        .options(joinedload(DeskMessage.conversation))
        .where(DeskMessage.handed_over_at.is_(None), DeskMessage.opens_at <= now, holds.free(DeskMessage.id))
    )
    in_order = due.order_by(DeskMessage.community_id, DeskMessage.id).limit(limit)
    found = session.scalars(in_order.with_for_update(of=DeskMessage, skip_locked=True)).all()
    for community_id, those in groupby(found, key=lambda message: message.community_id):
        _post(session, session.get_one(Community, community_id), list(those), now=now)
    return len(found)


def _keep(session: Session, conversation: Conversation, words: str, *, now: datetime) -> datetime | None:
    """Put the message on the morning's list; when the desk opens, if this is the first of the closed period."""
    community = session.get_one(Community, conversation.community_id)
    opens = closed_until(session, community, now=now)
    if opens is None:
        return None
    values = {"community_id": community.id, "conversation_id": conversation.id, "opens_at": opens, "taken_at": now}
    kept = insert(DeskMessage).values(**values, words=words[:WORDS]).on_conflict_do_nothing()
    return opens if session.scalar(kept.returning(DeskMessage.id)) else None


def _tell(session: Session, conversation: Conversation, opens: datetime | None, *, now: datetime) -> None:
    if opens is None:
        return
    community = session.get_one(Community, conversation.community_id)
    language = conversation.resident.language
    line = texts.say(
        "utter_desk_closed",
        language=language,
        taken=f"{now.astimezone(ZoneInfo(community.timezone)):%H:%M}",
        opens=clocks.by_when(opens, now=now, timezone=community.timezone, language=language),
        phone=community.phone,
    )
    conversations.tell(session, conversation, line, now=now, key=f"desk:{conversation.id}:{opens.isoformat()}")


def _post(session: Session, community: Community, messages: Sequence[DeskMessage], *, now: datetime) -> None:
    for message in messages:
        message.handed_over_at = now
    waiting = [message for message in messages if message.conversation.owner is Owner.WAITING]
    if not waiting:
        return
    zone = ZoneInfo(community.timezone)
    lines = [
        texts.words(
            "utter_word_desk_line",
            language=STAFF_LANGUAGE,
            name=conversations.topic_name(message.conversation.resident),
            taken=f"{message.taken_at.astimezone(zone):%m-%d %H:%M}",
            words=message.words,
        )
        for message in waiting
    ]
    said = texts.say("utter_staff_desk_opens", language=STAFF_LANGUAGE, count=len(lines), lines="\n".join(lines))
    key = f"desk_opens:{messages[0].id}"
    conversations.alert_staff(session, community.id, said, key=key, priority=Priority.WORK_ORDER)
