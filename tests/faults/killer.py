"""Kill -9 at random moments, and how long it takes until the killed works again."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError

from tests.faults.harness import DIALOGUE, LOOK_EVERY, ROLES, Stack

WORKS_AT_LEAST = 4.0  # seconds between two kills of the same kind: with none at all nothing would ever be done
KINDS = (*ROLES, *DIALOGUE, "postgres", "backend")


@dataclass
class Killer:
    """Kills by a seed; the moments still depend on the machine, as they do in life."""

    stack: Stack
    seed: int
    pauses: tuple[float, float]  # seconds between kills, from and to
    recovery: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # seconds
    _killed: int = 0
    _healing: dict[str, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def kills(self) -> int:
        """How many processes were killed."""
        return self._killed

    async def run(self, kills: int) -> None:
        """Kill so many, every kind about equally often, and return when everything works again."""
        dice = random.Random(self.seed)
        order: list[str] = []
        while self.kills < kills:
            order = order or dice.sample(KINDS, len(KINDS))
            kind = order.pop()
            await asyncio.sleep(dice.uniform(*self.pauses))
            if kind not in self._healing and self.stack.kill(kind):
                self._killed += 1
                self._healing[kind] = asyncio.create_task(self._heal(kind))
            else:
                order.insert(0, kind)  # it is down just now, or has only just come up: later
        while self._healing:
            await asyncio.gather(*self._healing.values())

    async def _heal(self, kind: str) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        if kind in ("postgres", "backend"):
            await self._answers()
        else:
            await self.stack.up(kind)
        self.recovery[kind].append(loop.time() - started)
        await asyncio.sleep(WORKS_AT_LEAST)
        del self._healing[kind]

    async def _answers(self) -> None:
        while True:
            with suppress(SQLAlchemyError):
                await asyncio.to_thread(self.stack.value, "SELECT 1")
                return
            await asyncio.sleep(LOOK_EVERY)
