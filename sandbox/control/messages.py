"""What people do in chats: write, tap, edit, react, delete."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException

from sandbox.control.access import Here, access_bot, access_chat, access_chat_as, access_message, access_user
from sandbox.control.bodies import Deletion, Edit, Message, Reaction, Tap
from sandbox.control.writing import edit_as, write_as
from sandbox.models import JSON, Callback, Chat, Stored
from sandbox.posting import as_seen, remove
from sandbox.view import reactions, shown
from sandbox.world import World

router = APIRouter(tags=["messages"])


@router.post("/messages")
async def write(world: Here, body: Message) -> Any:
    """Send something as a person; an album answers with a list."""
    bot = access_bot(world, body.token)
    access_user(world, body.sender)
    chat = access_chat_as(world, body.sender, body.chat_id or body.sender, body.token)
    written = write_as(world, bot, chat, body)
    cards = [shown(world, chat, stored) for stored in written]
    return cards if body.album is not None else cards[0]


@router.post("/edits")
async def edit(world: Here, body: Edit) -> Any:
    """Change a message as its author."""
    chat = access_chat_as(world, body.sender, body.chat_id, body.token)
    stored = access_message(chat, body.message_id)
    if stored.sender != body.sender:
        raise HTTPException(403, "people edit only what they wrote themselves")
    edit_as(world, chat, stored, body)
    return shown(world, chat, stored)


@router.post("/deletions")
async def delete(world: Here, body: Deletion) -> Any:
    """Delete messages as people do; the bot hears nothing of it."""
    chat = access_chat(world, body.chat_id, body.token)
    found = [access_message(chat, message_id) for message_id in body.message_ids]
    for stored in found:
        remove(world, chat, stored)
    return {"deleted": len(found)}


@router.post("/taps")
async def tap(world: Here, body: Tap) -> Any:
    """Tap a button."""
    chat = access_chat_as(world, body.sender, body.chat_id, body.token)
    stored = access_message(chat, body.message_id, deleted=body.stale)
    return {"callback_query_id": _tap(world, chat, stored, body).id}


@router.get("/taps/{callback_query_id}")
async def show_tap(world: Here, callback_query_id: str) -> Any:
    """What the bot answered to a tap."""
    found = world.callbacks.get(callback_query_id)
    if found is None:
        raise HTTPException(404, "no such tap")
    return {"answered": found.answered, "text": found.text, "show_alert": found.show_alert, "url": found.url}


@router.post("/reactions")
async def react(world: Here, body: Reaction) -> Any:
    """Set a person's reactions."""
    chat = access_chat_as(world, body.sender, body.chat_id, body.token)
    stored = access_message(chat, body.message_id)
    _react(world, chat, stored, body)
    return {"reactions": reactions(stored)}


def _tap(world: World, chat: Chat, stored: Stored, body: Tap) -> Callback:
    data = _data(stored, body)
    bot = world.bots_by_id.get(stored.sender)
    if bot is None:
        raise HTTPException(400, "only messages of a bot have buttons")
    callback = Callback(str(world.new_id("callback")), bot.id, world.clock.now())
    world.callbacks[callback.id] = callback
    gone = {"chat": chat.face, "message_id": stored.id, "date": 0}
    query: JSON = {
        "id": callback.id,
        "from": world.user_of(body.sender),
        "message": gone if stored.deleted else as_seen(stored, bot),
        "chat_instance": str(chat.id * 31),
        "data": data,
    }
    bot.updates.emit("callback_query", query, lane=f"callback_query:{body.sender}")
    world.publish("tap", chat_id=chat.id, message_id=stored.id, callback_query_id=callback.id, data=data)
    return callback


def _data(stored: Stored, body: Tap) -> str:
    """The data of the button tapped."""
    rows = stored.body.get("reply_markup", {}).get("inline_keyboard", [])
    if body.data is None:
        try:
            data: str = rows[body.row or 0][body.col or 0]["callback_data"]
        except (IndexError, KeyError) as error:
            raise HTTPException(404, "no such callback button") from error
        return data
    if not body.stale and not any(button.get("callback_data") == body.data for row in rows for button in row):
        raise HTTPException(404, "no button with this data on the message; set stale to tap it all the same")
    return body.data


def _react(world: World, chat: Chat, stored: Stored, body: Reaction) -> None:
    before = stored.reactions.get(body.sender, [])
    stored.reactions[body.sender] = body.emoji
    payload = {
        "chat": chat.face,
        "message_id": stored.id,
        "user": world.user_of(body.sender),
        "date": int(world.clock.now()),
        "old_reaction": [{"type": "emoji", "emoji": emoji} for emoji in before],
        "new_reaction": [{"type": "emoji", "emoji": emoji} for emoji in body.emoji],
    }
    for bot_id in chat.bots:
        if chat.is_private or chat.members.get(bot_id) == "administrator":
            world.bots_by_id[bot_id].updates.emit("message_reaction", payload, lane=f"message_reaction:{chat.id}")
    world.publish("reaction", chat_id=chat.id, message_id=stored.id, reactions=reactions(stored))
