"""Talks in a butler's private chat with the bot: which chat has a budget of its own, unlike the group.

A community chooses it (`communities.talks_in`). Who has claimed reads and answers there, one talk at a time being the
one to which a plain line goes; a reply goes to whoever it answers. The topic keeps a short record for everybody else.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select, text
from sqlalchemy.orm import Session

from service import communities, outbox, texts, waits
from service.communities import STAFF_LANGUAGE
from service.models.communities import Community, TalksIn
from service.models.people import Resident, Staff
from service.models.queues import Priority
from service.models.talks import Conversation, Owner, Twin, Wait
from service.texts import Button, Line


def room(session: Session, conversation: Conversation) -> Staff | None:
    """The butler in whose private chat this talk takes place; None: in its topic."""
    if conversation.owner is not Owner.BUTLER or conversation.butler_id is None or not _chosen(session, conversation):
        return None
    butler = session.get_one(Staff, conversation.butler_id)
    is_here = butler.private_since is not None and butler.left_at is None
    return butler if is_here and butler.user_id != conversation.resident.chat_id else None


def _chosen(session: Session, conversation: Conversation) -> bool:
    return session.get_one(Community, conversation.community_id).talks_in is TalksIn.PRIVATE


def has_to_open(session: Session, conversation: Conversation, member: Staff, *, now: datetime) -> bool:
    """Whether the member could talk in private, had they ever written to the bot there; as a resident counts too."""
    if not _chosen(session, conversation) or member.private_since is not None:
        return False
    known = select(Resident.id).where(Resident.community_id == member.community_id, Resident.chat_id == member.user_id)
    if session.scalar(known.where(Resident.unreachable_since.is_(None))) is None:
        return True
    open_chat(member, now=now)
    return False


def by_chat(session: Session, community: Community, chat_id: int) -> Staff | None:
    """The member of staff whose private chat it is, where the community has its talks there."""
    if community.talks_in is not TalksIn.PRIVATE:
        return None
    found = select(Staff).where(Staff.community_id == community.id, Staff.user_id == chat_id, Staff.left_at.is_(None))
    return session.scalars(found).one_or_none()


def of_chat(session: Session, community: Community, chat_id: int) -> int | None:
    """The conversation that is on in a private chat of staff: what is answered there is about it."""
    butler = by_chat(session, community, chat_id) if chat_id > 0 else None
    return butler.talks_with_id if butler else None


def talking(session: Session, bot_id: int, chat_ids: Collection[int]) -> set[int]:
    """Those of these private chats in which staff talk to a resident: a line there is whole as it comes.

    Args:
        session: the caller's transaction; nothing is locked.
        bot_id: with which bot.
        chat_ids: which are asked about.
    """
    found = select(Staff.user_id).join(Community, Community.id == Staff.community_id)
    theirs = found.where(Community.bot_id == bot_id, Community.talks_in == TalksIn.PRIVATE)
    return set(session.scalars(theirs.where(Staff.user_id.in_(chat_ids), Staff.talks_with_id.is_not(None))))


def open_chat(member: Staff, *, now: datetime) -> None:
    """They have written to the bot, so it may write to them."""
    member.private_since = member.private_since or now


def talks_of(session: Session, member: Staff) -> Sequence[Conversation]:
    """What the member has at the moment, oldest first; their own matters as a resident are not among them."""
    found = select(Conversation).where(Conversation.butler_id == member.id, Conversation.owner == Owner.BUTLER)
    talks = session.scalars(found.order_by(Conversation.id)).all()
    return [talk for talk in talks if talk.resident.chat_id != member.user_id]


def next_waiting(session: Session, member: Staff) -> int | None:
    """Who is first in the line that residents and the board are told of; nobody's own matter."""
    found = (
        select(Conversation.id)
        .join(Wait, (Wait.conversation_id == Conversation.id) & Wait.ended_at.is_(None))
        .join(Resident, Resident.id == Conversation.resident_id)
        .where(Conversation.community_id == member.community_id, Conversation.owner == Owner.WAITING)
        .where(Resident.chat_id != member.user_id)
    )
    return session.scalar(found.order_by(waits.in_line()).limit(1))


def meant_by(session: Session, member: Staff, message_id: int) -> int | None:
    """Whose talk a message of the member's chat belongs to: it was passed on from there, or to there."""
    here = or_(
        (Twin.said_chat_id == member.user_id) & (Twin.said_message_id == message_id),
        (Twin.chat_id == member.user_id) & (Twin.message_id == message_id),
    )
    found = select(Twin.conversation_id).join(Conversation, Conversation.id == Twin.conversation_id)
    theirs = found.where(here, Conversation.community_id == member.community_id).order_by(Twin.id.desc())
    return session.scalar(theirs.limit(1))


def turn_to(member: Staff, conversation: Conversation) -> None:
    """A plain line of the member's goes to this resident from now on."""
    member.talks_with_id = conversation.id


def turn_to_when_free(session: Session, member: Staff, conversation: Conversation) -> None:
    """Whoever is given a talk turns to it only when they have no other: a line is not to go astray."""
    if active(session, member) in (None, conversation.id):
        turn_to(member, conversation)


