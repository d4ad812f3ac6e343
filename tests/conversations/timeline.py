"""One clock for all stories that play at once: it moves on when nobody has anything left to do at this hour."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import datetime

from sandbox import play
from sandbox.play import Step
from tests.faults.harness import NotInTime, Stack

AT_ONCE = 12  # stories; more would only wait for each other


class Timeline:
    """Lets stories play side by side, and wait for each other before time passes."""

    def __init__(self, house: Stack) -> None:
        self._house = house
        self._places = asyncio.Semaphore(AT_ONCE)
        self._at_work = 0
        self._waiting: list[tuple[datetime, asyncio.Event]] = []

    def expect(self, stories: int) -> None:
        """Time stands still until so many stories have played or wait for a later hour."""
        self._at_work += stories

    @asynccontextmanager
    async def place(self) -> AsyncIterator[None]:
        """One of the places on the stage, as long as the block lasts."""
        async with self._places:
            try:
                yield
            finally:
                await self._rests()

    async def move(self, step: Step) -> None:
        """A story wants to go on at a later moment; its place is free until then."""
        due = asyncio.Event()
        self._waiting.append((play.moment(step, now=await self._now()), due))
        self._places.release()
        await self._rests()
        await due.wait()
        await self._places.acquire()

    async def _rests(self) -> None:
        self._at_work -= 1
        if self._at_work or not self._waiting:
            return
        with suppress(NotInTime):  # a test of its own says so in the end
            await self._house.settled()
        due_at = min(moment for moment, _ in self._waiting)
        if due_at > await self._now():
            await self._house.post("clock", set=due_at.isoformat())
        for moment, due in list(self._waiting):
            if moment <= due_at:
                self._waiting.remove((moment, due))
                self._at_work += 1
                due.set()

    async def _now(self) -> datetime:
        return datetime.fromisoformat((await self._house.get("clock"))["now"])
