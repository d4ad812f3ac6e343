"""Everything that happens, for whoever watches: the web page over server-sent events.

``type`` is one of: message, edit, delete, reaction, pin, topic, chat, user, tap, answer, action, clock, reset.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

BACKLOG = 10_000  # events a slow watcher may fall behind before the oldest are dropped


class Events:
    """A fan-out that costs one truth test while nobody listens."""

    def __init__(self) -> None:
        self._watchers: set[asyncio.Queue[dict[str, Any]]] = set()

    def __bool__(self) -> bool:
        return bool(self._watchers)

    def publish(self, event: dict[str, Any]) -> None:
        """Hand an event to every watcher without waiting for any."""
        for watcher in self._watchers:
            if watcher.full():
                watcher.get_nowait()
            watcher.put_nowait(event)

    @contextmanager
    def watch(self) -> Iterator[asyncio.Queue[dict[str, Any]]]:
        """A queue of every event from now on."""
        queue: asyncio.Queue[dict[str, Any]] = asyncio.Queue(BACKLOG)
        self._watchers.add(queue)
        try:
            yield queue
        finally:
            self._watchers.discard(queue)
