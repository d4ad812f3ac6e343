"""People and groups come and go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from telegram import ChatMember, Update

from service import delivery, outbox, staff, texts, topics
from service.communities import STAFF_LANGUAGE

if TYPE_CHECKING:
    from bot.handlers.route import Scene

GONE = (ChatMember.LEFT, ChatMember.BANNED)


def resident_blocks_or_returns(scene: Scene, updates: Sequence[Update]) -> None:
    """A resident blocked the bot; who unblocks it writes, which makes them reachable again."""
    change = updates[0].my_chat_member
    assert change is not None
    if change.new_chat_member.status in GONE:
        delivery.shut_by_butler(scene.session, scene.community.bot_id, change.chat.id, now=scene.now)
        delivery.unreachable(scene.session, scene.community.bot_id, change.chat.id, now=scene.now)


def staff_changed(scene: Scene, updates: Sequence[Update]) -> None:
    """Leaving the staff group takes the rights away; coming back gives them again."""
    change = updates[0].chat_member
    assert change is not None
    member = change.new_chat_member
    if _is_gone(member):
        staff.leave(scene.session, scene.community.id, member.user.id, now=change.date)
    elif _is_gone(change.old_chat_member):
        staff.come_back(scene.session, scene.community.id, member.user.id)


def _is_gone(member: ChatMember) -> bool:
    """Out of the group; who is restricted may be in or out."""
    return member.status in GONE or getattr(member, "is_member", True) is False


def joined_a_group(scene: Scene, updates: Sequence[Update]) -> None:
    """The bot was added to a group: it says the id that makes it the staff group."""
    change = updates[0].my_chat_member
    assert change is not None
    if change.new_chat_member.status in GONE or change.old_chat_member.status not in GONE:
        return
    line = texts.say("utter_staff_welcome", language=STAFF_LANGUAGE, chat_id=change.chat.id)
    outbox.put(
        scene.session,
        bot_id=scene.community.bot_id,
        community_id=scene.community.id,
        chat_id=change.chat.id,
        kind="note",
        act="say",
        payload=line.payload(),
        key=f"{scene.key}:welcome",
    )


def said_elsewhere(scene: Scene, updates: Sequence[Update]) -> None:
    """A group that is not the staff group: only its move to a new id concerns us."""
    message = updates[0].effective_message
    if message is not None and message.migrate_from_chat_id:
        topics.migrate(scene.session, message.migrate_from_chat_id, message.chat_id)
