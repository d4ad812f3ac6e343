"""The parts every sending method shares: topic, reply, keyboard, flags, caption."""

from __future__ import annotations

from typing import Any

from sandbox.errors import bad_request
from sandbox.markup import read_markup
from sandbox.models import JSON, Chat, Stored
from sandbox.posting import Letter, access_topic, as_seen, post
from sandbox.registry import Call
from sandbox.text import check_caption, format_text


def send(call: Call, content: JSON, *, media: bool = False, extra: JSON | None = None) -> JSON:
    """Post the content as the request wants it and return the message the bot sees."""
    return as_seen(send_stored(call, content, media=media, extra=extra), call.bot)


def send_stored(call: Call, content: JSON, *, media: bool = False, extra: JSON | None = None) -> Stored:
    """The same, for callers that need the message as it is kept."""
    chat, params = call.chat, call.params
    reply, quote = _reply(chat, params.get("reply_parameters"))
    thread = params.get("message_thread_id")
    access_topic(chat, thread)
    if thread is None and reply is not None:
        thread = reply.body.get("message_thread_id")
    inline, keyboard = read_markup(params.get("reply_markup"), private=chat.is_private)
    flags: JSON = {**(extra or {}), **quote}
    if inline is not None:
        flags["reply_markup"] = inline
    if params.get("protect_content"):
        flags["has_protected_content"] = True
    letter = Letter(chat, call.bot.id, content, thread, reply, keyboard, media)
    letter.silent = bool(params.get("disable_notification"))
    letter.extra = flags
    return post(call.world, letter)


def caption_of(given: JSON) -> JSON:
    """Caption and entities as message fields; none is no field."""
    text, entities = format_text(given.get("caption") or "", given.get("parse_mode"), given.get("caption_entities"))
    check_caption(text)
    content: JSON = {"caption": text} if text else {}
    if text and entities:
        content["caption_entities"] = entities
    if text and given.get("show_caption_above_media"):
        content["show_caption_above_media"] = True
    if given.get("has_spoiler"):
        content["has_media_spoiler"] = True
    return content


def _reply(chat: Chat, wanted: Any) -> tuple[Stored | None, JSON]:
    """The message replied to and the quotation of it."""
    if not isinstance(wanted, dict):
        return None, {}
    target = chat.messages.get(wanted.get("message_id", 0))
    if wanted.get("chat_id", chat.id) != chat.id:
        return None, {}  # a reply across chats shows no message of this one
    if target is None or target.deleted:
        if wanted.get("allow_sending_without_reply"):
            return None, {}
        raise bad_request("message to be replied not found")
    quote = wanted.get("quote")
    if not quote:
        return target, {}
    whole = target.body.get("text") or target.body.get("caption") or ""
    if quote not in whole:
        raise bad_request("QUOTE_TEXT_INVALID")
    return target, {"quote": {"text": quote, "position": whole.find(quote), "is_manual": True}}
