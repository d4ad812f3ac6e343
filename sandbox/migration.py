"""A group becomes a supergroup: a new id everywhere."""

from __future__ import annotations

from dataclasses import replace

from sandbox.models import Chat
from sandbox.posting import Letter, post
from sandbox.world import World


def migrate(world: World, old: Chat) -> Chat:
    """Move a group with its people, topics and messages to a new id; the old one only points there.

    Topics keep their thread ids, so that a bot need only rewrite the id of the chat.
    """
    number = -(1_000_000_000_000 + world.new_id("group") % 1_000_000_000_000)
    face = {**old.face, "id": number, "type": "supergroup"}
    new = world.groups[number] = replace(old, id=number, face=face, messages={}, members=dict(old.members))
    for message_id, stored in old.messages.items():
        new.messages[message_id] = replace(stored, body={**stored.body, "chat": face})
    sender = next((user for user in old.members if user in world.users), world.first_bot.id)
    old.topics = {}
    post(world, Letter(old, sender, {"migrate_to_chat_id": number}))
    old.migrated_to = number
    post(world, Letter(new, sender, {"migrate_from_chat_id": old.id}))
    world.publish("chat", chat_id=old.id)
    world.publish("chat", chat_id=number)
    return new
