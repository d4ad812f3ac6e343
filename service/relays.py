"""What is passed between a resident and the butlers: every message as it was said, an album as one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import bursts, conversations, twins
from service.models.queues import Delivery, OutboxRow, OutboxState, Priority
from service.models.talks import Conversation, Twin
from service.twins import Place

MOST_CAPTION = 1024  # UTF-16 units that a bot may put below a picture; people with Premium write more

Words = dict[str, Any]  # a text and its entities, as a payload holds them


@dataclass(frozen=True)
class Bundle:
    """What is passed on as one: a message, or an album."""

    chat_id: int  # where it was said
    originals: Sequence[tuple[int, str]]  # message id and kind of each
    act: str
    payload: dict[str, Any]
    album: str | None = None
    reply_to: int | None = None  # the message of the same chat that it answers
    quote: dict[str, Any] | None = None  # the part of it that it answers
    captions: Mapping[int, Words] = field(default_factory=dict)  # those too long to go along, by message id

    @property
    def first(self) -> int:
        """The message that names the whole."""
        return self.originals[0][0]


def pass_on(session: Session, conversation: Conversation, bundle: Bundle) -> bool:
    """Pass something on to the other side; passing it on again does nothing.

    A late part of an album joins the others while they wait; once they are gone, it answers them.

    Returns:
        False where there is nobody to pass it on to.
    """
    if twins.of_original(session, conversation.id, bundle.chat_id, bundle.first):
        return True
    before = twins.of_album(session, conversation.id, bundle.album) if bundle.album else ()
    if before and _join(session, conversation, before[-1], bundle):
        _pass_captions_on(session, conversation, bundle)
        return True
    payload = bundle.payload | _reply(session, conversation, bundle, before)
    key = f"relay:{conversation.id}:{bundle.chat_id}:{bundle.first}"
    row_id = send(session, conversation, across(conversation, bundle.chat_id), bundle.act, payload, key=key)
    if row_id is None:
        return False
    _plan(session, conversation, row_id, bundle)
    _pass_captions_on(session, conversation, bundle)
    return True


def stands_there(session: Session, conversation: Conversation, chat_id: int, message_id: int) -> bool:
    """Whether the same message stands on the other side."""
    return twins.other_side(session, chat_id, message_id, conversation_id=conversation.id) is not None


def is_read_there(session: Session, conversation: Conversation, chat_id: int, message_id: int) -> bool:
    """Whether the same message stands where the other side reads now: not in the topic of a private talk."""
    place = twins.other_side(session, chat_id, message_id, conversation_id=conversation.id)
    return place is not None and _is_in_sight(session, conversation, place)


def _is_in_sight(session: Session, conversation: Conversation, place: Place) -> bool:
    if place.chat_id == conversation.resident.chat_id:
        return True
    here = conversations.read_in(session, conversation)
    return place.chat_id == here if here > 0 else place.chat_id < 0


def across(conversation: Conversation, chat_id: int) -> bool:
    """Whether what was said in this chat goes to the resident; else it goes to their topic."""
    return chat_id != conversation.resident.chat_id


def send(
    session: Session,
    conversation: Conversation,
    to_resident: bool,  # noqa: FBT001 - named by `across`
    act: str,
    payload: dict[str, Any],
    *,
    key: str,
    priority: int = Priority.TALK,
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
    where: int | None = None,
) -> int | None:
    """Write a row for one of the two sides; on staff's, `where` something stands that it is about."""
    facts: dict[str, Any] = {"key": key, "priority": priority, "delivery": delivery}
    if to_resident:
        return conversations.to_resident(session, conversation, act, payload, **facts)
    return conversations.to_staff(session, conversation, act, payload, where=where, **facts)


def _plan(session: Session, conversation: Conversation, row_id: int, bundle: Bundle) -> None:
    chat_id = session.scalars(select(OutboxRow.chat_id).where(OutboxRow.id == row_id)).one()
    twins.plan(
        session,
        row_id,
        bundle.originals,
        conversation_id=conversation.id,
        said_chat_id=bundle.chat_id,
        chat_id=chat_id,
        album=bundle.album,
    )


def _join(session: Session, conversation: Conversation, before: Twin, bundle: Bundle) -> bool:
    """Let a late part of an album go with those that have not gone out yet."""
    waiting = select(OutboxRow).where(OutboxRow.id == before.outbox_id, OutboxRow.state == OutboxState.PENDING)
    locked = waiting.with_for_update(skip_locked=True).execution_options(populate_existing=True)
    row = session.scalars(locked).one_or_none()  # none when a sender is just taking it
    if row is None or row.act != bundle.act or row.payload.get("bare") != bundle.payload.get("bare"):
        return False
    lists = ("message_ids", "media")
    joined = {name: [*row.payload.get(name, ()), *bundle.payload.get(name, ())] for name in lists}
    row.payload = row.payload | {name: items for name, items in joined.items() if items}
    session.flush()
    _plan(session, conversation, row.id, bundle)
    return True


def _reply(session: Session, conversation: Conversation, bundle: Bundle, before: Sequence[Twin]) -> dict[str, Any]:
    """What it answers on the other side; a part of an album that comes late answers the parts before it."""
    if before:
        return {"reply": {"twin": before[0].id}}
    if bundle.reply_to is None:
        return {}
    place = twins.other_side(session, bundle.chat_id, bundle.reply_to, conversation_id=conversation.id)
    if place is None or not _is_in_sight(session, conversation, place):
        return {}
    if bundle.quote is None:
        return {"reply": place.reference}
    line = bursts.quoted(session, place.twin, bundle.quote) if "message_id" in place.reference else None
    if line is not None:
        return {"reply": {"message_id": line[0], "quote": line[1]}}
    over_the_end = "message_id" in place.reference and len(twins.of_row(session, place.twin.outbox_id)) > 1
    return {"reply": place.reference | ({} if over_the_end else {"quote": bundle.quote})}


def _pass_captions_on(session: Session, conversation: Conversation, bundle: Bundle) -> None:
    for message_id, words in bundle.captions.items():
        picture = twins.of_original(session, conversation.id, bundle.chat_id, message_id)[0]
        say_caption(session, conversation, picture, words, key=f"caption:{picture.id}")


def say_caption(session: Session, conversation: Conversation, picture: Twin, words: Words, *, key: str) -> None:
    """A caption that no bot may write below a picture follows as a text that answers the picture."""
    payload = words | {"reply": {"twin": picture.id}}
    to_resident = across(conversation, picture.said_chat_id)
    row_id = send(session, conversation, to_resident, "say", payload, key=key, where=picture.chat_id)
    if row_id is not None:
        caption = Bundle(picture.said_chat_id, [(picture.said_message_id, "caption")], "say", payload)
        _plan(session, conversation, row_id, caption)
