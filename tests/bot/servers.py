"""Tiny servers on this machine that answer as a test tells them to."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

JSON = dict[str, Any]
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def serving(handler: Handler) -> AsyncIterator[str]:
    """Answer every request on a free port with `handler`."""
    server = web.Application()
    server.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def listening(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[str]:
    """Accept connections and do with them what no proper web server would."""
    talks: set[asyncio.Task[Any]] = set()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talks.add(asyncio.current_task())  # type: ignore[arg-type]
        await talk(reader, writer)
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()

    server = await asyncio.start_server(accept, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        await asyncio.wait(talks, timeout=5)


@dataclass
class Telegram:
    """Notes every call and answers what stands in `answers`, otherwise that all is well."""

    calls: list[tuple[str, JSON]] = field(default_factory=list)
    answers: list[web.Response | JSON] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        method = request.path.rpartition("/")[2]
        self.calls.append((method, dict(await request.post())))
        if self.answers:
            answer = self.answers.pop(0)
            return web.json_response(answer) if isinstance(answer, dict) else answer
        return web.json_response({"ok": True, "result": self._result(method)})

    def _result(self, method: str) -> Any:
        number = 1000 + len(self.calls)
        if method == "createForumTopic":
            return {"message_thread_id": number, "name": "x", "icon_color": 7322096}
        if method == "copyMessages":
            return [{"message_id": number}]
        chat = {"id": 1, "type": "private"}
        return {"message_id": number, "date": 1, "chat": chat, "text": "x"}


def refusal(code: int, description: str, **parameters: int) -> web.Response:
    """What Telegram answers when it does not do it."""
    body: JSON = {"ok": False, "error_code": code, "description": description}
    if parameters:
        body["parameters"] = parameters
    return web.Response(status=code, text=json.dumps(body), content_type="application/json")
