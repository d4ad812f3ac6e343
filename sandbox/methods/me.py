"""Who the bot is."""

from __future__ import annotations

from sandbox.models import JSON
from sandbox.registry import Call, answers

ABILITIES = {
    "can_join_groups": True,
    "can_read_all_group_messages": False,
    "supports_inline_queries": False,
    "can_connect_to_business": False,
    "has_main_web_app": False,
    "has_topics_enabled": False,
    "allows_users_to_create_topics": False,
}


@answers("getMe")
def get_me(call: Call) -> JSON:
    """The bot's own user with its abilities."""
    return call.bot.user | ABILITIES


@answers("logOut", "close")
def go_away(_: Call) -> bool:
    """Nothing to leave: there is one server."""
    return True
