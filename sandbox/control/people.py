"""Users, groups and who blocks whom."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, HTTPException

from sandbox.control.access import Here, access_bot, access_group, access_user
from sandbox.control.bodies import Block, Group, Member, User
from sandbox.membership import set_blocked, set_bot, set_member
from sandbox.migration import migrate
from sandbox.models import JSON, Chat
from sandbox.view import chat_card
from sandbox.world import World

router = APIRouter(tags=["people"])


@router.post("/users")
async def make_user(world: Here, body: User) -> Any:
    """Make a person, or change the one with this id."""
    number = body.id or world.new_id("user")
    user = {"id": number, "is_bot": False, **body.model_dump(exclude={"id"}, exclude_none=True)}
    world.users[number] = user
    world.publish("user", user=user)
    return user


@router.get("/users")
async def list_users(world: Here) -> Any:
    """Everybody there is."""
    return list(world.users.values())


@router.post("/groups")
async def make_group(world: Here, body: Group) -> Any:
    """Make a group with the bot in it as administrator."""
    return chat_card(world, _make_group(world, body))


@router.post("/groups/{chat_id}/members")
async def change_member(world: Here, chat_id: int, body: Member) -> Any:
    """Let somebody in, make somebody an administrator, or show somebody out."""
    chat = access_group(world, chat_id)
    by = body.by or body.user_id
    if body.user_id in world.bots_by_id:
        set_bot(world, chat, world.bots_by_id[body.user_id], body.status, by=_anybody(world, chat, body.by))
    else:
        set_member(world, chat, access_user(world, body.user_id), body.status, by=by)
    return chat_card(world, chat)


@router.post("/groups/{chat_id}/migrate")
async def migrate_group(world: Here, chat_id: int) -> Any:
    """Give a group a new id, as Telegram does on an upgrade; the answer is the new chat."""
    return chat_card(world, migrate(world, access_group(world, chat_id)))


@router.post("/blocks")
async def block(world: Here, body: Block) -> Any:
    """Let a person block the bot, or let it in again."""
    bot = access_bot(world, body.token)
    set_blocked(world, bot, access_user(world, body.user), blocked=body.blocked)
    return {"user": body.user, "blocked": body.blocked}


def _make_group(world: World, body: Group) -> Chat:
    bot = access_bot(world, body.token)
    people = [access_user(world, user_id) for user_id in dict.fromkeys([*body.admins, *body.members])]
    number = body.id or -(1_000_000_000_000 + world.new_id("group") % 1_000_000_000_000)
    if number in world.groups or number >= 0:
        raise HTTPException(409, f"no group can have the id {number}")
    face: JSON = {"id": number, "title": body.title, "type": "supergroup" if number < -(10**12) else "group"}
    if body.is_forum:
        face["is_forum"] = True
    chat = world.groups[number] = Chat(number, face, last_message_id=1)  # thread 1 is General
    for user_id in people:
        chat.members[user_id] = "administrator" if user_id in body.admins else "member"
    if body.admins:
        chat.members[body.admins[0]] = "creator"
    set_bot(world, chat, bot, "administrator", by=_anybody(world, chat, None))
    world.publish("chat", chat_id=number)
    return chat


def _anybody(world: World, chat: Chat, wanted: int | None) -> int:
    """Who let the bot in: the one named, else some person of the group, else the bot itself."""
    people = (user_id for user_id in chat.members if user_id in world.users)
    return wanted or next(people, world.first_bot.id)
