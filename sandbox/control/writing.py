"""A person's message, from the body of a request to the chat."""

from __future__ import annotations

import base64
import random
from typing import Any

from fastapi import HTTPException

from sandbox import content as plain
from sandbox.control.bodies import Edit, Message
from sandbox.files import KINDS, Upload, keep_file
from sandbox.media import describe, note_details
from sandbox.membership import set_blocked
from sandbox.models import JSON, Chat, Stored
from sandbox.posting import Letter, change, post
from sandbox.text import CAPTION_MAX, TEXT_MAX, format_text
from sandbox.world import Bot, World

ADMINS = frozenset({"creator", "administrator"})
PLAIN = ("location", "venue", "contact", "poll", "dice")
SWAPPED = ("photo", "video", "document", "audio")


def write_as(world: World, bot: Bot, chat: Chat, body: Message) -> list[Stored]:
    """Post what a person sends: one message, or the several of an album."""
    _begin(world, bot, chat, body)
    items = body.album if body.album is not None else [body.model_dump(exclude_none=True)]
    contents = [_content(world, body.sender, item) for item in items]
    group = body.media_group_id or (str(13_000_000_000 + world.new_id("album")) if body.album else None)
    reply = chat.messages.get(body.reply_to) if body.reply_to else None
    if body.reply_to and (reply is None or reply.deleted):
        raise HTTPException(404, f"no message {body.reply_to} to reply to")
    extra = _extra(body, group, reply)
    thread = body.thread or (reply.body.get("message_thread_id") if reply else None)
    return [
        post(world, Letter(chat, body.sender, content, thread, reply, media=_has_file(content), extra=extra))
        for content in contents
    ]


def _extra(body: Message, group: str | None, reply: Stored | None) -> JSON:
    """What stands beside the content."""
    extra: JSON = {"media_group_id": group} if group else {}
    if body.forward_origin is not None:
        extra["forward_origin"] = body.forward_origin
    if body.protected:
        extra["has_protected_content"] = True
    if body.quote is not None:
        whole = reply.body.get("text") or reply.body.get("caption") or "" if reply else ""
        if body.quote not in whole:
            raise HTTPException(400, "the quote is no part of the message")
        position = len(whole[: whole.find(body.quote)].encode("utf-16-le")) // 2
        extra["quote"] = {"text": body.quote, "position": position, "is_manual": True}
    return extra


def edit_as(world: World, chat: Chat, stored: Stored, body: Edit) -> None:
    """Change the words, the file or the place of a message; the bots hear of it."""
    kept = {k: v for k, v in stored.body.items() if k not in ("entities", "caption_entities")}
    swapped = next((kind for kind in SWAPPED if getattr(body, kind) is not None), None)
    if body.text is not None and "text" in stored.body:
        kept |= _words("text", body.text, body.entities)
    elif swapped is not None and _has_file(stored.body):
        kept = {k: v for k, v in kept.items() if k not in (*KINDS, "caption")}
        kept |= describe(world, swapped, _file(world, swapped, getattr(body, swapped)))
        kept |= _caption(world, stored.sender, body.model_dump())
    elif body.caption is not None and _has_file(stored.body):
        kept = {k: v for k, v in kept.items() if k != "caption"} | _caption(world, stored.sender, body.model_dump())
    elif "live_period" in stored.body.get("location", ()) and (body.location is not None or body.stop):
        kept["location"] = _moved(stored.body["location"], body)
    else:
        raise HTTPException(400, "text for a text, caption or another file for a file, location for a live location")
    kept["edit_date"] = int(world.clock.now())
    change(world, chat, stored, kept, by_user=True)


def _moved(was: JSON, body: Edit) -> JSON:
    """Where a live location is now; one that has stopped has no period any more."""
    now = was | (body.location or {})
    return {key: value for key, value in now.items() if key != "live_period"} if body.stop else now


def _begin(world: World, bot: Bot, chat: Chat, body: Message) -> None:
    """Who writes to the bot has started it, and no longer blocks it; a closed topic stays closed."""
    if chat.is_private:
        chat.started = True
        set_blocked(world, bot, chat.id, blocked=False)
    if body.thread:
        topic = chat.topics.get(body.thread)
        if topic is None:
            raise HTTPException(404, f"no topic {body.thread}")
        if topic.closed and chat.members.get(body.sender) not in ADMINS:
            raise HTTPException(403, "the topic is closed")


def _content(world: World, sender: int, item: JSON) -> JSON:
    if item.get("text") is not None:
        return _words("text", item["text"], item.get("entities"))
    if item.get("other") is not None:
        return dict(item["other"])
    caption = _caption(world, sender, item)
    for kind in KINDS:
        if kind in item:
            return describe(world, kind, _file(world, kind, item[kind] or {})) | caption
    for kind in PLAIN:
        if kind in item:
            return _plain(world, sender, kind, item[kind] or {})
    raise HTTPException(400, "a message needs text, a file, a location, a contact, a poll or a dice")


def _caption(world: World, sender: int, item: JSON) -> JSON:
    """What stands below a file; people with Premium write more there."""
    longest = TEXT_MAX if world.users[sender].get("is_premium") else CAPTION_MAX
    return _words("caption", item["caption"], item.get("entities"), longest) if item.get("caption") else {}


def _words(name: str, text: str, entities: list[JSON] | None, longest: int | None = None) -> JSON:
    """Text or caption with the entities found in it."""
    text, found = format_text(text, None, entities)
    if not text or len(text) > (longest or (TEXT_MAX if name == "text" else CAPTION_MAX)):
        raise HTTPException(400, f"the {name} is empty or too long")
    return {name: text} | ({"entities" if name == "text" else "caption_entities": found} if found else {})


def _file(world: World, kind: str, given: JSON) -> Any:
    name, mime = given.get("file_name", ""), given.get("mime_type", "")
    data = base64.b64decode(given["bytes"]) if "bytes" in given else None
    file = keep_file(world, kind, Upload(name, mime, data) if data is not None else None, size=given.get("file_size"))
    file.name, file.mime = name or file.name, mime or file.mime
    note_details(file, kind, given)
    return file


def _plain(world: World, sender: int, kind: str, given: JSON) -> JSON:
    if kind == "location":
        return plain.location({"latitude": 31.2304, "longitude": 121.4737} | given)
    if kind == "venue":
        place = {"latitude": 31.2304, "longitude": 121.4737, "title": "?", "address": "?"}
        return plain.venue(place | given)
    if kind == "contact":
        return plain.contact(_own_contact(world, sender) | given)
    if kind == "dice":
        return plain.dice(given, random.SystemRandom())
    return plain.poll({"question": "?", "options": ["1", "2"]} | given, world.new_id("poll"))


def _own_contact(world: World, sender: int) -> JSON:
    """What the button "share my number" sends."""
    number = f"+86138{sender % 10**8:08d}"
    return {"phone_number": number, "first_name": world.users[sender]["first_name"], "user_id": sender}


def _has_file(content: JSON) -> bool:
    return any(kind in content for kind in KINDS)
