"""Looks at Telegram for the doctor: what it knows of our bot, its webhook and the staff group, as plain data."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from telegram import Bot, ChatMember, ChatMemberAdministrator
from telegram.error import InvalidToken, TelegramError

from bot.transport import make_bot


class TokenUnknown(Exception):
    """Telegram does not know this token."""


class NoAnswer(Exception):
    """Telegram refuses or cannot be reached; the message is its own, or the network's."""


@dataclass(frozen=True)
class Telegram:
    """Whom to ask, as whom."""

    token: str
    api_url: str


@dataclass(frozen=True)
class Webhook:
    """Where Telegram delivers; an empty `url` means that it waits to be asked."""

    url: str
    waiting: int
    error: str | None


@dataclass(frozen=True)
class Group:
    """What the staff group looks like to the bot."""

    title: str
    has_topics: bool
    is_member: bool
    is_administrator: bool
    may_manage_topics: bool
    may_pin: bool


async def username(telegram: Telegram) -> str:
    """The bot's name, without the @.

    Raises:
        TokenUnknown: the token is wrong or was revoked.
        NoAnswer: Telegram cannot be asked.
    """
    async with _asking(telegram) as bot:
        return bot.username


async def webhook(telegram: Telegram) -> Webhook:
    """Where updates go, how many wait, and why the last one could not be delivered.

    Raises:
        TokenUnknown: the token is wrong or was revoked.
        NoAnswer: Telegram cannot be asked.
    """
    async with _asking(telegram) as bot:
        info = await bot.get_webhook_info()
    return Webhook(info.url, info.pending_update_count, info.last_error_message)


async def group(telegram: Telegram, chat_id: int) -> Group:
    """The staff group and the bot's rights in it.

    Raises:
        TokenUnknown: the token is wrong or was revoked.
        NoAnswer: Telegram cannot be asked, or the bot does not see such a chat.
    """
    async with _asking(telegram) as bot:
        chat = await bot.get_chat(chat_id)
        member = await bot.get_chat_member(chat_id, bot.id)
    rights = member if isinstance(member, ChatMemberAdministrator) else None
    return Group(
        title=chat.title or str(chat_id),
        has_topics=bool(chat.is_forum),
        is_member=member.status not in {ChatMember.LEFT, ChatMember.BANNED},
        is_administrator=rights is not None,
        may_manage_topics=bool(rights and rights.can_manage_topics),
        may_pin=bool(rights and rights.can_pin_messages),
    )


@asynccontextmanager
async def _asking(telegram: Telegram) -> AsyncIterator[Bot]:
    bot = make_bot(telegram.token, telegram.api_url, connections=1)
    try:
        await bot.initialize()
        yield bot
    except InvalidToken:
        raise TokenUnknown from None  # its message holds the token
    except TelegramError as error:
        raise NoAnswer(error.message) from error
    finally:
        await bot.shutdown()  # `async with bot` would leave its connections open when the look is cancelled
