"""Somebody in the staff group says something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from telegram import Message, Update

from bot.handlers import incoming, relay, undo
from service import conversations, outbox, staff, texts, topics
from service.communities import STAFF_LANGUAGE
from service.errors import ServiceError
from service.models import Conversation, Priority, Staff

if TYPE_CHECKING:
    from bot.handlers.route import Scene

NOTE = "//"  # such a line stays among staff


def said(scene: Scene, updates: Sequence[Update]) -> None:
    """A line in a resident's topic goes to the resident; everything else is staff's own talk. An album is one line."""
    lines = [update.effective_message for update in updates]
    messages = [message for message in lines if message is not None]
    message = messages[0]
    if _service_message(scene, message):
        return
    if message.from_user is None or message.from_user.is_bot:
        return
    conversation = _conversation(scene, message)
    command = _command(message)
    if conversation is None:
        if command in COMMANDS:
            answer(scene, message, "utter_staff_no_resident")
        return
    member = member_of(scene, message)
    try:
        _act(scene, conversation, member, messages, command)
    except ServiceError as error:
        answer(scene, message, error.response, **error.facts)


def _command(message: Message) -> str:
    """The first word of a line that begins with a slash, without the bot's name."""
    text = message.text or ""
    return text.split(maxsplit=1)[0].split("@")[0].lower() if text.startswith("/") else ""


def _act(scene: Scene, conversation: Conversation, member: Staff, messages: Sequence[Message], command: str) -> None:
    words = next(filter(None, (message.text or message.caption for message in messages)), "")
    if command == "/done":
        conversations.hand_back(scene.session, conversation, member, source=scene.key, now=scene.now)
    elif command == "/claim":
        conversations.claim(scene.session, conversation, member, source=scene.key, now=scene.now)
    elif command in undo.COMMANDS:
        undo.by_command(scene, conversation, member, messages[0])
    elif command and not command.startswith(NOTE):
        answer(scene, messages[0], "utter_staff_commands")
    elif not words.startswith(NOTE):
        _relay(scene, conversation, member, messages)


COMMANDS = ("/done", "/claim", *undo.COMMANDS)


def _relay(scene: Scene, conversation: Conversation, member: Staff, messages: Sequence[Message]) -> None:
    """Typing takes the resident over; then the line goes to them as it is, an album as one."""
    conversations.claim(scene.session, conversation, member, source=scene.key, now=scene.now)
    for message, (row_id, _) in zip(messages, scene.turn.rows, strict=True):
        heard = incoming.said(message, inbox_id=row_id)
        conversations.hear(scene.session, conversation, heard, now=scene.now, by=member)
    if conversation.resident.unreachable_since is not None:
        answer(scene, messages[0], "utter_staff_blocked", name=conversation.resident.display_name)
        return
    for message in relay.to_resident(scene, conversation, messages):
        what = texts.kind_name(incoming.kind_of(message), language=STAFF_LANGUAGE)
        answer(scene, message, "utter_staff_kind_not_sent", what=what)


def edited(scene: Scene, updates: Sequence[Update]) -> None:
    """A butler corrected a line: the resident's copy is corrected too, unless it has become a note among staff."""
    message = updates[0].effective_message
    assert message is not None
    conversation = _conversation(scene, message)
    if conversation is None or not relay.was_passed_on(scene, conversation, message):
        return
    if (message.text or message.caption or "").startswith(NOTE):
        answer(scene, message, "utter_staff_note_not_edited")
        return
    heard = incoming.said(message, inbox_id=scene.turn.rows[0][0])
    amended = conversations.amend(scene.session, conversation, heard, now=scene.now)
    relay.revise(scene, conversation, message, amended)


def member_of(scene: Scene, message: Message) -> Staff:
    """Who wrote it; being able to write in the staff group is what makes them staff."""
    assert message.from_user is not None
    return staff.access_staff(
        scene.session,
        scene.community.id,
        message.from_user.id,
        display_name=incoming.name_of(message.from_user),
    )


def answer(scene: Scene, message: Message, phrase: str, **slots: object) -> None:
    """Say something to staff where they wrote."""
    line = texts.say(phrase, language=STAFF_LANGUAGE, **slots)
    topic = _topic_id(scene, message)
    outbox.put(
        scene.session,
        bot_id=scene.community.bot_id,
        community_id=scene.community.id,
        chat_id=message.chat_id,
        topic_id=topic,
        kind="note",
        act="say",
        payload=line.payload(),
        priority=Priority.WORK_ORDER,
        key=f"{scene.key}:{phrase}",
    )


def _conversation(scene: Scene, message: Message) -> Conversation | None:
    thread = message.message_thread_id
    if not message.is_topic_message or thread is None:
        return None
    return conversations.by_topic(scene.session, scene.community.id, thread)


def _topic_id(scene: Scene, message: Message) -> int | None:
    thread = message.message_thread_id if message.is_topic_message else None
    topic = topics.find(scene.session, scene.community.id, thread) if thread else None
    return topic.id if topic else None


def _service_message(scene: Scene, message: Message) -> bool:
    """The group itself changed; True when that was all."""
    if message.migrate_to_chat_id:
        topics.migrate(scene.session, message.chat_id, message.migrate_to_chat_id)
        return True
    if message.left_chat_member:
        staff.leave(scene.session, scene.community.id, message.left_chat_member.id, now=scene.now)
        return True
    created = message.forum_topic_created
    if created and message.message_thread_id and message.from_user and message.from_user.is_bot:
        topics.reconcile(scene.session, scene.community.id, created.name, message.message_thread_id)
    return incoming.kind_of(message) == "unsupported" and incoming.event_in(message) is not None
