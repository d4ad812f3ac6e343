"""What is changed after it was said: its copy on the other side follows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from service import bursts, outbox, pages, relays, twins
from service.models.queues import Delivery, Priority
from service.models.talks import Conversation, Twin
from service.relays import MOST_CAPTION, Words
from service.twins import Place

MOVES_EVERY = 20.0  # seconds between two calls for one live location


@dataclass(frozen=True)
class Revision:
    """What a message says now."""

    chat_id: int
    message_id: int
    kind: str
    words: Words
    file_id: str | None = None  # of another file that took the place of the first


def revise(session: Session, conversation: Conversation, now_says: Revision, *, key: str) -> Twin | None:
    """Bring the copy up to date with an edited message.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        now_says: the message as it is now.
        key: the update; the same one again does nothing.

    Returns:
        The copy, or None when there is none that could be changed.
    """
    body, *words = twins.of_original(session, conversation.id, now_says.chat_id, now_says.message_id) or (None,)
    if body is None or body.withdrawn_at is not None or (body.kind == "text") != (now_says.kind == "text"):
        return None
    if body.kind == "text":
        if not bursts.reword(session, body, now_says.words):
            change(session, conversation, body, "edit", now_says.words, key=key)
    else:
        there = [one for one in words if one.withdrawn_at is None]
        _revise_picture(session, conversation, body, there, now_says, key=key)
    return body


def _revise_picture(
    session: Session, conversation: Conversation, body: Twin, words: Sequence[Twin], now_says: Revision, *, key: str
) -> None:
    apart = bool(words) or pages.units(now_says.words["text"]) > MOST_CAPTION
    below: Words = {"text": ""} if apart else now_says.words
    if now_says.file_id is not None:
        file = {"kind": now_says.kind, "file_id": now_says.file_id}
        change(session, conversation, body, "swap", below | file, key=key)
    elif not words:
        change(session, conversation, body, "caption", below, key=key)
    if words:
        act = "edit" if now_says.words["text"] else "delete"
        change(session, conversation, words[0], act, now_says.words, key=f"{key}:words")
    elif apart:
        relays.say_caption(session, conversation, body, now_says.words, key=f"{key}:words")


def move(
    session: Session, conversation: Conversation, chat_id: int, message_id: int, place: Mapping[str, Any], *, key: str
) -> bool:
    """A live location moved, or stopped when it has no period any more; moves in quick succession are one call.

    Returns:
        False when the message was never passed on.
    """
    copies = twins.of_original(session, conversation.id, chat_id, message_id)
    if not copies:
        return False
    body = copies[0]
    wait = outbox.overtake(session, act="move", on={"twin": body.id}, after=MOVES_EVERY)
    if "live_period" in place:
        row_id = change(session, conversation, body, "move", place, key=key, priority=Priority.CARD)
        if row_id is not None:
            outbox.delay(session, row_id, seconds=wait)
    else:
        change(session, conversation, body, "move", place, key=key)
        change(session, conversation, body, "stop", {}, key=key)
    return True


def react(session: Session, conversation: Conversation, place: Place, emoji: str | None, *, key: str) -> None:
    """Show a person's reaction on the other side, or take it away again; a bot can show one."""
    outbox.overtake(session, act="react", on=place.reference)
    payload = {"on": place.reference, "emoji": emoji}
    to_resident = place.chat_id == conversation.resident.chat_id
    relays.send(
        session,
        conversation,
        to_resident,
        "react",
        payload,
        key=f"{key}:react",
        priority=Priority.CARD,
        delivery=Delivery.RETRY,
        where=place.chat_id,
    )


def change(
    session: Session,
    conversation: Conversation,
    twin: Twin,
    act: str,
    payload: Mapping[str, Any],
    *,
    key: str,
    priority: int = Priority.TALK,
) -> int | None:
    """Do something to a copy; what waits to do the same to it is overtaken. It comes after the copy in its lane."""
    on = {"twin": twin.id}
    outbox.overtake(session, act=act, on=on)
    return relays.send(
        session,
        conversation,
        relays.across(conversation, twin.said_chat_id),
        act,
        {**payload, "on": on},
        key=f"{key}:{act}",
        priority=priority,
        delivery=Delivery.RETRY,
        where=twin.chat_id,
    )
