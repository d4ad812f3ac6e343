"""What the chats of a look-alike show, kept up to date by its events, so that nobody who waits has to poll."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

import aiohttp

LONGEST_EVENT = 2**22  # bytes
GENERAL = 0  # the topic that has no number

Message = dict[str, Any]
Room = tuple[int, int]  # a chat and a topic of it; private chats have GENERAL only
Found = TypeVar("Found")


class NotInTime(Exception):
    """Nothing of the kind came."""


@dataclass
class Mirror:
    """Every chat as it stands now, and what was shown in each, one after the other."""

    rooms: dict[Room, dict[int, Message]] = field(default_factory=lambda: defaultdict(dict))
    topics: dict[int, dict[int, str]] = field(default_factory=lambda: defaultdict(dict))
    shown: dict[int, list[Message]] = field(default_factory=lambda: defaultdict(list))  # edits are shown again
    shown_at: dict[int, list[float]] = field(default_factory=lambda: defaultdict(list))  # of each
    _awaited: dict[int, asyncio.Event] = field(default_factory=dict)

    async def until(self, chat_id: int, look: Callable[[], Found | None], *, within: float) -> Found:
        """Look, and look again whenever this chat changes, until there is something to see.

        Args:
            chat_id: whose changes matter.
            look: gives what is looked for, or None.
            within: seconds.

        Raises:
            NotInTime: there was nothing until then.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + within
        while (found := look()) is None:
            change = self._awaited.setdefault(chat_id, asyncio.Event())
            try:
                await asyncio.wait_for(change.wait(), deadline - loop.time())
            except TimeoutError:
                raise NotInTime from None
        return found

    def topic(self, chat_id: int, name: str) -> int | None:
        """The number of the newest topic with this in its name."""
        if name == "General":
            return GENERAL
        return next((number for number, title in reversed(self.topics[chat_id].items()) if name in title), None)

    def take_in(self, event: Message) -> None:
        """Follow one event of the look-alike."""
        if event["type"] in {"message", "edit"}:
            self._show(event["chat_id"], event["message"])
        elif event["type"] == "topic":
            self._name(event["chat_id"], event["topic"], gone=event.get("deleted", False))
        elif event["type"] == "delete":
            for (chat_id, _), messages in self.rooms.items():
                if chat_id == event["chat_id"]:
                    messages.pop(event["message_id"], None)
        if (changed := self._awaited.pop(event.get("chat_id", 0), None)) is not None:
            changed.set()

    def _show(self, chat_id: int, message: Message) -> None:
        self.rooms[chat_id, message.get("message_thread_id") or GENERAL][message["message_id"]] = message
        self.shown[chat_id].append(message)
        self.shown_at[chat_id].append(time.monotonic())

    def _name(self, chat_id: int, topic: Message, *, gone: bool) -> None:
        if gone:
            self.topics[chat_id].pop(topic["message_thread_id"], None)
        else:
            self.topics[chat_id][topic["message_thread_id"]] = topic["name"]

    async def load(self, http: aiohttp.ClientSession, url: str) -> None:
        """Begin with what stands there already."""
        for chat in await _get(http, f"{url}/sim/chats"):
            for topic in chat["topics"]:
                self._name(chat["id"], topic, gone=False)
            for message in await _get(http, f"{url}/sim/chats/{chat['id']}/messages"):
                self._show(chat["id"], message)


@asynccontextmanager
async def watching(url: str) -> AsyncIterator[Mirror]:
    """A mirror of the look-alike at `url`, as long as the block lasts."""
    mirror, begun = Mirror(), asyncio.Event()
    forever = aiohttp.ClientTimeout(total=None)
    async with aiohttp.ClientSession(timeout=forever, read_bufsize=LONGEST_EVENT) as http:
        following = asyncio.create_task(_follow(http, url, mirror, begun))
        try:
            await begun.wait()
            yield mirror
        finally:
            following.cancel()
            with suppress(asyncio.CancelledError):
                await following


async def _follow(http: aiohttp.ClientSession, url: str, mirror: Mirror, begun: asyncio.Event) -> None:
    async with http.get(f"{url}/sim/events") as stream:
        await stream.content.readline()  # it says hello: from now on nothing is missed
        await mirror.load(http, url)
        begun.set()
        async for line in stream.content:
            if line.startswith(b"data: "):
                mirror.take_in(json.loads(line.removeprefix(b"data: ")))


async def _get(http: aiohttp.ClientSession, address: str) -> Any:
    async with http.get(address) as answer:
        answer.raise_for_status()
        return await answer.json()
