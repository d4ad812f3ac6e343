"""A note on how far a case is: staff write it under the work order or on its page, the resident reads it (D).

It was promised, so it counts in no budget and 退订 does not stop it; but it wakes nobody: what is written in the quiet
hours is said in the morning (service/after_talks.py).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import cases, clocks, communities, conversations, outbox, quiet_hours, texts
from service.cases import Event
from service.communities import STAFF_LANGUAGE
from service.errors import NoteWithoutWords
from service.models.cases import Case
from service.models.communities import Community
from service.models.people import Staff
from service.models.queues import OutboxRow, Priority
from service.models.talks import Owner
from service.texts import Line

KIND = "progress_note"  # of the line to the resident
ASK = "progress_ask"  # of the question to staff, which they answer by replying to it
LONGEST = 1000  # characters of a note


def ask(session: Session, member: Staff, case_id: int, *, key: str) -> None:
    """Ask in the department's topic how far the case is; the reply goes to its resident.

    Raises:
        CaseNotFound: no such case here.
        EventNotAllowed: it is not at work.
    """
    case = cases.access_for(session, member, case_id, Event.PROGRESS_TOLD)
    group = communities.staff_group(session, case.community_id)
    if group is None:
        return
    line = texts.say("utter_staff_progress_ask", language=STAFF_LANGUAGE, number=case.number, matter=case.title)
    outbox.put(
        session,
        **group,
        topic_id=case.department.topic_id,
        case_id=case.id,
        kind=ASK,
        act="say",
        payload=line.payload(),
        priority=Priority.WORK_ORDER,
        key=f"case:{case.id}:{key}:{ASK}",
    )


def asked_in(session: Session, member: Staff, text: str, message_id: int) -> int | None:
    """The case about which a message of ours asks, if it is such a question.

    Args:
        session: a transaction; it is only read.
        member: who replies to it.
        text: of the message that is replied to; the case's number stands in it.
        message_id: of the same message.
    """
    number = cases.NUMBER.search(text)
    if number is None:
        return None
    found = select(OutboxRow.case_id).join(Case, Case.id == OutboxRow.case_id)
    theirs = found.where(Case.community_id == member.community_id, Case.number == number[0].upper())
    return session.scalar(theirs.where(OutboxRow.kind == ASK, OutboxRow.message_id == message_id))


def write(session: Session, member: Staff, case_id: int, words: str, *, key: str, now: datetime) -> Line:
    """Tell the resident how far their case is, in the words of whoever works on it.

    Args:
        session: the caller's transaction.
        member: who writes.
        case_id: only cases of the member's community are found.
        words: of the note; what is too long is cut.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Returns:
        What staff read about it: whether it goes out now, in the morning, after a butler's talk, or to nobody.

    Raises:
        NoteWithoutWords: there is nothing to tell.
        CaseNotFound: no such case here.
        EventNotAllowed: it is not at work.
    """
    words = words.strip()[:LONGEST]
    if not words:
        raise NoteWithoutWords
    case = cases.access_for(session, member, case_id, Event.PROGRESS_TOLD)
    community = session.get_one(Community, case.community_id)
    is_night = quiet_hours.are_at(now, community)
    if cases.advance(
        session, case, Event.PROGRESS_TOLD, actor=f"staff:{member.number}", key=key, now=now, data={"words": words}
    ):
        line = _line(session, case, words, now=now)
        told = f"case:{case.id}:{key}"
        conversations.tell(
            session, case.conversation, line, now=now, key=told, kind=KIND, case_id=case.id, waits=is_night
        )
    if case.resident.unreachable_since is not None:
        return texts.say("utter_staff_blocked", language=STAFF_LANGUAGE, name=case.resident.display_name)
    when = "talk" if case.conversation.owner is Owner.BUTLER else "night" if is_night else "now"
    return texts.say(f"utter_staff_progress_{when}", language=STAFF_LANGUAGE, number=case.number)


def _line(session: Session, case: Case, words: str, *, now: datetime) -> Line:
    language, due = case.resident.language, clocks.outlook(session, case).note
    zone = session.get_one(Community, case.community_id).timezone
    by = clocks.by_when(due, now=now, timezone=zone, language=language) if due else None
    note = texts.words("utter_word_next_note", language=language, by=by) if by else None
    return cases.say(case, "utter_case_progress", words=words, next=note)
