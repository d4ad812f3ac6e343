"""What Telegram reports in the staff group about the group itself: topics, members, a new id."""

from __future__ import annotations

from typing import TYPE_CHECKING

from telegram import Message

from bot.handlers import incoming
from bot.handlers.notes import answer
from service import staff, topics

if TYPE_CHECKING:
    from bot.handlers.route import Scene


def happened(scene: Scene, message: Message) -> bool:
    """Take note of a change of the group; True when the message says nothing else."""
    if message.migrate_to_chat_id:
        topics.migrate(scene.session, message.chat_id, message.migrate_to_chat_id)
        return True
    _people(scene, message)
    _topics(scene, message)
    return incoming.kind_of(message) == "unsupported" and incoming.event_in(message) is not None


def _people(scene: Scene, message: Message) -> None:
    if message.left_chat_member:
        staff.leave(scene.session, scene.community.id, message.left_chat_member.id, now=message.date)
    for one in message.new_chat_members or ():
        if not one.is_bot:
            staff.come_back(scene.session, scene.community.id, one.id)
        elif one.id != scene.community.bot_id:
            answer(scene, message, "utter_staff_bot_joined", name=incoming.name_of(one))


def _topics(scene: Scene, message: Message) -> None:
    """Our own topics are learned from the report; in one that a person made, they are told what it is not."""
    thread, created = message.message_thread_id, message.forum_topic_created
    if thread is None:
        return
    if created and message.from_user and message.from_user.is_bot:
        topics.reconcile(scene.session, scene.community.id, created.name, thread)
    elif created:
        topics.adopt(scene.session, scene.community.id, created.name, thread)
        answer(scene, message, "utter_staff_no_resident")
    if message.forum_topic_edited and message.forum_topic_edited.name:
        topics.called(scene.session, scene.community.id, thread, message.forum_topic_edited.name)
    if message.forum_topic_closed or message.forum_topic_reopened:
        topics.close(scene.session, scene.community.id, thread, closed=message.forum_topic_closed is not None)
