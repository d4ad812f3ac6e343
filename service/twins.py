"""Twins: a message that was passed on and its copy; from either, the other is found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from service.models.talks import Message, Twin


@dataclass(frozen=True)
class Place:
    """Where the same message stands on the other side."""

    chat_id: int
    reference: dict[str, int]  # in a payload: the message's id, or the twin whose id is known once it has arrived
    twin: Twin


def plan(
    session: Session,
    outbox_id: int,
    originals: Sequence[tuple[int, str]],
    *,
    conversation_id: int,
    said_chat_id: int,
    chat_id: int,
    album: str | None = None,
) -> list[Twin]:
    """Write down what a row will carry over, in the order in which Telegram will answer with ids.

    Args:
        session: the caller's transaction.
        outbox_id: the row; more may be planned for it while it has not gone out.
        originals: the message id and the kind of each.
        conversation_id: whose talk.
        said_chat_id: where they were said.
        chat_id: where the copies will stand.
        album: Telegram's name for the album they belong to.
    """
    first = len(of_row(session, outbox_id))
    planned = [
        Twin(
            conversation_id=conversation_id,
            outbox_id=outbox_id,
            place=first + number,
            kind=kind,
            album=album,
            said_chat_id=said_chat_id,
            said_message_id=message_id,
            chat_id=chat_id,
        )
        for number, (message_id, kind) in enumerate(originals)
    ]
    session.add_all(planned)
    session.flush()
    return planned


def arrived(session: Session, outbox_id: int, chat_id: int, message_ids: list[int]) -> int:
    """Telegram calls the copies this, in their order; returns how many of the row's are missing.

    When some are missing (Telegram passes over what it cannot copy), nobody can say which: then none is known. Several
    lines of a burst (`service/bursts.py`) are one message.
    """
    waiting = of_row(session, outbox_id)
    burst = len(message_ids) == 1 and all(twin.kind == "text" for twin in waiting)
    if len(waiting) != len(message_ids) and not burst:
        return max(len(waiting) - len(message_ids), 0)
    for twin, message_id in zip(waiting, message_ids * len(waiting) if burst else message_ids, strict=True):
        twin.chat_id, twin.message_id = chat_id, message_id
    return 0


def shown(session: Session, outbox_id: int, chat_id: int, message_id: int) -> None:
    """What a row says to the resident was picked, not typed: for staff the note that has arrived here stands for it."""
    for twin in of_row(session, outbox_id):
        twin.said_chat_id, twin.said_message_id = chat_id, message_id


def is_there(twin: Twin) -> bool:
    """Whether it can be pointed to where it was said: the note that stands for a phrase may be on its way still."""
    return twin.said_message_id > 0


def of_row(session: Session, outbox_id: int) -> Sequence[Twin]:
    """What a row carries over, in order."""
    return session.scalars(select(Twin).where(Twin.outbox_id == outbox_id).order_by(Twin.place)).all()


def of_original(session: Session, conversation_id: int, chat_id: int, message_id: int) -> Sequence[Twin]:
    """The copies of a message: one, or two where its caption was too long to go along."""
    found = select(Twin).where(Twin.said_chat_id == chat_id, Twin.said_message_id == message_id)
    return session.scalars(found.where(Twin.conversation_id == conversation_id).order_by(Twin.id)).all()


def of_album(session: Session, conversation_id: int, album: str) -> Sequence[Twin]:
    """What has been passed on of an album so far."""
    found = select(Twin).where(Twin.conversation_id == conversation_id, Twin.album == album)
    return session.scalars(found.order_by(Twin.id)).all()


def companions(session: Session, twin: Twin) -> Sequence[Twin]:
    """What was said as one with it: the album, and captions that went apart; itself among them."""
    together = Twin.said_message_id == twin.said_message_id
    if twin.album is not None:
        parts = select(Twin.said_message_id).where(
            Twin.conversation_id == twin.conversation_id, Twin.album == twin.album
        )
        together = Twin.said_message_id.in_(parts)
    found = select(Twin).where(
        Twin.conversation_id == twin.conversation_id, Twin.said_chat_id == twin.said_chat_id, together
    )
    return session.scalars(found.order_by(Twin.id)).all()


def lines(session: Session, copies: Sequence[Twin]) -> Sequence[Message]:
    """The lines of the record that these are copies of, locked: typed ones, and phrases, which have no message."""
    typed = and_(
        Message.chat_id == copies[0].said_chat_id, Message.message_id.in_({twin.said_message_id for twin in copies})
    )
    picked = Message.outbox_id.in_({twin.outbox_id for twin in copies})
    mine = select(Message).where(Message.conversation_id == copies[0].conversation_id, or_(typed, picked))
    return session.scalars(mine.with_for_update()).all()


def other_side(session: Session, chat_id: int, message_id: int, *, conversation_id: int | None = None) -> Place | None:
    """Where the same message stands on the other side, whichever of the two is the original.

    Of a message that several lines share it is the last: what is said to a burst is said to its end.

    Args:
        session: the caller's transaction.
        chat_id: where it stands.
        message_id: what Telegram calls it there.
        conversation_id: needed for a private chat, whose numbers every bot counts for itself.
    """
    original = (Twin.said_chat_id == chat_id) & (Twin.said_message_id == message_id)
    copy = (Twin.chat_id == chat_id) & (Twin.message_id == message_id)
    found = select(Twin).where(or_(original, copy))
    if conversation_id is not None:
        found = found.where(Twin.conversation_id == conversation_id)
    either = session.scalars(found.order_by(Twin.id)).all()
    copies = [twin for twin in either if (twin.said_chat_id, twin.said_message_id) == (chat_id, message_id)]
    if copies:
        return Place(copies[0].chat_id, {"twin": copies[0].id}, copies[0])
    said = [twin for twin in either if is_there(twin)]
    if not said:
        return None
    twin = max(said, key=lambda one: (one.outbox_id, one.place))
    return Place(twin.said_chat_id, {"message_id": twin.said_message_id}, twin)
