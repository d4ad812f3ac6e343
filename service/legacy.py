"""Legacy problems (遗留问题, D): what was left unsolved for long is followed to its end, with notes on it by the clock.

Nothing but the case's log says that it is one. `legacy_marked` starts the clock `progress`, every note starts it anew,
and the ladder tells who owes one (service/clocks.yml). The other clocks run on: nobody gains time by the mark.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy.orm import Session

from service import cases, clocks, conversations, texts
from service.cases import Event
from service.communities import STAFF_LANGUAGE
from service.errors import EventNotAllowed
from service.models.cases import Case
from service.models.communities import Community
from service.models.people import Staff

WORDS = Path(__file__).with_suffix(".yml")
KINDS = ("repair", "complaint")  # that residents' own words can make one

# What staff say of a case, and what its resident hears then.
VERBS: Mapping[str, tuple[Event, str]] = {
    "is_legacy": (Event.LEGACY_MARKED, "utter_legacy_marked"),
    "no_legacy": (Event.LEGACY_UNMARKED, "utter_legacy_unmarked"),
}


def is_unsolved_for_long(words: str) -> bool:
    """Whether a resident says that their matter has been left for years."""
    return _unsolved().search(words.lower()) is not None


def recognise(session: Session, case: Case, *, key: str, now: datetime) -> str:
    """Mark a case that has just been opened, if its resident's words say so.

    Args:
        session: the caller's transaction, in which the case is locked.
        case: just opened.
        key: the turn that opened it.
        now: the moment, aware UTC.

    Returns:
        What the resident is promised, in their language; nothing for any other case.
    """
    if case.kind not in KINDS or not is_unsolved_for_long(case.matter):
        return ""
    cases.advance(session, case, Event.LEGACY_MARKED, actor="bot", key=f"{key}:legacy", now=now)
    return _promise(session, case, now=now)


def tap(session: Session, member: Staff, case: Case, verb: str, *, key: str, now: datetime) -> None:
    """Staff say that a case is a legacy problem, or that it is none after all; its resident hears what that means.

    Args:
        session: the caller's transaction, in which the case is locked.
        member: who says so.
        case: at work.
        verb: one of `VERBS`; what the case is already changes nothing.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        EventNotAllowed: it is not at work, or of a kind that no notes are promised for.
    """
    event, phrase = VERBS[verb]
    is_marked = clocks.outlook(session, case).note is not None
    if is_marked is (event is Event.LEGACY_MARKED):
        return
    targets = clocks.rules(session, case.community_id).targets
    if targets.find(case.kind, "progress", category=case.category, urgency=0) is None:
        raise EventNotAllowed(number=case.number, state=texts.words(f"utter_word_{case.kind}", language=STAFF_LANGUAGE))
    if not cases.advance(session, case, event, actor=f"staff:{member.number}", key=key, now=now):
        return
    promise = _promise(session, case, now=now) if event is Event.LEGACY_MARKED else None
    line = cases.say(case, phrase, promise=promise)
    told = f"case:{case.id}:{key}"
    conversations.tell(session, case.conversation, line, now=now, key=told, kind="progress", case_id=case.id)


def _promise(session: Session, case: Case, *, now: datetime) -> str:
    """That there will be word of it, and by when at the latest."""
    language, due = case.resident.language, clocks.outlook(session, case).note
    assert due is not None, "its clock does not wait"
    zone = session.get_one(Community, case.community_id).timezone
    by = clocks.by_when(due, now=now, timezone=zone, language=language)
    return texts.words("utter_legacy_promise", language=language, by=by)


@cache
def _unsolved() -> re.Pattern[str]:
    return re.compile("|".join(yaml.safe_load(WORDS.read_text("utf-8"))["unsolved"]))
