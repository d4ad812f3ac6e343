"""The handoff card: what a butler reads before the first word to the resident."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import cases, clocks, conversations, phrases, texts
from service.communities import STAFF_LANGUAGE
from service.models.cases import Case
from service.models.communities import Community
from service.models.follow_ups import FollowUpState, Survey
from service.models.queues import OutboxRow, OutboxState
from service.models.talks import Conversation, Message
from service.phrases import Ready
from service.texts import Button, Line

LINES = 10  # of the talk so far
LINE_LENGTH = 200  # characters of one of them
MOST_CASES = 5
MOST_RATINGS = 5
SPANS = (("days", timedelta(days=1)), ("hours", timedelta(hours=1)), ("minutes", timedelta(minutes=1)))


@dataclass(frozen=True)
class Understood:
    """What the assistant made of the talk."""

    intent: str
    confidence: float  # 0 to 1
    facts: Mapping[str, str] = field(default_factory=dict)  # told so far: matter, location, phone, visit_time, contact


def card(
    session: Session, conversation: Conversation, *, reason: str, understood: Understood | None, now: datetime
) -> Line:
    """Make the card of a conversation as it stands now.

    Args:
        session: the caller's transaction.
        conversation: whose.
        reason: why people are asked, the end of a `utter_word_because_…` key.
        understood: what the assistant made of the talk.
        now: the moment, aware UTC; clocks of open cases count from it.
    """
    resident = conversation.resident
    suggested = phrases.suggest(session, conversation, None, reason=reason)
    details = [*_understood(understood), *_cases(session, conversation, now=now), *_ratings(session, conversation)]
    line = texts.say(
        "utter_staff_card",
        language=STAFF_LANGUAGE,
        name=conversations.topic_name(resident),
        phone=resident.phone,
        language_name=texts.words(f"utter_word_{resident.language}", language=STAFF_LANGUAGE),
        reason=texts.words(f"utter_word_because_{reason}", language=STAFF_LANGUAGE),
        details="\n".join(details),
        lines="\n".join(_lines(session, conversation)),
        suggested="\n".join(f"{place} · {ready.text}" for place, ready in enumerate(suggested, 1)),
        conversation_id=conversation.id,
    )
    return replace(line, buttons=(*line.buttons, *_keys(conversation, suggested)))


def _understood(understood: Understood | None) -> Iterator[str]:
    if understood is None:
        return
    if understood.intent:
        percent = round(understood.confidence * 100)
        yield _words("utter_staff_card_intent", intent=understood.intent, percent=percent)
    told = [f"{_words(f'utter_word_fact_{name}')} {value[:LINE_LENGTH]}" for name, value in understood.facts.items()]
    if told:
        yield _words("utter_staff_card_facts", facts="; ".join(told))


def _cases(session: Session, conversation: Conversation, *, now: datetime) -> Iterator[str]:
    """The open ones with how long each has been open, and until when the next thing was promised."""
    for case in cases.of_resident(session, conversation, limit=MOST_CASES):
        if case.state not in cases.OVER:
            yield _words(
                "utter_staff_card_case",
                number=case.number,
                matter=case.title,
                state=_words(f"utter_word_{case.state}"),
                open_for=_span(now - case.opened_at),
                promise=_promise(session, case, now=now),
            )


def _promise(session: Session, case: Case, *, now: datetime) -> str:
    """What the resident was told; nothing once the case is finished."""
    if case.state in clocks.ENDED:
        return ""
    due = clocks.outlook(session, case).due
    if due is None:
        return _words("utter_word_card_no_due")
    community = session.get_one(Community, case.community_id)
    said = clocks.moment(due, community, language=STAFF_LANGUAGE)
    return _words(f"utter_word_card_{'late' if due < now else 'due'}", due=said)


def _ratings(session: Session, conversation: Conversation) -> Iterator[str]:
    rated = (
        select(Survey.stars)
        .join(Case, Case.id == Survey.case_id)
        .where(Case.conversation_id == conversation.id, Survey.state == FollowUpState.ANSWERED)
        .order_by(Survey.id.desc())
        .limit(MOST_RATINGS)
    )
    stars = [str(number) for number in session.scalars(rated)]
    if stars:
        yield _words("utter_staff_card_ratings", stars=", ".join(stars))


def _span(length: timedelta) -> str:
    """How long, in its largest unit."""
    for name, unit in SPANS:
        if length >= unit:
            return _words(f"utter_word_span_{name}", count=length // unit)
    return _words("utter_word_span_minutes", count=0)


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
    return [_words(f"utter_word_by_{line.author}", text=line.text[:LINE_LENGTH]) for line in reversed(newest)]


def _keys(conversation: Conversation, suggested: list[Ready]) -> list[Button]:
    """To send a suggested reply as it is, or to have it for changing."""
    return [
        Button(_words(f"utter_word_key_{what}", place=place), f"{prefix}:{conversation.id}:{ready.name}")
        for place, ready in enumerate(suggested, 1)
        for what, prefix in (("send", "p"), ("change", "e"))
    ]


def _words(key: str, **slots: object) -> str:
    return texts.words(key, language=STAFF_LANGUAGE, **slots)
