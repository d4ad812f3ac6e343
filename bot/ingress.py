"""From Telegram to the inbox: kept for ever before Telegram is told that we have it."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import structlog
import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from telegram import Bot
from telegram.error import Conflict, NetworkError, RetryAfter, TelegramError

from bot.arrivals import MOST_BYTES, arrival, callback_query_id
from bot.heart import BEATS_EVERY, unwatched
from bot.transport import retry_after
from service import db, inbox, private_talks
from service.inbox import Arrival

log = structlog.get_logger(__name__)
POLL = 30  # seconds of one long poll
ALLOWED_UPDATES = [
    "message",
    "edited_message",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "message_reaction",
]


class Mailbox:
    """Keeps arrivals in the inbox; those that come while a commit runs share the next one."""

    def __init__(self, bot_id: int, sessions: db.Sessions, *, fragment_wait: float) -> None:
        self._bot_id = bot_id
        self._sessions = sessions
        self._fragment_wait = fragment_wait
        self._waiting: list[tuple[Sequence[Arrival], asyncio.Future[None]]] = []
        self._writing: asyncio.Task[None] | None = None

    async def keep(self, bodies: Sequence[bytes]) -> None:
        """Return when the updates are committed.

        Raises:
            SQLAlchemyError: they are not; Telegram must send them again.
        """
        arrivals = [arrival(body, fragment_wait=self._fragment_wait) for body in bodies]
        kept: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((arrivals, kept))
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())
        await kept

    async def _write(self) -> None:
        while self._waiting:
            batch, self._waiting = self._waiting, []
            try:
                await asyncio.to_thread(self._put, [one for arrivals, _ in batch for one in arrivals])
            except SQLAlchemyError as error:
                _settle_all(batch, error)
            else:
                _settle_all(batch, None)

    def _put(self, arrivals: list[Arrival]) -> None:
        with db.transaction(self._sessions) as session:
            inbox.put(session, self._bot_id, without_needless_waits(session, self._bot_id, arrivals))


def without_needless_waits(session: Session, bot_id: int, arrivals: Sequence[Arrival]) -> list[Arrival]:
    """A fragment waits because the assistant is to understand it with its next bubble; staff's goes to a resident."""
    chats = {one.fragment_in for one in arrivals if one.fragment_in is not None}
    talking = private_talks.talking(session, bot_id, chats) if chats else set()
    return [replace(one, wait=0.0) if one.fragment_in in talking else one for one in arrivals]


def _settle_all(batch: list[tuple[Sequence[Arrival], asyncio.Future[None]]], error: Exception | None) -> None:
    for _, kept in batch:
        if kept.done():
            continue
        if error is None:
            kept.set_result(None)
        else:
            kept.set_exception(error)


class Taps:
    """Answers taps at once, so that buttons stop spinning; what they mean is the worker's business."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._answering: set[asyncio.Task[None]] = set()

    def answer(self, body: bytes) -> None:
        """Answer the tap in `body`, if it is one."""
        query_id = callback_query_id(body)
        if query_id is None:
            return
        task = asyncio.create_task(self._answer(query_id))
        self._answering.add(task)
        task.add_done_callback(self._answering.discard)

    async def _answer(self, query_id: str) -> None:
        with suppress(TelegramError):  # too old, or unreachable: a spinning button is all that is lost
            await self._bot.answer_callback_query(query_id)


async def poll(bot: Bot, mailbox: Mailbox, *, beat: Callable[[], None] = unwatched) -> None:
    """Fetch updates for ever; the next request confirms the last ones, so it is made after their commit."""
    taps = Taps(bot)
    offset = 0
    await _until_done(lambda: bot.delete_webhook(drop_pending_updates=False))
    while True:
        beat()
        try:
            updates = await _get_updates(bot, offset)
            if not updates:
                continue
            bodies = [json.dumps(update).encode() for update in updates]
            await mailbox.keep(bodies)
            offset = _after(updates) or await _out_of_step()
            for body in bodies:
                taps.answer(body)
        except RetryAfter as error:
            await asyncio.sleep(retry_after(error))
        except Conflict:
            log.exception("another_poller_or_webhook")
            await asyncio.sleep(5.0)
        except (TelegramError, SQLAlchemyError) as error:
            log.warning("poll_failed", error=type(error).__name__)
            await asyncio.sleep(1.0)


def _after(updates: Sequence[Any]) -> int | None:
    """The offset that confirms the updates; None when none of them has a number."""
    numbers = [update.get("update_id") for update in updates if isinstance(update, dict)]
    return max((number + 1 for number in numbers if isinstance(number, int)), default=None)


async def _out_of_step() -> int:
    """Updates without numbers can only be fetched again: slowly, and loudly."""
    log.error("updates_without_numbers")
    await asyncio.sleep(5.0)
    return 0


async def _get_updates(bot: Bot, offset: int) -> list[dict[str, Any]]:
    """The updates as Telegram wrote them: the library's types would refuse, or lose, what they do not know."""
    url = f"{bot.base_url}/getUpdates?offset={offset}&timeout={POLL}&allowed_updates={json.dumps(ALLOWED_UPDATES)}"
    found = await bot._request[0].post(url, read_timeout=POLL + 10)  # noqa: SLF001 - the polling pool has no public name
    assert isinstance(found, list)
    return found


async def _until_done(call: Callable[[], Any]) -> None:
    while True:
        try:
            await call()
        except RetryAfter as error:
            await asyncio.sleep(retry_after(error))
        except NetworkError as error:
            log.warning("telegram_unreachable", error=type(error).__name__)
            await asyncio.sleep(1.0)
        else:
            return


def webhook(bot: Bot, mailbox: Mailbox, *, secret: str) -> Starlette:
    """The web application Telegram posts to.

    Bad input gets 200 and a dead letter: anything else makes Telegram repeat it and hold back what comes after.
    """
    taps = Taps(bot)

    async def take(request: Request) -> Response:
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not secrets.compare_digest(given.encode(), secret.encode()):
            return PlainTextResponse("wrong secret", 401)
        body = await _read(request)
        try:
            await mailbox.keep([body])
        except SQLAlchemyError as error:
            log.warning("not_kept", error=type(error).__name__)
            return PlainTextResponse("try again", 503, headers={"Retry-After": "1"})
        taps.answer(body)
        return PlainTextResponse("ok")

    async def healthy(_: Request) -> Response:
        return PlainTextResponse("ok")

    return Starlette(routes=[Route("/telegram", take, methods=["POST"]), Route("/healthz", healthy)])


async def _read(request: Request) -> bytes:
    """The body, cut as soon as it is larger than an update can be."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            break
    return body


async def serve_webhook(
    bot: Bot,
    mailbox: Mailbox,
    *,
    url: str,
    secret: str,
    host: str,
    port: int,
    beat: Callable[[], None] = unwatched,
) -> None:
    """Tell Telegram where we listen, and listen for ever."""

    async def notify() -> None:
        beat()

    config = uvicorn.Config(
        webhook(bot, mailbox, secret=secret),
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        callback_notify=notify,
        timeout_notify=int(BEATS_EVERY),
    )
    server = _Server(config)
    listening = asyncio.create_task(server.serve())
    try:
        await _until_done(
            lambda: bot.set_webhook(url, secret_token=secret, allowed_updates=ALLOWED_UPDATES, max_connections=40)
        )
        await asyncio.shield(listening)
    finally:
        server.should_exit = True
        await listening


class _Server(uvicorn.Server):
    """Uvicorn without its own signal handlers: the process has its own."""

    @contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        yield
