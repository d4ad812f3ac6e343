"""`guanjia bench`: Telegram to Telegram through everything, beside stock Rasa on the same model and script.

(a) is the whole house on the look-alike: durable ingress, lanes, Rasa, actions, outbox, sender. (b) is Rasa 3.6.21 as
it comes: its REST channel, its validator, its SQL tracker. Both use the same model, action server and PostgreSQL, and
the same closed loop: every resident waits for the answer before the next message. Telegram's own limits are switched
off in the look-alike and in the budgets, because (b) knows none.
"""

from __future__ import annotations

import asyncio
import json
import math
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import aiohttp
import psutil
import yaml
from sqlalchemy import make_url

from cli import children, database, demo, upgrading
from cli.children import Child
from cli.supervisor import Supervisor
from service import communities, db, residents
from service.config import PREFIX, ROOT, Settings

SCRIPT = Path(__file__).with_name("bench.yml")
OUT_OF_THE_WAY = {"BOT_PER_SECOND": "5000", "PRIVATE_PER_SECOND": "1000", "GROUP_PER_MINUTE": "100000"}
NO_LIMITS = {"enabled": False}
STEADY_RATE = 10.0  # messages a second of the latency run
INGRESS_AT_ONCE = 40  # Telegram's own limit of webhook connections, as we set it
UP_WITHIN = 300.0  # seconds; other work may run beside it

Turn = Mapping[str, str]
Ask = Callable[[int, Turn], Awaitable[None]]


@dataclass
class Figures:
    """What one side did."""

    seconds: float = 0.0
    latencies: list[float] = field(default_factory=list)  # seconds
    memory: dict[str, float] = field(default_factory=dict)  # process → MB

    @property
    def throughput(self) -> float:
        """Answered messages a second."""
        return len(self.latencies) / self.seconds

    def percentile(self, share: float) -> float:
        """Milliseconds within which this share of the answers came."""
        ordered = sorted(self.latencies)
        return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000

    def likely(self, share: float) -> tuple[float, float]:
        """Milliseconds between which nineteen of twenty runs of this length would find that percentile, by its rank."""
        off = 1.96 * math.sqrt(share * (1 - share) / len(self.latencies))
        return self.percentile(share - off), self.percentile(share + off)


async def run(*, people: int, steady_seconds: float, ingress: int) -> dict[str, float]:
    """Measure both sides and the ingress, and print the table.

    Args:
        people: residents who talk at once.
        steady_seconds: how long the latency run takes.
        ingress: updates posted at the webhook.
    """
    turns: list[Turn] = yaml.safe_load(SCRIPT.read_text("utf-8"))["turns"]
    async with house_on_look_alike() as house:
        ours = await _closed_loop(house.ask, people, turns)
        ours.memory = house.memory()
        at_a_pace = await steady(house.ask, turns, seconds=steady_seconds, people=people)
    async with _stock(people) as stock:
        theirs = await _closed_loop(stock.ask, people, turns)
        theirs.memory = stock.memory()
    acknowledged = await _ingress_alone(ingress)
    _print(ours, theirs, at_a_pace, acknowledged)
    return {
        "ratio": ours.throughput / theirs.throughput,
        "a_throughput": ours.throughput,
        "b_throughput": theirs.throughput,
        "a_p99_steady_ms": at_a_pace.percentile(0.99),
        "ingress_per_second": acknowledged,
    }


async def at_rate(rate: float, *, seconds: float) -> dict[str, float]:
    """Measure the whole house alone, while messages come at a steady pace, and print how long their answers took.

    Args:
        rate: messages a second.
        seconds: how long newcomers begin.
    """
    turns: list[Turn] = yaml.safe_load(SCRIPT.read_text("utf-8"))["turns"]
    async with house_on_look_alike() as house:
        await house.ask(0, turns[0])  # somebody warms everything up
        figures = await steady(house.ask, turns, seconds=seconds, people=1, rate=rate)
    found = {f"p{share}_ms": figures.percentile(share / 100) for share in (50, 95, 99)}
    print(f"{len(figures.latencies)} answers at {rate:g} messages/s, {os.getloadavg()[0]:.1f} processes wanting a core")
    print("  ".join(f"{name.removesuffix('_ms')} {value:.0f} ms" for name, value in found.items()))
    return found | {"messages_per_second": rate}


