"""What a resident may do with their own data (N12): see it, take it along, and choose the language; each is logged."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import archive, binding, cases, outbox, residents, texts, traces
from service.errors import ButtonExpired
from service.models.archive import ArchiveEvent, BindingRequest, Fee, Member, ParkingSpace, VisitorCode
from service.models.base import Base
from service.models.cases import Appointment, Case
from service.models.communities import Community
from service.models.follow_ups import CallBack, Survey
from service.models.incidents import IncidentReport
from service.models.knowledge import UnansweredQuestion
from service.models.people import Resident
from service.models.talks import Conversation, DeskMessage, Handover, Message, Owner, Wait
from service.models.understanding import Candidate, EmergencyAlarm
from service.texts import Line

THEIR_OWN = ("resident", "bot", "butler")  # whose lines they have read; staff's notes and what staff took back are not
FOLLOWS = "auto"  # no language chosen: it follows their words

# What of each row is theirs; numbers that only tie our rows together are left out.
ACCOUNT = ("chat_id", "display_name", "surname", "honorific", "language", "language_chosen", "phone", "place")
FILE = ("name", "surname", "honorific", "language", "phone", "role", "moved_in", "moved_out", "consented_at")
CASE = (
    "number", "kind", "category", "state", "matter", "place", "wanted_at", "wanted_from", "wanted_until", "contact",
    "phone", "opened_at",
)  # fmt: skip
EVENT = ("at", "event", "actor", "data")
VISIT = ("made_at", "begins_at", "ends_at", "state")
CALL_BACK = ("due_at", "state", "reason", "outcome")
SURVEY = ("asked_at", "state", "stars", "reasons", "comment", "answered_at")
LINE = (
    "said_at", "author", "kind", "text", "entities", "earlier", "edited_at", "media", "forwarded_from", "withdrawn_at",
)  # fmt: skip
WHO_ANSWERED = ("at", "owner", "reason")  # the note is from staff to staff
REPORT = ("joined_at", "kind", "matter", "place", "phone", "told_at", "outcome")
QUESTION = ("asked_at", "text", "language", "state")
FOR_LEARNING = ("noticed_at", "text", "language", "why", "state")
DESK = ("taken_at", "words")
WAITED = ("since", "ended_at", "answered", "reason")
ALARM = ("raised_at", "kind")
REQUEST = ("asked_at", "words", "state", "decided_at")
LOG = ("at", "act", "actor", "detail")
FEE = ("name", "period", "amount", "waived", "paid", "currency", "due", "paid_on", "reference", "as_of")
SPACE = ("name", "plate", "valid_until", "as_of")
VISITOR_CODE = ("name", "code", "valid_from", "valid_until", "as_of")


def me(session: Session, conversation: Conversation, *, now: datetime) -> Line:
    """What is kept of them, in a few lines; with the ways in when the account is not bound."""
    resident, language = conversation.resident, conversation.resident.language
    member = archive.member_of(session, resident)
    archive.log(session, resident, "shown", actor="resident", member=member, now=now)
    lines = session.scalar(select(func.count()).where(Message.conversation_id == conversation.id))
    counts = {"cases": cases.count(session, conversation), "lines": lines}
    if member is None:
        unknown = texts.words("utter_word_nothing_kept", language=language)
        place, phone = residents.home(resident, language=language) or unknown, resident.phone or unknown
        line = texts.say("utter_me_unbound", language=language, place=place, phone=phone, **counts)
        return binding.with_contact_key(line, language)
    return texts.say("utter_me", language=language, **_file_words(session, resident, member), **counts)


def _file_words(session: Session, resident: Resident, member: Member) -> dict[str, object]:
    """Their file as words."""
    language = resident.language
    return {
        "name": member.name,
        "place": archive.place(member.household, language),
        "role": texts.words(f"utter_word_role_{member.role}", language=language),
        "phone": resident.phone or texts.words("utter_word_nothing_kept", language=language),
        "accounts": len(archive.accounts(session, member)),
    }


def export(session: Session, conversation: Conversation, *, key: str, now: datetime) -> Line | None:
    """Send everything kept of them as a file; while a butler talks, the butler hears of the wish instead."""
    resident = conversation.resident
    if conversation.owner is Owner.BUTLER:
        return texts.say("utter_export_later", language=resident.language)
    community = session.get_one(Community, conversation.community_id)
    archive.log(session, resident, "exported", actor="resident", member=archive.member_of(session, resident), now=now)
    outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=resident.chat_id,
        conversation_id=conversation.id,
        epoch=conversation.epoch,
        kind="export",
        act="document",
        payload={
            "text": texts.words("utter_export", language=resident.language),
            "file_name": f"guanjia-{archive.today(session, community.id, now=now)}.json",
            "content": as_file(session, conversation, now=now),
        },
        key=f"{key}:export",
    )
    return None


def as_file(session: Session, conversation: Conversation, *, codes: bool = True, now: datetime) -> str:
    """Everything as JSON that people can read; staff who hand it out do not see the codes of visitors."""
    found = everything(session, conversation, codes=codes, now=now)
    return json.dumps(found, ensure_ascii=False, indent=1, default=_plain)


def everything(session: Session, conversation: Conversation, *, codes: bool = True, now: datetime) -> dict[str, Any]:
    """All that is kept of them, and nothing of anybody else."""
    resident = conversation.resident
    member = archive.member_of(session, resident)
    noticed = traces.candidates(session, traces.of(session, conversation))
    return {
        "about": texts.words("utter_export_about", language=resident.language),
        "made_at": now,
        "community": session.get_one(Community, conversation.community_id).name,
        "account": _facts(resident, ACCOUNT),
        "file": _facts(member, FILE) | {"home": archive.place(member.household, resident.language)} if member else None,
        "household": _household(session, resident, codes=codes, now=now),
        "cases": [_case(session, case) for case in _rows(session, Case, Case.resident_id == resident.id)],
        "messages": [
            _facts(line, LINE)
            for line in _rows(session, Message, Message.conversation_id == conversation.id)
            if line.author in THEIR_OWN and (line.author == "resident" or line.withdrawn_at is None)
        ],
        "who_answered": _all(session, Handover, WHO_ANSWERED, Handover.conversation_id == conversation.id),
        "desk_messages": _all(session, DeskMessage, DESK, DeskMessage.conversation_id == conversation.id),
        "waits": _all(session, Wait, WAITED, Wait.conversation_id == conversation.id),
        "incidents": _all(session, IncidentReport, REPORT, IncidentReport.conversation_id == conversation.id),
        "questions": _all(session, UnansweredQuestion, QUESTION, UnansweredQuestion.conversation_id == conversation.id),
        "kept_for_learning": _all(session, Candidate, FOR_LEARNING, Candidate.id.in_(noticed)),
        "emergencies": _all(session, EmergencyAlarm, ALARM, EmergencyAlarm.conversation_id == conversation.id),
        "requests": _all(session, BindingRequest, REQUEST, BindingRequest.resident_id == resident.id),
        "log": _all(session, ArchiveEvent, LOG, ArchiveEvent.resident_id == resident.id),
    }


def _household(session: Session, resident: Resident, *, codes: bool, now: datetime) -> list[dict[str, Any]]:
    """What the property system holds of each household they speak for."""
    day = archive.today(session, resident.community_id, now=now)
    visitors = VISITOR_CODE if codes else [name for name in VISITOR_CODE if name != "code"]
    return [
        {
            "home": archive.place(home.household, resident.language),
            "fees": _all(session, Fee, FEE, Fee.household_id == home.household_id),
            "parking": _all(session, ParkingSpace, SPACE, ParkingSpace.household_id == home.household_id),
            "visitor_codes": _all(session, VisitorCode, visitors, VisitorCode.household_id == home.household_id),
        }
        for home in archive.homes(session, resident, day=day)
    ]


def _case(session: Session, case: Case) -> dict[str, Any]:
    return _facts(case, CASE) | {
        "events": [_facts(event, EVENT) for event in cases.events(session, case)],
        "appointments": _all(session, Appointment, VISIT, Appointment.case_id == case.id),
        "call_backs": _all(session, CallBack, CALL_BACK, CallBack.case_id == case.id),
        "surveys": _all(session, Survey, SURVEY, Survey.case_id == case.id),
    }


def _all(session: Session, table: type[Any], names: Sequence[str], theirs: Any) -> list[dict[str, Any]]:
    return [_facts(row, names) for row in _rows(session, table, theirs)]


def _rows(session: Session, table: type[Any], theirs: Any) -> Sequence[Any]:
    return session.scalars(select(table).where(theirs).order_by(table.id)).all()


def _facts(row: Base, names: Sequence[str]) -> dict[str, Any]:
    return {name: getattr(row, name) for name in names}


def _plain(value: object) -> str:
    """What JSON has no word for; an amount to the cent."""
    if isinstance(value, Decimal):
        return str(value)
    assert isinstance(value, date | datetime), type(value)
    return value.isoformat()


def ask_language(conversation: Conversation) -> Line:
    """Offer the languages, each in its own."""
    return texts.say("utter_language", language=conversation.resident.language, conversation_id=conversation.id)


def choose_language(session: Session, conversation: Conversation, chosen: str, *, now: datetime) -> Line:
    """Answer in this language from now on, whatever they write in; or follow their words again.

    Raises:
        ButtonExpired: no such language.
    """
    resident = conversation.resident
    if chosen not in (*texts.LANGUAGES, FOLLOWS):
        raise ButtonExpired
    resident.language_chosen = chosen != FOLLOWS
    resident.language = chosen if resident.language_chosen else resident.language
    archive.log(session, resident, "language_chosen", actor="resident", now=now, language=chosen)
    said = "utter_language_chosen" if resident.language_chosen else "utter_language_follows"
    return texts.say(said, language=resident.language)
