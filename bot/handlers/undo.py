"""Staff take back what was sent to a resident: by a command in reply to it, or by an emoji on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import Message
from telegram.constants import ReactionEmoji

from bot.handlers import incoming
from service import take_backs
from service.errors import NothingToTakeBack
from service.models.people import Staff
from service.models.talks import Conversation

if TYPE_CHECKING:
    from bot.handlers.route import Scene

COMMANDS = ("/undo", "/撤回")  # Telegram offers only Latin commands, but people type what they like
EMOJI = ReactionEmoji.SPEAK_NO_EVIL_MONKEY  # nobody puts it on a line of their own otherwise


def by_command(scene: Scene, conversation: Conversation, member: Staff, message: Message) -> None:
    """Take back the message that the command answers.

    Raises:
        NothingToTakeBack: it answers nothing that went to the resident.
        TooLateToTakeBack: that was more than 48 hours ago.
    """
    meant = incoming.answered(message)
    if meant is None:
        raise NothingToTakeBack
    take_back(scene, conversation, member, meant, chat_id=message.chat_id)


def take_back(scene: Scene, conversation: Conversation, member: Staff, message_id: int, *, chat_id: int) -> None:
    """Take back one message of the topic."""
    take_backs.take_back(scene.session, conversation, member, message_id, chat_id=chat_id, key=scene.key, now=scene.now)
