"""Messages without files."""

from __future__ import annotations

import random

from sandbox.content import contact, dice, location, poll, venue
from sandbox.envelope import send
from sandbox.models import JSON
from sandbox.registry import Call, answers, one_message
from sandbox.text import check_text, format_text

ACTIONS = frozenset(
    {"typing", "upload_photo", "record_video", "upload_video", "record_voice", "upload_voice", "upload_document"}
    | {"choose_sticker", "find_location", "record_video_note", "upload_video_note"}
)


@answers("sendMessage", cost=one_message)
def send_message(call: Call) -> JSON:
    """A text."""
    params = call.params
    text, entities = format_text(params["text"], params.get("parse_mode"), params.get("entities"))
    check_text(text)
    content: JSON = {"text": text}
    if entities:
        content["entities"] = entities
    if params.get("link_preview_options"):
        content["link_preview_options"] = params["link_preview_options"]
    return send(call, content)


@answers("sendLocation", cost=one_message)
def send_location(call: Call) -> JSON:
    """A point on the map."""
    return send(call, location(call.params))


@answers("sendVenue", cost=one_message)
def send_venue(call: Call) -> JSON:
    """A point on the map with a name."""
    return send(call, venue(call.params))


@answers("sendContact", cost=one_message)
def send_contact(call: Call) -> JSON:
    """A telephone number."""
    return send(call, contact(call.params))


@answers("sendDice", cost=one_message)
def send_dice(call: Call) -> JSON:
    """A throw."""
    return send(call, dice(call.params, random.SystemRandom()))


@answers("sendPoll", cost=one_message)
def send_poll(call: Call) -> JSON:
    """A vote."""
    return send(call, poll(call.params, call.world.new_id("poll")))


@answers("sendChatAction")
def send_chat_action(call: Call) -> bool:
    """Typing and the like: shown to watchers, kept nowhere."""
    chat = call.writable_chat()
    thread = call.params.get("message_thread_id")
    call.world.publish("action", chat_id=chat.id, thread=thread, action=call.params["action"])
    return True
