"""What could not be passed on: nobody is left to wonder, neither who said it nor who was to read it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy.orm import Session

from service import conversations, texts, twins
from service.communities import STAFF_LANGUAGE
from service.models.queues import Priority
from service.models.talks import Conversation, Twin
from service.sending import Parcel

GONE = ("message to copy not found", "message to forward not found", "there are no messages to")
SAID = ("relay", "canned")  # kinds that a person said
TOO_LARGE = ("too big", "too large", "entity too large")


def announce(session: Session, conversation: Conversation, kind: str, *, message_ids: Sequence[int], key: str) -> None:
    """The resident sent something that no bot can pass on: staff read that there is something.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        kind: what Telegram calls it.
        message_ids: what it stands for; kept in the row for whoever asks what became of them.
        key: the message; the same one again does nothing.
    """
    _to_staff(
        session,
        conversation,
        "utter_staff_cannot_pass_on",
        key=f"{key}:announced",
        beside={"message_ids": list(message_ids)},
        what=texts.kind_name(kind, language=STAFF_LANGUAGE),
    )


def explain(session: Session, conversation: Conversation, kind: str, *, key: str) -> None:
    """Tell the resident, whoever answers them, that staff did not get to see it."""
    language = conversation.resident.language
    line = texts.say("utter_not_passed_on", language=language, what=texts.kind_name(kind, language=language))
    conversations.to_resident(session, conversation, "say", line.payload(), key=f"{key}:explained", kind="note")


def refused(session: Session, parcel: Parcel, *, reason: str) -> None:
    """Telegram refuses for ever to pass something on or to change it; what follows depends on what it was.

    Args:
        session: the caller's transaction.
        parcel: the row that was refused.
        reason: in Telegram's words.
    """
    if parcel.kind not in SAID or parcel.conversation_id is None or parcel.act not in _ANSWERS:
        return
    conversation = conversations.lock(session, parcel.conversation_id)
    _ANSWERS[parcel.act](session, conversation, parcel, reason)


def missing(session: Session, parcel: Parcel, count: int) -> None:
    """Telegram passed over some of an album without a word."""
    if parcel.conversation_id is None:
        return
    conversation = conversations.lock(session, parcel.conversation_id)
    _to_staff(session, conversation, "utter_staff_album_incomplete", key=f"missing:{parcel.id}", count=count)


def _not_passed_on(session: Session, conversation: Conversation, parcel: Parcel, reason: str) -> None:
    """Both sides hear of it; what its author deleted before it went out is nobody's loss."""
    said = twins.of_row(session, parcel.id)
    kind = said[0].kind if said else "text"
    key = f"undelivered:{parcel.id}"
    gone = any(words in reason.lower() for words in GONE)
    if parcel.chat_id != conversation.resident.chat_id:
        phrase = "utter_staff_resident_took_back" if gone else "utter_staff_cannot_pass_on"
        _to_staff(session, conversation, phrase, key=key, what=texts.kind_name(kind, language=STAFF_LANGUAGE))
        if not gone:
            explain(session, conversation, kind, key=key)
        return
    large = any(words in reason.lower() for words in TOO_LARGE)
    phrase = "utter_staff_too_large" if large else "utter_staff_undelivered"
    beside = {"reply": {"message_id": said[0].said_message_id}} if said and twins.is_there(said[0]) else {}
    what = texts.kind_name(kind, language=STAFF_LANGUAGE)
    where = said[0].said_chat_id if said else None
    _to_staff(session, conversation, phrase, key=key, beside=beside, where=where, what=what)
    if not gone:
        language = conversation.resident.language
        line = texts.say("utter_not_received", language=language, what=texts.kind_name(kind, language=language))
        conversations.to_resident(session, conversation, "say", line.payload(), key=f"{key}:explained", kind="note")


def _not_changed(session: Session, conversation: Conversation, parcel: Parcel, _: str) -> None:
    """The copy is gone: the new words are said afresh in the topic; a butler hears that the resident has the old."""
    key = f"unchanged:{parcel.id}"
    if parcel.chat_id != conversation.resident.chat_id:
        _to_staff(session, conversation, "utter_staff_edited", key=key, text=parcel.payload["text"])
    else:
        _to_staff(session, conversation, "utter_staff_not_changed", key=key)


def _not_deleted(session: Session, conversation: Conversation, parcel: Parcel, _: str) -> None:
    """Too old, or the resident has deleted it: staff must not believe that it is gone, and the record says so."""
    if parcel.chat_id != conversation.resident.chat_id:
        return
    twin = session.get(Twin, parcel.payload["on"]["twin"])
    if twin is None:  # the resident has been forgotten meanwhile
        return
    for line in twins.lines(session, [twin]):
        line.withdrawn_at = line.withdrawn_by_id = None
    _to_staff(session, conversation, "utter_staff_too_late_to_take_back", key=f"undeleted:{parcel.id}")


def _to_staff(
    session: Session,
    conversation: Conversation,
    phrase: str,
    *,
    key: str,
    beside: Mapping[str, Any] | None = None,
    where: int | None = None,
    **slots: object,
) -> None:
    """Say something about a message, in its place among the messages; `beside` goes into the payload."""
    line = texts.say(phrase, language=STAFF_LANGUAGE, **slots)
    payload = line.payload() | dict(beside or {})
    conversations.to_staff(
        session, conversation, "say", payload, key=key, kind="note", priority=Priority.TALK, where=where
    )


_ANSWERS: dict[str, Callable[[Session, Conversation, Parcel, str], None]] = {
    "copy": _not_passed_on,
    "forward": _not_passed_on,
    "place": _not_passed_on,
    "say": _not_passed_on,
    "lines": _not_passed_on,
    "edit": _not_changed,
    "caption": _not_changed,
    "swap": _not_changed,
    "delete": _not_deleted,
}
