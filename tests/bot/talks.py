"""A resident and a butler on the look-alike, with our real ingress, handlers, outbox and sender between them."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import text

from bot.ingress import ALLOWED_UPDATES, Mailbox
from bot.rasa import Rasa
from bot.sender import Sender
from bot.transport import make_bot
from bot.wake import Wake
from bot.worker import Worker
from service import communities, inbox, outbox
from service.db import Sessions
from service.models.communities import TalksIn
from tests.sandbox.client import TOKEN, Client
from tests.stage import NOON, PLENTY

JSON = dict[str, Any]
BOT_ID = int(TOKEN.partition(":")[0])
NOBODY = "http://127.0.0.1:9"  # where Rasa would be; a butler talks without it
MOST_ROUNDS = 200


@dataclass
class Talk:
    """Both sides of a conversation, and everything between them."""

    world: Client
    sessions: Sessions
    mailbox: Mailbox
    worker: Worker
    sender: Sender
    group: int
    resident: int
    butler: int
    clock: list[datetime]
    private: bool = False  # the butler talks in private with the bot
    thread: int = 0
    _offset: int = 0
    heard: list[JSON] = field(default_factory=list)

    async def begin(self, words: str = "有人吗") -> None:
        """The resident writes, and nobody but people can answer; the butler who types takes over."""
        await self.world.say(self.resident, words)
        await self.settle()
        chats = await self.world.get("/chats")
        group = next(chat for chat in chats if chat["id"] == self.group)
        self.thread = group["topics"][-1]["message_thread_id"]
        if self.private:
            await self.world.say(self.butler, "/start")
            await self.world.say(self.butler, "/claim", chat_id=self.group, thread=self.thread)
            await self.settle()
        await self.butler_says("您好，我来处理")

    async def resident_says(self, text: str | None = None, **content: Any) -> Any:
        """The resident sends something, and it gets where it goes."""
        said = await self.world.say(self.resident, text, **content)
        await self.settle()
        return said

    async def butler_says(self, text: str | None = None, **content: Any) -> Any:
        """The butler sends something where they talk, and it gets where it goes."""
        said = await self.world.say(self.butler, text, **self.desk(), **content)
        await self.settle()
        return said

    def desk(self) -> JSON:
        """Where the butler writes: in the resident's topic, or in private."""
        return {} if self.private else {"chat_id": self.group, "thread": self.thread}

    async def say(self, side: str, text: str | None = None, **content: Any) -> Any:
        """One of the two says something."""
        return await (self.resident_says if side == "resident" else self.butler_says)(text, **content)

    def place(self, side: str) -> JSON:
        """Who speaks where, for edits and reactions."""
        if side == "resident":
            return {"from_": self.resident, "chat_id": self.resident}
        return {"from_": self.butler, "chat_id": self.butler if self.private else self.group}

    async def edit(self, side: str, message: JSON, **new: Any) -> None:
        """One of the two changes what they said."""
        await self.world.post("/edits", **self.place(side), message_id=message["message_id"], **new)
        await self.settle()

    async def react(self, side: str, message_id: int, *emoji: str) -> None:
        """One of the two puts an emoji on a message of their chat."""
        await self.world.post("/reactions", **self.place(side), message_id=message_id, emoji=list(emoji))
        await self.settle()

    async def chat(self) -> list[JSON]:
        """What the resident sees."""
        return await self.world.seen(self.resident)

    async def topic(self) -> list[JSON]:
        """What staff see in the resident's topic, or the butler in private."""
        if self.private:
            return await self.world.seen(self.butler)
        return await self.world.seen(self.group, f"?thread={self.thread}")

    async def other(self, side: str) -> list[JSON]:
        """What the bot has said where the other side reads."""
        seen = await (self.topic() if side == "resident" else self.chat())
        return [message for message in seen if message["sandbox"]["from_bot"] and "forum_topic_created" not in message]

    async def own(self, side: str) -> list[JSON]:
        """What the bot has said where this side reads."""
        return await self.other("butler" if side == "resident" else "resident")

    async def hear(self, *, most: int = 100) -> None:
        """Ingress: what Telegram has is kept in the inbox."""
        asked = {"offset": self._offset, "limit": most, "allowed_updates": ALLOWED_UPDATES}
        updates = await self.world.bot("getUpdates", **asked)
        if updates:
            await self.mailbox.keep([json.dumps(update).encode() for update in updates])
            self._offset = updates[-1]["update_id"] + 1
            self.heard += updates

    def wait_no_more(self) -> None:
        """Time passes: nobody waits for another bubble, part of an album, or the next move."""
        with self.sessions.begin() as session:
            session.execute(text("UPDATE inbox SET ready_at = clock_timestamp() WHERE done_at IS NULL"))
            session.execute(text("UPDATE outbox SET not_before = clock_timestamp() WHERE state = 'pending'"))

    async def handle(self) -> bool:
        """Worker: one round of what is in the inbox; False when there was nothing."""
        with self.sessions.begin() as session:
            turns = self.worker.take(session, 4)
        for turn in turns:
            await self.worker.work(turn)
        return bool(turns)

    async def send(self) -> bool:
        """Sender: one round of what is in the outbox; False when there was nothing."""
        with self.sessions.begin() as session:
            parcels = self.sender.take(session, 16)
        for parcel in parcels:
            await self.sender.work(parcel)
        return bool(parcels)

    async def settle(self) -> None:
        """Until nothing is left to do."""
        for _ in range(MOST_ROUNDS):
            await self.hear()
            self.wait_no_more()
            busy = await self.handle()
            if not await self.send() and not busy:
                return
        raise AssertionError("it never ends")

    def later(self, by: timedelta) -> None:
        """Move our clock on; the look-alike's own is moved by the test."""
        self.clock[0] += by

    def rows(self, sql: str, **values: Any) -> list[Any]:
        """Ask the database."""
        with self.sessions.begin() as session:
            return list(session.execute(text(sql), values).all())

    async def calls(self, *methods: str) -> list[JSON]:
        """The Bot API calls so far, of some methods."""
        return [call for call in await self.world.get("/requests") if call["method"] in methods]


