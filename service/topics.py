"""The staff group's forum topics: ours are rows, Telegram's threads come and go."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from service import outbox
from service.models.communities import Community, Topic
from service.models.queues import OutboxRow, OutboxState, Priority

IN_HAND = (OutboxState.PENDING, OutboxState.SENDING)


def open_topic(session: Session, community_id: int, name: str, *, card: dict[str, Any] | None = None) -> Topic:
    """Plan a topic; the sender makes it when the first message goes there.

    Args:
        session: the caller's transaction.
        community_id: whose staff group.
        name: what staff read in the list; cut to Telegram's 128 characters.
        card: the line that stands first, and again after a deletion.
    """
    topic = Topic(community_id=community_id, name=name[:128], thread_id=None, card=card)
    session.add(topic)
    session.flush()
    return topic


def made(session: Session, topic_id: int, thread_id: int) -> None:
    """Telegram has made the topic and calls it this; a namesake that `reconcile` took for it gives it back."""
    community = select(Topic.community_id).where(Topic.id == topic_id).scalar_subquery()
    mistaken = update(Topic).where(Topic.community_id == community, Topic.thread_id == thread_id, Topic.id != topic_id)
    session.execute(mistaken.values(thread_id=None))
    session.execute(update(Topic).where(Topic.id == topic_id).values(thread_id=thread_id))


def lost(session: Session, topic_id: int, thread_id: int) -> None:
    """Telegram does not know the thread any more: somebody deleted the topic.

    The next send makes it again, and what stood first in it goes before everything that waits for it.
    """
    topic = gone(session, topic_id, thread_id)
    if topic is None or topic.card is None:
        return
    community = session.get_one(Community, topic.community_id)
    assert community.staff_chat_id is not None
    outbox.put(
        session,
        bot_id=community.bot_id,
        community_id=community.id,
        chat_id=community.staff_chat_id,
        topic_id=topic.id,
        kind="card",
        act="say",
        payload=topic.card,
        priority=Priority.EMERGENCY,
        key=f"card:{topic.id}:{thread_id}",
    )


def gone(session: Session, topic_id: int, thread_id: int) -> Topic | None:
    """Somebody deleted the topic; None when it has been made again already."""
    gone = update(Topic).where(Topic.id == topic_id, Topic.thread_id == thread_id).values(thread_id=None)
    return session.scalars(gone.returning(Topic)).one_or_none()


def called(session: Session, community_id: int, thread_id: int, name: str) -> None:
    """Telegram reports what a topic is called by now."""
    found = update(Topic).where(Topic.community_id == community_id, Topic.thread_id == thread_id)
    session.execute(found.values(name=name[:128]))


def find(session: Session, community_id: int, thread_id: int) -> Topic | None:
    """Our topic for Telegram's thread, if it is one of ours."""
    found = select(Topic).where(Topic.community_id == community_id, Topic.thread_id == thread_id)
    return session.scalars(found).one_or_none()


def thread_of(session: Session, topic_id: int | None) -> int | None:
    """What Telegram calls our topic; None while there is none."""
    return None if topic_id is None else session.scalar(select(Topic.thread_id).where(Topic.id == topic_id))


def migrate(session: Session, old_chat_id: int, new_chat_id: int) -> None:
    """The staff group became a supergroup with another id: everything addressed to the old one goes to the new."""
    moved = update(Community).where(Community.staff_chat_id == old_chat_id)
    session.execute(moved.values(staff_chat_id=new_chat_id, moved_from=old_chat_id))
    waiting = update(OutboxRow).where(OutboxRow.chat_id == old_chat_id, OutboxRow.state.in_(IN_HAND))
    session.execute(waiting.values(chat_id=new_chat_id))


def remember_card(session: Session, topic_id: int, card: dict[str, Any]) -> None:
    """Keep the newest card as what is said again if the topic is deleted."""
    session.execute(update(Topic).where(Topic.id == topic_id).values(card=card))


def reconcile(session: Session, community_id: int, name: str, thread_id: int) -> None:
    """Telegram reports a topic the bot made: if we never learned its thread, this is it.

    The answer to createForumTopic may have been lost; without this a second topic would be made.
    """
    if find(session, community_id, thread_id) is not None:
        return
    orphan = select(Topic.id).where(Topic.community_id == community_id, Topic.name == name, Topic.thread_id.is_(None))
    topic_id = session.scalar(orphan.order_by(Topic.id).limit(1))
    if topic_id is not None:
        made(session, topic_id, thread_id)


def adopt(session: Session, community_id: int, name: str, thread_id: int) -> None:
    """A person made a topic by hand: it belongs to no resident, but answers can be given there."""
    if find(session, community_id, thread_id) is None:
        session.add(Topic(community_id=community_id, name=name[:128], thread_id=thread_id, card=None))
        session.flush()


def close(session: Session, community_id: int, thread_id: int, *, closed: bool) -> None:
    """Staff closed the topic, or opened it again."""
    found = update(Topic).where(Topic.community_id == community_id, Topic.thread_id == thread_id)
    session.execute(found.values(closed=closed))


def is_closed(session: Session, topic_id: int | None) -> bool:
    """Whether staff have closed the topic."""
    return topic_id is not None and bool(session.scalar(select(Topic.closed).where(Topic.id == topic_id)))
