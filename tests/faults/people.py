"""Residents and staff, driven through the look-alike."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

from tests.faults.harness import PATIENCE, NotInTime, Stack, until

Message = Mapping[str, Any]
IN_HAND = """
    SELECT id, kind, act, state, attempts, reason, lane, sender IS NOT NULL AS taken FROM outbox
    WHERE state NOT IN ('sent', 'dropped')
"""
_numbers = count(1)


@dataclass
class Person:
    """Somebody with a phone."""

    stack: Stack
    id: int
    name: str
    seen: set[tuple[int, str]] = field(default_factory=set)

    async def says(self, words: str, *, topic: str | None = None) -> Message:
        """Type, in one's own chat with the bot or in a topic of the staff group."""
        where = {} if topic is None else {"chat_id": self.stack.group, "thread": await self._thread(topic)}
        said: Message = await self.stack.post("messages", from_=self.id, text=words, **where)
        return said

    async def sends(self, **content: Any) -> Message:
        """Send something that is not text."""
        sent: Message = await self.stack.post("messages", from_=self.id, **content)
        return sent

    async def sees(self, *words: str, topic: str | None = None, within: float = PATIENCE) -> Message:
        """Wait for a message of the bot's that holds all the words and was not looked at before."""

        async def look() -> Message | None:
            for message in await self.messages(topic=topic):
                said = text_of(message)
                new = (message["message_id"], said) not in self.seen
                if new and message["from"]["is_bot"] and all(word in said for word in words):
                    self.seen.add((message["message_id"], said))
                    return message
            return None

        try:
            return await until(look, f"{self.name} never saw {words} in {topic or 'their chat'}", within=within)
        except NotInTime as error:
            error.add_note(f"in hand: {await asyncio.to_thread(self.stack.rows, IN_HAND)}")
            raise

    async def taps(self, title: str, *, topic: str | None = None, within: float = PATIENCE) -> Message:
        """Tap the newest button with this title, as soon as it is there."""

        async def look() -> tuple[Message, str] | None:
            for message in reversed(await self.messages(topic=topic)):
                data = button(message, title)
                if data is not None:
                    return message, data
            return None

        message, data = await until(look, f"{self.name} never saw the button {title}", within=within)
        await self.taps_on(message, data)
        return message

    async def taps_on(self, message: Message, data: str) -> None:
        """Tap a button with any data, also data that no button carries."""
        chat_id, message_id = message["chat"]["id"], message["message_id"]
        await self.stack.post("taps", from_=self.id, chat_id=chat_id, message_id=message_id, data=data, stale=True)

    async def is_answered(self, before: int) -> str:
        """Wait until there are more messages of the bot's than before, and give the newest."""

        async def look() -> list[str]:
            lines = await self.hears()
            return lines if len(lines) > before else []

        return (await until(look, f"{self.name} is met with silence"))[-1]

    async def messages(self, *, topic: str | None = None) -> list[Message]:
        """What the chat shows."""
        shown: list[Message]
        if topic is None:
            shown = await self.stack.get(f"chats/{self.id}/messages")
            return shown
        thread = await self._thread_now(topic)
        if thread is None:
            return []
        shown = await self.stack.get(f"chats/{self.stack.group}/messages?thread={thread}")
        return shown

    async def hears(self, *, topic: str | None = None) -> list[str]:
        """The texts of the bot's messages, oldest first."""
        return [text_of(message) for message in await self.messages(topic=topic) if message["from"]["is_bot"]]

    async def _thread(self, topic: str) -> int | None:
        if topic == "General":
            return None

        async def look() -> int | None:
            return await self._thread_now(topic)

        return await until(look, f"there is no topic {topic}")

    async def _thread_now(self, topic: str) -> int | None:
        """Telegram's number of the newest topic with this name; 0 is General."""
        if topic == "General":
            return 0
        chats = await self.stack.get("chats")
        topics = next(chat for chat in chats if chat["id"] == self.stack.group)["topics"]
        return next((one["message_thread_id"] for one in reversed(topics) if topic in one["name"]), None)


def text_of(message: Message) -> str:
    """The words of a message."""
    return str(message.get("text") or message.get("caption") or "")


def buttons(message: Message) -> dict[str, str]:
    """The buttons of a message: title and data."""
    rows = (message.get("reply_markup") or {}).get("inline_keyboard", [])
    return {key["text"]: key["callback_data"] for row in rows for key in row}


def button(message: Message, title: str) -> str | None:
    """The data of the button whose title holds these words."""
    return next((data for text, data in buttons(message).items() if title in text), None)


async def resident(stack: Stack) -> Person:
    """Somebody new with a name of their own."""
    name = f"住户{next(_numbers)}号"
    person = await stack.post("users", first_name=name, language_code="zh")
    return Person(stack, person["id"], name)


async def butler(stack: Stack) -> Person:
    """Somebody new in the staff group."""
    person = await resident(stack)
    await stack.post(f"groups/{stack.group}/members", user_id=person.id, status="member")
    return person
