"""`guanjia bench console`: every page of the console over what a large community has after two years.

The doors are walked, so a new page is measured without being named; of which row a page is asked has a line in
`NUMBERS`, what a filter changes about the work one in bench_console.yml. Requests go one after the other through the
whole application, without a network.
"""

from __future__ import annotations

import asyncio
import gc
import math
import re
import time
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import psutil
import yaml
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

from cli import bench, database
from cli.starting import settings_for
from console.app import make_app
from console.topics import DOORS
from service import communities, daily_sums, db, knowledge_base, saved_views, sign_in
from service.config import ROOT
from service.models.people import Role
from service.staff import access_staff

BAR = 150.0  # milliseconds, of 95 of 100 requests
SEED, QUERIES = (Path(__file__).with_suffix(ending) for ending in (".sql", ".yml"))
URL = "http://127.0.0.1"
MOST_SECONDS = 6.0  # of one address
LEFT_OUT = {"/live": "a stream without an end", "/enter/{token}": "has no data, and nobody is signed in"}
DAYS_AT_ONCE = 50  # of daily sums, as the scheduler has them kept

A_PHOTO = ("SELECT max(id) FROM messages WHERE kind = 'photo'",)

# Which rows an address is about.
NUMBERS: Mapping[str, Sequence[str]] = {
    "/cases/{id:int}": ("SELECT max(id) FROM cases", "SELECT max(id) FROM cases WHERE state = 'closed'"),
    "/talks/{id:int}": ("SELECT max(id) FROM conversations", "SELECT min(id) FROM conversations"),
    "/residents/{id:int}": ("SELECT max(id) FROM residents",),
    "/households/{id:int}": ("SELECT max(id) FROM households",),
    "/understanding/{id:int}": ("SELECT min(id) FROM candidates WHERE state = 'open' AND why = 'rephrase'",),
    "/models/{id:int}": ("SELECT max(id) - 1 FROM language_models",),
    "/models/{id:int}/shadow": ("SELECT max(id) - 1 FROM language_models",),
    "/files/{id:int}": A_PHOTO,
    "/files/{id:int}/content": A_PHOTO,
    "/files/{id:int}/small": A_PHOTO,
    "/knowledge/questions/{id:int}": ("SELECT max(id) FROM unanswered_questions WHERE state = 'open'",),
}


def queries() -> Mapping[str, Sequence[str]]:
    """What bench_console.yml says of each door, with the days of today."""
    today = datetime.now(UTC).date()
    days = {f"day_{ago}": today - timedelta(days=ago) for ago in range(1, 1000)}
    asked = yaml.safe_load(QUERIES.read_text("utf-8"))
    return {path: [query.format(**days) for query in found] for path, found in asked.items()}


# Addresses that have no page without a filter.
NEED_ONE = ("/knowledge/entry", "/charts/messages")


class Quiet:
    """No news: pages are asked for and do not renew themselves."""

    heard = 0

    async def stream(self, _: int | None) -> AsyncIterator[str]:
        """Say nothing."""
        yield ""


@dataclass(frozen=True)
class Took:
    """The milliseconds of an address, and what it answered."""

    address: str
    status: int
    cpu: float  # of processor, of the console and PostgreSQL together
    p50: float
    p95: float


def run(*, messages: int, cases: int, households: int, requests: int) -> dict[str, Any]:
    """Fill a database, ask for every page, and print and give back the milliseconds."""
    folder = bench.fresh("bench-console")
    with (
        bench.settings_of_children({"DATA_DIR": str(folder), "DATABASE_URL": ""}),
        database.opened(settings_for("bench", token=False)) as url,
    ):
        engine = db.connect(url)
        started = time.perf_counter()
        key = fill(db.sessions(engine), messages=messages, cases=cases, households=households)
        _tidy(engine)
        filled = time.perf_counter() - started
        print(f"{messages} messages, {cases} cases, {households} households in {filled:.0f} s")
        started = time.perf_counter()
        days = keep_sums(db.sessions(engine))
        summed = time.perf_counter() - started
        print(f"daily sums of {days} days in {summed:.1f} s")
        app = make_app(db.sessions(engine), url=URL, now=lambda: datetime.now(UTC), news=Quiet())
        gc.freeze()  # as console/process.py does
        took = asyncio.run(_walk(app, key, list(addresses(engine)), requests))
        engine.dispose()
    _print(took, requests)
    facts = {"messages": messages, "cases": cases, "households": households, "requests": requests, "bar_ms": BAR}
    seconds = {"fill_seconds": filled, "sums_seconds": summed, "worst_p95_ms": max(one.p95 for one in took)}
    over = [one.address for one in took if one.p95 > BAR or one.status != HTTPStatus.OK]
    return facts | seconds | {"over_the_bar": over, "pages": [asdict(one) for one in took]}


