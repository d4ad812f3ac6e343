"""The loop that worker and sender share: take rows as they come, work on many at once, sleep until woken."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from itertools import count
from typing import Generic, TypeVar

import structlog
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from bot.wake import Wake
from service import db

log = structlog.get_logger(__name__)
ORPHANS_EVERY = 5.0  # seconds between looks for rows of processes that died
AFTER_A_FAILURE = 1.0  # seconds until a database that went away is asked again
OTHERS_HAVE_IT = 0.02  # seconds until the next look when what is there is just being taken by another process
Item = TypeVar("Item")


class Drain(ABC, Generic[Item]):
    """Empties a queue that is a table, any number of processes beside each other."""

    def __init__(self, sessions: db.Sessions, wake: Wake, *, places: int) -> None:
        self._sessions = sessions
        self._looks = db.outside_transactions(sessions)
        self._wake = wake
        self._places = places
        self._at_work: dict[asyncio.Task[None], Item] = {}

    @abstractmethod
    def take(self, session: Session, places: int) -> Sequence[Item]:
        """Claim up to `places` items; committed before any is worked on."""

    @abstractmethod
    def seconds_to_next(self, session: Session) -> float | None:
        """How long until there may be something to take."""

    @abstractmethod
    def free_orphans(self, session: Session) -> None:
        """Settle what processes that died have claimed."""

    def in_hand(self) -> Sequence[Item]:
        """What has been taken and is being worked on."""
        return list(self._at_work.values())

    @abstractmethod
    async def work(self, item: Item) -> None:
        """Do the work, whatever happens: nothing may be raised."""

    async def run(self) -> None:
        """Work for ever."""
        await self._wake.ready.wait()
        looked, news = float("-inf"), True
        now = asyncio.get_running_loop().time
        while True:
            try:
                if now() - looked > ORPHANS_EVERY:
                    await self.in_transaction(self.free_orphans)
                    looked = now()
                pause = await self._take_some(news=news)
            except SQLAlchemyError as error:
                log.warning("queue_unreachable", queue=type(self).__name__, error=type(error).__name__)
                pause = AFTER_A_FAILURE
            news = await self._wake.wait(pause)

    async def finish(self) -> None:
        """Let work in hand end, so that a clean stop leaves nothing claimed and nothing uncertain."""
        await asyncio.gather(*self._at_work, return_exceptions=True)

    async def in_transaction(self, work: Callable[[Session], object]) -> None:
        """Do the work in a transaction of its own, beside the event loop."""
        await asyncio.to_thread(self._run, work)

    async def write_down(self, outcome: Callable[[Session], object]) -> None:
        """Write down what became of a row, however long it takes: it is known only here.

        Given up, it would lie claimed by a process that lives until its lease ends, and everything in its lane with it.
        """
        for attempt in count():
            try:
                await self.in_transaction(outcome)
                break
            except SQLAlchemyError as error:
                log.warning("not_written_down", queue=type(self).__name__, error=type(error).__name__)
                await asyncio.sleep(min(0.2 * 2 ** min(attempt, 5), 5.0))

    async def _take_some(self, *, news: bool) -> float | None:
        free = self._places - len(self._at_work)
        if free <= 0:
            return None
        items, pause = await asyncio.to_thread(self._take, free, news)
        for item in items:
            task = asyncio.create_task(self.work(item))
            self._at_work[task] = item
            task.add_done_callback(self._done)
        return pause

    def _take(self, free: int, news: bool) -> tuple[Sequence[Item], float | None]:  # noqa: FBT001 - called by a thread
        """Take what is there; without news it most often is nothing, so one question is asked first."""
        if not news:
            with self._looks() as session:
                pause = self.seconds_to_next(session)
            if pause is None or pause > 0:
                return [], pause
        with db.transaction(self._sessions) as session:
            items = self.take(session, free)
            pause = 0.0 if len(items) == free else self.seconds_to_next(session)
        if not items and pause is not None:
            pause = max(pause, OTHERS_HAVE_IT)
        return items, pause

    def _done(self, task: asyncio.Task[None]) -> None:
        self._at_work.pop(task, None)
        self._wake.now()

    def _run(self, work: Callable[[Session], object]) -> None:
        with db.transaction(self._sessions) as session:
            work(session)
