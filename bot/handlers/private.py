"""A member of staff in their private chat with the bot, where the community has its talks there.

Whoever has no talk, and everybody who is no staff, is a resident here.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import TYPE_CHECKING

from telegram import Message, Update

from bot.handlers import buttons, incoming, notes, reactions, resident, staff, staff_commands, staff_taps
from bot.handlers.staff_commands import Order
from bot.rasa import Ask
from service import conversations, private_talks
from service.errors import ServiceError
from service.models.people import Staff
from service.models.talks import Conversation

if TYPE_CHECKING:
    from bot.handlers.route import Scene

Said = tuple[Message, int]  # a message and its inbox row


def said(scene: Scene, updates: Sequence[Update]) -> Ask | None:
    """A butler's line goes to the resident it answers, else to the one they have turned to."""
    lines = [update.effective_message for update in updates]
    messages = [message for message in lines if message is not None]
    member = private_talks.by_chat(scene.session, scene.community, messages[0].chat_id)
    if member is None:
        return resident.said(scene, updates)
    private_talks.open_chat(member, now=scene.now)
    if not _is_for_staff(scene, member, messages[0]):
        return resident.said(scene, updates)
    try:
        _take(scene, member, staff.in_rows(scene, messages))
    except ServiceError as error:
        notes.answer(scene, messages[0], error.response, **error.facts)
    return None


def _is_for_staff(scene: Scene, member: Staff, message: Message) -> bool:
    """Whether they speak as staff: they have a talk, had one until just now, or give a command of staff's."""
    command = staff.command_of(message)
    if command in staff_commands.COMMANDS or (command == "/start" and not staff.behind(message)):
        return True
    return member.talks_with_id is not None or bool(private_talks.talks_of(scene.session, member))


def _take(scene: Scene, member: Staff, messages: Sequence[Said]) -> None:
    """Each run of messages that mean the same talk goes there; people answer several residents in one breath."""
    for talk_id, run in groupby(messages, key=lambda one: _meant(scene, member, one[0])):
        said = list(run)
        talk = _theirs(scene, member, talk_id)
        message = said[0][0]
        command = staff.command_of(message)
        order = Order(scene, message, member, staff.behind(message))
        if command == "/start":
            staff_commands.show_talks(order)
        elif command in staff_commands.COMMANDS or (command and talk is not None):
            staff.obey(talk, order, command)
        elif talk is None:
            staff_commands.ask_whom(order)
        else:
            staff.speak(scene, talk, member, said)


def _meant(scene: Scene, member: Staff, message: Message) -> int | None:
    reply = incoming.answered(message)
    answered = private_talks.meant_by(scene.session, member, reply) if reply is not None else None
    return answered or member.talks_with_id


def _theirs(scene: Scene, member: Staff, talk_id: int | None) -> Conversation | None:
    """The talk, locked, as long as the member has it."""
    talk = conversations.lock(scene.session, talk_id) if talk_id is not None else None
    return talk if talk is not None and talk.butler_id == member.id else None


def edited(scene: Scene, updates: Sequence[Update]) -> Ask | None:
    """A butler corrected a line that went to a resident; everything else is a resident's."""
    message = updates[0].effective_message
    assert message is not None
    talk = _talk_of(scene, message.chat_id, message.message_id)
    if talk is None:
        return resident.edited(scene, updates)
    staff.correct(scene, talk, message)
    return None


def reacted(scene: Scene, updates: Sequence[Update]) -> None:
    """An emoji on a line of a talk shows on it at the resident's."""
    change = updates[0].message_reaction
    assert change is not None
    talk = _talk_of(scene, change.chat.id, change.message_id)
    if talk is None:
        reactions.by_resident(scene, updates)
    else:
        reactions.show(scene, change, talk.id)


def _talk_of(scene: Scene, chat_id: int, message_id: int) -> Conversation | None:
    """The talk with somebody else that a message of this chat belongs to, locked."""
    member = private_talks.by_chat(scene.session, scene.community, chat_id)
    talk_id = private_talks.meant_by(scene.session, member, message_id) if member is not None else None
    talk = conversations.lock(scene.session, talk_id) if talk_id is not None else None
    return talk if talk is not None and talk.resident.chat_id != chat_id else None


def tapped(scene: Scene, updates: Sequence[Update]) -> Ask | None:
    """A key of staff's, tapped by a member of staff; all other keys are residents'."""
    query = updates[0].callback_query
    assert query is not None
    prefix = (query.data or "").partition(":")[0]
    if prefix in staff_taps.PREFIXES and private_talks.by_chat(scene.session, scene.community, query.from_user.id):
        staff_taps.tapped(scene, updates)
        return None
    return buttons.tapped_by_resident(scene, updates)
