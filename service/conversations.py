"""Who answers a resident: the bot, nobody yet, or a butler; and every line that is said."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import outbox, residents, texts, topics
from service.communities import STAFF_LANGUAGE
from service.errors import ButtonExpired, ConversationTaken, NothingToHandBack
from service.models import (
    Community,
    Conversation,
    Delivery,
    Message,
    OutboxRow,
    OutboxState,
    Owner,
    Priority,
    Resident,
    Staff,
    table,
)
from service.texts import Line

CARD_LINES = 10  # of the talk so far, on the card that a butler reads first
CARD_LINE_LENGTH = 200  # characters of one line there


@dataclass(frozen=True)
class Said:
    """What a person said, as far as it is kept: words, what kind of message, and where Telegram has it."""

    kind: str
    text: str
    chat_id: int
    message_id: int
    inbox_id: int
    media: dict[str, Any] | None = None


# A line is kept once for each inbox row; lines of ours have none.
_KEEP = insert(table(Message)).on_conflict_do_nothing(index_elements=["inbox_id"])


def hear(session: Session, conversation: Conversation, said: Said, *, now: datetime, by: Staff | None = None) -> None:
    """Keep a line a person said; hearing the same inbox row again changes nothing (N3)."""
    values = {
        "conversation_id": conversation.id,
        "author": "butler" if by else "resident",
        "staff_id": by.id if by else None,
        "said_at": now,
        **vars(said),
    }
    session.execute(_KEEP, values)


def amend(session: Session, conversation: Conversation, said: Said, *, now: datetime) -> bool:
    """A person edited a line: keep the earlier wording. False when the line is not known."""
    found = select(Message).where(
        Message.conversation_id == conversation.id,
        Message.chat_id == said.chat_id,
        Message.message_id == said.message_id,
    )
    line = session.scalars(found.with_for_update()).first()
    if line is None:
        return False
    if line.text != said.text:
        line.earlier = [*(line.earlier or []), {"text": line.text, "until": now.isoformat()}]
        line.text, line.edited_at = said.text, now
    return True


def tell(
    session: Session,
    conversation: Conversation,
    line: Line,
    *,
    now: datetime,
    key: str,
    kind: str = "reply",
    priority: int = Priority.TALK,
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
    epoch: int | None = None,
) -> int | None:
    """Say a line of the bot's to the resident, or to the butler who has taken over.

    While a butler answers, the bot is silent towards the resident: what it would have said stands in the butler's
    topic instead, so that nothing is lost.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        line: what is said.
        now: the moment, aware UTC.
        key: saying the same key again does nothing.
        kind: what it is, in staff's words.
        priority: who goes first.
        delivery: what may happen when nobody knows whether it arrived.
        epoch: the epoch in which the line was thought of, when that was before this transaction.

    Returns:
        The outbox row, or None when it was said before or went to the butler.
    """
    if conversation.owner is Owner.BUTLER:
        note = texts.say("utter_staff_note", language=STAFF_LANGUAGE, text=line.text)
        to_staff(session, conversation, "say", note.payload(), key=key, kind="note", priority=Priority.WORK_ORDER)
        return None
    community = session.get_one(Community, conversation.community_id)
    row_id = outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=conversation.resident.chat_id,
        conversation_id=conversation.id,
        epoch=conversation.epoch if epoch is None else epoch,
        kind=kind,
        act="say",
        payload=line.payload(),
        priority=priority,
        delivery=delivery,
        key=key,
    )
    if row_id is not None:
        _write_down(session, conversation, line.text, author="bot", outbox_id=row_id, now=now)
    return row_id


def to_resident(
    session: Session, conversation: Conversation, act: str, payload: dict[str, Any], *, key: str, kind: str = "relay"
) -> int | None:
    """Pass a butler's line on to the resident."""
    community = session.get_one(Community, conversation.community_id)
    return outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=conversation.resident.chat_id,
        conversation_id=conversation.id,
        kind=kind,
        act=act,
        payload=payload,
        key=key,
    )


