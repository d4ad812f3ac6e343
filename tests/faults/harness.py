"""The whole system as real processes: what is killed is started again, and the look-alike is the witness."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import aiohttp
import psutil
from sqlalchemy import Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError

from cli import children, database, demo, upgrading
from cli.children import Child
from cli.postgres import DATABASE, Postgres
from cli.supervisor import Supervisor
from service import cases, communities, db, residents

BOT_ID = int(demo.TOKEN.partition(":")[0])
ROLES = ("ingress", "worker", "sender", "scheduler")
DIALOGUE = ("actions", "rasa")
SERVER = ("postgres", "backend")  # one backend that dies takes all the others with it
UP_WITHIN = 300.0  # seconds; the machine may be busy
PATIENCE = 15.0  # seconds for anything that should happen soon
LOOK_EVERY = 0.05  # seconds at first …
LOOK_AT_LEAST_EVERY = 0.5  # … and then more and more seldom: looking must not be what keeps the machine busy
NOON = "2026-11-23T04:00:00Z"  # of the demo's clock: no quiet hours near

# Rates that do not slow a test down; the faults order their own 429s.
FAST: Mapping[str, str] = {
    "GUANJIA_PRIVATE_PER_SECOND": "50",
    "GUANJIA_PRIVATE_BURST": "50",
    "GUANJIA_GROUP_PER_MINUTE": "3000",
    "GUANJIA_FRAGMENT_WAIT": "0.1",
    "GUANJIA_API_TIMEOUT": "2",
    "GUANJIA_SWEEP_SECONDS": "0.5",
    "GUANJIA_WEBHOOK_SECRET": "a-secret-of-the-tests",
}
Found = TypeVar("Found")


class NotInTime(AssertionError):
    """Something that should have happened did not."""


async def until(look: Callable[[], Awaitable[Found | None]], what: str, *, within: float = PATIENCE) -> Found:
    """Look again and again until there is something to see."""
    loop = asyncio.get_running_loop()
    deadline, pause = loop.time() + within, LOOK_EVERY
    while True:
        found = await look()
        if found:
            return found
        if loop.time() > deadline:
            raise NotInTime(what)
        await asyncio.sleep(pause)
        pause = min(pause * 1.2, LOOK_AT_LEAST_EVERY)


@dataclass
class Stack:
    """The running system and the outside world."""

    url: str
    group: int
    engine: Engine
    postgres: Postgres
    family: Mapping[str, Child]
    http: aiohttp.ClientSession
    logs: Path
    webhook_port: int
    keepers: dict[str, Supervisor] = field(default_factory=dict)
    killed: set[int] = field(default_factory=set)
    crashed: int | None = None  # the checkpointer of the server that was killed last

    # --- the look-alike ----------------------------------------------------------------------------------------------

    async def get(self, path: str) -> Any:
        """Look behind the scenes of the look-alike."""
        async with self.http.get(f"{self.url}/sim/{path}") as answer:
            assert answer.status < 400, await answer.text()
            return await answer.json()

    async def post(self, path: str, **body: Any) -> Any:
        """Have the look-alike do something."""
        plain = {name.rstrip("_"): value for name, value in body.items()}
        async with self.http.post(f"{self.url}/sim/{path}", json=plain) as answer:
            assert answer.status < 400, f"{path}: {await answer.text()}"
            return await answer.json()

    async def inject(self, update: Mapping[str, Any]) -> int:
        """Have Telegram deliver an update of any shape, and give its number."""
        emitted = await self.get("updates")
        number = 1 + max((one["update_id"] for one in emitted), default=0)
        await self.post("raw_updates", update_id=number, **update)
        return number

    async def delete(self, path: str) -> None:
        """Take something away there."""
        async with self.http.delete(f"{self.url}/sim/{path}") as answer:
            assert answer.status < 400, await answer.text()

    @asynccontextmanager
    async def fault(self, kind: str, **facts: Any) -> AsyncIterator[int]:
        """Trouble between bot and Telegram, as long as the block lasts."""
        fault = await self.post("faults", kind=kind, **facts)
        try:
            yield fault["id"]
        finally:
            await self.delete(f"faults/{fault['id']}")

    async def until_struck(self, fault_id: int) -> None:
        """Wait until a fault with a count has been used up."""

        async def gone() -> bool:
            return all(fault["id"] != fault_id for fault in (await self.get("faults"))["active"])

        await until(gone, f"fault {fault_id} never struck")

    async def calls(self, method: str, *, chat_id: int, after: int = 0) -> list[dict[str, Any]]:
        """The Bot API calls to a chat, as the look-alike saw them."""
        found = await self.get(f"requests?method={method}&after={after}")
        return [call for call in found if str(call["params"].get("chat_id")) == str(chat_id)]

    async def newest_call(self) -> int:
        """The number of the last call."""
        found = await self.get("requests")
        return int(found[-1]["seq"]) if found else 0

    # --- the database ------------------------------------------------------------------------------------------------

    def rows(self, sql: str, **values: Any) -> Sequence[Any]:
        """Ask the database; one that was killed just now is asked until it answers."""
        give_up = time.monotonic() + UP_WITHIN
        while True:
            try:
                with self.engine.connect() as connection:
                    return connection.execute(text(sql), values).all()
            except OperationalError:
                if time.monotonic() > give_up:
                    raise
                time.sleep(LOOK_EVERY)

    def value(self, sql: str, **values: Any) -> Any:
        """Ask the database for one value."""
        found = self.rows(sql, **values)
        return found[0][0] if found else None

    async def until_row(self, sql: str, **values: Any) -> Any:
        """Wait until a query finds something, and give its first value."""

        async def look() -> Any:
            return await asyncio.to_thread(self.value, sql, **values)

        return await until(look, f"no row: {sql} {values}")

    def open_case(self, chat_id: int, matter: str) -> str:
        """Open a resident's case as the dialogue would, and give its number."""
        with db.transaction(db.sessions(self.engine)) as session:
            community = communities.access_community(session, BOT_ID)
            talk = residents.find_conversation(session, community.id, chat_id)
            assert talk is not None
            facts = cases.Facts(kind="repair", matter=matter, place="3栋2单元1201", phone="13800138000")
            now = datetime.fromisoformat(NOON)
            return cases.open_case(session, talk, facts, source=f"test:{matter}", now=now).number

    async def settled(self, *, within: float = PATIENCE) -> None:
        """Wait until nothing is left to do: no update unread, no row in hand."""

        async def quiet() -> bool:
            if any(not one["confirmed"] and not one["expired"] for one in await self.get("updates")):
                return False
            return not await asyncio.to_thread(
                self.value,
                "SELECT (SELECT count(*) FROM inbox WHERE done_at IS NULL AND dead_at IS NULL)"
                " + (SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending'))",
            )

        await until(quiet, "rows are still in hand", within=within)

    # --- the processes -----------------------------------------------------------------------------------------------

    def start(self, names: Iterable[str]) -> None:
        """Start processes and keep them running."""
        for name in names:
            self.keepers[name] = Supervisor([self.family[name]], healthy_after=5.0)
            self.keepers[name].start()

    def pid(self, name: str) -> int | None:
        """The process id of a child that runs; None while it is down, also before its keeper has noticed."""
        process = self.keepers[name].running.get(name)
        if process is None or process.returncode is not None or process.pid in self.killed:
            return None
        return process.pid

    def kill(self, name: str) -> bool:
        """End a process at once, as a crash would; False when it is down already."""
        if name in SERVER:
            return self._kill_server(name)
        pid = self.pid(name)
        if pid is None or not _kill(pid):
            return False
        self.killed.add(pid)
        return True

    def _kill_server(self, name: str) -> bool:
        titles = _titles(self.postgres.pid)
        backends = (pid for pid, title in titles.items() if " [local] " in title)
        victim = self.postgres.pid if name == "postgres" else next(backends, None)
        if victim is None or not _kill(victim):
            return False
        self.crashed = _checkpointer(titles)
        return True

    def moved_to(self, group: int) -> None:
        """The staff group has another id now; whoever starts again is told."""
        self.group = group
        for name in self.family:
            self.tell(name, GUANJIA_STAFF_CHAT_ID=str(group))

    def tell(self, name: str, **settings: str) -> None:
        """Change settings of a process; it reads them when it starts again."""
        environment = self.family[name].environment
        assert isinstance(environment, dict)
        environment.update(settings)

    async def restart(self, name: str) -> None:
        """Kill a process and wait until it works again."""
        self.kill(name)
        await self.up(name)

    async def hold_down(self, name: str) -> None:
        """Kill a process and do not start it again."""
        self.kill(name)
        await self.keepers.pop(name).stop()

    async def up(self, *names: str, within: float = UP_WITHIN) -> None:
        """Wait until processes do their work."""
        for name in names:
            await until(lambda name=name: self._works(name), f"{name} is not up", within=within)  # type: ignore[misc]

    async def _works(self, name: str) -> bool:
        if name in SERVER:
            return await asyncio.to_thread(self._recovered)
        child, pid = self.family[name], self.pid(name)
        if pid is None:
            return False
        if child.health is None:
            return self._said(name, pid)
        try:
            async with self.http.get(child.health) as answer:
                return answer.status < 500
        except (aiohttp.ClientError, OSError):
            return False

    def _recovered(self) -> bool:
        """Whether the server takes connections, and has been started since it crashed; asked once, by a new connection.

        Just after the kill of a backend the server has not noticed yet and would still answer.
        """
        if _checkpointer(_titles(self.postgres.pid)) in (None, self.crashed):
            return False
        try:
            with create_engine(self.engine.url, poolclass=NullPool).connect():
                return True
        except OperationalError:
            return False

    def _said(self, name: str, pid: int) -> bool:
        """Whether the newest run of a process has said that it has started."""
        log = self.logs / f"{name}.log"
        runs = log.read_text("utf-8", "replace").rpartition(f"== {pid}\n") if log.exists() else ("", "", "")
        return bool(runs[1]) and '"started"' in runs[2]

    async def stop(self) -> None:
        """End everything."""
        await asyncio.gather(*(keeper.stop() for keeper in self.keepers.values()))


