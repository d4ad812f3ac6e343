"""The bot's menu of commands, per scope and language."""

from __future__ import annotations

import json
import re

from sandbox.errors import bad_request
from sandbox.models import JSON
from sandbox.registry import Call, answers

NAME = re.compile(r"[a-z0-9_]{1,32}")
LIST_MAX = 100
DESCRIPTION_MAX = 256  # characters


def _key(params: JSON) -> tuple[str, str]:
    scope = params.get("scope") or {"type": "default"}
    return json.dumps(scope, sort_keys=True), params.get("language_code") or ""


@answers("setMyCommands")
def set_my_commands(call: Call) -> bool:
    """Replace the list of one scope and language."""
    commands = call.params["commands"]
    if len(commands) > LIST_MAX:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        if not NAME.fullmatch(command.get("command", "").removeprefix("/")):
            raise bad_request("BOT_COMMAND_INVALID")
        if not 1 <= len(command.get("description", "")) <= DESCRIPTION_MAX:
            raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")
    call.bot.commands[_key(call.params)] = commands
    return True


@answers("getMyCommands")
def get_my_commands(call: Call) -> list[JSON]:
    """The list of exactly this scope and language."""
    return call.bot.commands.get(_key(call.params), [])


@answers("deleteMyCommands")
def delete_my_commands(call: Call) -> bool:
    """Forget one list."""
    call.bot.commands.pop(_key(call.params), None)
    return True