def to_staff(
    session: Session,
    conversation: Conversation,
    act: str,
    payload: dict[str, Any],
    *,
    key: str,
    kind: str = "relay",
    priority: int = Priority.TALK,
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
) -> int | None:
    """Pass something on to the resident's topic in the staff group; None where the community has no group."""
    community = session.get_one(Community, conversation.community_id)
    if community.staff_chat_id is None:
        return None
    if conversation.topic_id is None:
        conversation.topic_id = topics.open_topic(session, community.id, name_of(conversation.resident)).id
    return outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=community.staff_chat_id,
        topic_id=conversation.topic_id,
        conversation_id=conversation.id,
        kind=kind,
        act=act,
        payload=payload,
        priority=priority,
        delivery=delivery,
        key=key,
    )


def alert_staff(session: Session, community_id: int, line: Line, *, key: str, priority: int) -> None:
    """Tell everybody in the staff group, in General."""
    community = session.get_one(Community, community_id)
    if community.staff_chat_id is None:
        return
    outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=community.staff_chat_id,
        kind="alert",
        act="say",
        payload=line.payload(),
        priority=priority,
        key=key,
    )


def escalate(
    session: Session, conversation: Conversation, *, reason: str, source: str, now: datetime, quietly: bool = False
) -> bool:
    """Hand the resident over to people: the card goes to their topic, the handoff phrase to the resident (N6).

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        reason: the end of a `utter_word_because_…` key.
        source: the turn that caused it; escalating twice for the same one does nothing.
        now: the moment, aware UTC.
        quietly: the resident has been answered already.

    Returns:
        False when people have it already.
    """
    if conversation.owner is not Owner.BOT:
        return False
    _change_owner(conversation, Owner.WAITING)
    if not quietly:
        line = texts.say("utter_handoff", language=conversation.resident.language, seed=source)
        tell(session, conversation, line, key=f"{source}:handoff", now=now)
    card = _card(session, conversation, reason)
    to_staff(session, conversation, "say", card.payload(), key=f"{source}:card", kind="card")
    if conversation.topic_id is not None:
        topics.remember_card(session, conversation.topic_id, card.payload())
    return True


def claim(session: Session, conversation: Conversation, member: Staff, *, source: str, now: datetime) -> bool:
    """A butler takes the resident over; from the commit on no line of the bot's reaches them.

    Returns:
        False when the butler has them already.

    Raises:
        ConversationTaken: another butler has them.
    """
    if conversation.owner is Owner.BUTLER:
        if conversation.butler_id == member.id:
            return False
        other = session.get_one(Staff, conversation.butler_id)
        raise ConversationTaken(number=other.number, name=other.display_name)
    _change_owner(conversation, Owner.BUTLER, butler=member)
    language = conversation.resident.language
    greeting = texts.say("utter_butler_greets", language=language, staff_no=member.number)
    row_id = to_resident(
        session, conversation, "say", greeting.payload(), key=f"{source}:butler_greets", kind="butler_greets"
    )
    _write_down(session, conversation, greeting.text, author="butler", outbox_id=row_id, staff=member, now=now)
    told = texts.say("utter_staff_claimed", language=STAFF_LANGUAGE, number=member.number, name=member.display_name)
    to_staff(session, conversation, "say", told.payload(), key=f"{source}:claimed", kind="note")
    return True


def hand_back(session: Session, conversation: Conversation, member: Staff, *, source: str, now: datetime) -> None:
    """The butler is done; the bot answers again and says so.

    Raises:
        NothingToHandBack: the bot answers already.
    """
    if conversation.owner is Owner.BOT:
        raise NothingToHandBack
    _change_owner(conversation, Owner.BOT)
    conversation.misunderstood = 0
    conversation.dialogue_is_old = True
    line = texts.say("utter_handed_back", language=conversation.resident.language)
    tell(session, conversation, line, key=f"{source}:handed_back", now=now)
    told = texts.say("utter_staff_handed_back", language=STAFF_LANGUAGE, number=member.number)
    to_staff(session, conversation, "say", told.payload(), key=f"{source}:handed_back_note", kind="note")


