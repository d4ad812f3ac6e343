"""Every line that is said, by residents, the bot and butlers; who of them answers is decided in `takeover`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Row, Select, bindparam, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, selectinload

from service import communities, outbox, private_talks, residents, settled, texts, topic_names, topics
from service.communities import STAFF_LANGUAGE
from service.errors import ButtonExpired
from service.models.base import table
from service.models.cases import Case
from service.models.communities import Community
from service.models.people import Resident, Staff
from service.models.queues import Delivery, OutboxRow, OutboxState, Priority
from service.models.talks import Conversation, Message, Owner
from service.texts import Line

Due = TypeVar("Due")  # a row that a sweep takes: a call-back, a survey
REPLY = "reply"  # an answer, in staff's words
IN_TOPIC = -1  # where the record of a talk stands, and what is about a message of the group's
JOINT = "，"  # between bubbles that are read as one turn
WHOEVER_ANSWERS = ("emergency",)  # kinds that reach the resident also while a butler talks
SILENT_FOR = timedelta(minutes=30)  # until a butler is asked whether the talk is over, or reminded of an answer owed
MOODS = ("sticker", "dice", "game")  # kinds that tell how somebody feels, and ask for nothing


@dataclass(frozen=True)
class Said:
    """What a person said, as far as it is kept: words, what kind of message, and where Telegram has it."""

    kind: str
    text: str
    chat_id: int
    message_id: int
    inbox_id: int
    media: dict[str, Any] | None = None
    entities: list[Any] | None = None  # bold, links and the like
    reply_to: int | None = None
    forwarded_from: str | None = None


@dataclass(frozen=True)
class Amended:
    """What an edit changed of a line."""

    line: Message
    before: str  # its words until now
    reworded: bool
    swapped: bool  # another file took the place of the first


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
    conversation.active_at = now
    if by or conversation.owed_since is None:  # whoever waits for an answer is not put off by asking again
        stir(conversation, now=now)
    if by:
        conversation.owed_since = None
    elif conversation.owner is not Owner.BOT and not _asks_nothing(said):
        conversation.owed_since = conversation.owed_since or now


def stir(conversation: Conversation, *, now: datetime) -> None:
    """The talk goes on: the time until its butler is asked whether it is over begins anew."""
    conversation.idle_told_at, conversation.look_at = None, now + SILENT_FOR


def _asks_nothing(said: Said) -> bool:
    """Whether no answer is owed to it; nor does it make up for one that is."""
    return said.kind in MOODS or (said.kind == "text" and settled.is_courtesy(said.text))


def as_one(bubbles: Iterable[str]) -> str:
    """Bubbles of one turn, as they are read together."""
    return JOINT.join(bubble.strip() for bubble in bubbles if bubble.strip())


def note(session: Session, conversation: Conversation, said: Said, by: Staff, now: datetime) -> None:
    """Keep what staff say among themselves about a resident; it is never passed on."""
    facts = {"conversation_id": conversation.id, "author": "note", "staff_id": by.id, "said_at": now, **vars(said)}
    session.execute(_KEEP, facts)


def amend(session: Session, conversation: Conversation, said: Said, *, now: datetime) -> Amended | None:
    """A person edited a line: keep the earlier wording, and the earlier file. None when the line is not known."""
    found = select(Message).where(
        Message.conversation_id == conversation.id,
        Message.chat_id == said.chat_id,
        Message.message_id == said.message_id,
    )
    line = session.scalars(found.with_for_update()).first()
    if line is None:
        return None
    changed = Amended(line, line.text, line.text != said.text, _file(line.media) != _file(said.media))
    if changed.reworded or changed.swapped:
        before = {"text": line.text, "until": now.isoformat()} | ({"media": line.media} if changed.swapped else {})
        line.earlier, line.edited_at = [*(line.earlier or []), before], now
    line.text, line.media, line.entities = said.text, said.media, said.entities
    return changed


_SAID_LAST = (
    select(Message.text)
    .where(Message.conversation_id == bindparam("conversation_id"), Message.author == "bot")
    .order_by(Message.id.desc())
    .limit(1)
)


def said_last(session: Session, conversation: Conversation) -> str:
    """The bot's newest line to the resident; nothing when it has said none yet."""
    return session.scalar(_SAID_LAST, {"conversation_id": conversation.id}) or ""


