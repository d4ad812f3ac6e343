"""The loop of worker and sender: nothing that waits is forgotten, and nothing is locked for a look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.drain import Drain
from bot.wake import Wake
from service.db import Sessions

NOWHERE = "postgresql://nobody@/nothing"


class Lane(Drain[str]):
    """One lane: the next item can be taken when the one before it is done."""

    def __init__(self, sessions: Sessions, wake: Wake) -> None:
        super().__init__(sessions, wake, places=4)
        self.waiting: list[str] = []
        self.taken: list[str] = []
        self.takes = self.looks = 0
        self.done = asyncio.Queue[str]()

    def take(self, session: Session, places: int) -> Sequence[str]:
        self.takes += 1
        self.taken = [self.waiting.pop(0)] if self._is_ready() else []
        return list(self.taken)

    def seconds_to_next(self, session: Session) -> float | None:
        self.looks += 1
        return 0.0 if self._is_ready() else None

    def free_orphans(self, session: Session) -> None:
        """None here."""

    async def work(self, item: str) -> None:
        self.taken.clear()
        await self.done.put(item)

    def _is_ready(self) -> bool:
        return bool(self.waiting) and not self.taken


@asynccontextmanager
async def draining(lane: Lane, wake: Wake) -> AsyncIterator[None]:
    wake.ready.set()
    running = asyncio.create_task(lane.run())
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def test_what_waits_behind_a_piece_of_work_is_taken_when_that_is_done(sessions: Sessions):
    """Nobody sends a second notification for it."""
    wake = Wake(NOWHERE, "unheard")
    lane = Lane(sessions, wake)
    lane.waiting = ["first", "second", "third"]

    async with asyncio.timeout(5), draining(lane, wake):
        done = [await lane.done.get() for _ in range(3)]

    assert done == ["first", "second", "third"]


async def test_a_look_that_finds_nothing_takes_no_locks(sessions: Sessions):
    """After each piece of work there is a look, and most find nothing."""
    wake = Wake(NOWHERE, "unheard")
    lane = Lane(sessions, wake)
    lane.waiting = ["only"]

    async with asyncio.timeout(5), draining(lane, wake):
        await lane.done.get()
        looks = lane.looks
        while lane.looks < looks + 3:
            wake.now()
            await asyncio.sleep(0)

    assert lane.takes == 1


async def test_what_became_of_a_row_is_written_down_as_soon_as_the_database_is_back(sessions: Sessions):
    """A turn that is given back while the database is away would keep its resident waiting until its lease ends."""
    lane = Lane(sessions, Wake(NOWHERE, "unheard"))
    away = iter([True, True, False])
    written: list[int] = []

    def outcome(session: Session) -> None:
        if next(away):
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        written.append(session.scalars(text("SELECT 1")).one())

    async with asyncio.timeout(5):
        await lane.write_down(outcome)

    assert written == [1]


async def test_who_waits_learns_whether_there_is_news():
    """The time that was given is news too: it was given because something is due then."""
    wake = Wake(NOWHERE, "unheard")
    wake.now()

    assert await wake.wait(1.0) is False
    assert await wake.wait(0.0) is True
