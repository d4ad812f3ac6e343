"""Chats and who is in them."""

from __future__ import annotations

from sandbox.errors import bad_request
from sandbox.membership import PRESENT, member_card, set_bot, set_member
from sandbox.models import JSON
from sandbox.posting import as_seen
from sandbox.registry import Call, answers

ADMINS = frozenset({"creator", "administrator"})
GIFTS = ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels")


@answers("getChat")
def get_chat(call: Call) -> JSON:
    """The chat with its pinned message."""
    chat = call.chat
    card: JSON = {
        **chat.face,
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(GIFTS, False),
    }
    pinned = [stored for stored in chat.shown() if stored.pinned]
    if pinned:
        card["pinned_message"] = as_seen(pinned[-1], call.bot)
    return card


@answers("getChatMember")
def get_chat_member(call: Call) -> JSON:
    """One person's standing; a stranger to the chat has left."""
    user_id = call.params["user_id"]
    if user_id not in call.world.users and user_id not in call.world.bots_by_id:
        raise bad_request("user not found")
    return member_card(call.world.user_of(user_id), call.chat.members.get(user_id, "left"))


@answers("getChatAdministrators")
def get_chat_administrators(call: Call) -> list[JSON]:
    """The owner and the administrators, other bots left out."""
    if call.chat.is_private:
        raise bad_request("there are no administrators in the private chat")
    return [
        member_card(call.world.user_of(user_id), status)
        for user_id, status in call.chat.members.items()
        if status in ADMINS and (user_id == call.bot.id or user_id not in call.world.bots_by_id)
    ]


@answers("getChatMemberCount")
def get_chat_member_count(call: Call) -> int:
    """How many are in the chat, the bot among them."""
    count = sum(status in PRESENT for status in call.chat.members.values())
    return count + call.chat.is_private


@answers("banChatMember")
def ban_chat_member(call: Call) -> bool:
    """Throw a person out for good."""
    _change(call, "kicked")
    return True


@answers("unbanChatMember")
def unban_chat_member(call: Call) -> bool:
    """Let a person come back; who is in the chat is removed unless ``only_if_banned``."""
    banned = call.chat.members.get(call.params["user_id"]) == "kicked"
    if banned or not call.params.get("only_if_banned"):
        _change(call, "left")
    return True


def _change(call: Call, status: str) -> None:
    user_id = call.params["user_id"]
    if user_id not in call.world.users:
        raise bad_request("user not found")
    if call.chat.members.get(user_id) in ADMINS:
        raise bad_request("user is an administrator of the chat")
    set_member(call.world, call.chat, user_id, status, by=call.bot.id)


@answers("leaveChat")
def leave_chat(call: Call) -> bool:
    """The bot goes."""
    set_bot(call.world, call.chat, call.bot, "left", by=call.bot.id)
    return True


@answers("exportChatInviteLink")
def export_chat_invite_link(call: Call) -> str:
    """A fresh link; nobody can follow it here."""
    return f"https://t.me/+sandbox{abs(call.chat.id)}{call.world.new_id('invite')}"
