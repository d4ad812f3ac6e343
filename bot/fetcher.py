"""Fetch the photos and files that staff want to see in the console: Telegram gives them to nobody but the bot."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.orm import Session
from telegram import Bot
from telegram.error import BadRequest, RetryAfter, TelegramError

from bot.drain import Drain
from bot.transport import retry_after
from bot.wake import Wake
from service import db, files
from service.files import Errand

log = structlog.get_logger(__name__)
IN_FLIGHT = 2  # files at once: each is held in memory whole
TOO_BIG = "file is too big"  # how Telegram refuses what a bot may not download


class Fetcher(Drain[Errand]):
    """Brings files; it only reads at Telegram, so nothing it does is said to anybody or counts against a budget."""

    def __init__(self, bot: Bot, sessions: db.Sessions, wake: Wake, *, now: Callable[[], datetime]) -> None:
        super().__init__(sessions, wake, places=IN_FLIGHT)
        self._bot = bot
        self._bot_id = int(bot.token.split(":")[0])
        self._now = now

    def take(self, session: Session, places: int) -> Sequence[Errand]:
        """Take the next errands."""
        return files.take(session, self._bot_id, limit=places, now=self._now())

    def seconds_to_next(self, session: Session) -> float | None:
        """How long until one is due."""
        return files.seconds_to_next(session, self._bot_id, now=self._now())

    def free_orphans(self, session: Session) -> None:
        """Nothing to do: the errands of a process that died are due again by themselves."""

    async def work(self, errand: Errand) -> None:
        """Fetch a file and write down what became of it."""
        try:
            content = await self._fetch(errand)
        except Exception as error:  # noqa: BLE001 - a bug must not hold back the others; its type says enough
            failed = error
            await self.write_down(lambda session: self._failed(session, errand, failed))
        else:
            await self.write_down(lambda session: files.keep(session, errand, content))

    async def _fetch(self, errand: Errand) -> bytes:
        found = await self._bot.get_file(errand.file_id)
        if (found.file_size or 0) > files.MOST_BYTES:
            raise BadRequest(TOO_BIG)
        return bytes(await found.download_as_bytearray())

    def _failed(self, session: Session, errand: Errand, error: Exception) -> None:
        log.info("file_not_fetched", errand=errand.id, attempts=errand.attempts, error=type(error).__name__)
        match error:
            case BadRequest() if TOO_BIG in error.message.lower():
                files.refuse(session, errand, files.TOO_LARGE)
            case BadRequest():
                files.refuse(session, errand, files.GONE)
            case RetryAfter():
                files.later(session, errand, now=self._now(), wait=timedelta(seconds=retry_after(error)))
            case TelegramError():
                files.later(session, errand, now=self._now())
            case _:
                log.error("file_not_fetchable", errand=errand.id, error=type(error).__name__)
                files.refuse(session, errand, files.GONE)
