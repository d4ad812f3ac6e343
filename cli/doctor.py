"""`guanjia doctor`: look at everything the assistant needs, and say how to mend what is wrong."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from email.utils import parsedate_to_datetime

import aiohttp
from sqlalchemy import create_engine, text
from sqlalchemy.exc import SQLAlchemyError
from telegram import Bot, ChatMemberAdministrator
from telegram.error import InvalidToken, TelegramError

from bot.transport import make_bot
from cli import database
from cli.understanding import NoModel, newest_model
from service import db
from service.config import Settings

CLOCK_TOLERANCE = 30  # seconds between this machine and Telegram


@dataclass(frozen=True)
class Finding:
    """What one look found; `mend` says what to do when it is not well."""

    well: bool
    what: str
    mend: str = ""


Check = Callable[[Settings], Awaitable[Finding]]


async def examine(settings: Settings, only: list[str]) -> list[tuple[str, Finding]]:
    """Make every look in turn, or those named in `only`."""
    return [(name, await check(settings)) for name, check in CHECKS.items() if not only or name in only]


async def _token(settings: Settings) -> Finding:
    mend = "Get a token from @BotFather and set GUANJIA_BOT_TOKEN."
    if settings.bot_token is None:
        return Finding(False, "no bot token is set", mend)
    try:
        async with _bot(settings) as bot:
            return Finding(True, f"the bot is @{bot.username}")
    except InvalidToken:
        return Finding(False, "Telegram does not know this token", mend)
    except TelegramError as error:
        return Finding(
            False, f"Telegram does not answer: {error.message}", "Check the network and GUANJIA_BOT_API_URL."
        )


async def _webhook(settings: Settings) -> Finding:
    wanted = str(settings.webhook_url) if settings.webhook_url else ""
    try:
        async with _bot(settings) as bot:
            info = await bot.get_webhook_info()
    except TelegramError as error:
        return Finding(False, f"cannot ask: {error.message}", "Mend the token first.")
    if info.url != wanted:
        found = f"the webhook is {info.url or 'not set'}, wanted is {wanted or 'long polling'}"
        return Finding(False, found, "Start `guanjia bot`: it sets or removes the webhook.")
    if info.last_error_message:
        mend = "Check that GUANJIA_WEBHOOK_URL leads to this machine with a valid certificate."
        return Finding(False, f"Telegram could not deliver: {info.last_error_message}", mend)
    return Finding(True, f"{'webhook' if wanted else 'long polling'}, {info.pending_update_count} updates wait")


async def _group(settings: Settings) -> Finding:
    if settings.staff_chat_id is None:
        mend = "Add the bot to your staff group: it tells the number to put into GUANJIA_STAFF_CHAT_ID."
        return Finding(False, "no staff group is set", mend)
    try:
        async with _bot(settings) as bot:
            chat = await bot.get_chat(settings.staff_chat_id)
            member = await bot.get_chat_member(settings.staff_chat_id, bot.id)
    except TelegramError as error:
        return Finding(
            False, f"the staff group: {error.message}", "Add the bot to it, or correct GUANJIA_STAFF_CHAT_ID."
        )
    if not chat.is_forum:
        return Finding(False, f"{chat.title} has no topics", "Switch topics on in the group's settings.")
    if not isinstance(member, ChatMemberAdministrator) or not member.can_manage_topics:
        return Finding(False, "the bot may not manage topics", "Make it an administrator with 'manage topics'.")
    return Finding(True, f"{chat.title}, topics on, rights given")


async def _topics(settings: Settings) -> Finding:
    query = """SELECT count(*) FILTER (WHERE topic.thread_id IS NULL), count(*) FROM departments
               JOIN communities ON communities.id = departments.community_id AND communities.bot_id = :bot_id
               JOIN topics AS topic ON topic.id = departments.topic_id"""
    try:
        planned, every = await asyncio.to_thread(_ask_database, settings, query)
    except (SQLAlchemyError, ValueError):
        return Finding(False, "cannot be looked up", "Mend the database first.")
    return Finding(True, f"{every - planned} of {every} department topics made; the others are made when first needed")


async def _database(settings: Settings) -> Finding:
    mend = "Check GUANJIA_DATABASE_URL and that the server runs; then: guanjia db upgrade"
    try:
        started = time.monotonic()
        (version,) = await asyncio.to_thread(_ask_database, settings, "SELECT current_setting('server_version')")
    except (SQLAlchemyError, ValueError) as error:
        return Finding(False, f"PostgreSQL does not answer ({type(error).__name__})", mend)
    return Finding(True, f"PostgreSQL {version}, {(time.monotonic() - started) * 1000:.0f} ms")


async def _rasa(settings: Settings) -> Finding:
    mend = "Start it with `guanjia serve` or `guanjia rasa`; check GUANJIA_RASA_URL and GUANJIA_RASA_TOKEN."
    url = f"{str(settings.rasa_url).rstrip('/')}/status?token={settings.rasa_token.get_secret_value()}"
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            body = await answer.json() if answer.status == 200 else {}
    except (aiohttp.ClientError, OSError):
        return Finding(False, f"does not answer at {settings.rasa_url}", mend)
    if not body:
        return Finding(False, f"refuses us (HTTP {answer.status})", mend)
    return Finding(True, f"serves {body.get('model_file', 'a model')}")


async def _actions(settings: Settings) -> Finding:
    url = f"http://{settings.actions_host}:{settings.actions_port}/health"
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            well = answer.status == 200
    except (aiohttp.ClientError, OSError):
        well = False
    return Finding(
        well, f"the action server at {url}", "" if well else "Start it with `guanjia serve` or `guanjia actions`."
    )


async def _model(settings: Settings) -> Finding:
    try:
        return Finding(True, newest_model(settings).name)
    except NoModel:
        return Finding(False, "no trained model", "Run: guanjia train")


async def _clock(settings: Settings) -> Finding:
    try:
        async with aiohttp.ClientSession() as http, http.head(str(settings.bot_api_url)) as answer:
            theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, OSError, KeyError, ValueError):
        return Finding(True, "could not be compared (no answer with a date)")
    apart = abs(time.time() - theirs)
    mend = "Switch time synchronisation (NTP) on."
    return Finding(apart < CLOCK_TOLERANCE, f"{apart:.0f} s from Telegram's", "" if apart < CLOCK_TOLERANCE else mend)


CHECKS: dict[str, Check] = {
    "token": _token,
    "webhook": _webhook,
    "group": _group,
    "topics": _topics,
    "database": _database,
    "rasa": _rasa,
    "actions": _actions,
    "model": _model,
    "clock": _clock,
}


def _bot(settings: Settings) -> Bot:
    if settings.bot_token is None:
        raise InvalidToken("no token")
    return make_bot(settings.bot_token.get_secret_value(), str(settings.bot_api_url))


def _ask_database(settings: Settings, query: str) -> tuple[object, ...]:
    with database.opened(settings) as url:
        engine = create_engine(db.url_for(url), connect_args={"connect_timeout": 5})
        with engine.connect() as connection:
            row = connection.execute(text(query), {"bot_id": settings.bot_id} if ":bot_id" in query else {}).one()
        engine.dispose()
    return tuple(row)