def by_topic(session: Session, community_id: int, thread_id: int) -> Conversation | None:
    """The conversation whose topic this is, locked until the transaction ends."""
    topic = topics.find(session, community_id, thread_id)
    if topic is None:
        return None
    found = select(Conversation).where(Conversation.topic_id == topic.id).with_for_update(of=Conversation)
    return session.scalars(found.execution_options(populate_existing=True)).one_or_none()


def access_as_staff(session: Session, member: Staff, conversation_id: int) -> Conversation:
    """A conversation of this member's community, locked until the transaction ends.

    Raises:
        ButtonExpired: no such conversation, or another community's.
    """
    found = select(Conversation).where(
        Conversation.id == conversation_id, Conversation.community_id == member.community_id
    )
    locked = found.with_for_update(of=Conversation).execution_options(populate_existing=True)
    conversation = session.scalars(locked).one_or_none()
    if conversation is None:
        raise ButtonExpired
    return conversation


_LOCKED = (
    select(Conversation)
    .where(Conversation.id == bindparam("conversation_id"))
    .with_for_update(of=Conversation)
    .execution_options(populate_existing=True)
)


def in_order(rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Row[*tuple[Any, ...]]]:
    """Rows in the order in which sweeps lock their conversations: with one order for all, none waits for another."""
    return sorted(rows, key=lambda row: row.conversation_id)


def lock(session: Session, conversation_id: int) -> Conversation:
    """The conversation, locked until the transaction ends."""
    return session.scalars(_LOCKED, {"conversation_id": conversation_id}).one()


def _change_owner(conversation: Conversation, owner: Owner, *, butler: Staff | None = None) -> None:
    conversation.owner = owner
    conversation.epoch += 1
    conversation.butler_id = butler.id if butler else None


def _write_down(
    session: Session,
    conversation: Conversation,
    text: str,
    *,
    author: str,
    outbox_id: int | None,
    now: datetime,
    staff: Staff | None = None,
) -> None:
    values = {
        "conversation_id": conversation.id,
        "author": author,
        "staff_id": staff.id if staff else None,
        "kind": "text",
        "text": text,
        "said_at": now,
        "outbox_id": outbox_id,
    }
    session.execute(_KEEP, values)


def name_of(resident: Resident) -> str:
    """How staff call the resident, with the place when it is known."""
    called = residents.salutation(resident).strip("，, ")  # it carries the comma of its sentence
    return " · ".join(filter(None, [called or resident.display_name, resident.place]))


def _card(session: Session, conversation: Conversation, reason: str) -> Line:
    resident = conversation.resident
    lines = select(Message).where(Message.conversation_id == conversation.id).order_by(Message.id.desc())
    told = [
        texts.words(f"utter_word_by_{line.author}", language=STAFF_LANGUAGE, text=line.text[:CARD_LINE_LENGTH])
        for line in reversed(session.scalars(lines.limit(CARD_LINES)).all())
    ]
    return texts.say(
        "utter_staff_card",
        language=STAFF_LANGUAGE,
        name=name_of(resident),
        phone=resident.phone,
        language_name=texts.words(f"utter_word_{resident.language}", language=STAFF_LANGUAGE),
        reason=texts.words(f"utter_word_because_{reason}", language=STAFF_LANGUAGE),
        lines="\n".join(told),
        conversation_id=conversation.id,
    )


def silence(session: Session, conversation: Conversation, *, reason: str) -> None:
    """Drop what still waits for a resident who cannot be reached."""
    waiting = update(OutboxRow).where(
        OutboxRow.conversation_id == conversation.id,
        OutboxRow.chat_id == conversation.resident.chat_id,
        OutboxRow.state == OutboxState.PENDING,
    )
    session.execute(waiting.values(state=OutboxState.DROPPED, reason=reason))