@asynccontextmanager
async def talking(
    world: Client, sessions: Sessions, database_url: str, *, private: bool = False
) -> AsyncIterator[Talk]:
    """A community on the look-alike, with a resident and a butler who have not said anything yet."""
    await world.unlimited()
    await world.post("/clock", set=NOON.isoformat())
    await world.bot("getUpdates", allowed_updates=ALLOWED_UPDATES)
    butler = await world.make_user("李强", is_premium=True)
    group = int((await world.post("/groups", title="管家群", members=[butler]))["id"])
    resident = await world.make_user("王芳", language_code="zh-hans", is_premium=True)
    place, talks_in = ("阳光花园", "Asia/Shanghai", "0731-1"), TalksIn.PRIVATE if private else TalksIn.GROUP
    with sessions.begin() as session:
        communities.settle_in(session, BOT_ID, communities.Profile(*place, group, talks_in=talks_in))
    clock = [NOON]
    bot = make_bot(TOKEN, world.base)
    rasa = Rasa(NOBODY, "token", timeout=1)
    for request in bot._request:
        await request.initialize()
    await rasa.open()
    wakes = [Wake(database_url, channel) for channel in (inbox.CHANNEL, outbox.CHANNEL)]
    worker = Worker(BOT_ID, sessions, wakes[0], rasa, lanes=4, now=lambda: clock[0])
    sender = Sender(bot, sessions, wakes[1], rates=PLENTY, now=lambda: clock[0])
    mailbox = Mailbox(BOT_ID, sessions, fragment_wait=0.0)
    try:
        yield Talk(world, sessions, mailbox, worker, sender, group, resident, butler, clock, private)
    finally:
        await rasa.close()
        for request in bot._request:
            await request.shutdown()
