"""A bot's webhook as the sandbox sees it: it notes what comes and answers as told."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web


@dataclass
class Hook:
    """Answers 200 unless ``answers`` holds something else, in order."""

    url: str = ""
    bodies: list[str] = field(default_factory=list)
    headers: list[Any] = field(default_factory=list)
    answers: list[web.Response] = field(default_factory=list)
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    blocked_text: str | None = None
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def take(self, request: web.Request) -> web.Response:
        body = await request.text()
        async with self._news:
            self.bodies.append(body)
            self.headers.append(request.headers)
            self._news.notify_all()
        if self.blocked_text and self.blocked_text in body:
            await self.gate.wait()
        return self.answers.pop(0) if self.answers else web.Response()

    async def received(self, count: int) -> list[Any]:
        """Wait until so many have come."""
        async with asyncio.timeout(5), self._news:
            await self._news.wait_for(lambda: len(self.bodies) >= count)
        return [json.loads(body) for body in self.bodies]

    def texts(self) -> list[str]:
        return [json.loads(body)["message"]["text"] for body in self.bodies]


@asynccontextmanager
async def listening() -> AsyncIterator[Hook]:
    """A hook on a free port."""
    hook = Hook()
    app = web.Application()
    app.router.add_post("/hook", hook.take)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    hook.url = f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    try:
        yield hook
    finally:
        hook.gate.set()
        await runner.cleanup()
