"""Copies and forwards."""

from __future__ import annotations

import random
from collections.abc import Iterable

from sandbox.content import copied
from sandbox.envelope import caption_of, send_stored
from sandbox.errors import bad_request
from sandbox.models import JSON, Chat, Stored
from sandbox.posting import as_seen
from sandbox.registry import Call, answers, one_message
from sandbox.text import check_caption

# What makes a message a message; all the rest is its content.
CONTENT = (
    *("text", "entities", "link_preview_options", "caption", "caption_entities", "show_caption_above_media"),
    *("has_media_spoiler", "photo", "document", "voice", "video", "video_note", "audio", "sticker", "animation"),
    *("location", "contact", "poll", "dice", "venue", "live_photo", "story", "game", "checklist"),
)
ONLY_FORWARDED = ("paid_media", "giveaway", "giveaway_winners", "invoice")  # what the Bot API says cannot be copied
CAPTIONED = ("photo", "video", "document", "audio", "voice", "animation", "live_photo")
LIST_MAX = 100


def _source(call: Call) -> Chat:
    return call.world.access_chat(call.bot, call.params["from_chat_id"])


def _content(stored: Stored, verb: str) -> JSON:
    if not _may_be(stored, verb):
        raise bad_request(f"message can't be {verb}")
    content = {key: stored.body[key] for key in (*CONTENT, *ONLY_FORWARDED) if key in stored.body}
    return copied(content, random.SystemRandom()) if verb == "copied" else content


def _may_be(stored: Stored, verb: str) -> bool:
    if stored.body.get("has_protected_content"):
        return False
    if verb == "copied":
        return any(key in stored.body for key in CONTENT) and not _is_secret_quiz(stored)
    return any(key in stored.body for key in (*CONTENT, *ONLY_FORWARDED))


def _is_secret_quiz(stored: Stored) -> bool:
    """A quiz whose answer the bot does not know, as of everybody but itself."""
    poll = stored.body.get("poll", {})
    return poll.get("type") == "quiz" and "correct_option_ids" not in poll


def _origin(stored: Stored) -> JSON:
    """Where a forward comes from; a forward of a forward keeps the first author."""
    own = {"type": "user", "date": stored.body["date"], "sender_user": stored.body["from"]}
    return {"forward_origin": stored.body.get("forward_origin", own)}


@answers("copyMessage", cost=one_message)
def copy_message(call: Call) -> JSON:
    """The content as the bot's own, perhaps with another caption."""
    stored = call.world.find(_source(call), call.params["message_id"], "message to copy not found")
    content = _content(stored, "copied")
    if "caption" in call.params and any(kind in content for kind in CAPTIONED):
        content = {key: value for key, value in content.items() if not key.startswith("caption")}
        content |= caption_of(call.params)
    check_caption(content.get("caption", ""))
    return {"message_id": send_stored(call, content, media=stored.media).id}


@answers("forwardMessage", cost=one_message)
def forward_message(call: Call) -> JSON:
    """The message with its author's name."""
    stored = call.world.find(_source(call), call.params["message_id"], "message to forward not found")
    content = _content(stored, "forwarded")
    return as_seen(send_stored(call, content, media=stored.media, extra=_origin(stored)), call.bot)


def list_size(params: JSON) -> int:
    """Every message of a list counts."""
    return len(params["message_ids"])


def _wanted(call: Call, verb: str, *, done: str) -> list[Stored]:
    """The messages that exist and allow it, in rising order as Telegram demands; the others are passed over."""
    numbers = call.params["message_ids"]
    if not 1 <= len(numbers) <= LIST_MAX:
        raise bad_request(f"wrong number of messages to {verb}")
    if sorted(set(numbers)) != numbers:
        raise bad_request("message identifiers must be in a strictly increasing order")
    source = _source(call)
    found = [source.messages[number] for number in numbers if number in source.messages]
    kept = [stored for stored in found if not stored.deleted and _may_be(stored, done)]
    if not kept:
        raise bad_request(f"there are no messages to {verb}")
    return kept


def _albums(call: Call, stored: Iterable[Stored]) -> dict[str, str]:
    old = {album for message in stored if (album := message.body.get("media_group_id"))}
    return {album: str(13_000_000_000 + call.world.new_id("album")) for album in sorted(old)}


def _send_all(call: Call, messages: list[Stored], *, forward: bool) -> list[JSON]:
    albums = _albums(call, messages)
    sent: list[JSON] = []
    for stored in messages:
        extra = _origin(stored) if forward else {}
        if album := stored.body.get("media_group_id"):
            extra["media_group_id"] = albums[album]
        content = _content(stored, "forwarded" if forward else "copied")
        if call.params.get("remove_caption"):
            content = {key: value for key, value in content.items() if not key.startswith("caption")}
        sent.append({"message_id": send_stored(call, content, media=stored.media, extra=extra).id})
    return sent


@answers("copyMessages", cost=list_size)
def copy_messages(call: Call) -> list[JSON]:
    """Several at once; albums stay albums."""
    return _send_all(call, _wanted(call, "copy", done="copied"), forward=False)


@answers("forwardMessages", cost=list_size)
def forward_messages(call: Call) -> list[JSON]:
    """Several at once with their authors' names."""
    return _send_all(call, _wanted(call, "forward", done="forwarded"), forward=True)