LINES = 12  # that are looked back for a question which words may answer
_NEWEST = (
    select(Message.author, OutboxRow)
    .join(OutboxRow, OutboxRow.id == Message.outbox_id, isouter=True)
    .where(Message.conversation_id == bindparam("conversation_id"))
    .order_by(Message.id.desc())
    .limit(LINES)
)


def is_unanswered(session: Session, conversation: Conversation) -> bool:
    """Whether nobody has said anything since the resident did."""
    said = [row.author for row in newest_lines(session, conversation) if row.author != "note"]
    return said[:1] == ["resident"]


def newest_lines(session: Session, conversation: Conversation) -> Sequence[Row[str, OutboxRow]]:
    """Who has written the newest lines, the last first, and what was sent for each of ours."""
    return session.execute(_NEWEST, {"conversation_id": conversation.id}).all()


def _file(media: dict[str, Any] | None) -> str | None:
    """What tells one file from another."""
    found = (media or {}).get((media or {}).get("kind", ""))
    return found.get("file_unique_id") if isinstance(found, dict) else None


def tell(
    session: Session,
    conversation: Conversation,
    line: Line,
    *,
    now: datetime,
    key: str,
    kind: str = REPLY,
    priority: int = Priority.TALK,
    delivery: Delivery = Delivery.AT_LEAST_ONCE,
    epoch: int | None = None,
    case_id: int | None = None,
    waits: bool = False,
) -> int | None:
    """Say a line of the bot's to the resident, or to the butler who has taken over.

    While a butler answers, the bot is silent towards the resident: what it would have said stands in the butler's
    topic instead, so that nothing is lost, and what still matters after the hand-back is held until then. Only the
    numbers and first steps of an emergency go out whoever answers.

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
        case_id: the case whose progress it tells.
        waits: it is held back for now: `service/after_talks.py` says it when the quiet hours are over.

    Returns:
        The outbox row, or None when it was said before or only the butler reads it.
    """
    silent = conversation.owner is Owner.BUTLER and kind not in WHOEVER_ANSWERS
    if silent:
        note = texts.say("utter_staff_note", language=STAFF_LANGUAGE, text=line.text)
        place = f"{key}:note"
        to_staff(session, conversation, "say", note.payload(), key=place, kind="note", priority=Priority.WORK_ORDER)
    if silent and kind not in outbox.SAID_LATER:
        return None
    if kind == REPLY:
        line = _not_twice(session, conversation, line)
    born = conversation.epoch if epoch is None else epoch
    community = session.get_one(Community, conversation.community_id)
    return outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=conversation.resident.chat_id,
        conversation_id=conversation.id,
        epoch=None if kind in WHOEVER_ANSWERS else born,
        case_id=case_id,
        state=OutboxState.HELD if silent or waits else OutboxState.PENDING,
        kind=kind,
        act="say",
        payload=line.payload(),
        priority=priority,
        delivery=delivery,
        key=key,
        spoken=outbox.Spoken(line.text, now),
    )


def to_resident(
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
        priority=priority,
        delivery=delivery,
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
    where: int | None = None,
) -> int | None:
    """Pass something on to whoever answers: to the resident's topic, or to the butler's private chat.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        act: as in `outbox.put`.
        payload: as in `outbox.put`.
        key: passing the same key on again does nothing.
        kind: what it is, in staff's words.
        priority: who goes first.
        delivery: what may happen when nobody knows whether it arrived.
        where: the chat in which stands what it is about; `IN_TOPIC` for the record that everybody reads. Without it,
            where the talk takes place.

    Returns:
        The outbox row; None where the community has no group, or when the key was there already.
    """
    group = communities.staff_group(session, conversation.community_id)
    if group is None:
        return None
    name = topic_name(conversation.resident)
    if conversation.topic_id is None:
        title = topic_names.title(session, conversation)
        conversation.topic_id = topics.open_topic(session, conversation.community_id, title).id
    butler = private_talks.room(session, conversation) if where is None else None
    chat_id = butler.user_id if butler else where if where and where > 0 else None
    if butler is not None and kind == "relay" and "on" not in payload:
        private_talks.introduce(session, butler, conversation, name=name, key=f"{key}:who")
    elif chat_id is not None and kind == "note":
        payload = private_talks.about(payload, name)
    return outbox.put(
        session,
        **(group if chat_id is None else {**group, "chat_id": chat_id}),
        topic_id=conversation.topic_id if chat_id is None else None,
        conversation_id=conversation.id,
        kind=kind,
        act=act,
        payload=payload,
        priority=priority,
        delivery=delivery,
        key=key,
    )


