"""The clock of the doors: the machine's, or the demo's when `GUANJIA_CLOCK_URL` names one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import aiohttp
import structlog

log = structlog.get_logger(__name__)


class Clock:
    """Says what time it is; a demo may have it run ahead."""

    def __init__(self) -> None:
        self._ahead = timedelta()

    def now(self) -> datetime:
        """The moment, aware UTC."""
        return datetime.now(UTC) + self._ahead

    async def follow(self, url: str, *, on_change: Callable[[], None]) -> None:
        """Stay with the clock at `url` (server-sent events of `{"offset": seconds}`) for ever."""
        while True:
            try:
                async with aiohttp.ClientSession() as session, session.get(f"{url}/stream", timeout=_ENDLESS) as stream:
                    async for line in stream.content:
                        if line.startswith(b"data:"):
                            self._ahead = timedelta(seconds=float(json.loads(line[5:])["offset"]))
                            on_change()
            except (aiohttp.ClientError, OSError, ValueError, TypeError, KeyError) as error:
                log.warning("clock_lost", error=type(error).__name__)
            await asyncio.sleep(1.0)


_ENDLESS = aiohttp.ClientTimeout(total=None)
