"""What the topic of a resident is called: how things stand, who it is, where they live, a number.

Staff look at the list of topics all day, so its names follow the talk; seldom, because a rename costs as much of
the group's budget as a line that somebody waits for.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import communities, outbox, residents, texts, waits, where
from service.communities import STAFF_LANGUAGE
from service.models.communities import Community, Topic
from service.models.queues import Delivery, Priority
from service.models.talks import Conversation, Owner

LET_SETTLE = timedelta(seconds=60)  # after a change of who answers: most are followed by another
APART = timedelta(minutes=5)  # two renames of one topic
PER_MINUTE = 3  # of a group
MOST_OF_A_NAME = 60  # characters; what stands behind it is to be read too
ACT = "rename"


def title(session: Session, conversation: Conversation) -> str:
    """What the resident's topic is to be called as things stand."""
    resident = conversation.resident
    icon = texts.words(f"utter_word_topic_{_state(session, conversation)}", language=STAFF_LANGUAGE)
    name = f"{icon} {residents.called(resident, language=STAFF_LANGUAGE)[:MOST_OF_A_NAME]}"
    return " · ".join(filter(None, (name, _door(resident.place), f"№{conversation.id}")))


def _state(session: Session, conversation: Conversation) -> str:
    if conversation.owner is Owner.BUTLER:
        return "butler" if conversation.butler_id is not None else "department"
    if conversation.owner is Owner.BOT:
        return "bot"
    wait = waits.of(session, conversation)
    return "urgent" if wait is not None and wait.reason == waits.URGENT else "waiting"


def _door(place: str | None) -> str:
    """Building, unit and room by their numbers alone; what is not such a place stays as it was said."""
    found = where.parse(place or "")
    if not found.room:
        return place or ""
    return "-".join(filter(None, (found.building, found.unit, found.room)))


def look_again(session: Session, conversation: Conversation, *, now: datetime) -> None:
    """Somebody else answers from now on: compare the topic's name in a while.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: whose.
        now: the moment, aware UTC.
    """
    topic = session.get(Topic, conversation.topic_id) if conversation.topic_id is not None else None
    if topic is not None and topic.rename_at is None:
        earliest = topic.renamed_at + APART if topic.renamed_at else now
        topic.rename_at = max(now + LET_SETTLE, earliest)


def rename_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Rename topics whose names say what is no longer so; any number of processes may do so at once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: topics of one transaction.

    Returns:
        How many were looked at.
    """
    due = select(Topic).where(Topic.rename_at <= now).order_by(Topic.rename_at, Topic.id).limit(limit)
    found = session.scalars(due.with_for_update(skip_locked=True).execution_options(populate_existing=True)).all()
    for topic in found:
        _look(session, topic, now=now)
        session.flush()
    return len(found)


def _look(session: Session, topic: Topic, *, now: datetime) -> None:
    conversation = session.scalars(select(Conversation).where(Conversation.topic_id == topic.id)).one_or_none()
    wanted = title(session, conversation) if conversation is not None else topic.name
    if wanted == topic.name:
        topic.rename_at = None
    elif topic.thread_id is None:
        topic.name, topic.rename_at = wanted, None  # it is made under this name when somebody writes there
    elif _has_room(session, topic.community_id, now=now):
        rename(session, topic, wanted)
        topic.rename_at, topic.renamed_at = None, now
    else:
        topic.rename_at = now + LET_SETTLE


def _has_room(session: Session, community_id: int, *, now: datetime) -> bool:
    """Whether the group has not seen its renames of this minute; schedulers side by side ask in turn."""
    session.execute(select(Community.id).where(Community.id == community_id).with_for_update(key_share=True))
    renamed = select(func.count()).where(
        Topic.community_id == community_id, Topic.renamed_at > now - timedelta(minutes=1), Topic.renamed_at <= now
    )
    return (session.scalar(renamed) or 0) < PER_MINUTE


def rename(session: Session, topic: Topic, name: str) -> None:
    """Give a topic another name, after everything else that waits for the group."""
    topic.name = name
    group = communities.staff_group(session, topic.community_id)
    if group is None or topic.thread_id is None:
        return
    outbox.put(
        session,
        **group,
        topic_id=topic.id,
        kind="topic",
        act=ACT,
        payload={"name": name},
        priority=Priority.BOARD,
        delivery=Delivery.RETRY,
    )
