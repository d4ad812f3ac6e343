"""Server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi.responses import StreamingResponse

from sandbox.world import World

KEEP_ALIVE = 15.0  # seconds of silence before a comment is sent


def stream(
    world: World, *, first: Callable[[], dict[str, Any]] | None = None, only: str | None = None
) -> StreamingResponse:
    """Everything that happens from now on, or one kind of it without its name."""
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_lines(world, first, only), media_type="text/event-stream", headers=headers)


async def _lines(world: World, first: Callable[[], dict[str, Any]] | None, only: str | None) -> AsyncIterator[str]:
    with world.events.watch() as queue:
        yield _event(first()) if first else ": hello\n\n"
        while True:
            try:
                event = await asyncio.wait_for(queue.get(), KEEP_ALIVE)
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if only is None:
                yield _event(event)
            elif event["type"] == only:
                yield _event({key: value for key, value in event.items() if key != "type"})


def _event(what: dict[str, Any]) -> str:
    return f"data: {json.dumps(what)}\n\n"
