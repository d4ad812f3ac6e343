"""Somebody in the staff group says something."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from telegram import Message, Update

from bot.handlers import group_changes, incoming, notes, relay, staff_commands
from bot.handlers.notes import answer
from bot.handlers.staff_commands import Order
from service import conversations, progress_notes, staff, takeover, texts, topics
from service.communities import STAFF_LANGUAGE
from service.errors import ServiceError
from service.models.people import Staff
from service.models.talks import Conversation
from service.staff import Right

if TYPE_CHECKING:
    from bot.handlers.route import Scene

NOTE = "//"  # such a line stays among staff


def said(scene: Scene, updates: Sequence[Update]) -> None:
    """A line in a resident's topic goes to the resident; everything else is staff's own talk. An album is one line."""
    lines = [update.effective_message for update in updates]
    messages = [message for message in lines if message is not None]
    message = messages[0]
    if group_changes.happened(scene, message) or not _by_a_person(scene, message):
        return
    command = command_of(message)
    conversation = _conversation(scene, message)
    try:
        member = member_of(scene, message)
        if command:
            obey(conversation, Order(scene, message, member, behind(message)), command)
        elif conversation is not None:
            speak(scene, conversation, member, in_rows(scene, messages))
        else:
            _tell_progress(scene, member, message)
    except ServiceError as error:
        answer(scene, message, error.response, **error.facts)


def in_rows(scene: Scene, messages: Sequence[Message]) -> list[tuple[Message, int]]:
    """The messages of a turn, each with its inbox row."""
    return [(message, row_id) for message, (row_id, _) in zip(messages, scene.turn.rows, strict=True)]


def _tell_progress(scene: Scene, member: Staff, message: Message) -> None:
    """A reply to the question how far a case is goes to its resident; all else in a department's topic stays there."""
    asked = message.reply_to_message
    if asked is None or asked.text is None:
        return
    case_id = progress_notes.asked_in(scene.session, member, asked.text, asked.message_id)
    if case_id is None:
        return
    staff.check(member, Right.WORK)
    words = incoming.clean(message.text or message.caption or "")
    line = progress_notes.write(scene.session, member, case_id, words, key=scene.key, now=scene.now)
    notes.say(scene, message, line, name="progress")


def _by_a_person(scene: Scene, message: Message) -> bool:
    """Other bots are not listened to; who hides behind the group's name is told that nobody can answer for them."""
    if message.sender_chat is not None and message.sender_chat.id == message.chat_id:
        if _conversation(scene, message) is not None:
            answer(scene, message, "utter_staff_anonymous")
        return False
    return message.from_user is not None and not message.from_user.is_bot


def command_of(message: Message) -> str:
    """The first word of a line that begins with a slash, without the bot's name; notes are no commands."""
    text = message.text or ""
    is_command = text.startswith("/") and not text.startswith(NOTE)
    return text.split(maxsplit=1)[0].split("@")[0].lower() if is_command else ""


def behind(message: Message) -> str:
    """What stands behind the command."""
    return incoming.clean(" ".join((message.text or "").split(maxsplit=1)[1:]))


def obey(conversation: Conversation | None, order: Order, command: str) -> None:
    """Do what a command says, about the resident whose talk it is or about staff themselves."""
    if command in staff_commands.ANYWHERE:
        staff_commands.ANYWHERE[command](order)
    elif conversation is None:
        if command in staff_commands.IN_TOPICS:
            order.answer("utter_staff_no_resident")
    elif command in staff_commands.IN_TOPICS:
        staff_commands.IN_TOPICS[command](order, conversation)
    else:
        order.answer("utter_staff_commands")


def speak(scene: Scene, conversation: Conversation, member: Staff, said: Sequence[tuple[Message, int]]) -> None:
    """Pass what a butler says on to the resident, unless it is a note among staff or the topic is closed.

    Args:
        scene: the turn.
        conversation: the talk it belongs to, locked.
        member: who says it.
        said: the messages, each with its inbox row.
    """
    first = said[0][0]
    words = next(filter(None, (message.text or message.caption for message, _ in said)), "")
    if words.startswith(NOTE):
        for message, row_id in said:
            conversations.note(scene.session, conversation, incoming.said(message, inbox_id=row_id), member, scene.now)
    elif first.is_topic_message and topics.is_closed(scene.session, conversation.topic_id):
        answer(scene, first, "utter_staff_topic_closed")
    else:
        _relay(scene, conversation, member, said)


def _relay(scene: Scene, conversation: Conversation, member: Staff, said: Sequence[tuple[Message, int]]) -> None:
    """Typing takes the resident over; then the line goes to them as it is, an album as one."""
    takeover.claim(scene.session, conversation, member, source=scene.key, now=scene.now)
    for message, row_id in said:
        heard = incoming.said(message, inbox_id=row_id)
        conversations.hear(scene.session, conversation, heard, now=scene.now, by=member)
    if conversation.resident.unreachable_since is not None:
        answer(scene, said[0][0], "utter_staff_blocked", name=conversation.resident.display_name)
        return
    for message in relay.to_resident(scene, conversation, [message for message, _ in said]):
        what = texts.kind_name(incoming.kind_of(message), language=STAFF_LANGUAGE)
        answer(scene, message, "utter_staff_kind_not_sent", what=what)


def edited(scene: Scene, updates: Sequence[Update]) -> None:
    """A butler corrected a line: the resident's copy is corrected too, unless it has become a note among staff."""
    message = updates[0].effective_message
    assert message is not None
    correct(scene, _conversation(scene, message), message)


def correct(scene: Scene, conversation: Conversation | None, message: Message) -> None:
    """Bring the resident's copy of an edited line up to date."""
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
        wrote_at=message.date,
    )


def _conversation(scene: Scene, message: Message) -> Conversation | None:
    thread = message.message_thread_id
    if not message.is_topic_message or thread is None:
        return None
    return conversations.by_topic(scene.session, scene.community.id, thread)