def _kill(pid: int) -> bool:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def _titles(pid: int) -> dict[int, str]:
    """What the children of a process call themselves, by their ids; some are gone before they are asked."""
    found = {}
    with suppress(psutil.NoSuchProcess):
        for child in psutil.Process(pid).children():
            with suppress(psutil.NoSuchProcess):
                found[child.pid] = " ".join(child.cmdline())
    return found


def _checkpointer(titles: Mapping[int, str]) -> int | None:
    """The process that PostgreSQL starts anew in every recovery."""
    return next((pid for pid, title in titles.items() if "checkpointer" in title), None)


def _logged(child: Child, logs: Path, extra: Mapping[str, str]) -> Child:
    """The child with its output in a file, each run under its process id, and its environment open to change."""
    script = 'echo "== $$" >>"$0"; exec "$@" >>"$0" 2>&1'
    command = ["/bin/sh", "-c", script, str(logs / f"{child.name}.log"), *child.command]
    return replace(child, command=command, environment={**child.environment, **extra})


def _family(settings: Any, url: str, *, logs: Path, extra: Mapping[str, str]) -> dict[str, Child]:
    upgrading.prepare(settings, url)
    family = children.children(settings, database_url=url, rasa_database_url=database.rasa_url(url))
    found = {child.name: child for child in family}
    bot = found["bot"]
    for role in ROLES:
        found[role] = replace(bot, name=role, command=children.itself(role))
    return {name: _logged(child, logs, extra) for name, child in found.items()}


