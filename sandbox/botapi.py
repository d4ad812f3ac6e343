"""The Bot API over HTTP, as a bare ASGI application: benchmarks run against it."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
import traceback
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import unquote

from starlette.types import Receive, Scope, Send

import sandbox.methods  # noqa: F401  fills the table
from sandbox.connection import abort, hold
from sandbox.errors import ApiError, bad_request, refuse
from sandbox.faults import Fault
from sandbox.files import DOWNLOAD_MAX, Upload, content_of
from sandbox.models import JSON
from sandbox.params import read_params, typed
from sandbox.registry import METHODS, Call, Method
from sandbox.world import World

JSON_HEADERS = (b"content-type", b"application/json")
GATEWAY_PAGE = (
    "<html>\r\n<head><title>{code} {name}</title></head>\r\n<body>\r\n<center><h1>{code} {name}</h1></center>\r\n"
    "<hr><center>nginx/1.18.0</center>\r\n</body>\r\n</html>\r\n"
)
GATEWAY_NAMES = {500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable", 504: "Gateway Timeout"}
HANG = 3600.0  # seconds, when a hang names none


@dataclass(slots=True)
class Request:
    """One line of the log of requests."""

    seq: int
    at: float
    bot_id: int
    method: str
    params: JSON
    ok: bool | None = None
    error_code: int | None = None
    description: str | None = None
    message_id: int | None = None
    fault: str | None = None


@dataclass(slots=True)
class Wire:
    """The two ends of one HTTP exchange."""

    scope: Scope
    receive: Receive
    send: Send


class BotApi:
    """Answers ``/bot<token>/<method>`` and ``/file/bot<token>/<path>``."""

    def __init__(self, world: World) -> None:
        self.world = world

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one request off the wire."""
        path: str = scope["path"]
        if path.startswith("/file/bot"):
            await self._serve_file(path, send)
            return
        token, _, name = path[4:].partition("/")
        try:
            bot = self.world.bots.get(unquote(token))
            if bot is None:
                raise refuse(401)
            raw = await read_params(scope, receive)
            method = METHODS.get(name.lower())
            if method is None:
                raise refuse(404, "method not found")
        except ApiError as error:
            await _reply(send, error.code, error.body())
            return
        await self._answer(Call(self.world, bot, raw), method, Wire(scope, receive, send))

    async def _answer(self, call: Call, method: Method, wire: Wire) -> None:
        request = self._log(call, method)
        if self.world.latency:
            await asyncio.sleep(self.world.latency)
        if self.world.faults:
            fault = await self._suffer(call, method, request)
            if fault is not None:
                await self._fail(fault, partial(self._take, call, method, request), request, wire)
                return
        status, body = await self._take(call, method, request)
        await _reply(wire.send, status, body)

    async def _suffer(self, call: Call, method: Method, request: Request) -> Fault | None:
        """Sit out the delays ordered for this request and return the failure, if any."""
        failure: Fault | None = None
        for fault in self.world.faults.for_request(method.name, call.params.get("chat_id")):
            request.fault = fault.kind
            if fault.kind == "latency":
                await asyncio.sleep(fault.seconds or 0)
            else:
                failure = fault
        return failure

    async def _take(self, call: Call, method: Method, request: Request) -> tuple[int, JSON]:
        """Do what the bot asked for and settle its line in the log."""
        try:
            call.params = request.params = typed(method.name, call.params)
            if method.cost is not None:
                self.world.limits.charge(call.bot.id, call.writable_chat(), method.cost(call.params))
            result = method.answer(call)
            if inspect.isawaitable(result):
                result = await result
        except ApiError as error:
            request.ok, request.error_code, request.description = False, error.code, error.description
            return error.code, error.body()
        except Exception as error:  # noqa: BLE001  the outermost seam
            # A bug of the sandbox: say so where its owner looks, and answer as the real server does.
            traceback.print_exc()
            request.ok, request.error_code, request.description = False, 500, repr(error)
            return 500, ApiError(500, GATEWAY_NAMES[500]).body()
        request.ok = True
        if isinstance(result, dict):
            request.message_id = result.get("message_id")
        return 200, {"ok": True, "result": result}

    async def _fail(self, fault: Fault, take: Callable[[], Awaitable[Any]], request: Request, wire: Wire) -> None:
        """Misbehave as ordered."""
        if fault.kind == "reset_after" or (fault.kind == "hang" and fault.take):
            await take()
        if fault.kind == "hang":
            await hold(wire.receive, fault.seconds or HANG)
        if fault.kind in ("reset_before", "reset_after", "hang"):
            await abort(wire.scope, wire.receive)
            return
        status, body = _refusal(fault)
        request.ok, request.error_code = False, status
        await _reply(wire.send, status, body)

    def _log(self, call: Call, method: Method) -> Request:
        self.world.request_count += 1
        request = Request(self.world.request_count, time.time(), call.bot.id, method.name, call.params)
        self.world.requests.append(request)
        return request

    async def _serve_file(self, path: str, send: Send) -> None:
        token, _, wanted = path[len("/file/bot") :].partition("/")
        file = next((f for f in self.world.files.values() if f.path == wanted), None)
        if unquote(token) not in self.world.bots:
            await _reply(send, 401, refuse(401).body())
        elif file is None:
            await _reply(send, 404, refuse(404).body())
        elif file.size > DOWNLOAD_MAX:
            await _reply(send, 400, bad_request("file is too big").body())
        else:
            await _send(send, 200, (b"content-type", file.mime.encode()), content_of(file))


def _refusal(fault: Fault) -> tuple[int, JSON | str]:
    if fault.kind == "error_429":
        error = ApiError(429, f"Too Many Requests: retry after {fault.retry_after}", retry_after=fault.retry_after)
        return 429, error.body()
    if fault.kind == "error_400":
        return 400, bad_request(fault.description).body()
    if fault.kind == "error_403":
        return 403, refuse(403, "bot was blocked by the user").body()
    name = GATEWAY_NAMES.get(fault.code, "Internal Server Error")
    if fault.html if fault.html is not None else fault.code != 500:
        return fault.code, GATEWAY_PAGE.format(code=fault.code, name=name)
    return fault.code, ApiError(fault.code, name).body()


def loggable(value: Any) -> Any:
    """Parameters without the bytes of files."""
    if isinstance(value, Upload):
        return {"name": value.name, "mime": value.mime, "size": len(value.data)}
    return {key: loggable(item) for key, item in value.items()} if isinstance(value, dict) else value


async def _reply(send: Send, status: int, body: JSON | str) -> None:
    if isinstance(body, str):
        await _send(send, status, (b"content-type", b"text/html"), body.encode())
    else:
        await _send(send, status, JSON_HEADERS, json.dumps(body, separators=(",", ":")).encode())


async def _send(send: Send, status: int, kind: tuple[bytes, bytes], body: bytes) -> None:
    headers = [kind, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
