"""Say something to staff where they wrote or tapped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import Message

from service import outbox, private_talks, texts, topics
from service.communities import STAFF_LANGUAGE
from service.models.queues import Priority
from service.texts import Line

if TYPE_CHECKING:
    from bot.handlers.route import Scene


def answer(scene: Scene, message: Message, phrase: str, **slots: object) -> None:
    """Say a phrase of domain.yml in the topic of the message, or in General."""
    say(scene, message, texts.say(phrase, language=STAFF_LANGUAGE, **slots), name=phrase)


def say(scene: Scene, message: Message, line: Line, *, name: str) -> None:
    """Say a line there; the same name in the same turn is said once."""
    outbox.put(
        scene.session,
        bot_id=scene.community.bot_id,
        community_id=scene.community.id,
        chat_id=message.chat_id,
        topic_id=_topic_id(scene, message),
        conversation_id=private_talks.of_chat(scene.session, scene.community, message.chat_id),
        kind="note",
        act="say",
        payload=line.payload(),
        priority=Priority.WORK_ORDER,
        key=f"{scene.key}:{name}",
    )


def _topic_id(scene: Scene, message: Message) -> int | None:
    thread = message.message_thread_id if message.is_topic_message else None
    topic = topics.find(scene.session, scene.community.id, thread) if thread else None
    return topic.id if topic else None
