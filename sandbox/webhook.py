"""Delivery by POST: one update in flight per lane, tried again until the 2xx."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from itertools import takewhile
from typing import TYPE_CHECKING, Any

import aiohttp

from sandbox.models import JSON
from sandbox.updates import Update

if TYPE_CHECKING:
    from sandbox.world import Bot, World

SECRET_HEADER = "X-Telegram-Bot-Api-Secret-Token"
TIMEOUT = 60.0  # seconds a bot may take to acknowledge
REORDER_WITHIN = 0.1  # seconds a lane is held back by the fault "reorder_updates"


class Webhook:
    """The delivery of one bot's updates to its URL."""

    def __init__(self, world: World, bot: Bot, url: str, secret: str) -> None:
        self.world = world
        self.bot = bot
        self.url = url
        self.secret = secret
        self.connections = 40
        self.last_error: tuple[int, str] | None = None
        self._lanes: dict[str, deque[Update]] = {}
        self._seen: set[int] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Begin to deliver."""
        self._slots = asyncio.Semaphore(self.connections)
        self._spawn(self._share_out())

    def stop(self) -> None:
        """End at once; what was not acknowledged stays pending."""
        for task in self._tasks:
            task.cancel()

    def card(self) -> JSON:
        """What ``getWebhookInfo`` adds."""
        card: JSON = {"url": self.url, "max_connections": self.connections, "ip_address": "127.0.0.1"}
        if self.last_error is not None:
            card["last_error_date"], card["last_error_message"] = self.last_error
        return card

    def _spawn(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _share_out(self) -> None:
        """Put every new update at the end of its lane."""
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while True:
                for update in self._fresh():
                    self._seen.add(id(update))
                    self._enqueue(session, update)
                await self.bot.updates.arrival()

    def _fresh(self) -> list[Update]:
        """The updates at the end of the queue that no lane has yet, oldest first."""
        newest_first = takewhile(lambda update: id(update) not in self._seen, reversed(self.bot.updates.pending))
        return [update for update in newest_first if not update.settled][::-1]

    def _enqueue(self, session: aiohttp.ClientSession, update: Update) -> None:
        lane = self._lanes.get(update.lane)
        if lane is None:
            lane = self._lanes[update.lane] = deque()
            lane.append(update)
            self._spawn(self._work(session, update.lane, lane))
        else:
            lane.append(update)

    async def _work(self, session: aiohttp.ClientSession, name: str, lane: deque[Update]) -> None:
        """Deliver a lane head first; the next follows the acknowledgement."""
        backoff = self.world.backoff
        wait = backoff.first
        while lane:
            head = lane[0]
            if not head.settled:
                async with self._slots:
                    asked = await self._deliver(session, head)
                if asked is not None:
                    await asyncio.sleep(asked or wait)
                    wait = min(wait * 2, backoff.longest)
                    continue
                self.bot.updates.confirm(head)
                wait = backoff.first
            self._seen.discard(id(lane.popleft()))
        del self._lanes[name]

    async def _deliver(self, session: aiohttp.ClientSession, update: Update) -> float | None:
        """Post once (twice when duplicates are ordered); return the wait before the next try, or None."""
        faults = self.world.faults.for_updates() if self.world.faults else {}
        if fault := faults.get("reorder_updates"):
            await asyncio.sleep(fault.dice.random() * REORDER_WITHIN)
        if "duplicate_updates" in faults:
            await self._post(session, update)
        return await self._post(session, update)

    async def _post(self, session: aiohttp.ClientSession, update: Update) -> float | None:
        update.deliveries += 1
        headers = {"Content-Type": "application/json"}
        if self.secret:
            headers[SECRET_HEADER] = self.secret
        body = update.body if isinstance(update.body, str) else json.dumps(update.body)
        try:
            async with session.post(self.url, data=body.encode(), headers=headers) as answer:
                await answer.read()
                if 200 <= answer.status < 300:
                    return None
                self._note(f"Wrong response from the webhook: {answer.status} {answer.reason}")
                asked = answer.headers.get("Retry-After", "")
                return float(asked) if asked.isdigit() else 0.0
        except (aiohttp.ClientError, TimeoutError) as error:
            self._note(f"Connection failed: {error}")
            return 0.0

    def _note(self, what: str) -> None:
        self.last_error = (int(self.world.clock.now()), what)
