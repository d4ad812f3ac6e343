"""From Telegram's message to what the service keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telegram import (
    Message,
    MessageEntity,
    MessageOrigin,
    MessageOriginChannel,
    MessageOriginChat,
    MessageOriginHiddenUser,
    MessageOriginUser,
    User,
)
from telegram.constants import MessageType

from service.conversations import Said

# The kinds a message can be, in the order in which they are looked for: a venue also says where it is, an animation is
# also a file, a live photo also a photo.
KINDS = (
    "live_photo", "photo", "video", "voice", "audio", "video_note", "animation", "document", "sticker",
    "venue", "location", "contact", "poll", "dice", "story", "game", "checklist",
)  # fmt: skip
SMALL = 240  # pixels: from here on a picture is recognised in a list
NEVER_COPIED = ("paid_media", "giveaway", "giveaway_winners", "invoice")  # as the Bot API says

# What says something of a message or of its chat, and is none by itself.
_ABOUT = {"business_connection_id", "effect_id", "reply_to_story", "sender_boost_count", "sender_business_bot", "text"}
EVENTS = tuple(sorted({str(kind.value) for kind in MessageType} - {*KINDS, *NEVER_COPIED, *_ABOUT}))


def kind_of(message: Message) -> str:
    """text, one of `KINDS` or `NEVER_COPIED`, or `unsupported`."""
    if message.text is not None:
        return "text"
    return next((kind for kind in (*KINDS, *NEVER_COPIED) if getattr(message, kind)), "unsupported")


def event_in(message: Message) -> str | None:
    """What happened in the chat, when the message only reports that: something was pinned, the title changed."""
    return next((event for event in EVENTS if getattr(message, event, None)), None)


def said(message: Message, *, inbox_id: int) -> Said:
    """What was said, ready to be kept."""
    kind = kind_of(message)
    return Said(
        kind=kind,
        text=clean(message.text or message.caption or ""),
        chat_id=message.chat_id,
        message_id=message.message_id,
        inbox_id=inbox_id,
        media=None if kind == "text" else _media(message, kind),
        entities=words_of(message).get("entities"),
        reply_to=answered(message),
        forwarded_from=origin(message.forward_origin),
    )


def words_of(message: Message) -> dict[str, Any]:
    """The text or the caption with its formatting, as a payload holds it; entities only where there are some."""
    text = message.text or message.caption or ""
    found = message.entities if message.text is not None else message.caption_entities
    entities = [_entity(entity) for entity in found]
    return {"text": clean(text), **({"entities": entities} if entities and clean(text) == text else {})}


def _entity(entity: MessageEntity) -> dict[str, Any]:
    plain: dict[str, Any] = entity.to_dict()
    return plain


def answered(message: Message) -> int | None:
    """The message it answers; whatever is typed in a topic answers the topic's creation, which counts for nothing."""
    reply = message.reply_to_message
    return reply.message_id if reply is not None and reply.forum_topic_created is None else None


def origin(found: MessageOrigin | None) -> str | None:
    """Who or what it was forwarded from, as Telegram tells."""
    match found:
        case MessageOriginUser():
            return name_of(found.sender_user)
        case MessageOriginHiddenUser():
            return clean(found.sender_user_name)
        case MessageOriginChat():
            return clean(found.sender_chat.title or "")
        case MessageOriginChannel():
            return clean(found.chat.title or "")
    return None


def public_origin(found: MessageOrigin | None) -> str | None:
    """The same, unless it is a person: whom a butler quotes is nobody's business."""
    return origin(found) if isinstance(found, MessageOriginChannel | MessageOriginChat) else None


def clean(text: str) -> str:
    """Without what neither PostgreSQL nor JSON can carry: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()


def name_of(user: User | None) -> str:
    """How the person calls themselves; deleted accounts have no name."""
    return clean((user and user.full_name) or "")[:64]


def language_of(user: User | None) -> str:
    """The language to begin with: English for an English phone, Chinese for all others."""
    return "en" if user and (user.language_code or "").startswith("en") else "zh"


def own_number(message: Message) -> str | None:
    """The number of a contact that is the sender's own: Telegram vouches for it by their user id.

    Somebody else's card is not theirs, and a card passed on was perhaps not shared by the person it names.
    """
    card, sender = message.contact, message.from_user
    if card is None or sender is None or card.user_id != sender.id or message.forward_origin is not None:
        return None
    return card.phone_number


def albums(messages: Sequence[Message]) -> list[list[Message]]:
    """The messages in their order, with those of one album together."""
    found: list[list[Message]] = []
    for message in messages:
        if found and message.media_group_id and found[-1][0].media_group_id == message.media_group_id:
            found[-1].append(message)
        else:
            found.append([message])
    return found


def _media(message: Message, kind: str) -> dict[str, Any]:
    body = getattr(message, kind, None)
    sizes = body if isinstance(body, tuple) else ()  # a photo comes in sizes, from small to large
    body = sizes[-1] if sizes else body
    kept = body.to_dict() if body is not None and hasattr(body, "to_dict") else {}
    if len(sizes) > 1:
        kept["thumbnail"] = next((size for size in sizes if size.width >= SMALL), sizes[-1]).to_dict()
    return {"kind": kind, "album": message.media_group_id, **{kind: kept}}