@asynccontextmanager
async def running(
    folder: Path, *, names: Iterable[str] = (*ROLES, *DIALOGUE), settings: Mapping[str, str] = MappingProxyType({})
) -> AsyncIterator[Stack]:
    """Everything up on free ports, in `folder`; everything down afterwards.

    Args:
        folder: emptied first.
        names: which processes; `bot` is ingress, worker and sender in one.
        settings: environment variables of the processes beside those of FAST.
    """
    shutil.rmtree(folder, ignore_errors=True)
    logs = folder / "logs"
    logs.mkdir(parents=True)
    port, webhook_port = demo.free_port(), demo.free_port()
    postgres = Postgres(folder)
    try:
        url = db.ensure_database(postgres.url, DATABASE)
        db.upgrade(url)
        async with demo.look_alike(port=port, group_title="示范小区") as (_, group), aiohttp.ClientSession() as http:
            extra = {**FAST, "GUANJIA_WEBHOOK_PORT": str(webhook_port), **settings}
            with demo.demo_settings(port=port, group=group, data_dir=folder) as read:
                family = _family(read, url, logs=logs, extra=extra)
            engine = db.connect(url)
            address = f"http://127.0.0.1:{port}"
            stack = Stack(address, group, engine, postgres, family, http, logs, webhook_port)
            await stack.post("limits", enabled=False, webhook_backoff={"first": 0.2, "longest": 1.0})
            await stack.post("clock", set=NOON)
            stack.start(names)
            try:
                await stack.up(*names)
                yield stack
            finally:
                await stack.stop()
                engine.dispose()
    finally:
        postgres.stop()
