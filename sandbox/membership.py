"""Who is in a chat, and what the bots hear of changes."""

from __future__ import annotations

from sandbox.models import JSON, Chat
from sandbox.posting import Letter, post
from sandbox.world import Bot, World

RIGHTS = (
    *("can_be_edited", "is_anonymous", "can_manage_chat", "can_delete_messages", "can_manage_video_chats"),
    *("can_restrict_members", "can_promote_members", "can_change_info", "can_invite_users", "can_post_stories"),
    *("can_edit_stories", "can_delete_stories", "can_pin_messages", "can_manage_topics"),
)
WITHHELD = frozenset({"can_be_edited", "is_anonymous"})
PRESENT = frozenset({"creator", "administrator", "member"})


def member_card(user: JSON, status: str) -> JSON:
    """A ``ChatMember`` of that status."""
    card: JSON = {"status": status, "user": user}
    if status == "administrator":
        card |= {right: right not in WITHHELD for right in RIGHTS}
    elif status == "creator":
        card["is_anonymous"] = False
    elif status == "kicked":
        card["until_date"] = 0
    return card


def set_member(world: World, chat: Chat, user_id: int, status: str, *, by: int) -> None:
    """Change a person's standing; admins among the bots may hear of it, the chat shows comings and goings."""
    before = chat.members.get(user_id, "left")
    if before == status:
        return
    chat.members[user_id] = status
    for bot_id in chat.bots:
        _tell(world, world.bots_by_id[bot_id], chat, (user_id, by), (before, status), kind="chat_member")
    user = world.user_of(user_id)
    if before not in PRESENT and status in PRESENT:
        post(world, Letter(chat, by, {"new_chat_members": [user]}))
    elif before in PRESENT and status not in PRESENT:
        post(world, Letter(chat, by, {"left_chat_member": user}))
    world.publish("chat", chat_id=chat.id)


def set_blocked(world: World, bot: Bot, user_id: int, *, blocked: bool) -> None:
    """A person blocks the bot or lets it in again."""
    chat = world.private_chat(bot, user_id)
    if chat.blocked == blocked:
        return
    chat.blocked = blocked
    statuses = ("member", "kicked") if blocked else ("kicked", "member")
    _tell(world, bot, chat, (bot.id, user_id), statuses, kind="my_chat_member")
    world.publish("chat", chat_id=chat.id)


def set_bot(world: World, chat: Chat, bot: Bot, status: str, *, by: int) -> None:
    """The bot is let in, made an administrator, or thrown out."""
    before = chat.members.get(bot.id, "left")
    if status in PRESENT:
        chat.bots.add(bot.id)
        chat.kicked_bots.discard(bot.id)
    else:
        chat.bots.discard(bot.id)
        chat.kicked_bots.add(bot.id)
    chat.members[bot.id] = status
    _tell(world, bot, chat, (bot.id, by), (before, status), kind="my_chat_member")


def _tell(world: World, bot: Bot, chat: Chat, who: tuple[int, int], statuses: tuple[str, str], *, kind: str) -> None:
    user = world.user_of(who[0])
    payload = {
        "chat": chat.face,
        "from": world.user_of(who[1]),
        "date": int(world.clock.now()),
        "old_chat_member": member_card(user, statuses[0]),
        "new_chat_member": member_card(user, statuses[1]),
    }
    bot.updates.emit(kind, payload, lane=f"{kind}:{chat.id}")
