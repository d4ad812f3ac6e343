"""The console as a process."""

from __future__ import annotations

import asyncio
import gc
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime

import uvicorn

from console.app import make_app
from console.live import Live
from service import db
from service.config import Settings

LETS_GO_WITHIN = 2  # seconds for answers that are under way


class Server(uvicorn.Server):
    """Told to stop it lets streams end, which last for minutes by themselves, and leaves the rest to its caller."""

    def __init__(self, config: uvicorn.Config, live: Live) -> None:
        super().__init__(config)
        self._live = live

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Uvicorn's own way ends the process by the signal, and an embedded database with it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, self._stop)
        yield

    def _stop(self) -> None:
        self._live.end()
        self.should_exit = True


async def run(settings: Settings, *, database_url: str, now: Callable[[], datetime]) -> None:
    """Serve until SIGTERM.

    Args:
        settings: address, port, and the URL people know.
        database_url: of the migrated database.
        now: the clock, aware UTC.
    """
    engine = db.connect(database_url)
    live = Live(database_url)
    app = make_app(
        db.sessions(engine), url=str(settings.console_url), now=now, news=live, models_dir=settings.models_dir
    )
    gc.freeze()  # it stays for good: whenever Python looked through it for garbage, a page waited for 170 ms
    config = uvicorn.Config(
        app,
        host=settings.console_host,
        port=settings.console_port,
        log_level="warning",
        access_log=False,  # a link is a key, and an address says who looked for what
        server_header=False,
        timeout_graceful_shutdown=LETS_GO_WITHIN,
    )
    listening = asyncio.create_task(live.listen())
    try:
        await Server(config, live).serve()
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        engine.dispose()
