"""From Telegram's message to what the service keeps of it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from telegram import Message, User

from service.conversations import Said

# The kinds a message can be, in the order in which they are looked for, and whether they carry a file.
KINDS = (
    "photo", "video", "voice", "audio", "video_note", "animation", "document", "sticker",
    "location", "venue", "contact", "poll", "dice", "story",
)  # fmt: skip
MOST_TEXT = 4096


def kind_of(message: Message) -> str:
    """text, one of `KINDS`, or `unsupported`."""
    if message.text is not None:
        return "text"
    return next((kind for kind in KINDS if getattr(message, kind)), "unsupported")


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
    )


def clean(text: str) -> str:
    """Without what neither PostgreSQL nor JSON can carry: NUL and lone surrogates."""
    return text.replace("\x00", "").encode("utf-8", "ignore").decode()[:MOST_TEXT]


def name_of(user: User | None) -> str:
    """How the person calls themselves; deleted accounts have no name."""
    return clean((user and user.full_name) or "")[:64]


def language_of(user: User | None) -> str:
    """The language to begin with: English for an English phone, Chinese for all others."""
    return "en" if user and (user.language_code or "").startswith("en") else "zh"


def copy_of(album: Sequence[Message]) -> dict[str, Any]:
    """An outbox payload that copies a message, or an album, as it is, whatever it is."""
    first = album[0]
    words = clean(first.text or first.caption or "")
    return {"from_chat_id": first.chat_id, "message_ids": [message.message_id for message in album], "text": words}


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
    if isinstance(body, tuple):
        body = body[-1]  # a photo comes in sizes; the last is the largest
    kept = body.to_dict() if body is not None and hasattr(body, "to_dict") else {}
    return {"kind": kind, "album": message.media_group_id, **{kind: kept}}