def active(session: Session, member: Staff) -> int | None:
    """The conversation to which a plain line of the member's goes, if it is still theirs."""
    return next((talk.id for talk in talks_of(session, member) if talk.id == member.talks_with_id), None)


def introduce(session: Session, butler: Staff, conversation: Conversation, *, name: str, key: str) -> None:
    """Say whose line comes next, when the one before was another's; lines of several residents stand in one chat.

    The butler's row stays locked until the commit, so that lines follow each other as they were introduced.
    """
    lock(session, butler)
    if butler.shown_id == conversation.id:
        return
    butler.shown_id = conversation.id
    line = texts.say("utter_staff_private_who", language=STAFF_LANGUAGE, name=name)
    is_active = butler.talks_with_id == conversation.id
    _put(session, butler, conversation, Line(line.text, buttons=() if is_active else (_switch(conversation),)), key=key)


def lock(session: Session, butler: Staff) -> None:
    """Keep others from writing into the butler's chat until the commit."""
    session.flush()
    session.refresh(butler, with_for_update=True)


def about(payload: dict[str, Any], name: str) -> dict[str, Any]:
    """A note among the lines of several residents says whom it is about."""
    return payload | {
        "text": texts.words("utter_staff_private_about", language=STAFF_LANGUAGE, name=name, text=payload["text"])
    }


def tell(session: Session, butler: Staff, conversation: Conversation, line: Line, *, name: str, key: str) -> None:
    """Say something about a talk in a butler's chat, also when it is not theirs any more."""
    payload = about(line.payload(), name)
    _put(session, butler, conversation, Line(payload["text"], buttons=line.buttons), key=key)


def begin(session: Session, butler: Staff, conversation: Conversation, card: Line, *, name: str, key: str) -> None:
    """The talk moves into the butler's chat: the card says who it is and what was said; they turn to who they took."""
    lock(session, butler)
    butler.shown_id = conversation.id
    _put(session, butler, conversation, card, key=f"{key}:private_card", kind="card")
    phrase = "utter_staff_private_now" if butler.talks_with_id == conversation.id else "utter_staff_private_more"
    line = texts.say(phrase, language=STAFF_LANGUAGE, name=name)
    buttons = () if butler.talks_with_id == conversation.id else (_switch(conversation),)
    _put(session, butler, conversation, Line(line.text, buttons=buttons), key=f"{key}:private_now")


def _switch(conversation: Conversation) -> Button:
    title = texts.words("utter_word_switch", language=STAFF_LANGUAGE)
    return Button(title, f"pt:{conversation.id}:on")


def choices(talks: Sequence[tuple[Conversation, str]], *, active: int | None) -> tuple[Button, ...]:
    """The switch keyboard: a key for each talk, the one that plain lines go to marked."""
    return tuple(Button(f"{'● ' if talk.id == active else ''}{name}"[:40], f"pt:{talk.id}:on") for talk, name in talks)


def _put(
    session: Session, butler: Staff, conversation: Conversation, line: Line, *, key: str, kind: str = "note"
) -> None:
    community = session.get_one(Community, conversation.community_id)
    outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=butler.user_id,
        conversation_id=conversation.id,
        kind=kind,
        act="say",
        payload=line.payload(),
        priority=Priority.TALK,
        key=key,
    )


# Into the topic of the talk. What a line answered stands in the chat that is closed.
_MOVE = text("""
    WITH moved AS (
      UPDATE outbox SET chat_id = :group, topic_id = talk.topic_id, lane = outbox.bot_id || ':topic:' || talk.topic_id,
             payload = CASE WHEN payload #> '{reply,message_id}' IS NULL THEN payload ELSE payload - 'reply' END
      FROM conversations AS talk JOIN residents AS resident ON resident.id = talk.resident_id
      WHERE talk.id = outbox.conversation_id AND outbox.bot_id = :bot_id AND outbox.chat_id = :chat
        AND outbox.state = 'pending' AND resident.chat_id <> :chat AND talk.topic_id IS NOT NULL
        AND (outbox.payload -> 'on' IS NULL OR EXISTS (
          SELECT 1 FROM twins JOIN outbox AS first ON first.id = twins.outbox_id AND first.state = 'pending'
          WHERE twins.id = CAST(outbox.payload #>> '{on,twin}' AS bigint)))
      RETURNING outbox.id)
    UPDATE twins SET chat_id = :group FROM moved WHERE moved.id = twins.outbox_id
""")


def shut(session: Session, bot_id: int, chat_id: int) -> Sequence[Conversation]:
    """The butler has blocked the bot: what waits for them goes to the topics, where the talks go on.

    Returns:
        The talks that took place there; empty when the chat is no butler's, or was shut before.
    """
    community = communities.access_community(session, bot_id)
    butler = by_chat(session, community, chat_id)
    if butler is None:
        return ()
    talks = talks_of(session, butler) if butler.private_since is not None else ()
    butler.private_since = butler.shown_id = None
    session.flush()
    if community.staff_chat_id is not None:
        session.execute(_MOVE, {"group": community.staff_chat_id, "bot_id": bot_id, "chat": chat_id})
        outbox.wake(session)
    return talks
