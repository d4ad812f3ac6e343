"""The commands behind the slash."""

from __future__ import annotations

from bot import menu
from bot.handlers import commands, staff_commands


def test_every_command_that_is_offered_does_something():
    assert {f"/{name}" for name in menu.FOR_RESIDENTS} == set(commands.RESIDENT_COMMANDS)
    assert {f"/{name}" for name in menu.FOR_STAFF} == {one for one in staff_commands.COMMANDS if one.isascii()}