async def _closed_loop(ask: Ask, people: int, turns: Sequence[Turn]) -> Figures:
    figures = Figures()

    async def talk(person: int) -> None:
        for turn in turns:
            await _timed(ask, person, turn, figures)

    await ask(people, turns[0])  # somebody else warms everything up
    started = time.perf_counter()
    await asyncio.gather(*(talk(person) for person in range(people)))
    figures.seconds = time.perf_counter() - started
    return figures


async def steady(ask: Ask, turns: Sequence[Turn], *, seconds: float, people: int, rate: float = STEADY_RATE) -> Figures:
    """Newcomers begin at a steady pace, so that on the whole `rate` messages come a second.

    Each begins at a moment of its own within its place, or all messages would come in bundles and every case would be
    opened together with another. The moments are the same whenever this is called: phases can be held beside another.
    """
    figures = Figures(seconds=seconds)
    pause = len(turns) / rate  # one newcomer brings this many messages

    async def talk(person: int) -> None:
        for turn in turns:
            next_at = time.perf_counter() + 1.0
            await _timed(ask, person, turn, figures)
            await asyncio.sleep(max(next_at - time.perf_counter(), 0.0))

    begin = begins(int(seconds / pause), pause=pause)
    await asyncio.gather(*(_after(at, talk(people + 1 + number)) for number, at in enumerate(begin)))
    return figures


def begins(newcomers: int, *, pause: float) -> list[float]:
    """After how many seconds each newcomer begins: one in every `pause`, and not in step."""
    places = Random(newcomers)
    return [(number + places.random()) * pause for number in range(newcomers)]


async def _after(seconds: float, work: Awaitable[None]) -> None:
    await asyncio.sleep(seconds)
    await work


async def _timed(ask: Ask, person: int, turn: Turn, figures: Figures) -> None:
    started = time.perf_counter()
    await ask(person, turn)
    figures.latencies.append(time.perf_counter() - started)


class House:
    """Residents on the look-alike, who see the answers as its events."""

    def __init__(
        self, http: aiohttp.ClientSession, url: str, group: int, family: Supervisor, database_url: str
    ) -> None:
        self.database_url = database_url
        self._http = http
        self._url = url
        self._group = group
        self._family = family
        self._ids: dict[int, int] = {}
        self._answers: dict[int, asyncio.Queue[dict[str, Any]]] = {}
        self._last: dict[int, dict[str, Any]] = {}

    async def listen(self) -> None:
        """Hear everything the look-alike shows."""
        endless = aiohttp.ClientTimeout(total=None)
        async with self._http.get(f"{self._url}/sim/events", timeout=endless) as stream:
            async for line in stream.content:
                if line.startswith(b"data:"):
                    self._hear(json.loads(line[5:]))

    def _hear(self, event: dict[str, Any]) -> None:
        message = event.get("message") or {}
        queue = self._answers.get(event.get("chat_id", 0))
        if event.get("type") == "message" and queue is not None and message.get("from", {}).get("is_bot"):
            queue.put_nowait(message)

    async def ask(self, person: int, turn: Turn) -> None:
        """Say one line, or tap, and wait until the answer stands in the chat."""
        if person not in self._ids:
            self._ids[person] = await self.newcomer(f"R{person}")
            self._answers[self._ids[person]] = asyncio.Queue()
        chat_id = self._ids[person]
        while not self._answers[chat_id].empty():  # what was said beside an answer answers nothing that comes later
            self._answers[chat_id].get_nowait()
        if "payload" in turn:
            shown = self._last[chat_id]
            key = next(
                key
                for row in shown["reply_markup"]["inline_keyboard"]
                for key in row
                if key["callback_data"].endswith(turn["payload"])
            )
            tap = {"from": chat_id, "chat_id": chat_id, "message_id": shown["message_id"], "data": key["callback_data"]}
            await self._post("taps", tap)
        else:
            await self._post("messages", {"from": chat_id, "text": turn["text"]})
        self._last[chat_id] = await asyncio.wait_for(self._answers[chat_id].get(), 60)

    async def newcomer(self, name: str) -> int:
        """Somebody new at Telegram, by their chat's number."""
        return int((await self._post("users", {"first_name": name, "language_code": "zh"}))["id"])

    async def greet(self, name: str) -> None:
        """Somebody new starts the bot."""
        await self._post("messages", {"from": await self.newcomer(name), "text": "/start"})

    def memory(self) -> dict[str, float]:
        """Resident memory of every process."""
        return _memory(self._family)

    def signal(self, name: str, number: signal.Signals) -> None:
        """Stop a process for a while, or let it go on."""
        self._family.running[name].send_signal(number)

    async def _post(self, path: str, body: Mapping[str, Any]) -> Any:
        async with self._http.post(f"{self._url}/sim/{path}", json=body) as response:
            assert response.status < 400, await response.text()
            return await response.json()


