"""Messages into chats: store them, show them, tell the bots."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.errors import bad_request
from sandbox.files import addressed
from sandbox.models import JSON, Chat, Stored, Topic
from sandbox.view import shown
from sandbox.world import Bot, World

# Service messages a bot is told of even when it caused them itself.
OWN_SERVICE = frozenset(
    {"forum_topic_created", "forum_topic_edited", "forum_topic_closed", "forum_topic_reopened", "pinned_message"}
    | {"general_forum_topic_hidden", "general_forum_topic_unhidden", "left_chat_member"}
)


@dataclass(slots=True)
class Letter:
    """A message about to be posted."""

    chat: Chat
    sender: int
    content: JSON
    thread: int | None = None
    reply_to: Stored | None = None
    keyboard: JSON | None = None
    media: bool = False
    silent: bool = False
    extra: JSON = field(default_factory=dict)


def access_topic(chat: Chat, thread_id: int | None) -> Topic | None:
    """The topic a message is for; none is the General topic or a chat without topics.

    Raises:
        ApiError: no such topic (any more), also for the General topic by number.
    """
    if thread_id is None or thread_id == 0:
        return None
    topic = chat.topics.get(thread_id)
    if topic is None:
        raise bad_request("message thread not found")
    return topic


def post(world: World, letter: Letter) -> Stored:
    """Store a message, tell the watchers and every bot that should know."""
    body = _body(world, letter)
    stored = Stored(body, letter.sender, keyboard=letter.keyboard, media=letter.media, silent=letter.silent)
    if letter.reply_to is not None and letter.reply_to.media:
        stored.media = True
    letter.chat.messages[body["message_id"]] = stored
    if letter.keyboard is not None:
        letter.chat.keyboard = letter.keyboard
    announce(world, "message", letter.chat, stored)
    tell_bots(world, "message", letter.chat, stored)
    return stored


def change(world: World, chat: Chat, stored: Stored, body: JSON, *, by_user: bool = False) -> None:
    """Give a message a new body; an edit by a person is told to the bots."""
    stored.body = body
    announce(world, "edit", chat, stored)
    if by_user:
        tell_bots(world, "edited_message", chat, stored)


def announce(world: World, kind: str, chat: Chat, stored: Stored) -> None:
    """Tell the watchers what a message looks like now."""
    if world.events:
        card = shown(world, chat, stored)
        world.publish(kind, chat_id=chat.id, bots=sorted(chat.bots), message_id=stored.id, message=card)


def tell_bots(world: World, kind: str, chat: Chat, stored: Stored) -> None:
    """Queue the update for every bot in the chat that did not write the message itself."""
    for bot_id in chat.bots:
        if bot_id == stored.sender and not OWN_SERVICE.intersection(stored.body):
            continue
        if stored.sender != bot_id and stored.sender in world.bots_by_id:
            continue  # bots do not hear each other
        bot = world.bots_by_id[bot_id]
        bot.updates.emit(kind, as_seen(stored, bot), lane=f"chat:{chat.id}")


def as_seen(stored: Stored, bot: Bot) -> JSON:
    """The message with the file ids that are valid for this bot."""
    return addressed(stored.body, bot.id) if stored.media else stored.body


def _body(world: World, letter: Letter) -> JSON:
    chat = letter.chat
    body: JSON = {
        "message_id": world.next_message_id(chat),
        "from": world.user_of(letter.sender),
        "chat": chat.face,
        "date": int(world.clock.now()),
    }
    reply = letter.reply_to
    if letter.thread and letter.thread in chat.topics:
        body["message_thread_id"] = letter.thread
        body["is_topic_message"] = True
        reply = reply or chat.messages.get(letter.thread)
    if reply is not None:
        body["reply_to_message"] = {k: v for k, v in reply.body.items() if k != "reply_to_message"}
    return body | letter.extra | letter.content


def remove(world: World, chat: Chat, stored: Stored) -> None:
    """Take a message out of sight; no bot is ever told."""
    stored.deleted = True
    world.publish("delete", chat_id=chat.id, message_id=stored.id)
