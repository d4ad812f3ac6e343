"""Changing what was said."""

from __future__ import annotations

from sandbox.content import location
from sandbox.envelope import caption_of
from sandbox.errors import bad_request
from sandbox.markup import read_markup
from sandbox.methods.media import item_content
from sandbox.models import JSON, Stored
from sandbox.posting import as_seen, change
from sandbox.registry import Call, answers, one_message
from sandbox.text import check_text, format_text

CAPTIONED = ("photo", "video", "document", "audio", "voice", "animation")
CAPTION_FIELDS = ("caption", "caption_entities", "show_caption_above_media", "has_media_spoiler")
TEXT_FIELDS = ("text", "entities", "link_preview_options")
NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current "
    "content and reply markup of the message"
)


def _own_message(call: Call) -> Stored:
    stored = call.world.find(call.chat, call.params.get("message_id"), "message to edit not found")
    if stored.sender != call.bot.id or "forum_topic_created" in stored.body:
        raise bad_request("message can't be edited")
    return stored


def _edit(call: Call, stored: Stored, gone: tuple[str, ...], new: JSON, *, dated: bool = True) -> JSON:
    """Replace some fields and the keyboard; what stays the same is refused."""
    inline, _ = read_markup(call.params.get("reply_markup"), private=call.chat.is_private)
    body = {key: value for key, value in stored.body.items() if key not in (*gone, "reply_markup")} | new
    if inline is not None:
        body["reply_markup"] = inline
    if body == stored.body:
        raise bad_request(NOT_MODIFIED)
    if dated:
        body["edit_date"] = int(call.world.clock.now())
    change(call.world, call.chat, stored, body)
    return as_seen(stored, call.bot)


@answers("editMessageText", cost=one_message)
def edit_message_text(call: Call) -> JSON:
    """A new text; the keyboard goes unless it is sent again."""
    stored = _own_message(call)
    if "text" not in stored.body:
        raise bad_request("there is no text in the message to edit")
    params = call.params
    text, entities = format_text(params["text"], params.get("parse_mode"), params.get("entities"))
    check_text(text)
    new: JSON = {"text": text}
    if entities:
        new["entities"] = entities
    if params.get("link_preview_options"):
        new["link_preview_options"] = params["link_preview_options"]
    return _edit(call, stored, TEXT_FIELDS, new)


@answers("editMessageCaption", cost=one_message)
def edit_message_caption(call: Call) -> JSON:
    """A new caption."""
    stored = _own_message(call)
    if not any(kind in stored.body for kind in CAPTIONED):
        raise bad_request("there is no caption in the message to edit")
    return _edit(call, stored, CAPTION_FIELDS[:3], caption_of(call.params))


def _live_location(call: Call) -> Stored:
    """A location of the bot's that still moves."""
    stored = _own_message(call)
    period = stored.body.get("location", {}).get("live_period")
    if period is None or call.world.clock.now() > stored.body["date"] + period:
        raise bad_request("message can't be edited")
    return stored


@answers("editMessageLiveLocation", cost=one_message)
def edit_message_live_location(call: Call) -> JSON:
    """Where it is now; the period stays unless another is given."""
    stored = _live_location(call)
    period = {"live_period": stored.body["location"]["live_period"]}
    return _edit(call, stored, (), location(period | call.params))


@answers("stopMessageLiveLocation", cost=one_message)
def stop_message_live_location(call: Call) -> JSON:
    """It moves no more."""
    stored = _live_location(call)
    still = {key: value for key, value in stored.body["location"].items() if key != "live_period"}
    return _edit(call, stored, (), {"location": still})


@answers("editMessageReplyMarkup", cost=one_message)
def edit_message_reply_markup(call: Call) -> JSON:
    """A new inline keyboard, or none."""
    return _edit(call, _own_message(call), (), {}, dated=False)


@answers("editMessageMedia", cost=one_message)
def edit_message_media(call: Call) -> JSON:
    """Another file in place of the old one."""
    stored = _own_message(call)
    if not any(kind in stored.body for kind in CAPTIONED):
        raise bad_request("there is no media in the message to edit")
    return _edit(call, stored, (*CAPTIONED, *CAPTION_FIELDS), item_content(call, call.params["media"]))