@asynccontextmanager
async def house_on_look_alike(
    limits: Mapping[str, str] = OUT_OF_THE_WAY, *, name: str = "bench-a"
) -> AsyncIterator[House]:
    """The whole house, and residents who see the answers; `limits` are the budgets it keeps to."""
    port, data_dir = demo.free_port(), fresh(name)
    async with demo.look_alike(port=port, group_title="bench") as (_, group):
        with (
            settings_of_children(limits),
            demo.demo_settings(port=port, group=group, data_dir=data_dir) as settings,
            database.opened(settings) as url,
        ):
            await asyncio.to_thread(upgrading.prepare, settings, url)
            family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url))
            async with running(family) as supervisor, _http() as http:
                address = f"http://127.0.0.1:{port}"
                async with http.post(f"{address}/sim/limits", json=NO_LIMITS) as done:
                    assert done.status < 400, await done.text()
                house = House(http, address, group, supervisor, url)
                listening = asyncio.create_task(house.listen())
                yield house
                listening.cancel()


class _Stock:
    """Residents who post to stock Rasa's REST channel."""

    def __init__(self, http: aiohttp.ClientSession, url: str, talks: Sequence[int], family: Supervisor) -> None:
        self._http = http
        self._url = f"{url}/webhooks/rest/webhook"
        self._talks = talks
        self._family = family
        self._turns = 0

    async def ask(self, person: int, turn: Turn) -> None:
        """Post one line; the answer is in the response."""
        self._turns += 1
        talk = self._talks[person]
        words = f"/{turn['payload']}" if "payload" in turn else turn["text"]
        metadata = metadata_of(self._turns, talk, words)
        async with self._http.post(
            self._url, json={"sender": str(talk), "message": words, "metadata": metadata}
        ) as response:
            assert response.status == 200, await response.text()
            assert await response.json(), "stock Rasa answered with silence"

    def memory(self) -> dict[str, float]:
        """Resident memory of every process."""
        return _memory(self._family)


def metadata_of(turn: int, conversation: int, words: str) -> dict[str, object]:
    """What the bot sends along with a message, as far as actions need it."""
    return {
        "turn": str(turn),
        "conversation_id": conversation,
        "language": "zh",
        "now": datetime.now(UTC).isoformat(),
        "timezone": "Asia/Shanghai",
        "text": words,
    }


@asynccontextmanager
async def _stock(people: int) -> AsyncIterator[_Stock]:
    data_dir = fresh("bench-b")
    with demo.demo_settings(port=1, group=-1, data_dir=data_dir) as settings, database.opened(settings) as url:
        model = await asyncio.to_thread(upgrading.prepare, settings, url)
        family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url))
        by_name = {child.name: child for child in family}
        stock = _stock_rasa(by_name["rasa"], model, database.rasa_url(url), data_dir)
        talks = await asyncio.to_thread(make_residents, url, settings, people + 1)
        async with running([by_name["actions"], stock]) as supervisor, _http() as http:
            yield _Stock(http, str(settings.rasa_url).rstrip("/"), talks, supervisor)


def _stock_rasa(child: Child, model: Path, tracker_url: str, data_dir: Path) -> Child:
    """The same Rasa without anything of ours but the pipeline and the language of its answers."""
    where = make_url(tracker_url)
    endpoints = {
        "action_endpoint": {"url": child.environment[f"{PREFIX}ACTIONS_URL"]},
        "nlg": {"type": "nlg.GuanjiaNLG"},
        "tracker_store": {
            "type": "SQL",
            "dialect": "postgresql",
            "url": where.host or "",
            "username": where.username,
            "db": where.database,
            "query": dict(where.query),
        },
    }
    endpoints_file, credentials_file = data_dir / "endpoints.yml", data_dir / "credentials.yml"
    endpoints_file.write_text(yaml.safe_dump(endpoints), "utf-8")
    credentials_file.write_text("rest:\n", "utf-8")
    files = ["--endpoints", str(endpoints_file), "--credentials", str(credentials_file), "-i", "127.0.0.1"]
    environment = {**child.environment, f"{PREFIX}RASA_STOCK": "true"}
    health = (child.health or "").replace("webhooks/guanjia/ready", "")  # which only our channel knows
    return replace(
        child, command=[*child.command, "--model", str(model), *files], environment=environment, health=health
    )


