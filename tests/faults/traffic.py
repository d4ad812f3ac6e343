"""What residents and staff do while everything is being killed around them, as patient people would."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from tests.faults.harness import LOOK_EVERY, NotInTime, Stack, until
from tests.faults.people import Message, Person, button, buttons, text_of

PATIENCE = 300.0  # seconds; on a busy machine a process that was killed needs a minute to come back
MOST_TRIES = 150
PAUSE = 2.0  # seconds a person waits who was asked to
NUMBER = re.compile(r"R\d{4}-\d{4}")
LINE = re.compile(r"(?:住户|管家)第(\d+)句")
ROUND_TRIP = 0.15  # seconds, as the real Telegram takes: many a sender dies with a call in flight
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
        named = [one for one in await engineer.messages(topic="工程") if number in text_of(one)]
        found = [one for one in named if any(data.startswith("w:") for data in buttons(one).values())]
        return found[-1] if found else None

    return await until(look, f"no work order {number}", within=PATIENCE)


async def rate(reported: Reported) -> None:
    """Answer the call-back and the survey."""
    await reported.person.taps("好了", within=PATIENCE)
    await reported.person.taps("⭐5", within=PATIENCE)
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
class Exchange:
    """A resident and their butler, who both type without waiting for each other; what arrived is read in the end."""

    resident: Person
    butler: Person
    said: int = 0  # lines of either side

    async def begin(self) -> None:
        """The butler takes over."""
        await self.resident.says("转人工")
        await self.butler.sees("👤", topic=self.resident.name, within=PATIENCE)
        await self.butler.says("您好，请讲。", topic=self.resident.name)
        await self.resident.sees("请讲", within=PATIENCE)

    async def say(self, lines: int) -> None:
        """Each side says some more lines."""
        for _ in range(lines):
            self.said += 1
            await self.resident.says(f"住户第{self.said}句。")
            await self.butler.says(f"管家第{self.said}句。", topic=self.resident.name)

    async def go_on(self, other: asyncio.Task[None], *, pause: float) -> None:
        """Talk as long as something else goes on, with a pause of some seconds between two lines."""
        while not other.done():
            await self.say(1)
            await asyncio.sleep(pause)

    async def troubles(self) -> dict[str, Sequence[object]]:
        """Everything that must be empty, by what it is and to whom."""
        return troubles(self.said, to_butler=await self._to_butler(), to_resident=await self._to_resident())

    async def doubled(self) -> int:
        """How many lines came once more."""
        arrived = [_numbers(shown) for shown in (await self._to_butler(), await self._to_resident())]
        return sum(len(numbers) - len(set(numbers)) for numbers in arrived)

    async def _to_butler(self) -> list[str]:
        return await self.butler.hears(topic=self.resident.name)

    async def _to_resident(self) -> list[str]:
        """What the resident reads once the butler has begun to talk."""
        heard = await self.resident.hears()
        begun = next(place for place, line in enumerate(heard) if "请讲" in line)
        return heard[begun + 1 :]


def troubles(said: int, *, to_butler: Sequence[str], to_resident: Sequence[str]) -> dict[str, Sequence[object]]:
    """What is wrong with what arrived; a line that came twice counts where it came first.

    Args:
        said: how many lines either side has said.
        to_butler: the bot's messages in the topic.
        to_resident: its messages in the resident's chat since the butler has them.
    """
    found: dict[str, Sequence[object]] = {}
    for whom, shown in (("butler", to_butler), ("resident", to_resident)):
        arrived = list(dict.fromkeys(_numbers(shown)))
        found[f"lost to the {whom}"] = sorted({*range(1, said + 1)} - {*arrived})
        found[f"out of order to the {whom}"] = [] if arrived == sorted(arrived) else arrived
    found["said by the bot meanwhile"] = [line for line in to_resident if not LINE.search(line)]
    return {what: lines for what, lines in found.items() if lines}


def _numbers(shown: Sequence[str]) -> list[int]:
    """The numbers of the lines in what a chat shows; several lines may stand in one message."""
    return [int(number) for line in shown for number in LINE.findall(line)]


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
