"""The life of a topic, whoever acts: a bot or a person."""

from __future__ import annotations

from sandbox.models import JSON, Chat, Topic
from sandbox.posting import Letter, post, remove
from sandbox.world import World


def create_topic(world: World, chat: Chat, by: int, name: str, icon: JSON) -> Topic:
    """Open a topic; the service message that says so carries the thread id."""
    thread_id = chat.last_message_id + 1
    topic = Topic(thread_id, name, **icon)
    card = {key: value for key, value in topic.card().items() if key != "message_thread_id"}
    extra = {"message_thread_id": thread_id, "is_topic_message": True}
    chat.topics[thread_id] = topic
    post(world, Letter(chat, by, {"forum_topic_created": card}, extra=extra))
    _announce(world, chat, topic)
    return topic


def edit_topic(world: World, chat: Chat, topic: Topic, by: int, *, name: str, icon: str) -> None:
    """Rename a topic or change its icon."""
    changed: JSON = {}
    if name != topic.name:
        changed["name"] = topic.name = name
    if icon != topic.icon_custom_emoji_id:
        changed["icon_custom_emoji_id"] = topic.icon_custom_emoji_id = icon
    _service(world, chat, topic, by, {"forum_topic_edited": changed})


def close_topic(world: World, chat: Chat, topic: Topic, by: int) -> None:
    """Let only administrators write."""
    topic.closed = True
    _service(world, chat, topic, by, {"forum_topic_closed": {}})


def reopen_topic(world: World, chat: Chat, topic: Topic, by: int) -> None:
    """Let everybody write again."""
    topic.closed = False
    _service(world, chat, topic, by, {"forum_topic_reopened": {}})


def delete_topic(world: World, chat: Chat, topic: Topic) -> None:
    """Remove a topic and its messages; no update tells of it, the next send fails."""
    del chat.topics[topic.thread_id]
    for stored in list(chat.shown()):
        if stored.body.get("message_thread_id") == topic.thread_id:
            remove(world, chat, stored)
    world.publish("topic", chat_id=chat.id, topic=topic.card(), deleted=True)


def _service(world: World, chat: Chat, topic: Topic, by: int, content: JSON) -> None:
    post(world, Letter(chat, by, content, topic.thread_id))
    _announce(world, chat, topic)


def _announce(world: World, chat: Chat, topic: Topic) -> None:
    world.publish("topic", chat_id=chat.id, topic=topic.card() | {"closed": topic.closed})
