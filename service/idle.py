"""Talks that have fallen silent: staff are asked whether it is over, then the bot answers again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import conversations, holds, takeover, texts
from service.communities import STAFF_LANGUAGE
from service.models.talks import Conversation, Owner

SILENT_FOR = timedelta(minutes=30)  # since a person's last line, until staff are asked
ANSWER_WITHIN = timedelta(minutes=10)  # until a talk that nobody keeps is handed back


def sweep(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Ask about silent talks and hand back those that nobody keeps; any number of processes may do so at once.

    Whoever waits for a butler's answer is never handed back: their butler is reminded, once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: talks of one transaction.

    Returns:
        How many talks were changed.
    """
    silent = select(Conversation.id).where(
        Conversation.owner == Owner.BUTLER,
        Conversation.butler_id.is_not(None),
        Conversation.active_at < now - SILENT_FOR,
        holds.free(Conversation.id),
        Conversation.idle_told_at.is_(None)
        | (~Conversation.answer_owed & (Conversation.idle_told_at < now - ANSWER_WITHIN)),
    )
    found = session.scalars(silent.order_by(Conversation.id).limit(limit)).all()
    return sum(_look(session, conversation_id, now=now) for conversation_id in found)


def keep(conversation: Conversation, *, now: datetime) -> None:
    """The butler is not done yet: the time begins anew."""
    conversation.active_at, conversation.idle_told_at = now, None


def _look(session: Session, conversation_id: int, *, now: datetime) -> bool:
    conversation = conversations.lock(session, conversation_id)
    since, told = conversation.active_at, conversation.idle_told_at
    if conversation.owner is not Owner.BUTLER or since is None or since >= now - SILENT_FOR:
        return False
    if holds.open_hold(session, Conversation.id, conversation_id) is not None:
        return False
    source = f"idle:{conversation.id}:{conversation.epoch}:{since.isoformat()}"
    if told is None:
        _ask(session, conversation, source=source, now=now)
        return True
    if conversation.answer_owed or told >= now - ANSWER_WITHIN:
        return False
    line = texts.say("utter_staff_idle_handed_back", language=STAFF_LANGUAGE)
    takeover.give_back(session, conversation, line, reason="idle", source=source, now=now)
    return True


def _ask(session: Session, conversation: Conversation, *, source: str, now: datetime) -> None:
    conversation.idle_told_at = now
    phrase = "utter_staff_answer_owed" if conversation.answer_owed else "utter_staff_idle"
    minutes = int(SILENT_FOR.total_seconds() // 60)
    line = texts.say(
        phrase,
        language=STAFF_LANGUAGE,
        minutes=minutes,
        then=int(ANSWER_WITHIN.total_seconds() // 60),
        conversation_id=conversation.id,
    )
    conversations.to_staff(session, conversation, "say", line.payload(), key=f"{source}:asked", kind="note")
