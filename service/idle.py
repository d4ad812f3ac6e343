"""Talks that have fallen silent: staff are asked whether it is over, then the bot answers again.

Whoever waits for a butler's answer is not handed back: their butler is reminded, and when that butler does not come
back either the resident is in line again, for any of them (N5, N6).
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from service import calendars, clocks, conversations, holds, private_talks, spans, takeover, texts, wait_calls, waits
from service.business_time import Calendar, around_the_clock
from service.communities import STAFF_LANGUAGE
from service.held import COURTESY
from service.models.communities import Community
from service.models.people import Staff
from service.models.talks import Conversation, Owner

ANSWER_WITHIN = timedelta(minutes=10)  # until a talk that nobody keeps is handed back
ANSWER_OWED_WITHIN = timedelta(minutes=10)  # of desk time, until others are called for whoever waits for an answer
MINUTE = timedelta(minutes=1)

HAS_BUTLER = and_(Conversation.owner == Owner.BUTLER, Conversation.butler_id.is_not(None))


def sweep(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Ask about silent talks, and hand back or on those that nobody keeps; any number of processes may do so at once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: talks of one transaction.

    Returns:
        How many talks were looked at; 0 means nothing is due.
    """
    silent = select(Conversation.id).where(HAS_BUTLER, Conversation.look_at <= now, holds.free(Conversation.id))
    found = session.scalars(silent.order_by(Conversation.id).limit(limit)).all()
    return sum(_look(session, conversation_id, now=now) for conversation_id in found)


def keep(conversation: Conversation, *, now: datetime) -> None:
    """The butler is not done yet: the time begins anew."""
    conversations.stir(conversation, now=now)


def _look(session: Session, conversation_id: int, *, now: datetime) -> bool:
    conversation = conversations.lock(session, conversation_id)
    if conversation.owner is not Owner.BUTLER or conversation.butler_id is None:
        return False
    if conversation.look_at is None or conversation.look_at > now:
        return False
    if holds.open_hold(session, Conversation.id, conversation_id) is not None:
        return False
    source = f"idle:{conversation.id}:{conversation.epoch}:{conversation.look_at.isoformat()}"
    if conversation.owed_since is None:
        _ask(session, conversation, source=source, now=now)
    else:
        _remind(session, conversation, owed_since=conversation.owed_since, source=source, now=now)
    return True


def _ask(session: Session, conversation: Conversation, *, source: str, now: datetime) -> None:
    """Nobody waits for an answer: is it over? Then, without an answer of staff's, the bot goes on."""
    if conversation.idle_told_at is not None:
        line = texts.say("utter_staff_idle_handed_back", language=STAFF_LANGUAGE)
        takeover.give_back(session, conversation, line, reason="idle", source=source, now=now)
        return
    conversation.idle_told_at, conversation.look_at = now, now + ANSWER_WITHIN
    line = texts.say(
        "utter_staff_idle",
        language=STAFF_LANGUAGE,
        minutes=conversations.SILENT_FOR // MINUTE,
        then=ANSWER_WITHIN // MINUTE,
        conversation_id=conversation.id,
    )
    conversations.to_staff(session, conversation, "say", line.payload(), key=f"{source}:asked", kind="note")


def _remind(session: Session, conversation: Conversation, *, owed_since: datetime, source: str, now: datetime) -> None:
    """The butler reads by when to answer; after that others are called, in the hours of the desk."""
    hours = _hours(session, conversation, now=now)
    was_reminded = conversation.idle_told_at is not None
    if was_reminded and hours.is_open(now):
        _call_others(session, conversation, waited=now - hours.next_opening(owed_since), source=source, now=now)
        return
    by = hours.due(now, ANSWER_OWED_WITHIN)
    conversation.idle_told_at, conversation.look_at = now, by
    if not was_reminded:
        _say_by_when(session, conversation, by, waited=now - owed_since, source=source, now=now)


def _hours(session: Session, conversation: Conversation, *, now: datetime) -> Calendar:
    """What counts: the desk's hours, or every minute for whoever was in danger."""
    if waits.is_urgent(session, conversation):
        return around_the_clock()
    return calendars.counting(session, conversation.community_id, since=now)


def _say_by_when(
    session: Session, conversation: Conversation, by: datetime, *, waited: timedelta, source: str, now: datetime
) -> None:
    zone = session.get_one(Community, conversation.community_id).timezone
    line = texts.say(
        "utter_staff_answer_owed",
        language=STAFF_LANGUAGE,
        waited=_minutes(waited, language=STAFF_LANGUAGE),
        then=clocks.by_when(by, now=now, timezone=zone, language=STAFF_LANGUAGE),
        conversation_id=conversation.id,
    )
    conversations.to_staff(session, conversation, "say", line.payload(), key=f"{source}:asked", kind="note")


def _call_others(
    session: Session, conversation: Conversation, *, waited: timedelta, source: str, now: datetime
) -> None:
    """The butler does not come back: the resident waits for any of them, and both sides hear it."""
    butler, room = session.get_one(Staff, conversation.butler_id), private_talks.room(session, conversation)
    takeover.call_others(session, conversation, source=source, now=now)
    told = wait_calls.tell_left(session, conversation, butler, key=f"{source}:left", now=now)
    takeover.tell_in_private(session, room, conversation, told, key=f"{source}:left_private")
    if conversation.resident.unreachable_since is None:
        language = conversation.resident.language
        line = texts.say("utter_waiting_left", language=language, waited=_minutes(waited, language=language))
        conversations.tell(session, conversation, line, key=f"{source}:waits", kind=COURTESY, now=now)


def _minutes(length: timedelta, *, language: str) -> str:
    return spans.said(length // MINUTE * MINUTE, language=language)
