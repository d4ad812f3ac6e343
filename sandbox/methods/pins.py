"""Pinned messages."""

from __future__ import annotations

from sandbox.models import Stored
from sandbox.posting import Letter, announce, post
from sandbox.registry import Call, answers


@answers("pinChatMessage")
def pin_chat_message(call: Call) -> bool:
    """Pin a message; a service message says so, also to the bot itself."""
    world, chat = call.world, call.writable_chat()
    stored = world.find(chat, call.params["message_id"], "message to pin not found")
    if stored.pinned:
        return True
    _set(call, stored, pinned=True)
    about = {key: value for key, value in stored.body.items() if key != "reply_to_message"}
    letter = Letter(chat, call.bot.id, {"pinned_message": about}, stored.body.get("message_thread_id"))
    letter.media, letter.silent = stored.media, bool(call.params.get("disable_notification"))
    post(world, letter)
    return True


@answers("unpinChatMessage")
def unpin_chat_message(call: Call) -> bool:
    """Unpin one message, or the one pinned last."""
    pinned = [stored for stored in call.chat.shown() if stored.pinned]
    wanted = call.params.get("message_id")
    if wanted is not None:
        stored = call.world.find(call.chat, wanted, "message to unpin not found")
        _set(call, stored, pinned=False)
    elif pinned:
        _set(call, pinned[-1], pinned=False)
    return True


@answers("unpinAllChatMessages", "unpinAllForumTopicMessages")
def unpin_all_chat_messages(call: Call) -> bool:
    """Unpin everything in the chat, or in one topic."""
    thread = call.params.get("message_thread_id")
    for stored in call.chat.shown():
        if stored.pinned and thread in (None, stored.body.get("message_thread_id")):
            _set(call, stored, pinned=False)
    return True


def _set(call: Call, stored: Stored, *, pinned: bool) -> None:
    stored.pinned = pinned
    announce(call.world, "pin", call.chat, stored)
