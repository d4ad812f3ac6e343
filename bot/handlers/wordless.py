"""What the bot does, while it answers, with everything that is no text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from telegram import Message

from bot.handlers import incoming
from service import amendments, cases, conversations, texts, undelivered, work, work_orders
from service.models.cases import Case
from service.models.talks import Conversation

if TYPE_CHECKING:
    from bot.handlers.route import Scene

# Kinds that tell something of a matter: the department sees them. A sticker tells how somebody feels.
EVIDENCE = frozenset({
    "photo", "live_photo", "video", "voice", "audio", "video_note", "animation", "document",
    "venue", "location", "contact",
})  # fmt: skip

# What a resident hears of a kind that belongs to no case yet; of all others `utter_media_received`.
PHRASES = {
    "voice": "utter_voice_received",
    "video_note": "utter_voice_received",
    "location": "utter_location_received",
    "venue": "utter_location_received",
    "sticker": "utter_sticker_received",
    "dice": "utter_sticker_received",
    "game": "utter_sticker_received",
    "text": "utter_empty",
}


def take(scene: Scene, conversation: Conversation, bubbles: Sequence[Message]) -> str | None:
    """Keep what came without words for the case at hand, and answer it; returns the phrase a form may go on after."""
    kinds = [incoming.kind_of(message) for message in bubbles]
    asked = work.awaited(scene.session, conversation)
    case = attach(scene, conversation, bubbles)
    if case is not None and case is asked:
        work.show_info(scene.session, case, key=f"{scene.key}:info", now=scene.now)
    if case is not None:
        _tell(scene, conversation, "utter_case_media_added", number=case.number)
        return None
    kept = [kind for kind in kinds if kind in EVIDENCE] or kinds
    if _is_beyond(kept[0]):
        key = f"{scene.key}:{kept[0]}"
        ids = [message.message_id for message in bubbles]
        undelivered.announce(scene.session, conversation, kept[0], message_ids=ids, key=key)
        _tell(scene, conversation, "utter_unsupported")
        return None
    return PHRASES.get(kept[0], "utter_media_received")


def attach(scene: Scene, conversation: Conversation, bubbles: Sequence[Message]) -> Case | None:
    """Add what tells something to the case at work, first to one whose department has asked; returns the case.

    Without a case at work it belongs to the one that is opened next.
    """
    telling = [message for message in bubbles if incoming.kind_of(message) in EVIDENCE]
    if not telling:
        return None
    case = work.awaited(scene.session, conversation) or cases.at_work(scene.session, conversation)
    if case is None:
        return None
    for album in incoming.albums(telling):
        ids = [message.message_id for message in album]
        work_orders.attach(scene.session, case, from_chat_id=album[0].chat_id, message_ids=ids)
    amendments.add_media(scene.session, case, len(telling), key=f"{scene.key}:media", now=scene.now)
    return case


def _is_beyond(kind: str) -> bool:
    """Whether the bot can neither keep nor show it: people have to look."""
    return kind in (*incoming.NEVER_COPIED, "unsupported", "story", "checklist", "poll")


def _tell(scene: Scene, conversation: Conversation, phrase: str, **slots: object) -> None:
    line = texts.say(phrase, language=conversation.resident.language, seed=scene.key, **slots)
    conversations.tell(scene.session, conversation, line, now=scene.now, key=f"{scene.key}:{phrase}")
