"""The console as one ASGI application."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from console import doors, topics
from console.headers import Headers
from console.rendering import STATIC
from console.troubles import Kind, Trouble
from console.visit import House, News, Visit
from service.config import MODELS
from service.db import Sessions

THIS_MACHINE = ("127.0.0.1", "localhost")
KINDS = {404: Kind.NOT_FOUND, 405: Kind.WRONG_METHOD}


def make_app(
    sessions: Sessions, *, url: str, now: Callable[[], datetime], news: News, models_dir: Path = MODELS
) -> ASGIApp:
    """Open every door.

    Args:
        sessions: of the database.
        url: the address people know the console by; other host names are not answered.
        now: the clock, aware UTC.
        news: what tells pages to renew themselves.
        models_dir: where the files of models lie.
    """
    house = House(sessions, url.rstrip("/"), now, news, topics.MENU, models_dir)

    async def fails(request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        visit = Visit(house, request, FormData(), now(), news.heard)
        return await run_in_threadpool(visit.trouble, Trouble(KINDS.get(status, Kind.BUG)))

    async def healthy(_: Request) -> Response:
        return await run_in_threadpool(_health, sessions)

    app = Starlette(
        routes=[
            *(doors.route(house, door) for door in topics.DOORS),
            Route("/healthz", healthy),
            Mount("/static", StaticFiles(directory=STATIC)),
        ],
        middleware=[
            Middleware(TrustedHostMiddleware, allowed_hosts=[urlsplit(url).hostname or "", *THIS_MACHINE]),
        ],
        exception_handlers={HTTPException: fails, Exception: fails},
    )
    return Headers(app, secure=house.is_secure)  # around everything, the page about a bug too


def _health(sessions: Sessions) -> Response:
    try:
        with sessions.begin() as session:  # a ROLLBACK would throw away what the connection keeps ready
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return PlainTextResponse("no database", 503)
    return PlainTextResponse("ok")
