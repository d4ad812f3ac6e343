"""Which of several cases at work the words of a resident mean."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import categories
from service.cases import AT_WORK, Event
from service.models.cases import Case, CaseEvent
from service.models.talks import Conversation

WORDS = Path(__file__).with_suffix(".yml")
NEVER = "praise"  # a kind that is nobody's work
COUNT = re.compile(r"(?<!\d)\d{4}(?!\d)")  # the end of a number, which is all that many keep in mind
HELD = timedelta(minutes=30)  # for which somebody who urges again means the case that they urged before


def at_work(session: Session, conversation: Conversation) -> Sequence[Case]:
    """What is at work for the resident, the newest first, locked until the transaction ends."""
    found = select(Case).where(
        Case.conversation_id == conversation.id, Case.state.in_(AT_WORK), Case.kind != NEVER
    )  # fmt: skip
    return session.scalars(found.order_by(Case.id.desc()).with_for_update(of=Case)).all()


def fitting(found: Sequence[Case], words: str) -> Sequence[Case]:
    """Those that the words fit best: by the end of the number, by the kind, by what is named."""
    for fits in (_ends_so, _is_of_kind, _is_about, _touches):
        found = [case for case in found if fits(case, words)] or found
    return found


def kinds(words: str) -> set[str]:
    """The kinds of case that the words speak of."""
    return {kind for kind, pattern in _kinds().items() if pattern.search(words.lower())}


def urged(session: Session, conversation: Conversation, words: str, *, now: datetime) -> Case | None:
    """The one case that somebody means who asks how far it is; None when it may be any of several.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who asks.
        words: the whole message; when they name none, it is the one that was urged a while ago.
        now: the moment, aware UTC.
    """
    found = fitting(at_work(session, conversation), words)
    if len(found) == 1:
        return found[0]
    last = (
        select(CaseEvent.case_id)
        .where(CaseEvent.case_id.in_([case.id for case in found]))
        .where(CaseEvent.event == Event.URGED, CaseEvent.at > now - HELD)
        .order_by(CaseEvent.id.desc())
    )
    held = session.scalar(last.limit(1))
    return next((case for case in found if case.id == held), None)


def _ends_so(case: Case, words: str) -> bool:
    return case.number[-4:] in COUNT.findall(words)


def _is_of_kind(case: Case, words: str) -> bool:
    return case.kind in kinds(words)


def _is_about(case: Case, words: str) -> bool:
    return bool(categories.deciding_words(case.matter) & categories.deciding_words(words))


def _touches(case: Case, words: str) -> bool:
    """Whether a thing that they name stands in the matter: 「灯的那个」 is the one with 「灯坏了」."""
    return any(word in case.matter.lower() for word in categories.telling_words(words))


@cache
def _kinds() -> Mapping[str, re.Pattern[str]]:
    table: Mapping[str, list[str]] = yaml.safe_load(WORDS.read_text("utf-8"))
    return {kind: re.compile("|".join(map(_whole, words))) for kind, words in table.items()}


def _whole(word: str) -> str:
    return rf"\b(?:{word})\b" if word.isascii() else word
