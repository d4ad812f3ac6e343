"""What residents and staff do while everything is being killed around them, as patient people would."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.faults.harness import LOOK_EVERY, NotInTime, Stack, until
from tests.faults.people import Message, Person, button, buttons, text_of

PATIENCE = 300.0  # seconds; on a busy machine a process that was killed needs a minute to come back
MOST_TRIES = 150
PAUSE = 2.0  # seconds a person waits who was asked to
NUMBER = re.compile(r"R\d{4}-\d{4}")
TRY_LATER = "转给了管家"
REPORT = "{matter}，在3栋2单元1201，电话13800138000，尽快来修"


@dataclass
class Reported:
    """What came of a report."""

    person: Person
    number: str
    tries: int


async def report(person: Person, matter: str) -> Reported:
    """Report a repair: answer what is asked, confirm, and do the last thing again when asked to wait."""
    words = REPORT.format(matter=matter)
    heard = len(await person.hears())
    await person.says(words)
    last: Message | None = None  # the question that was tapped
    for tries in range(1, MOST_TRIES):
        message, heard = await _next(person, heard)
        text = text_of(message)
        found = NUMBER.search(text)
        if found:
            return Reported(person, found.group(), tries)
        if button(message, "确认"):
            last = message
        if TRY_LATER in text:
            await asyncio.sleep(PAUSE)
        if last is not None:
            await person.taps_on(last, str(button(last, "确认")))
        elif "电话" in text:
            await person.says("13800138000")
        else:
            await person.says(words)
    raise NotInTime(f"{person.name} never got a number: {await person.hears()}")


async def _next(person: Person, heard: int) -> tuple[Message, int]:
    """The newest of the bot's messages, as soon as there are more than were heard."""

    async def look() -> list[Message]:
        found = [message for message in await person.messages() if message["from"]["is_bot"]]
        return found if len(found) > heard else []

    found = await until(look, f"{person.name} is met with silence", within=PATIENCE)
    numbers = [message for message in found[heard:] if NUMBER.search(text_of(message))]
    return (numbers or found)[-1], len(found)


async def work(engineer: Person, reported: Reported) -> None:
    """Tap a work order through to its end; the resident hears each step."""
    for title, word in (("接单", "接单"), ("出发", "路上"), ("完成", "处理")):
        order = await _order(engineer, reported.number)
        data = button(order, title)
        assert data is not None, buttons(order)
        await engineer.taps_on(order, data)
        await reported.person.sees(word, reported.number, within=PATIENCE)


async def _order(engineer: Person, number: str) -> Message:
    async def look() -> Message | None:
        found = [one for one in await engineer.messages(topic="工程") if number in text_of(one) and buttons(one)]
        return found[-1] if found else None

    return await until(look, f"no work order {number}", within=PATIENCE)


async def rate(reported: Reported) -> None:
    """Answer the call-back and the survey."""
    await reported.person.taps("好了", within=PATIENCE)
    await reported.person.taps("5", within=PATIENCE)
    await reported.person.sees("慢走", within=PATIENCE)


async def talk(person: Person, butler: Person, *, lines: int) -> None:
    """Ask for a person, and talk with them both ways."""
    await person.says("转人工")
    await butler.sees("", topic=person.name, within=PATIENCE)
    for number in range(lines):
        await butler.says(f"管家第{number}句，给{person.name}。", topic=person.name)
        await person.sees(f"管家第{number}句", within=PATIENCE)
        await person.says(f"{person.name}第{number}句。")
        await butler.sees(f"{person.name}第{number}句", topic=person.name, within=PATIENCE)
    await butler.says("/done", topic=person.name)
    await person.sees("小管家继续", within=PATIENCE)


@dataclass
class Duty:
    """A member of staff who answers every 「不确定」 by looking whether the message is there."""

    stack: Stack
    person: Person
    asked: dict[int, str] = field(default_factory=dict)

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            with suppress(Exception):  # the database is killed now and then
                await self._look()
            await asyncio.sleep(LOOK_EVERY * 4)

    async def settled(self, *, within: float) -> None:
        """Wait until no message is in doubt any more and nothing is left to do."""
        in_doubt = "SELECT count(*) FROM outbox WHERE state = 'unconfirmed'"

        async def sure() -> bool:
            return not await asyncio.to_thread(self.stack.value, in_doubt)

        await self.stack.settled(within=within)
        await until(sure, "messages are still in doubt", within=within)
        await self.stack.settled(within=within)

    async def _look(self) -> None:
        for message in await self.person.messages(topic="General"):
            again, arrived = button(message, "再发一次"), button(message, "已经送到")
            if message["message_id"] in self.asked or not again or not arrived:
                continue
            there = await self._is_there(int(again.split(":")[1]))
            await self.person.taps_on(message, arrived if there else again)
            self.asked[message["message_id"]] = "arrived" if there else "again"

    async def _is_there(self, row_id: int) -> bool:
        sql = "SELECT chat_id, payload->>'text' AS words FROM outbox WHERE id = :id"
        [row] = await asyncio.to_thread(self.stack.rows, sql, id=row_id)
        calls = await self.stack.calls("sendMessage", chat_id=row.chat_id)
        return any(call["ok"] and call["params"]["text"] == row.words for call in calls)


@asynccontextmanager
async def on_duty(stack: Stack, person: Person) -> AsyncIterator[Duty]:
    """Somebody watches General as long as the block lasts."""
    duty = Duty(stack, person)
    task = asyncio.create_task(duty.watch())
    try:
        yield duty
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
