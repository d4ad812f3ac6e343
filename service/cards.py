"""The handoff card: what a butler reads first."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import conversations, texts
from service.communities import STAFF_LANGUAGE
from service.models import Conversation, Message, OutboxRow, OutboxState
from service.texts import Line

LINES = 10  # of the talk so far
LINE_LENGTH = 200  # characters of one of them


@dataclass(frozen=True)
class Understood:
    """What the assistant made of the talk."""

    intent: str
    confidence: float  # 0 to 1
    facts: Mapping[str, str] = field(default_factory=dict)  # told so far, by name of the slot


def card(
    session: Session, conversation: Conversation, *, reason: str, understood: Understood | None, now: datetime
) -> Line:
    """Make the card of a conversation as it stands now."""
    resident = conversation.resident
    return texts.say(
        "utter_staff_card",
        language=STAFF_LANGUAGE,
        name=conversations.topic_name(resident),
        phone=resident.phone,
        language_name=texts.words(f"utter_word_{resident.language}", language=STAFF_LANGUAGE),
        reason=texts.words(f"utter_word_because_{reason}", language=STAFF_LANGUAGE),
        lines="\n".join(_lines(session, conversation)),
        conversation_id=conversation.id,
    )


def _lines(session: Session, conversation: Conversation) -> list[str]:
    """The last lines that were really said, oldest first."""
    unsaid = select(OutboxRow.id).where(
        OutboxRow.conversation_id == conversation.id, OutboxRow.state.in_([OutboxState.DROPPED, OutboxState.HELD])
    )
    said = select(Message).where(
        Message.conversation_id == conversation.id,
        Message.outbox_id.is_(None) | Message.outbox_id.not_in(unsaid),
    )
    newest = session.scalars(said.order_by(Message.id.desc()).limit(LINES)).all()
    return [
        texts.words(f"utter_word_by_{line.author}", language=STAFF_LANGUAGE, text=line.text[:LINE_LENGTH])
        for line in reversed(newest)
    ]
