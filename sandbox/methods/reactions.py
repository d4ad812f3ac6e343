"""Emoji on a message."""

from __future__ import annotations

from sandbox import spec
from sandbox.errors import bad_request
from sandbox.models import JSON
from sandbox.registry import Call, answers
from sandbox.view import reactions

ALLOWED = frozenset(spec.load()["types"]["ReactionTypeEmoji"]["fields"]["emoji"]["choices"])


def emoji_of(reaction: JSON) -> str:
    """The emoji of a ``ReactionType``; only free standard ones exist here."""
    emoji = reaction.get("emoji")
    if reaction.get("type") != "emoji" or not isinstance(emoji, str) or emoji.replace("\ufe0f", "") not in PLAIN:
        raise bad_request("REACTION_INVALID")
    return emoji


PLAIN = frozenset(emoji.replace("\ufe0f", "") for emoji in ALLOWED)


@answers("setMessageReaction")
def set_message_reaction(call: Call) -> bool:
    """The bot's one reaction to a message, or none."""
    stored = call.world.find(call.chat, call.params["message_id"], "message to react not found")
    chosen = [emoji_of(reaction) for reaction in call.params.get("reaction") or ()]
    if len(chosen) > 1:
        raise bad_request("REACTIONS_TOO_MANY")
    stored.reactions[call.bot.id] = chosen
    call.world.publish("reaction", chat_id=call.chat.id, message_id=stored.id, reactions=reactions(stored))
    return True
