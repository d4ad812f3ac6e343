"""The first words: by the time of day, with the name when it is known (N2)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from service import cases, clocks, communities, conversations, residents, texts
from service.errors import CaseNotFound
from service.models.cases import Case
from service.models.communities import Community
from service.models.talks import Conversation
from service.texts import Line


def greet(session: Session, conversation: Conversation, *, now: datetime) -> Line:
    """The greeting with the big keys below it; who has just been greeted is asked what they need instead."""
    resident = conversation.resident
    community = session.get_one(Community, conversation.community_id)
    greeting = texts.say(
        "utter_greet",
        language=resident.language,
        time_of_day=texts.words(communities.time_of_day(community, now=now), language=resident.language),
        salutation=residents.salutation(resident),
        community=community.name,
    )
    last = conversations.said_last(session, conversation)
    if greeting.text != last:
        return greeting
    called = residents.salutation(resident)
    return texts.say("utter_here", language=resident.language, seed=now, unlike=last, salutation=called)


def my_cases(session: Session, conversation: Conversation, *, now: datetime) -> Line:
    """The resident's own cases with where each stands, and until when the next thing is expected."""
    found = cases.of_resident(session, conversation)
    if not found:
        language = conversation.resident.language
        return texts.say("utter_no_cases", language=language, unlike=conversations.said_last(session, conversation))
    return _list(session, found, conversation.resident.language, now=now)


def one_case(session: Session, conversation: Conversation, words: str, *, now: datetime) -> Line | None:
    """The case whose number is all that they wrote, with where it stands; None when they wrote something else."""
    if not cases.NUMBER.fullmatch(words.strip()):
        return None
    try:
        case = cases.named(session, conversation, words)
    except CaseNotFound as refused:
        return texts.say(refused.response, language=conversation.resident.language)
    return _list(session, [case] if case else [], conversation.resident.language, now=now)


def _list(session: Session, found: Sequence[Case], language: str, *, now: datetime) -> Line:
    lines = [
        texts.words(
            "utter_case_line",
            language=language,
            number=case.number,
            matter=case.title,
            state=texts.words(f"utter_word_{case.state}", language=language),
            expected=clocks.expected(session, case, now=now, language=language),
        )
        for case in found
    ]
    return texts.say("utter_my_cases", language=language, lines="\n".join(lines))
