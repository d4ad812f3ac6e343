"""One process of the bot: ingress, worker, sender, scheduler or several of them as its tasks."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
from collections.abc import Callable, Coroutine, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session
from telegram import Bot

from bot import ingress, menu
from bot.clock import Clock
from bot.fetcher import Fetcher
from bot.heart import Heart
from bot.rasa import Rasa
from bot.scheduler import Scheduler
from bot.sender import Sender
from bot.transport import make_bot
from bot.wake import Wake
from bot.worker import Worker
from service import bookings, clocks, communities, db, emergency, files, inbox, outbox
from service.config import Settings
from service.models.communities import Community
from service.sending import Rates

log = structlog.get_logger(__name__)
ROLES = ("ingress", "worker", "sender", "scheduler")
STOP_WITHIN = 3.0  # seconds for what is in flight
CLOCK_WITHIN = 5.0  # seconds
ANSWERS_WITHIN = 20.0  # seconds a database may take to start, or to recover from a crash
LOOK_EVERY = 0.5  # seconds
Tasks = list[Coroutine[Any, Any, None]]


def rates(settings: Settings) -> Rates:
    """The budgets, as the settings say."""
    return Rates(
        bot_per_second=settings.bot_per_second,
        private_per_second=settings.private_per_second,
        private_burst=settings.private_burst,
        group_per_minute=settings.group_per_minute,
    )


async def run(settings: Settings, *, database_url: str, roles: Sequence[str]) -> None:
    """Do the work of `roles` until SIGTERM or SIGINT, then let what is in flight end."""
    assert settings.bot_token is not None
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(24, "db"))
    engine = db.connect(database_url, pool=12)
    sessions = db.sessions(engine)
    await settled_in(settings, sessions)
    token = settings.bot_token.get_secret_value()
    bot = make_bot(token, str(settings.bot_api_url), timeout=settings.api_timeout)
    process = _Process(settings, database_url, sessions, bot)
    async with contextlib.AsyncExitStack() as stack:
        stack.callback(engine.dispose)
        for request in bot._request:  # noqa: SLF001 - Bot.initialize() would ask getMe, which is the doctor's business
            await request.initialize()
            stack.push_async_callback(request.shutdown)
        await process.rasa.open()
        stack.push_async_callback(process.rasa.close)
        menus = asyncio.create_task(menu.offer(bot, settings.staff_chat_id)) if "ingress" in roles else None
        await _until_stopped(process, roles)
        if menus is not None:
            menus.cancel()


async def settled_in(settings: Settings, sessions: db.Sessions) -> None:
    """Settle in as soon as the database answers: it may have gone away since the schema was looked at.

    Raises:
        OperationalError: it did not come back.
    """
    now = asyncio.get_running_loop().time
    give_up = now() + ANSWERS_WITHIN
    while True:
        try:
            await asyncio.to_thread(settle_in, settings, sessions)
        except OperationalError as error:
            if now() > give_up:
                raise
            log.warning("database_does_not_answer_yet", error=type(error.orig).__name__)
            await asyncio.sleep(LOOK_EVERY)
        else:
            return


def settle_in(settings: Settings, sessions: db.Sessions) -> None:
    """Make the community as the settings say."""
    with db.transaction(sessions) as session:
        settle_in_with(session, settings)


def settle_in_with(session: Session, settings: Settings) -> Community:
    """Make the community as the settings say; other hours or another zone set its running clocks anew."""
    before = communities.hours(session, settings.bot_id)
    community = communities.settle_in(session, settings.bot_id, communities.profile(settings))
    if before not in (None, communities.hours(session, settings.bot_id)):
        clocks.rebuild(session, community.id)
        bookings.plan_anew(session, community)
    return community


async def _until_stopped(process: _Process, roles: Sequence[str]) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    tasks: list[asyncio.Task[Any]] = [asyncio.create_task(work) for work in process.clock_tasks()]
    await process.know_the_time()
    if "ingress" in roles:
        await process.wait_for_the_rest()
    tasks += [asyncio.create_task(work) for role in roles for work in getattr(process, role)()]
    stopping = asyncio.create_task(stop.wait())
    gc.freeze()  # it stays for good: whenever Python looked through it for garbage, every answer waited for 100 ms
    log.info("started", roles=list(roles))
    done, _ = await asyncio.wait([*tasks, stopping], return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.wait([*tasks, stopping], timeout=0.5) if stopping in done else None
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(process.finish(), STOP_WITHIN)
    for task in done - {stopping}:
        task.result()  # a role that ended by itself is a bug: let the supervisor see it


class _Process:
    """What the roles of one process share."""

    def __init__(self, settings: Settings, database_url: str, sessions: db.Sessions, bot: Bot) -> None:
        self._settings = settings
        self._url = database_url
        self._sessions = sessions
        self._bot = bot
        self._clock = Clock()
        self._clock_read = asyncio.Event()
        self.rasa = Rasa(str(settings.rasa_url), settings.rasa_token.get_secret_value(), timeout=settings.rasa_timeout)
        self._finishers: list[Worker | Sender | Fetcher] = []

    def ingress(self) -> Tasks:
        settings = self._settings
        mailbox = ingress.Mailbox(settings.bot_id, self._sessions, fragment_wait=settings.fragment_wait)
        if settings.webhook_url is None:
            return [ingress.poll(self._bot, mailbox, beat=self._beat("ingress"))]
        assert settings.webhook_secret is not None
        secret = settings.webhook_secret.get_secret_value()
        return [
            ingress.serve_webhook(
                self._bot,
                mailbox,
                url=str(settings.webhook_url),
                secret=secret,
                host=settings.webhook_host,
                port=settings.webhook_port,
                beat=self._beat("ingress"),
            )
        ]

    def worker(self) -> Tasks:
        emergency.get_ready()
        wake = Wake(self._url, inbox.CHANNEL, beat=self._beat("worker"))
        settings = self._settings
        worker = Worker(settings.bot_id, self._sessions, wake, self.rasa, lanes=settings.workers, now=self._clock.now)
        self._finishers.append(worker)
        return [wake.listen(), worker.run()]

    def sender(self) -> Tasks:
        wake = Wake(self._url, outbox.CHANNEL, beat=self._beat("sender"))
        sender = Sender(self._bot, self._sessions, wake, rates=rates(self._settings), now=self._clock.now)
        self._finishers.append(sender)
        return [wake.listen(), sender.run(), *self._fetcher()]

    def _fetcher(self) -> Tasks:
        """Beside the sender, so that whoever may call Telegram is one process."""
        wake = Wake(self._url, files.CHANNEL)
        fetcher = Fetcher(self._bot, self._sessions, wake, now=self._clock.now)
        self._finishers.append(fetcher)
        return [wake.listen(), fetcher.run()]

    def scheduler(self) -> Tasks:
        every = self._settings.sweep_seconds
        scheduler = Scheduler(self._sessions, now=self._clock.now, every=every, beat=self._beat("scheduler"))
        return [scheduler.run()]

    def clock_tasks(self) -> Tasks:
        url = self._settings.clock_url
        return [self._clock.follow(str(url).rstrip("/"), on_change=self._clock_read.set)] if url else []

    async def know_the_time(self) -> None:
        """Wait for the demo's clock, or work begins days too early; a clock that does not answer is not waited for."""
        if self._settings.clock_url:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._clock_read.wait(), CLOCK_WITHIN)

    async def wait_for_the_rest(self) -> None:
        """Before anything is read: an album whose first parts came before the stop is waited for."""

        def wait() -> None:
            with db.transaction(self._sessions) as session:
                inbox.wait_for_the_rest(session, self._settings.bot_id)

        await asyncio.to_thread(wait)

    def _beat(self, role: str) -> Callable[[], None]:
        return Heart(self._settings.data_dir, role).beat

    async def finish(self) -> None:
        await asyncio.gather(*(finisher.finish() for finisher in self._finishers))