def read_in(session: Session, conversation: Conversation) -> int:
    """The private chat in which the talk is read and answered, or `IN_TOPIC`."""
    butler = private_talks.room(session, conversation)
    return butler.user_id if butler else IN_TOPIC


def alert_staff(session: Session, community_id: int, line: Line, *, key: str, priority: int) -> None:
    """Tell everybody in the staff group, in General."""
    group = communities.staff_group(session, community_id)
    if group is None:
        return
    outbox.put(
        session,
        **group,
        kind="alert",
        act="say",
        payload=line.payload(),
        priority=priority,
        key=key,
    )


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


def take_due(session: Session, due: Select[Due], act: Callable[[Due], None], *, limit: int) -> int:
    """Take what is due of cases, their conversations locked first, and act on one after the other of what is due still.

    What others have in hand at this moment is left to them, or to the next sweep: a sweep that holds many conversations
    waits for none.

    Args:
        session: the caller's transaction.
        due: rows of one table, joined with their cases, in the order in which they are taken.
        act: what is done with each; all rows of a transaction are read before the first of them is acted on.
        limit: rows of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due, or all of it is in other hands.
    """
    model = due.column_descriptions[0]["entity"]
    free = due.join(Conversation, Conversation.id == Case.conversation_id).limit(limit)
    taken = free.with_only_columns(model.id).with_for_update(of=Conversation, skip_locked=True)
    ids = session.scalars(taken).all()
    # Read after the locks were taken, so that what others have done to these rows is known.
    # The cases by themselves: planning one question about ten tables takes longer than all the rest.
    mine = due.where(model.id.in_(ids)).with_for_update(of=model, skip_locked=True).options(selectinload(model.case))
    for still in session.scalars(mine.execution_options(populate_existing=True)).all() if ids else ():
        act(still)
    return len(ids)


def lock(session: Session, conversation_id: int) -> Conversation:
    """The conversation, locked until the transaction ends."""
    return session.scalars(_LOCKED, {"conversation_id": conversation_id}).one()


def _not_twice(session: Session, conversation: Conversation, line: Line) -> Line:
    """The line, led in when it is word for word what was said last: a record that sticks is not listened to (N7)."""
    if line.text != said_last(session, conversation):
        return line
    return replace(line, text=texts.words("utter_once_more", language=conversation.resident.language, text=line.text))


def write_down(
    session: Session,
    conversation: Conversation,
    text: str,
    *,
    author: str,
    outbox_id: int | None,
    now: datetime,
    staff: Staff,
) -> None:
    """Keep a line of staff's that was not typed into a chat: tapped, or written on a page."""
    values = {
        "conversation_id": conversation.id,
        "author": author,
        "staff_id": staff.id,
        "kind": "text",
        "text": text,
        "said_at": now,
        "outbox_id": outbox_id,
    }
    session.execute(_KEEP, values)


def topic_name(resident: Resident) -> str:
    """Who it is and where they live, on cards and lists."""
    return " · ".join(filter(None, [residents.called(resident, language=STAFF_LANGUAGE), resident.place]))


def silence(session: Session, conversation: Conversation, *, reason: str) -> None:
    """Drop what still waits for a resident who cannot be reached."""
    waiting = update(OutboxRow).where(
        OutboxRow.conversation_id == conversation.id,
        OutboxRow.chat_id == conversation.resident.chat_id,
        OutboxRow.state == OutboxState.PENDING,
    )
    session.execute(waiting.values(state=OutboxState.DROPPED, reason=reason))
