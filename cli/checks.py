"""What `guanjia doctor` looks at besides our own processes: Telegram, the database, Rasa and this machine."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

import aiohttp
from alembic.script import ScriptDirectory
from sqlalchemy import NullPool, create_engine, text
from sqlalchemy.exc import ProgrammingError, SQLAlchemyError

from bot import checkup
from cli import postgres
from cli.findings import Check, Unwell
from service import db
from service.config import Settings
from service.language_models import file_of

CONNECT_WITHIN = 3  # seconds until PostgreSQL is taken for gone
CLOCK_TOLERANCE = 30.0  # seconds between this machine and Telegram
ON_THIS_MACHINE = ("127.0.0.1", "localhost", "[::1]")

T = TypeVar("T")


async def _token(settings: Settings) -> str:
    return f"the bot is @{await _told(checkup.username(_telegram(settings)))}"


async def _webhook(settings: Settings) -> str:
    wanted = str(settings.webhook_url) if settings.webhook_url else ""
    hook = await _told(checkup.webhook(_telegram(settings)))
    if hook.url != wanted:
        found = f"the webhook is {hook.url or 'not set'}, wanted is {wanted or 'long polling'}"
        raise Unwell(found, "Start `guanjia serve` (or `guanjia ingress`): it sets or removes the webhook.")
    if hook.error and hook.waiting:
        mend = "Check that GUANJIA_WEBHOOK_URL leads to this machine, ends in /telegram and has a valid certificate."
        raise Unwell(f"Telegram cannot deliver {hook.waiting} updates: {hook.error}", mend)
    return f"{'webhook' if wanted else 'long polling'}, {hook.waiting} updates wait"


async def _group(settings: Settings) -> str:
    if settings.staff_chat_id is None:
        mend = "Add the bot to your staff group: it says the number to put into GUANJIA_STAFF_CHAT_ID."
        raise Unwell("no staff group is set", mend)
    mend = "Add the bot to the group, or correct GUANJIA_STAFF_CHAT_ID: the bot says the number when it is added."
    group = await _told(checkup.group(_telegram(settings), settings.staff_chat_id), mend=mend)
    if not group.is_member:
        raise Unwell(f"the bot is not in {group.title}", mend)
    if not group.has_topics:
        raise Unwell(f"{group.title} has no topics", "Switch topics on: group, edit, Topics.")
    if not group.is_administrator:
        mend = "Make it one, with 'manage topics' and 'pin messages'."
        raise Unwell(f"the bot is no administrator of {group.title}", mend)
    if not group.may_manage_topics:
        raise Unwell("the bot may not manage topics", "Give it 'manage topics': group, edit, Administrators.")
    if not group.may_pin:
        mend = "Give it 'pin messages': group, edit, Administrators. Until then the board is there, but not on top."
        raise Unwell("the bot may not pin messages", mend)
    return f"{group.title}, topics on, rights given"


async def _topics(settings: Settings) -> str:
    query = """SELECT count(topics.thread_id), count(*) FROM departments
               JOIN communities ON communities.id = departments.community_id AND communities.bot_id = :bot_id
               JOIN topics ON topics.id = departments.topic_id"""
    made, every = await asyncio.to_thread(_ask_database, settings, query, bot_id=settings.bot_id)
    return f"{made} of {every} department topics made; the others are made when first needed"


async def _database(settings: Settings) -> str:
    query = "SELECT current_setting('server_version'), (SELECT version_num FROM alembic_version)"
    version, schema = await asyncio.to_thread(_ask_database, settings, query)
    newest = ScriptDirectory(str(db.MIGRATIONS)).get_current_head()
    if schema != newest:
        raise Unwell(f"the tables are of version {schema}, wanted is {newest}", "Run: guanjia db upgrade")
    return f"PostgreSQL {version}, tables of version {schema}"


async def _rasa(settings: Settings) -> str:
    return f"serves {await _served(settings)}"


async def _served(settings: Settings) -> str:
    """The file of the model that Rasa serves."""
    start = "Start it with `guanjia serve` or `guanjia rasa`; check GUANJIA_RASA_URL."
    url = f"{str(settings.rasa_url).rstrip('/')}/status"
    try:
        async with (
            aiohttp.ClientSession() as http,
            http.get(url, params={"token": settings.rasa_token.get_secret_value()}) as answer,
        ):
            if answer.status == 401:
                raise Unwell("Rasa refuses our token", "Start Rasa and the bot with the same GUANJIA_RASA_TOKEN.")
            if answer.status == 409:
                raise Unwell("Rasa serves no model", "Run: guanjia doctor --only model --only actions")
            model: str | None = (await answer.json())["model_file"] if answer.status == 200 else None
    except (aiohttp.ClientError, OSError, KeyError, ValueError):
        raise Unwell(f"no Rasa answers at {settings.rasa_url}", start) from None
    if model is None:
        raise Unwell(f"what answers at {settings.rasa_url} is not Rasa (HTTP {answer.status})", start)
    return model


async def _actions(settings: Settings) -> str:
    url = f"http://{settings.actions_host}:{settings.actions_port}/health"
    mend = "Start it with `guanjia serve` or `guanjia actions`; check GUANJIA_ACTIONS_PORT."
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            status = answer.status
    except (aiohttp.ClientError, OSError):
        raise Unwell(f"no action server answers at {url}", mend) from None
    if status != 200:
        raise Unwell(f"what answers at {url} is not the action server (HTTP {status})", mend)
    return f"answers at {url}"


async def _console(settings: Settings) -> str:
    url = f"http://{settings.console_host}:{settings.console_port}/healthz"
    mend = "Start it with `guanjia serve` or `guanjia console`; check GUANJIA_CONSOLE_PORT."
    try:
        async with aiohttp.ClientSession() as http, http.get(url) as answer:
            status = answer.status
    except (aiohttp.ClientError, OSError):
        raise Unwell(f"no console answers at {url}", mend) from None
    if status == 503:
        raise Unwell("the console has no database", "Run: guanjia doctor --only database")
    if status != 200:
        raise Unwell(f"what answers at {url} is not the console (HTTP {status})", mend)
    return f"answers at {url}, known as {settings.console_url}"


async def _model(settings: Settings) -> str:
    query = """SELECT (SELECT name FROM activations JOIN language_models ON language_models.id = model_id
                       ORDER BY activations.id DESC LIMIT 1)"""
    [active] = await asyncio.to_thread(_ask_database, settings, query)
    if active is None:
        raise Unwell("no model is active", "Run: guanjia train")
    file = file_of(settings.models_dir, str(active))
    if settings.rasa_url.host in ON_THIS_MACHINE and not await asyncio.to_thread(file.is_file):
        raise Unwell(f"{active} is active, but {file} is gone", "Put it back, or run: guanjia rollback")
    try:
        served = await _served(settings)
    except Unwell:  # which is another look's business
        return f"{active} is active"
    if served != file.name:
        mend = "Rasa follows within some seconds; look again, then at its log: if the file is broken, guanjia rollback"
        raise Unwell(f"{active} is active, but Rasa serves {served}", mend)
    return f"{active} is active and served"


async def _clock(settings: Settings) -> str:
    try:
        async with aiohttp.ClientSession() as http, http.head(str(settings.bot_api_url)) as answer:
            theirs = parsedate_to_datetime(answer.headers["Date"]).timestamp()
    except (aiohttp.ClientError, OSError, KeyError, ValueError):
        return "could not be compared: no answer with a date"
    apart = abs(time.time() - theirs)
    if apart > CLOCK_TOLERANCE:
        raise Unwell(f"{apart:.0f} s from Telegram's", "Switch time synchronisation on: timedatectl set-ntp true")
    return f"{apart:.0f} s from Telegram's"


CHECKS: dict[str, Check] = {
    "token": _token,
    "webhook": _webhook,
    "group": _group,
    "topics": _topics,
    "database": _database,
    "rasa": _rasa,
    "actions": _actions,
    "console": _console,
    "model": _model,
    "clock": _clock,
}


def _telegram(settings: Settings) -> checkup.Telegram:
    if settings.bot_token is None:
        raise Unwell("no bot token is set", "Get one from @BotFather and set GUANJIA_BOT_TOKEN.")
    return checkup.Telegram(settings.bot_token.get_secret_value(), str(settings.bot_api_url))


async def _told(
    question: Coroutine[Any, Any, T], mend: str = "Check the network and GUANJIA_BOT_API_URL; try again."
) -> T:
    try:
        return await question
    except checkup.TokenUnknown:
        mend = "Copy it from @BotFather (/mybots, API Token) into GUANJIA_BOT_TOKEN."
        raise Unwell("Telegram does not know this token", mend) from None
    except checkup.NoAnswer as error:
        raise Unwell(f"Telegram: {error}", mend) from None


_one_at_a_time = threading.Lock()  # the embedded server is started and stopped by whoever looks


def _ask_database(settings: Settings, query: str, **values: object) -> tuple[object, ...]:
    """One row, from a database that is looked at as it is: nothing is migrated."""
    mend = "Check GUANJIA_DATABASE_URL, and that the server runs and lets us in."
    try:
        with _one_at_a_time, _reached(settings) as url:
            engine = create_engine(
                db.url_for(url), poolclass=NullPool, connect_args={"connect_timeout": CONNECT_WITHIN}
            )
            with engine.connect() as connection:
                return tuple(connection.execute(text(query), values).one())
    except ProgrammingError:
        raise Unwell("the tables are missing or old", "Run: guanjia db upgrade") from None
    except (SQLAlchemyError, ValueError, OSError) as error:
        raise Unwell(f"PostgreSQL does not answer ({type(error).__name__})", mend) from None


@contextmanager
def _reached(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url.get_secret_value()
        return
    if not postgres.is_made(settings.data_dir):
        raise Unwell(f"there is no database in {settings.data_dir} yet", "Run: guanjia db upgrade")
    server = postgres.Postgres(settings.data_dir)
    try:
        yield db.ensure_database(server.url, postgres.DATABASE)
    finally:
        server.stop()
