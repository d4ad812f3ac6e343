"""`guanjia bench takeover`: so many residents talk with butlers while Telegram takes twenty events a minute.

The bot runs as in production on the look-alike, with Telegram's limits and 50 ms for every call; no Rasa, because
people answer. It is played twice: talks in the group's topics, and in the butlers' private chats. Limits are real time,
so it takes as long as it says, and in the topics until the group has taken what waits.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import aiohttp
from sqlalchemy import ColumnElement, func, select

from cli import bench, children, database, demo
from service import communities, db, residents, takeover
from service.config import Settings
from service.models.people import Staff

MODES = ("group", "private")
LATENCY = 50.0  # ms of every call to the look-alike
BUTLERS = 6
BURSTS = ((0.0, 3), (30.0, 1), (60.0, 2))  # seconds after a talk began, and how many lines are said then
BUBBLE = 1.0  # seconds between two lines of a burst
NEXT_EVERY = 1.0  # seconds after which a butler in private asks for whoever waits
STEADY_EVERY = 6.0  # seconds: ten lines a minute
PATIENCE = 2400.0  # seconds for what waits to arrive after the last line was said
CARD = "\N{BUST IN SILHOUETTE}"  # begins a card
TOKEN = re.compile(r"⟦(\w+)\.(\d+)\.(\d+)⟧")  # side, talk, number
Mark = tuple[str, int, int]


@dataclass
class Seen:
    """When each line was said and when it arrived, by the clock of this process in seconds."""

    said: dict[Mark, float] = field(default_factory=dict)
    arrived: dict[Mark, list[float]] = field(default_factory=lambda: defaultdict(list))
    read: dict[Mark, float] = field(default_factory=dict)  # first seen, perhaps among the last lines of a card
    order: dict[tuple[str, int, int], list[int]] = field(default_factory=lambda: defaultdict(list))
    events: int = 0  # in the group, of the bot's
    refused: int = 0  # calls that Telegram answered with 429

    def say(self, side: str, talk: int) -> str:
        """A line nobody else says."""
        mark = (side, talk, sum(known[:2] == (side, talk) for known in self.said))
        self.said[mark] = time.perf_counter()
        return f"Please have a look at line {mark[2] + 1} ⟦{side}.{talk}.{mark[2]}⟧."

    def see(self, text: str, chat_id: int) -> list[Mark]:
        """The lines that a message brings."""
        marks = [(side, int(talk), int(number)) for side, talk, number in TOKEN.findall(text)]
        for mark in marks:
            self.read.setdefault(mark, time.perf_counter())
        if text.startswith(CARD):
            return []
        for mark in marks:
            self.arrived[mark].append(time.perf_counter())
            self.order[(mark[0], mark[1], chat_id)].append(mark[2])
        return marks

    def lags(self, side: str) -> list[float]:
        """Seconds from said to seen, shortest first."""
        return sorted(
            self.read[mark] - said for mark, said in self.said.items() if mark[0] == side and mark in self.read
        )

    @property
    def lost(self) -> int:
        """Lines that have not arrived."""
        return sum(mark not in self.arrived for mark in self.said)

    @property
    def doubled(self) -> int:
        """Lines that came more than once."""
        return sum(len(times) > 1 for times in self.arrived.values())

    @property
    def out_of_order(self) -> int:
        """Neighbours of one talk and side that came the wrong way round in a chat."""
        return sum(later < earlier for numbers in self.order.values() for earlier, later in pairwise(numbers))


async def run(*, people: int, minutes: float, steady_minutes: float, modes: Sequence[str]) -> dict[str, float]:
    """Play the modes, one after the other, and print the table.

    Args:
        people: residents; their talks begin evenly over the time.
        minutes: how long talks begin; the last ones go on for another minute.
        steady_minutes: how long one talk goes on at ten lines a minute.
        modes: group, private.
    """
    figures: dict[str, float] = {}
    for mode in modes:
        async with _stage(mode) as stage:
            await stage.steady(steady_minutes * 60)
            figures |= _figures(f"{mode}_steady", stage.seen)
        async with _stage(mode) as stage:
            await stage.many(people, minutes * 60)
            figures |= _figures(mode, stage.seen)
    print(_table(figures, modes))
    return figures


def _figures(name: str, seen: Seen) -> dict[str, float]:
    found: dict[str, float] = {
        "lines": len(seen.said),
        "lost": seen.lost,
        "doubled": seen.doubled,
        "out_of_order": seen.out_of_order,
        "group_events": seen.events,
        "refused": seen.refused,
    }
    for side, way in (("r", "to_butler"), ("b", "to_resident")):
        lags = seen.lags(side) or [float("nan")]
        found |= {f"{way}_{share}": lags[min(int(len(lags) * share / 100), len(lags) - 1)] for share in (50, 99)}
    return {f"{name}_{what}": value for what, value in found.items()}


class _Stage:
    """Residents and butlers on the look-alike, who see what their chats show."""

    def __init__(self, http: aiohttp.ClientSession, url: str, group: int, mode: str, sessions: db.Sessions) -> None:
        self._http, self._url, self._group, self._mode, self._sessions = http, url, group, mode, sessions
        self.seen = Seen()
        self._butlers: list[int] = []
        self._residents: dict[int, int] = {}  # talk → chat
        self._answering: set[asyncio.Task[None]] = set()

    async def begin(self, bot_id: int) -> None:
        """Butlers come to work: they are in the group, and have opened the bot."""
        self._bot_id = bot_id
        await self._post("limits", latency_ms=LATENCY)
        for number in range(BUTLERS):
            who = await self._post("users", first_name=f"B{number}", language_code="zh")
            self._butlers.append(who["id"])
            await self._post(f"groups/{self._group}/members", user_id=who["id"], status="member")
            await self._post("messages", **{"from": who["id"]}, chat_id=self._group, text="Good morning")
        await self._until(Staff.left_at.is_(None))
        if self._mode == "private":
            for butler in self._butlers:
                await self._post("messages", **{"from": butler}, text="/start")
            await self._until(Staff.private_since.is_not(None))
        await asyncio.sleep(5)  # the greetings are sent, and the budgets are full again

    async def _until(self, known: ColumnElement[bool]) -> None:
        """Wait until the bot knows this of every butler."""
        for _ in range(int(PATIENCE)):
            if await asyncio.to_thread(self._count, known) == BUTLERS:
                break
            await asyncio.sleep(1)

    def _count(self, known: ColumnElement[bool]) -> int:
        with db.transaction(self._sessions) as session:
            return session.scalar(select(func.count()).select_from(Staff).where(known)) or 0

    async def listen(self) -> None:
        """See everything the look-alike shows."""
        endless = aiohttp.ClientTimeout(total=None)
        async with self._http.get(f"{self._url}/sim/events", timeout=endless) as stream:
            async for line in stream.content:
                if line.startswith(b"data:"):
                    self._see(json.loads(line[5:]))

    def _see(self, event: dict[str, Any]) -> None:
        message = event.get("message") or {}
        if event.get("type") == "topic" or not message.get("from", {}).get("is_bot"):
            return
        self.seen.events += event["chat_id"] == self._group
        marks = self.seen.see(message.get("text") or "", event["chat_id"]) if event["type"] == "message" else []
        is_read = self._mode == "group" or event["chat_id"] != self._group  # in private nobody looks at the topics
        if marks and marks[-1][0] == "r" and is_read:
            task = asyncio.create_task(self._answer(marks[-1][1], message, event["chat_id"]))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, talk: int, shown: Mapping[str, Any], chat_id: int) -> None:
        """The butler answers what they see, where they see it; typing in a topic takes the resident over."""
        text = self.seen.say("b", talk)
        if chat_id == self._group:
            butler = self._butlers[talk % BUTLERS]
            place = {"chat_id": self._group, "thread": shown["message_thread_id"]}
            await self._post("messages", **{"from": butler}, **place, text=text)
        else:
            await self._post("messages", **{"from": chat_id}, reply_to=shown["message_id"], text=text)

    async def steady(self, seconds: float) -> None:
        """One talk, whose butler has it, at ten lines a minute."""
        await self._hand_over(0)
        await self._speak(0)
        if self._mode == "private":
            await self._post("messages", **{"from": self._butlers[0]}, text="/next")
        await asyncio.sleep(60)  # topic, card and greeting are behind us
        self.seen = Seen()
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            await self._speak(0)
            await asyncio.sleep(STEADY_EVERY)
        await self._all_arrived()

    async def many(self, people: int, seconds: float) -> None:
        """Many talks, which begin one after the other whether or not those before have been answered."""
        taking = [asyncio.create_task(self._take_next(one)) for one in self._butlers if self._mode == "private"]
        async with asyncio.TaskGroup() as group:
            for talk in range(people):
                group.create_task(self._talk(talk, after=talk * seconds / people))
        await self._all_arrived()
        for task in taking:
            task.cancel()

    async def _talk(self, talk: int, *, after: float) -> None:
        await asyncio.sleep(after)
        await self._hand_over(talk)
        began = time.perf_counter()
        for at, lines in BURSTS:
            await asyncio.sleep(max(began + at - time.perf_counter(), 0.0))
            for _ in range(lines):
                await self._speak(talk)
                await asyncio.sleep(BUBBLE)

    async def _hand_over(self, talk: int) -> None:
        """A resident who needs a person; the dialogue before is not measured here."""
        who = await self._post("users", first_name=f"R{talk}", language_code="zh")
        self._residents[talk] = who["id"]
        await asyncio.to_thread(self._escalate, who["id"], f"R{talk}", f"bench:{talk}")

    def _escalate(self, chat_id: int, name: str, source: str) -> None:
        with db.transaction(self._sessions) as session:
            community = communities.access_community(session, self._bot_id)
            known = {"display_name": name, "language": "zh"}
            conversation = residents.access_conversation(session, community.id, chat_id, **known)
            now = datetime.now(UTC)
            takeover.escalate(session, conversation, reason="asked", source=source, now=now, quietly=True)

    async def _speak(self, talk: int) -> None:
        await self._post("messages", **{"from": self._residents[talk]}, text=self.seen.say("r", talk))

    async def _take_next(self, butler: int) -> None:
        """A butler in private takes whoever waits, again and again."""
        while True:
            await self._post("messages", **{"from": butler}, text="/next")
            await asyncio.sleep(NEXT_EVERY * BUTLERS)

    async def _all_arrived(self) -> None:
        for _ in range(int(PATIENCE)):
            await asyncio.sleep(1)
            if not (self.seen.lost or self._answering):
                break
        await asyncio.sleep(5)  # what comes twice would come now
        calls = await self._get("requests")
        self.seen.refused = sum(call.get("error_code") == 429 for call in calls)

    async def _post(self, path: str, **body: Any) -> Any:
        async with self._http.post(f"{self._url}/sim/{path}", json=body) as response:
            assert response.status < 400, await response.text()
            return await response.json()

    async def _get(self, path: str) -> Any:
        async with self._http.get(f"{self._url}/sim/{path}") as response:
            return await response.json()


@asynccontextmanager
async def _stage(mode: str) -> AsyncIterator[_Stage]:
    port, data_dir = demo.free_port(), bench.fresh(f"bench-takeover-{mode}")
    async with demo.look_alike(port=port, group_title="bench") as (_, group):
        with (
            bench.settings_of_children({"TALKS_IN": mode}),
            demo.demo_settings(port=port, group=group, data_dir=data_dir) as settings,
            database.opened(settings) as url,
        ):
            sessions = await asyncio.to_thread(_community, settings, url)
            async with bench.running([_bot(settings, url)]), aiohttp.ClientSession() as http:
                stage = _Stage(http, f"http://127.0.0.1:{port}", group, mode, sessions)
                listening = asyncio.create_task(stage.listen())
                await stage.begin(settings.bot_id)
                yield stage
                listening.cancel()
                with suppress(asyncio.CancelledError):
                    await listening


def _community(settings: Settings, url: str) -> db.Sessions:
    """The community as the settings say, before anybody writes; no model is needed, because people answer."""
    db.upgrade(url)
    sessions = db.sessions(db.connect(url))
    with db.transaction(sessions) as session:
        communities.settle_in(session, settings.bot_id, communities.profile(settings))
    return sessions


def _bot(settings: Settings, url: str) -> children.Child:
    family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url))
    return next(child for child in family if child.name == "bot")


def _table(figures: Mapping[str, float], modes: Sequence[str]) -> str:
    lines = [f"\n{'':22}{'resident → butler':>24}{'butler → resident':>24}"]
    lines += [f"{'':22}{'p50':>12}{'p99':>12}{'p50':>12}{'p99':>12}"]
    for mode in modes:
        for name, title in ((f"{mode}_steady", f"{mode}, 10 a minute"), (mode, f"{mode}, all")):
            ways = [f"{way}_{share}" for way in ("to_butler", "to_resident") for share in (50, 99)]
            lines.append(f"{title:22}" + "".join(f"{figures[f'{name}_{way}']:10.3f} s" for way in ways))
            counts = ("lines", "lost", "doubled", "out_of_order", "group_events", "refused")
            lines.append(f"{'':4}" + ", ".join(f"{what} {figures[f'{name}_{what}']:.0f}" for what in counts))
    return "\n".join([*lines, "bars: lost 0, out of order 0; at 10 a minute resident → butler p50 0.150 s, p99 1 s"])
