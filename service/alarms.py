"""Emergencies that were raised: first steps to the resident, everybody on duty alerted, at once (N11)."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import conversations, takeover, texts, topic_names, waits
from service.communities import STAFF_LANGUAGE
from service.models.communities import Community
from service.models.queues import Priority
from service.models.talks import Conversation
from service.models.understanding import EmergencyAlarm


def raise_alarm(
    session: Session,
    conversation: Conversation,
    *,
    kind: str,
    caught_by: str,
    words: str,
    source: str,
    now: datetime,
) -> None:
    """Answer with numbers and first steps, alert staff in General, and hand the resident to people.

    The answer goes out whoever talks with the resident: it is the one line of the bot's that a takeover does not hold
    back, because a butler who has just gone to the phone is no reason to wait for the number of the fire brigade.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose emergency.
        kind: one of `emergency.EmergencyKind`, or `other`.
        caught_by: tripwire or classifier.
        words: what the resident wrote, for staff.
        source: the turn; raising it again does nothing.
        now: the moment, aware UTC.
    """
    values = {
        "conversation_id": conversation.id,
        "source": source,
        "kind": kind,
        "caught_by": caught_by,
        "raised_at": now,
    }
    raised = insert(EmergencyAlarm).values(values).on_conflict_do_nothing().returning(EmergencyAlarm.id)
    if session.scalar(raised) is None:
        return
    resident = conversation.resident
    community = session.get_one(Community, conversation.community_id)
    fresh = takeover.escalate(session, conversation, reason="emergency", source=source, now=now, quietly=True)
    if waits.put_first(session, conversation, now=now):
        topic_names.look_again(session, conversation, now=now)
    answer = texts.say(f"utter_emergency_{kind}", language=resident.language, phone=community.phone)
    conversations.tell(
        session,
        conversation,
        answer,
        now=now,
        key=f"{source}:emergency",
        kind="emergency",
        priority=Priority.EMERGENCY,
    )
    alert = texts.say(
        "utter_staff_emergency",
        language=STAFF_LANGUAGE,
        kind=texts.words(f"utter_word_emergency_{kind}", language=STAFF_LANGUAGE),
        name=resident.display_name,
        place=resident.place,
        phone=resident.phone,
        words=words[:500],
    )
    conversations.alert_staff(session, community.id, alert, key=f"{source}:alert", priority=Priority.EMERGENCY)
    if not fresh:  # people have the resident already: whoever talks reads it where they talk
        told = texts.say("utter_staff_emergency_told", language=STAFF_LANGUAGE, text=answer.text)
        for name, line in (("alert_here", alert), ("told", told)):
            key, urgent = f"{source}:{name}", Priority.EMERGENCY
            conversations.to_staff(session, conversation, "say", line.payload(), key=key, kind="note", priority=urgent)
