"""`guanjia bench console`: every page of the console over what a large community has after two years.

The doors are walked, so a new page is measured without being named; what a filter changes about the work has a row in
`FILTERS`. Requests go one after the other through the whole application, without a network.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median

import httpx
import psutil
from sqlalchemy import Engine, text

from cli import bench, database
from cli.starting import settings_for
from console.app import make_app
from console.topics import DOORS
from service import communities, db, sign_in
from service.config import ROOT
from service.models import Role
from service.staff import access_staff

BAR = 150.0  # milliseconds, of 95 of 100 requests
SEED = Path(__file__).with_suffix(".sql")
URL = "http://127.0.0.1"
MOST_SECONDS = 20.0  # of one address
LEFT_OUT = ("/live", "/enter/{token}")  # a stream; a page without data
# Which table has the {id:int} of an address, by how it begins; others have number 1.
TABLES = {
    "/cases": "cases",
    "/talks": "conversations",
    "/residents": "residents",
    "/households": "households",
    "/understanding": "candidates",
    "/models": "language_models",
}


def _day(ago: int) -> str:
    return str((datetime.now(UTC) - timedelta(days=ago)).date())


# What is asked beside the bare address, where the door is there: old days, rare things, long periods.
FILTERS = (
    ("/audit", f"?until={_day(600)}"),
    ("/audit", f"?since={_day(3)}&until={_day(1)}"),
    ("/audit", "?who=101&object=counted_cases&number=77"),
    ("/charts", f"?since={_day(89)}"),
    ("/charts", f"?since={_day(364)}"),
    ("/charts/workbook", f"?since={_day(89)}"),
    ("/charts/cases", "?of=kind&is=repair"),
    ("/charts/cases", "?of=clock_finish&is=late"),
    ("/charts/cases", f"?of=fix&is=not_held&since={_day(730)}&until={_day(700)}"),
    ("/charts/messages", "?hour=9"),
    ("/charts/messages", f"?hour=9&since={_day(730)}&until={_day(700)}"),
    ("/charts/unclear", f"?since={_day(600)}&until={_day(300)}"),
    ("/cases", "?q=%E6%BC%8F%E6%B0%B4"),
    ("/cases", "?q=B777"),
    ("/cases", "?state=at_work&overdue=1"),
    ("/cases", f"?kind=complaint&until={_day(600)}"),
    ("/talks", "?q=%E6%BC%8F%E6%B0%B4"),
    ("/talks", "?owner=waiting"),
    ("/residents", "?q=Wang 4711"),
)


class Quiet:
    """No news: pages are asked for and do not renew themselves."""

    async def stream(self) -> AsyncIterator[str]:
        """Say nothing."""
        yield ""


@dataclass(frozen=True)
class Took:
    """The milliseconds of an address, and what it answered."""

    address: str
    status: int
    cpu: float
    p50: float
    p95: float


def run(*, messages: int, cases: int, households: int, requests: int) -> dict[str, float]:
    """Fill a database, ask for every page, and print and give back the milliseconds."""
    folder = bench.fresh("bench-console")
    with (
        bench.settings_of_children({"DATA_DIR": str(folder), "DATABASE_URL": ""}),
        database.opened(settings_for("bench", token=False)) as url,
    ):
        engine = db.connect(url)
        started = time.perf_counter()
        key = _fill(engine, rows=messages, cases=cases, households=households)
        print(f"{messages} messages, {cases} cases, {households} households in {time.perf_counter() - started:.0f} s")
        took = asyncio.run(_walk(engine, key, requests))
        engine.dispose()
    for one in sorted(took, key=lambda one: -one.p95):
        mark = "" if one.status == 200 else f"   answered {one.status}"
        print(f"{one.address:66}{one.cpu:8.1f}{one.p50:8.1f}{one.p95:8.1f}{'  !' if one.p95 > BAR else ''}{mark}")
    print(f"processor time of the console and PostgreSQL, p50 and p95 of {requests} requests in ms; bar: p95 {BAR:.0f}")
    return {one.address: one.p95 for one in took}


def _fill(engine: Engine, *, rows: int, cases: int, households: int) -> str:
    """Two years of a community; gives what the cookie of a manager's session holds."""
    now = datetime.now(UTC)
    with db.transaction(db.sessions(engine)) as session:
        community = communities.settle_in(session, 1, communities.Profile("bench", "Asia/Shanghai", "1", -1))
        facts = {"community": community.id, "rows": rows, "cases": cases, "households": households, "now": now}
        for statement in SEED.read_text("utf-8").split("\n\n")[1:]:
            asked = {name: value for name, value in facts.items() if re.search(rf":{name}\b", statement)}
            session.execute(text(statement), asked)
        member = access_staff(session, community.id, 1, display_name="bench")
        member.role = Role.MANAGER
        _, key = sign_in.redeem(session, sign_in.make_link(session, member, now=now), now=now)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))
    return key


async def _walk(engine: Engine, key: str, requests: int) -> list[Took]:
    app = make_app(db.sessions(engine), url=URL, now=lambda: datetime.now(UTC), news=Quiet())
    cookies = {"guanjia": key}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url=URL, cookies=cookies) as browser:
        return [await _ask(browser, address, requests) for address in _addresses(engine)]


def _addresses(engine: Engine) -> Iterator[str]:
    """Every page there is, with the number of a row where it has a place for one, and the filters."""
    paths = [door.path for door in DOORS if door.method == "GET" and door.path not in LEFT_OUT]
    for path in paths:
        yield path.replace("{id:int}", str(_newest(engine, path)))
        yield from (path + query for filtered, query in FILTERS if filtered == path)


def _newest(engine: Engine, path: str) -> int:
    table = next((table for begin, table in TABLES.items() if path.startswith(begin)), None)
    if table is None or "{id:int}" not in path:
        return 1
    with engine.connect() as connection:
        return connection.scalar(text(f"SELECT max(id) FROM {table}")) or 1  # noqa: S608 - a name of ours


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
