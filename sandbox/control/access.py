"""From what a request names to the thing itself, or the reason it is not there."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, HTTPException, Request

from sandbox.membership import PRESENT
from sandbox.models import Chat, Stored
from sandbox.world import Bot, World


def access_world(request: Request) -> World:
    """The world this server shows."""
    world: World = request.app.state.world
    return world


Here = Annotated[World, Depends(access_world)]


def access_bot(world: World, token: str | None) -> Bot:
    """The bot of a token (or of its id); the first one when none is named."""
    if token is None:
        return world.first_bot
    bot = world.bots.get(token) or (world.bots_by_id.get(int(token)) if token.isdigit() else None)
    if bot is None:
        raise HTTPException(404, "no bot with this token")
    return bot


def access_user(world: World, user_id: int) -> int:
    """A person the sandbox knows."""
    if user_id not in world.users:
        raise HTTPException(404, f"no user {user_id}; make one with POST /sim/users")
    return user_id


def access_group(world: World, chat_id: int) -> Chat:
    """A group that has not moved."""
    chat = world.groups.get(chat_id)
    if chat is None:
        raise HTTPException(404, f"no group {chat_id}")
    if chat.migrated_to is not None:
        raise HTTPException(409, f"the group has moved to {chat.migrated_to}")
    return chat


def access_chat(world: World, chat_id: int, token: str | None = None) -> Chat:
    """A group, or a person's chat with a bot."""
    if chat_id < 0:
        chat = world.groups.get(chat_id)
        if chat is None:
            raise HTTPException(404, f"no group {chat_id}")
        return chat
    return world.private_chat(access_bot(world, token), access_user(world, chat_id))


def access_chat_as(world: World, user_id: int, chat_id: int, token: str | None = None) -> Chat:
    """A chat in which this person may act."""
    access_user(world, user_id)
    chat = access_group(world, chat_id) if chat_id < 0 else access_chat(world, chat_id, token)
    if chat.members.get(user_id) not in PRESENT:
        raise HTTPException(403, f"user {user_id} is not in chat {chat_id}")
    return chat


def access_message(chat: Chat, message_id: int, *, deleted: bool = False) -> Stored:
    """A message of the chat, by default one that is still shown."""
    stored = chat.messages.get(message_id)
    if stored is None or (stored.deleted and not deleted):
        raise HTTPException(404, f"no message {message_id} in chat {chat.id}")
    return stored