def _print(took: Sequence[Took], requests: int) -> None:
    for one in sorted(took, key=lambda one: -one.p95):
        mark = "" if one.status == HTTPStatus.OK else f"   answered {one.status}"
        print(f"{one.address:66}{one.cpu:8.1f}{one.p50:8.1f}{one.p95:8.1f}{'  !' if one.p95 > BAR else ''}{mark}")
    print(f"processor time of the console and PostgreSQL, p50 and p95 of {requests} requests in ms; bar: p95 {BAR:.0f}")


def fill(sessions: db.Sessions, *, messages: int, cases: int, households: int) -> str:
    """Two years of a community; gives what the cookie of a manager's session holds."""
    now = datetime.now(UTC)
    with db.transaction(sessions) as session:
        community = communities.settle_in(session, 1, communities.Profile("bench", "Asia/Shanghai", "1", -1))
        facts = {"community": community.id, "rows": messages, "cases": cases, "households": households, "now": now}
        for statement in SEED.read_text("utf-8").split("\n\n")[1:]:
            asked = {name: value for name, value in facts.items() if re.search(rf":{name}\b", statement)}
            session.execute(text(statement), asked)
        knowledge_base.bring_up_to_date(session, now=now)
        return _sign_in(session, community.id, now=now)


def _sign_in(session: Session, community_id: int, *, now: datetime) -> str:
    """A manager who has kept as many views as one may."""
    member = access_staff(session, community_id, 1, display_name="bench")
    member.role = Role.MANAGER
    for number in range(saved_views.MOST):
        saved_views.keep(session, member, "cases", name=f"view {number}", query="state=at_work&overdue=1")
    _, key = sign_in.redeem(session, sign_in.make_link(session, member, now=now), now=now)
    return key


def _tidy(engine: Engine) -> None:
    """What autovacuum has done long before a community is two years old."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def keep_sums(sessions: db.Sessions) -> int:
    """Have every day summed that is over, as the scheduler does; gives how many there were."""
    days = done = DAYS_AT_ONCE
    while done >= DAYS_AT_ONCE:
        with db.transaction(sessions) as session:
            done = daily_sums.keep_due(session, now=datetime.now(UTC), limit=DAYS_AT_ONCE)
        days += done
    return days - DAYS_AT_ONCE


def addresses(engine: Engine) -> Iterator[str]:
    """Every page there is, with the number of a row where it has a place for one, and the filters."""
    asked = queries()
    paths = [door.path for door in DOORS if door.method == "GET" and door.path not in LEFT_OUT]
    for path in paths:
        first, *others = _with_numbers(engine, path)
        yield from () if path in NEED_ONE else (first, *others)
        yield from (f"{first}?{query}" for query in asked.get(path, ()))


def _with_numbers(engine: Engine, path: str) -> list[str]:
    """The address; with the number of each row that is asked for, where it has a place for one."""
    if "{id:int}" not in path:
        return [path]
    with engine.connect() as connection:
        return [path.replace("{id:int}", str(connection.scalar(text(which)))) for which in NUMBERS[path]]


async def _walk(app: Any, key: str, asked: Sequence[str], requests: int) -> list[Took]:
    async with opened(app, key) as browser:
        return [await _ask(browser, address, requests) for address in asked]


def opened(app: Any, key: str) -> httpx.AsyncClient:
    """A browser that is signed in."""
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL, cookies={"guanjia": key})


async def _ask(browser: httpx.AsyncClient, address: str, requests: int) -> Took:
    """Ask again and again; the first answer is for the caches."""
    took: list[float] = []
    status = (await browser.get(address)).status_code
    before = _processor()
    while len(took) < requests and sum(took) < MOST_SECONDS * 1000:
        started = time.perf_counter()
        await browser.get(address)
        took.append((time.perf_counter() - started) * 1000)
    cpu = 1000 * (_processor() - before) / len(took)
    at = math.ceil(0.95 * len(took)) - 1
    return Took(address, status, cpu, median(took), sorted(took)[at])


def _processor() -> float:
    """Seconds of processor that this process and the database's have used: what stays the same beside other work."""
    folder = str(ROOT / "var" / "bench-console")
    servers = [one for one in psutil.process_iter(["cmdline"]) if folder in " ".join(one.info["cmdline"] or ())]
    backends = [child for server in servers for child in server.children(recursive=True)]
    return sum(map(_used, {psutil.Process(), *servers, *backends}))


def _used(process: psutil.Process) -> float:
    """With what its children had used when they ended; nothing when it has just ended itself."""
    try:
        return float(sum(process.cpu_times()[:4]))
    except psutil.NoSuchProcess:
        return 0.0