def make_residents(url: str, settings: Settings, people: int) -> list[int]:
    """Conversations of so many residents, by their ids."""
    engine = db.connect(url)
    with db.transaction(db.sessions(engine)) as session:
        community = communities.settle_in(session, settings.bot_id, communities.Profile("bench", "UTC", "1", None))
        found = [
            residents.access_conversation(session, community.id, 1 + n, display_name="R", language="zh").id
            for n in range(people)
        ]
    engine.dispose()
    return found


async def _ingress_alone(updates: int) -> float:
    """Updates a second that the webhook acknowledges, each committed before its 200."""
    data_dir, port = fresh("bench-ingress"), demo.free_port()
    secret = "bench"
    sandbox_port = demo.free_port()
    async with demo.look_alike(port=sandbox_port, group_title="bench") as (_, group):
        webhook = {
            "WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
            "WEBHOOK_SECRET": secret,
            "WEBHOOK_PORT": str(port),
        }
        with (
            demo.demo_settings(port=sandbox_port, group=group, data_dir=data_dir) as settings,
            settings_of_children(webhook),
            database.opened(settings) as url,
        ):
            environment = {**os.environ, f"{PREFIX}DATABASE_URL": url}
            child = Child("ingress", children.itself("ingress"), environment, f"http://127.0.0.1:{port}/healthz")
            async with running([child]), _http() as http:
                return await _post_updates(http, webhook["WEBHOOK_URL"], secret, updates)


async def _post_updates(http: aiohttp.ClientSession, url: str, secret: str, updates: int) -> float:
    numbers = iter(range(updates))
    headers = {"X-Telegram-Bot-Api-Secret-Token": secret}

    async def post() -> None:
        for number in numbers:
            chat = {"id": 1 + number % 200, "type": "private"}
            message = {"message_id": number, "date": 0, "chat": chat, "text": "The tap is leaking!"}
            async with http.post(url, json={"update_id": number, "message": message}, headers=headers) as response:
                assert response.status == 200

    started = time.perf_counter()
    await asyncio.gather(*(post() for _ in range(INGRESS_AT_ONCE)))
    return updates / (time.perf_counter() - started)


@asynccontextmanager
async def running(family: Sequence[Child]) -> AsyncIterator[Supervisor]:
    """Children that are up, and down afterwards."""
    supervisor = Supervisor(family)
    supervisor.start()
    try:
        await supervisor.healthy(within=UP_WITHIN)
        yield supervisor
    finally:
        await supervisor.stop()


@contextmanager
def settings_of_children(values: Mapping[str, str]) -> Iterator[None]:
    """Settings for the children, taken back afterwards."""
    ours = {PREFIX + name: value for name, value in values.items()}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name in ours:
            os.environ.pop(name, None)


def _http() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), timeout=aiohttp.ClientTimeout(total=120))


def _memory(family: Supervisor) -> dict[str, float]:
    return {name: psutil.Process(process.pid).memory_info().rss / 1e6 for name, process in family.running.items()}


def fresh(name: str) -> Path:
    """An empty folder for a run."""
    path = ROOT / "var" / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def _print(ours: Figures, theirs: Figures, steady: Figures, acknowledged: float) -> None:
    print(f"\n{'':34}{'msg/s':>8}{'p50 ms':>9}{'p99 ms':>9}")
    for name, figures in (("(a) Telegram to Telegram", ours), ("(b) stock Rasa, REST", theirs)):
        print(f"{name:34}{figures.throughput:8.1f}{figures.percentile(0.5):9.0f}{figures.percentile(0.99):9.0f}")
    print(f"{'(a) at 10 messages/s':34}{'':8}{steady.percentile(0.5):9.0f}{steady.percentile(0.99):9.0f}")
    print(f"\na/b throughput {ours.throughput / theirs.throughput:.2f}   (bar: 1.0)")
    print(f"p99 of (a) at 10/s {steady.percentile(0.99):.0f} ms   (bar: 300)")
    print(f"ingress alone {acknowledged:.0f} updates/s acknowledged   (bar: 500)")
    for name, figures in (("a", ours), ("b", theirs)):
        used = ", ".join(f"{process} {megabytes:.0f} MB" for process, megabytes in figures.memory.items())
        print(f"memory ({name}): {used}")
