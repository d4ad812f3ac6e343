"""Somebody puts an emoji on a message, or takes it away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from telegram import MessageReactionUpdated, ReactionTypeEmoji, Update

from bot.handlers import incoming, undo
from service import conversations, residents, revisions, texts, twins
from service.communities import STAFF_LANGUAGE
from service.errors import ServiceError
from service.models.talks import Conversation
from service.staff import access_staff

if TYPE_CHECKING:
    from bot.handlers.route import Scene


def by_resident(scene: Scene, updates: Sequence[Update]) -> None:
    """A resident's emoji on a butler's line shows on it in the topic."""
    change = updates[0].message_reaction
    assert change is not None
    conversation = residents.find_conversation(scene.session, scene.community.id, change.chat.id)
    if conversation is None:
        return
    place = twins.other_side(scene.session, change.chat.id, change.message_id, conversation_id=conversation.id)
    if place is not None:
        revisions.react(scene.session, conversation, place, _emoji(change), key=scene.key)


def by_staff(scene: Scene, updates: Sequence[Update]) -> None:
    """Staff's emoji on a resident's line shows on it in their chat; one of them takes a line of staff's back."""
    change = updates[0].message_reaction
    assert change is not None
    show(scene, change, None)


def show(scene: Scene, change: MessageReactionUpdated, conversation_id: int | None) -> None:
    """Show staff's emoji at the resident's; the talk has to be named where numbers alone do not tell it."""
    place = twins.other_side(scene.session, change.chat.id, change.message_id, conversation_id=conversation_id)
    if place is None or change.user is None or change.user.is_bot:
        return
    conversation = conversations.lock(scene.session, place.twin.conversation_id)
    emoji = _emoji(change)
    if emoji == undo.EMOJI and place.chat_id == conversation.resident.chat_id and "twin" in place.reference:
        _take_back(scene, conversation, change)
    else:
        revisions.react(scene.session, conversation, place, emoji, key=scene.key)


def _take_back(scene: Scene, conversation: Conversation, change: MessageReactionUpdated) -> None:
    assert change.user is not None
    name = incoming.name_of(change.user)
    try:
        member = access_staff(scene.session, scene.community.id, change.user.id, display_name=name)
        undo.take_back(scene, conversation, member, change.message_id, chat_id=change.chat.id)
    except ServiceError as error:
        line = texts.say(error.response, language=STAFF_LANGUAGE, **error.facts)
        payload = line.payload() | {"reply": {"message_id": change.message_id}}
        conversations.to_staff(
            scene.session, conversation, "say", payload, key=f"{scene.key}:error", kind="note", where=change.chat.id
        )


def _emoji(change: MessageReactionUpdated) -> str | None:
    """The newest emoji that a bot may set too; custom and paid ones it may not."""
    plain = [one.emoji for one in change.new_reaction if isinstance(one, ReactionTypeEmoji)]
    return plain[-1] if plain else None
