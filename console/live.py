"""Pages that renew themselves: one LISTEN for all, and a stream to each browser that only says "something happened".

What happened is fetched by the page itself, through its own door and with its own right: the stream holds no data.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import psycopg
import structlog
from sqlalchemy import make_url
from starlette.responses import Response, StreamingResponse

from console.doors import Door
from console.visit import Visit, number
from service import files, inbox, outbox, training
from service.staff import Right

log = structlog.get_logger(__name__)
CHANNELS = (
    inbox.CHANNEL,
    outbox.CHANNEL,
    training.CHANNEL,
    files.CHANNEL,
)  # whatever changes for people goes through one
RECONNECT_AFTER = 1.0  # seconds
AT_MOST_EVERY = 1.0  # seconds between two pieces of news
SIGN_OF_LIFE = 15.0  # seconds
STREAM_LASTS = 300.0  # seconds; then the browser asks again, and is asked again who it is


class Live:
    """Hears what happens and passes it on."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)
        self.heard = secrets.randbits(32)  # how often; no number that a page of an earlier process knows
        self._event = asyncio.Event()
        self._is_over = False

    async def listen(self) -> None:
        """Hear notifications for ever; after a lost connection everything is taken for new."""
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, autocommit=True) as connection:
                    for channel in CHANNELS:
                        await connection.execute(f"LISTEN {channel}")
                    self.tell()
                    async for _ in connection.notifies():
                        self.tell()
            except psycopg.OperationalError as error:
                log.warning("database_connection_lost", error=type(error).__name__)
            await asyncio.sleep(RECONNECT_AFTER)

    def tell(self) -> None:
        """Something happened."""
        self.heard += 1
        self._event.set()
        self._event = asyncio.Event()

    def end(self) -> None:
        """Let every browser go: the process stops."""
        self._is_over = True
        self.tell()

    async def stream(self, since: int | None) -> AsyncIterator[str]:
        """Server-sent events, until the browser is to ask again.

        Args:
            since: what `heard` was when the browser last had the page or an event; what has happened between then and
                the opening of the stream is news. None: now.
        """
        ends = asyncio.get_running_loop().time() + STREAM_LASTS
        known = self.heard if since is None else since
        yield "retry: 2000\n\n"
        while not self._is_over and asyncio.get_running_loop().time() < ends:
            if await self._is_news(known):
                known = self.heard
                yield f"id: {known}\ndata: news\n\n"
                await asyncio.sleep(AT_MOST_EVERY)
            else:
                yield ": still here\n\n"

    async def _is_news(self, known: int) -> bool:
        if self.heard == known:
            try:
                await asyncio.wait_for(self._event.wait(), SIGN_OF_LIFE)
            except TimeoutError:
                return False
        return True


def _stream(visit: Visit) -> Response:
    last = number(visit.request.headers.get("last-event-id", ""))  # of a browser that asks again; the page's is older
    since = visit.asked_number("since") if last is None else last
    return StreamingResponse(visit.house.news.stream(since), media_type="text/event-stream")


DOORS = (Door("GET", "/live", _stream, Right.CONSOLE, by_a_person=False),)
