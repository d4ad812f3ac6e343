"""Be woken by PostgreSQL: LISTEN on a connection of one's own, which also proves that this process lives."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable

import psycopg
import structlog
from sqlalchemy import make_url

from bot.heart import unwatched

log = structlog.get_logger(__name__)
RECONNECT_AFTER = 0.3  # seconds
LOOK_AT_LEAST_EVERY = 10.0  # seconds: also without a notification, for what died elsewhere


class Wake:
    """An alarm clock: set by notifications on `channel`, by `now()`, or by the time given to `wait`.

    `number` names this process's worker or sender; its advisory lock is held as long as the connection lives, so
    others know at once when the process is gone (service/inbox.py, `free_orphans`). Whoever waits here turns a loop:
    `beat` is its sign of life.
    """

    def __init__(self, url: str, channel: str, *, beat: Callable[[], None] = unwatched) -> None:
        self.number = secrets.randbits(62)
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._channel = channel
        self._beat = beat
        self._event = asyncio.Event()
        self._news = False
        self.ready = asyncio.Event()  # the lock of `number` has been taken: rows may be leased with it

    def now(self) -> None:
        """Wake at once."""
        self._event.set()

    async def wait(self, seconds: float | None) -> bool:
        """Sleep until woken, at the most `seconds`.

        Returns:
            True when something is to be expected, by a notification or by the time; False when only woken by `now()`.
        """
        self._beat()
        limit = LOOK_AT_LEAST_EVERY if seconds is None else min(seconds + 0.002, LOOK_AT_LEAST_EVERY)
        try:
            await asyncio.wait_for(self._event.wait(), limit)
        except TimeoutError:
            self._news = True
        news, self._news = self._news, False
        self._event.clear()
        return news

    def _hear(self) -> None:
        self._news = True
        self._event.set()

    async def listen(self) -> None:
        """Hear notifications for ever; a lost connection is made again, and everything looked at after it."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    await connection.execute("SELECT pg_advisory_lock(%s)", [self.number])
                    await connection.execute(f"LISTEN {self._channel}")
                    self.ready.set()
                    self._hear()
                    async for _ in connection.notifies():
                        self._hear()
            except psycopg.OperationalError as error:
                log.warning("database_connection_lost", channel=self._channel, error=type(error).__name__)
            await asyncio.sleep(RECONNECT_AFTER)
