"""What the chats show."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException, Response

from sandbox.control.access import Here, access_chat, access_group
from sandbox.control.bodies import TopicBody
from sandbox.files import content_of
from sandbox.models import Chat, Stored, Topic
from sandbox.topics import close_topic, create_topic, delete_topic, reopen_topic
from sandbox.view import chat_card, shown
from sandbox.world import World

router = APIRouter(tags=["chats"])


@router.get("/chats")
async def list_chats(world: Here) -> Any:
    """Every chat with its topics and its last message."""
    private = [chat for bot in world.bots.values() for chat in bot.private.values()]
    return [chat_card(world, chat) for chat in (*private, *world.groups.values())]


@router.get("/chats/{chat_id}/messages")
async def list_messages(
    world: Here,
    chat_id: int,
    thread: int | None = None,
    after: int = 0,
    *,
    include_deleted: bool = False,
    token: str | None = None,
) -> Any:
    """What a chat shows now; thread 0 is General."""
    chat = access_chat(world, chat_id, token)
    found = chat.messages.values() if include_deleted else chat.shown()
    return [shown(world, chat, s) for s in list(found) if s.id > after and _in_thread(s, thread)]


@router.get("/files/{unique_id}")
async def get_file(world: Here, unique_id: str) -> Response:
    """The bytes of a file, for the web page."""
    file = world.files.get(unique_id)
    if file is None:
        raise HTTPException(404, "no such file")
    return Response(content_of(file), media_type=file.mime)


@router.post("/topics")
async def make_topic(world: Here, body: TopicBody) -> Any:
    """Open a topic by hand."""
    chat = access_group(world, body.chat_id)
    if not chat.is_forum:
        raise HTTPException(400, "the group has no topics")
    return create_topic(world, chat, _person(world, chat, body.sender), body.name, {}).card()


@router.delete("/topics/{chat_id}/{thread_id}")
async def remove_topic(world: Here, chat_id: int, thread_id: int) -> Any:
    """Delete a topic by hand; the bot hears nothing of it."""
    chat, topic = _access_topic(world, chat_id, thread_id)
    delete_topic(world, chat, topic)
    return {"deleted": True}


@router.post("/topics/{chat_id}/{thread_id}/close")
async def close(world: Here, chat_id: int, thread_id: int) -> Any:
    """Close a topic by hand."""
    chat, topic = _access_topic(world, chat_id, thread_id)
    close_topic(world, chat, topic, _person(world, chat, None))
    return topic.card() | {"closed": True}


@router.post("/topics/{chat_id}/{thread_id}/reopen")
async def reopen(world: Here, chat_id: int, thread_id: int) -> Any:
    """Open a closed topic again by hand."""
    chat, topic = _access_topic(world, chat_id, thread_id)
    reopen_topic(world, chat, topic, _person(world, chat, None))
    return topic.card() | {"closed": False}


def _in_thread(stored: Stored, thread: int | None) -> bool:
    """Whether a message belongs to the thread asked for; 0 is General."""
    return thread is None or (stored.body.get("message_thread_id") or 0) == thread


def _access_topic(world: World, chat_id: int, thread_id: int) -> tuple[Chat, Topic]:
    chat = access_group(world, chat_id)
    if thread_id not in chat.topics:
        raise HTTPException(404, f"no topic {thread_id} in chat {chat_id}")
    return chat, chat.topics[thread_id]


def _person(world: World, chat: Chat, wanted: int | None) -> int:
    """Who acts: the one named, else some person of the group."""
    if wanted is not None and wanted not in world.users:
        raise HTTPException(404, f"no user {wanted}")
    found = wanted or next((user_id for user_id in chat.members if user_id in world.users), None)
    if found is None:
        raise HTTPException(400, "the group has no member who could do this")
    return found
