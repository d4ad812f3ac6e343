"""The commands Telegram offers behind the slash: residents' and staff's, in both languages."""

from __future__ import annotations

from contextlib import suppress

from telegram import Bot, BotCommandScope, BotCommandScopeAllPrivateChats, BotCommandScopeChat
from telegram.error import TelegramError

from service import texts

FOR_RESIDENTS = ("start", "help", "cases", "bind", "me", "language", "stop", "export", "forget")
FOR_STAFF = (
    "claim",
    "next",
    "talks",
    "done",
    "undo",
    "transfer",
    "say",
    "incident",
    "duty",
    "staff",
    "phrase",
    "shift",
    "role",
    "languages",
    "console",
)


async def offer(bot: Bot, staff_chat_id: int | None) -> None:
    """Tell Telegram once at start; without it everything works, only the menu is missing."""
    menus: list[tuple[BotCommandScope, tuple[str, ...]]] = [(BotCommandScopeAllPrivateChats(), FOR_RESIDENTS)]
    if staff_chat_id is not None:
        menus.append((BotCommandScopeChat(staff_chat_id), FOR_STAFF))
    with suppress(TelegramError):
        for scope, commands in menus:
            for language, code in (("zh", None), ("en", "en")):
                described = [(name, texts.words(f"utter_commands_{name}", language=language)) for name in commands]
                await bot.set_my_commands(described, scope=scope, language_code=code)
