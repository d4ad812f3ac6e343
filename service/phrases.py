"""Canned phrases: what butlers say again and again, its slots filled, in the resident's language.

Every community begins with the phrases of domain.yml (`utter_canned_…`) and may word them anew or add its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import Formatter
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import cases, conversations, desk_hours, residents, staff, texts, twins
from service.communities import STAFF_LANGUAGE
from service.errors import NoSuchPhrase, PhraseNotClear, PhraseNotReady
from service.models.cases import Case
from service.models.communities import Community
from service.models.people import Staff
from service.models.queues import Priority
from service.models.talks import CannedPhrase, Conversation
from service.staff import Right

DEFAULTS = ("sorry", "looking_into", "coming", "will_call", "ask_phone", "case_at_work", "desk", "anything_else")
MOST_NAME, MOST_NAME_BYTES = 16, 40  # a button carries the name
MOST_TEXT = 1000  # characters
SUGGESTED = 3

# What suits why people were asked; of these the first ones whose slots can be filled are suggested.
SUITS: Mapping[str, Sequence[str]] = {
    "emergency": ("coming", "will_call", "looking_into"),
    "complaint": ("sorry", "case_at_work", "looking_into"),
    "rating": ("sorry", "case_at_work", "will_call"),
}
SUITS_ALWAYS = ("looking_into", "case_at_work", "ask_phone", "sorry")

# Slots that may be empty: without a name nobody is addressed by it.
MAY_BE_EMPTY = frozenset({"salutation"})
SLOTS = ("salutation", "place", "phone", "number", "matter", "state", "staff_no", "community", "desk_phone", "hours")


@dataclass(frozen=True)
class Ready:
    """A phrase that can be sent as it is."""

    name: str
    text: str


def suggest(session: Session, conversation: Conversation, member: Staff | None, *, reason: str) -> list[Ready]:
    """The phrases that suit and can be sent, best first.

    Args:
        session: the caller's transaction.
        conversation: whose.
        member: who will send it, when that is known.
        reason: why people were asked.
    """
    can_be_sent = {one.name: one for one in ready(session, conversation, member)}
    suiting = dict.fromkeys([*SUITS.get(reason, ()), *SUITS_ALWAYS])
    return [can_be_sent[name] for name in suiting if name in can_be_sent][:SUGGESTED]


def fill(session: Session, conversation: Conversation, member: Staff, name: str) -> Ready:
    """The phrase with its slots filled.

    Raises:
        NoSuchPhrase: the community has none of this name.
        PhraseNotReady: a slot has nothing to fill it; nobody is sent a sentence with a hole.
    """
    text = _text(session, conversation, name)
    if text is None:
        raise NoSuchPhrase(name=name[:MOST_NAME], names=", ".join(names(session, conversation.community_id)))
    slots = _slots(session, conversation, member)
    missing = _missing(text, slots)
    if missing:
        words = [texts.words(f"utter_word_slot_{slot}", language=STAFF_LANGUAGE) for slot in missing]
        raise PhraseNotReady(name=name, missing=", ".join(words))
    return Ready(name, text.format_map(slots))


def ready(session: Session, conversation: Conversation, member: Staff | None) -> list[Ready]:
    """Every phrase that can be sent as it is, the common ones first."""
    language = conversation.resident.language
    own = select(CannedPhrase.name, CannedPhrase.text).where(
        CannedPhrase.community_id == conversation.community_id, CannedPhrase.language == language
    )
    worded = {name: texts.template(f"utter_canned_{name}", language=language) for name in DEFAULTS}
    worded |= {phrase.name: phrase.text for phrase in session.execute(own.order_by(CannedPhrase.name))}
    slots = _slots(session, conversation, member)
    return [Ready(name, text.format_map(slots)) for name, text in worded.items() if not _missing(text, slots)]


def names(session: Session, community_id: int) -> list[str]:
    """Every phrase the community has, the common ones first."""
    own = select(CannedPhrase.name).where(CannedPhrase.community_id == community_id).distinct()
    return list(dict.fromkeys([*DEFAULTS, *session.scalars(own.order_by(CannedPhrase.name))]))


def word(session: Session, member: Staff, name: str, text: str, *, language: str) -> None:
    """Give the member's community a phrase, or other words for one.

    Raises:
        NotAllowed: phrases are not theirs to change.
        PhraseNotClear: the name cannot stand on a button, or the text names a slot that nothing fills.
    """
    staff.check(member, Right.PHRASES)
    wrong = _wrong_slots(text)
    unnameable = not name or ":" in name or len(name) > MOST_NAME or len(name.encode()) > MOST_NAME_BYTES
    if unnameable or wrong is None or wrong or not 0 < len(text) <= MOST_TEXT:
        raise PhraseNotClear(name=name[:MOST_NAME], wrong=", ".join(wrong or ()), slots=", ".join(SLOTS))
    values = {"community_id": member.community_id, "name": name, "language": language, "text": text}
    put = insert(CannedPhrase).values(values)
    keys = ["community_id", "name", "language"]
    session.execute(put.on_conflict_do_update(index_elements=keys, set_={"text": text}))


def forget(session: Session, member: Staff, name: str) -> None:
    """Take the community's own words for a phrase away; a common one is worded as before.

    Raises:
        NotAllowed: phrases are not theirs to change.
        NoSuchPhrase: it has no words of its own for it.
    """
    staff.check(member, Right.PHRASES)
    mine = delete(CannedPhrase).where(CannedPhrase.community_id == member.community_id, CannedPhrase.name == name)
    if session.scalars(mine.returning(CannedPhrase.id)).first() is None:
        raise NoSuchPhrase(name=name[:MOST_NAME], names=", ".join(names(session, member.community_id)))


def _text(session: Session, conversation: Conversation, name: str) -> str | None:
    language = conversation.resident.language
    own = select(CannedPhrase.text).where(
        CannedPhrase.community_id == conversation.community_id,
        CannedPhrase.name == name,
        CannedPhrase.language == language,
    )
    text = session.scalar(own)
    if text is None and name in DEFAULTS:
        return texts.template(f"utter_canned_{name}", language=language)
    return text


def _slots(session: Session, conversation: Conversation, member: Staff | None) -> dict[str, str]:
    """What is known; a slot that nothing fills is missing."""
    resident = conversation.resident
    community = session.get_one(Community, conversation.community_id)
    case = cases.newest_at_work(session, conversation)
    known = {
        "salutation": residents.salutation(resident),
        "place": resident.place,
        "phone": resident.phone,
        "staff_no": str(member.number) if member else None,
        "community": community.name,
        "desk_phone": community.phone,
        "hours": desk_hours.told(community, language=resident.language),
        **(_of_case(case, resident.language) if case else {}),
    }
    return {slot: value for slot, value in known.items() if value or (slot in MAY_BE_EMPTY and value is not None)}


def _of_case(case: Case, language: str) -> dict[str, str]:
    state = texts.words(f"utter_word_{case.state}", language=language)
    return {"number": case.number, "matter": case.title, "state": state}


def _missing(text: str, slots: Mapping[str, str]) -> list[str]:
    return [slot for _, slot, _, _ in Formatter().parse(text) if slot is not None and slot not in slots]


def _wrong_slots(text: str) -> list[str] | None:
    """The slots that nothing ever fills; None when the braces do not match."""
    try:
        parts = list(Formatter().parse(text))
    except ValueError:
        return None
    if any(form or conversion for _, _, form, conversion in parts):
        return None
    return [slot for _, slot, _, _ in parts if slot is not None and slot not in SLOTS]


def send(
    session: Session,
    conversation: Conversation,
    ready: Ready,
    member: Staff,
    *,
    where: int,
    key: str,
    now: datetime,
    kind: str = "canned",
) -> bool:
    """Say it to the resident for the butler who has them; a note shows staff what was said, and stands for it.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        ready: what is said.
        member: who says it.
        where: the chat in which it was picked; the note stands there, or in the topic (`IN_TOPIC`).
        key: saying the same key again does nothing.
        now: the moment, aware UTC.
        kind: what it is, in staff's words.

    Returns:
        False when it was said before.
    """
    line = texts.Line(ready.text)
    row_id = conversations.to_resident(session, conversation, "say", line.payload(), key=key, kind=kind)
    if row_id is None:
        return False
    conversations.write_down(
        session, conversation, ready.text, author="butler", outbox_id=row_id, staff=member, now=now
    )
    conversation.active_at, conversation.owed_since = now, None
    conversations.stir(conversation, now=now)
    note = texts.say("utter_staff_phrase_sent", language=STAFF_LANGUAGE, text=ready.text)
    facts: dict[str, Any] = {"key": f"{key}:shown", "kind": "note", "priority": Priority.WORK_ORDER, "where": where}
    note_id = conversations.to_staff(session, conversation, "say", note.payload() | {"shows": row_id}, **facts)
    if note_id is not None:
        # Until the note has arrived, its row stands for its number; Telegram's are never negative.
        facts = {"conversation_id": conversation.id, "said_chat_id": where, "chat_id": conversation.resident.chat_id}
        twins.plan(session, row_id, [(-note_id, "text")], **facts)
    return True
