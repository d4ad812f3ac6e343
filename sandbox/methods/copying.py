"""Copies and forwards."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.envelope import caption_of, send_stored
from sandbox.errors import bad_request
from sandbox.models import JSON, Chat, Stored
from sandbox.posting import as_seen
from sandbox.registry import Call, answers, one_message

# What makes a message a message; all the rest is its content.
CONTENT = (
    *("text", "entities", "link_preview_options", "caption", "caption_entities", "show_caption_above_media"),
    *("has_media_spoiler", "photo", "document", "voice", "video", "video_note", "audio", "sticker", "animation"),
    *("location", "contact", "poll", "dice", "venue"),
)
CAPTIONED = ("photo", "video", "document", "audio", "voice", "animation")
LIST_MAX = 100


def _source(call: Call) -> Chat:
    return call.world.access_chat(call.bot, call.params["from_chat_id"])


def _content(stored: Stored, verb: str) -> JSON:
    content = {key: stored.body[key] for key in CONTENT if key in stored.body}
    if not content or stored.body.get("has_protected_content"):
        raise bad_request(f"message can't be {verb}")
    return content


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


def _wanted(call: Call, verb: str) -> list[Stored]:
    """The messages that exist, in rising order as Telegram demands."""
    numbers = call.params["message_ids"]
    if not 1 <= len(numbers) <= LIST_MAX:
        raise bad_request(f"wrong number of messages to {verb}")
    if sorted(set(numbers)) != numbers:
        raise bad_request("message identifiers must be in a strictly increasing order")
    source = _source(call)
    found = [source.messages[number] for number in numbers if number in source.messages]
    kept = [stored for stored in found if not stored.deleted and any(key in stored.body for key in CONTENT)]
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
    return _send_all(call, _wanted(call, "copy"), forward=False)


@answers("forwardMessages", cost=list_size)
def forward_messages(call: Call) -> list[JSON]:
    """Several at once with their authors' names."""
    return _send_all(call, _wanted(call, "forward"), forward=True)
