"""The console as a process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime

import uvicorn

from console.app import make_app
from console.live import Live
from service import db
from service.config import Settings

LETS_GO_WITHIN = 1  # seconds: streams never end by themselves


async def run(settings: Settings, *, database_url: str, now: Callable[[], datetime]) -> None:
    """Serve until SIGTERM.

    Args:
        settings: address, port, and the URL people know.
        database_url: of the migrated database.
        now: the clock, aware UTC.
    """
    engine = db.connect(database_url)
    live = Live(database_url)
    app = make_app(db.sessions(engine), url=str(settings.console_url), now=now, news=live)
    server = uvicorn.Server(
        uvicorn.Config(
            app,
            host=settings.console_host,
            port=settings.console_port,
            log_level="warning",
            access_log=False,  # a link is a key, and an address says who looked for what
            server_header=False,
            timeout_graceful_shutdown=LETS_GO_WITHIN,
        )
    )
    listening = asyncio.create_task(live.listen())
    try:
        await server.serve()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        engine.dispose()
