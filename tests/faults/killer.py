"""Kill -9 at random moments, and how long it takes until the killed works again."""

from __future__ import annotations

import asyncio
import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field

from tests.faults.harness import DIALOGUE, ROLES, SERVER, Stack

# With none of the two nothing would ever be done, least of all on a busy machine, where everything starts slowly.
WORKS_AT_LEAST = 4.0  # seconds between two kills of the same kind
MOST_DOWN = 3  # at once
OURS = (*ROLES, *DIALOGUE)
KINDS = (*OURS, *SERVER)


@dataclass
class Killer:
    """Kills by a seed; the moments still depend on the machine, as they do in life."""

    stack: Stack
    seed: int
    pauses: tuple[float, float]  # seconds between kills, from and to
    recovery: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))  # seconds
    _times: Counter[str] = field(default_factory=Counter)
    _down: set[str] = field(default_factory=set)
    _healing: dict[str, asyncio.Task[None]] = field(default_factory=dict)  # … and a while after

    @property
    def kills(self) -> int:
        """How many of our own processes were killed; PostgreSQL's come on top."""
        return sum(self._times[kind] for kind in OURS)

    async def run(self, *, kills: int = 0, of_each: Mapping[str, int]) -> None:
        """Kill whatever works just now, and return when everything works again.

        Args:
            kills: of our own processes, at the least.
            of_each: how often each kind, at the least; the slow ones last.
        """
        dice = random.Random(self.seed)
        while wanted := self._wanted(kills, of_each):
            await asyncio.sleep(dice.uniform(*self.pauses))
            ready = [kind for kind in wanted if self._may_strike(kind)]
            if ready and len(self._down) < MOST_DOWN:
                self.strike(dice.choice(ready))
            self._see_that_all_heal()
        while self._healing:
            await asyncio.gather(*self._healing.values())

    def strike(self, kind: str) -> None:
        """Kill now, unless it is down or has only just come up."""
        if self._may_strike(kind) and self.stack.kill(kind):
            self._times[kind] += 1
            self._down.add(kind)
            self._healing[kind] = asyncio.create_task(self._heal(kind))

    def _wanted(self, kills: int, of_each: Mapping[str, int]) -> list[str]:
        return [kind for kind in KINDS if self.kills < kills or self._times[kind] < of_each[kind]]

    def _may_strike(self, kind: str) -> bool:
        alike = SERVER if kind in SERVER else (kind,)  # it is one server that both of them bring down
        return not any(one in self._healing for one in alike)

    def _see_that_all_heal(self) -> None:
        for task in self._healing.values():
            if task.done():
                task.result()  # raises what kept it from coming back

    async def _heal(self, kind: str) -> None:
        loop = asyncio.get_running_loop()
        started = loop.time()
        await self.stack.up(kind)
        self.recovery[kind].append(loop.time() - started)
        self._down.remove(kind)
        await asyncio.sleep(WORKS_AT_LEAST)
        del self._healing[kind]
