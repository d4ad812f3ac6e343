"""The two doors of the sandbox: the Bot API, and the control API with its web page."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.responses import FileResponse, JSONResponse
from fastapi.staticfiles import StaticFiles
from starlette.types import ASGIApp, Receive, Scope, Send

from sandbox.botapi import BotApi
from sandbox.control import chats, logs, machine, messages, people
from sandbox.errors import ApiError
from sandbox.world import World

WEB = Path(__file__).with_name("web")
BOT_PATHS = ("/bot", "/file/bot")


class Escaped(JSONResponse):
    """JSON in ASCII: what people and raw updates say may hold halves of characters, which UTF-8 does not know."""

    def render(self, content: Any) -> bytes:
        """Escape all but ASCII."""
        return json.dumps(content, separators=(",", ":")).encode()


def make_control(world: World) -> FastAPI:
    """The control API, its documentation and the web page."""
    app = FastAPI(
        title="Guanjia sandbox",
        docs_url="/sim/docs",
        openapi_url="/sim/openapi.json",
        redoc_url=None,
        default_response_class=Escaped,
    )
    app.state.world = world
    for part in (people, chats, messages, machine, logs):
        app.include_router(part.router, prefix="/sim")

    @app.exception_handler(ApiError)
    async def refuse(_: Request, error: ApiError) -> JSONResponse:
        return JSONResponse({"detail": error.description}, status_code=error.code)

    @app.get("/healthz", include_in_schema=False)
    async def healthz() -> Any:
        return {"ok": True, "bots": [bot.user for bot in world.bots.values()]}

    @app.get("/", include_in_schema=False)
    async def page() -> FileResponse:
        if not (WEB / "index.html").exists():
            raise HTTPException(404, "the page is not installed; see /sim/docs")
        return FileResponse(WEB / "index.html")

    if WEB.is_dir():
        app.mount("/static", StaticFiles(directory=WEB))
    return app


def make_app(world: World) -> ASGIApp:
    """Send Bot API traffic past all routing, because benchmarks measure against it."""
    bot_api, control = BotApi(world), make_control(world)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith(BOT_PATHS):
            await bot_api(scope, receive, send)
        else:
            await control(scope, receive, send)

    return app
