"""What a person looking at a chat sees: the messages as they stand now."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sandbox.files import addressed
from sandbox.models import JSON, Chat, Stored
from sandbox.world import World


def shown(world: World, chat: Chat, stored: Stored) -> JSON:
    """A message in Bot API form plus what only the sandbox knows."""
    bot_id = next(iter(chat.bots), world.first_bot.id)
    body: JSON = addressed(stored.body, bot_id) if stored.media else dict(stored.body)
    body["sandbox"] = {
        "from_bot": stored.sender in world.bots_by_id,
        "edited": "edit_date" in body,
        "deleted": stored.deleted,
        "pinned": stored.pinned,
        "silent": stored.silent,
        "keyboard": stored.keyboard,
        "reactions": reactions(stored),
        "files": [_file(world, unique_id) for unique_id in _unique_ids(stored.body)],
    }
    return body


def reactions(stored: Stored) -> list[JSON]:
    """Each emoji with how many and who put it there."""
    counts = Counter(emoji for chosen in stored.reactions.values() for emoji in chosen)
    return [
        {"emoji": emoji, "count": count, "users": [u for u, chosen in stored.reactions.items() if emoji in chosen]}
        for emoji, count in counts.items()
    ]


def chat_card(world: World, chat: Chat) -> JSON:
    """A chat for the list: who is in it, its topics, its last message."""
    last = next((s for s in reversed(chat.messages.values()) if not s.deleted), None)
    return {
        **chat.face,
        "bots": sorted(chat.bots),
        "members": [{"user_id": user, "status": status} for user, status in chat.members.items()],
        "topics": [topic.card() | {"closed": topic.closed} for topic in chat.topics.values()],
        "last_message": shown(world, chat, last) if last else None,
        "keyboard": chat.keyboard,
        "started": chat.started,
        "blocked": chat.blocked,
        "migrated_to": chat.migrated_to,
    }


def _file(world: World, unique_id: str) -> JSON:
    file = world.files[unique_id]
    return {
        "file_unique_id": unique_id,
        "kind": file.kind,
        "name": file.name,
        "mime_type": file.mime,
        "size": file.size,
        "url": f"/sim/files/{unique_id}",
    }


def _unique_ids(body: JSON) -> list[str]:
    """The files a message shows; of a photo's sizes only the largest, of an animation not its document twin."""
    found: list[str] = []
    for key, value in body.items():
        if key in ("reply_to_message", "pinned_message", "external_reply"):
            continue
        item: Any = value[-1] if key == "photo" and value else value
        if isinstance(item, dict) and "file_unique_id" in item and item["file_unique_id"] not in found:
            found.append(item["file_unique_id"])
    return found
