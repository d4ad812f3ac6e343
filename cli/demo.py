"""The demo: everything on this machine, on a Telegram look-alike, with the main job played once."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import aiohttp
from sqlalchemy.orm import Session

from cli import children, console_commands, database, upgrading
from cli.children import Child
from cli.supervisor import Supervisor
from service import communities, db, ledger, ledger_file, ledger_import, roster, roster_file, staff
from service.config import PREFIX, ROOT, Settings, load
from service.models.communities import Community
from service.models.people import Role

TOKEN = "100001:demo"
STORY = Path(__file__).with_name("story.yml")
ROSTER = STORY.with_name("story_roster.csv")
LEDGERS = tuple(STORY.with_name(f"story_{kind}.csv") for kind in ledger.KINDS)
BEGINS = datetime(2026, 11, 23, 4, tzinfo=UTC)  # the day before the story: what the property system says is of then
UP_WITHIN = 60.0  # seconds


@contextmanager
def demo_settings(*, port: int, group: int, data_dir: Path) -> Iterator[Settings]:
    """The settings of a system on the look-alike at `port`, also in the environment of its children."""
    address, console = f"http://127.0.0.1:{port}", free_port()
    ours = {
        "BOT_TOKEN": TOKEN,
        "BOT_API_URL": address,
        "STAFF_CHAT_ID": str(group),
        "CLOCK_URL": f"{address}/sim/clock",
        "DATA_DIR": str(data_dir),
        "RASA_URL": f"http://127.0.0.1:{free_port()}",
        "ACTIONS_PORT": str(free_port()),
        "CONSOLE_PORT": str(console),
        "CONSOLE_URL": f"http://127.0.0.1:{console}",
        "SWEEP_SECONDS": "0.5",
        "MODELS_KEPT": "1000000",  # the folder is the site's, and this database does not know what it serves
        "DATABASE_URL": "",
        "WEBHOOK_URL": "",
    }
    before = dict(os.environ)
    os.environ.update({PREFIX + name: value for name, value in ours.items()})
    try:
        yield load()
    finally:
        os.environ.clear()
        os.environ.update(before)


@asynccontextmanager
async def look_alike(*, port: int, group_title: str) -> AsyncIterator[tuple[int, int]]:
    """A look-alike with a staff group; gives its port and the group's id, and ends it afterwards."""
    command = [sys.executable, "-m", "sandbox", "--port", str(port), "--token", TOKEN]
    sandbox = Supervisor([Child("sandbox", command, dict(os.environ), f"http://127.0.0.1:{port}/healthz")])
    sandbox.start()
    try:
        await sandbox.healthy(within=UP_WITHIN)
        yield port, await _staff_group(port, group_title)
    finally:
        await sandbox.stop()


async def _staff_group(port: int, title: str) -> int:
    body = {"title": title, "members": [], "is_forum": True}
    async with aiohttp.ClientSession() as http, http.post(f"http://127.0.0.1:{port}/sim/groups", json=body) as made:
        group: int = (await made.json())["id"]
        return group


async def run(settings: Settings, *, port: int, stay: bool) -> int:
    """Start everything, play the story, and stay until Ctrl-C if wanted.

    Args:
        settings: where the model is.
        port: of the look-alike's page.
        stay: keep everything running for playing by hand.

    Returns:
        0 when the story went as written.
    """
    data_dir = ROOT / "var" / "demo"
    shutil.rmtree(data_dir, ignore_errors=True)
    async with look_alike(port=port, group_title=settings.community) as (_, group):
        with demo_settings(port=port, group=group, data_dir=data_dir) as demo, database.opened(demo) as url:
            tell("demo_model")
            await asyncio.to_thread(upgrading.prepare, demo, url)
            await asyncio.to_thread(_settle_in, demo, url)
            family = children.children(demo, database_url=url, rasa_database_url=database.rasa_url(url))
            supervisor = Supervisor(family)
            supervisor.start()
            try:
                await supervisor.healthy(within=UP_WITHIN)
                return await _perform(port, group, stay=stay, key=partial(_sign_in_link, demo, url))
            finally:
                await supervisor.stop()


def _settle_in(settings: Settings, url: str) -> None:
    engine = db.connect(url)
    with db.transaction(db.sessions(engine)) as session:
        community = communities.settle_in(session, settings.bot_id, communities.profile(settings))
        people_move_in(session, community)
    engine.dispose()


def people_move_in(session: Session, community: Community) -> None:
    """Fill the archive with the household of the story, and with what it owes, where it parks and who visits it."""
    moved_in = roster.take_in(session, community, roster_file.open_roster(ROSTER.read_bytes()).read(), now=BEGINS)
    assert not moved_in.problems, moved_in.problems
    for file in LEDGERS:
        kind, table = ledger_file.open_ledger(file.read_bytes())
        entered = ledger_import.take_in(session, community, kind, table.read(), now=BEGINS)
        assert not entered.problems, entered.problems


async def _sign_in_link(settings: Settings, url: str) -> str:
    """A link to the console for the first of staff who played, as a manager: everything is to be seen."""
    now = await console_commands.now_by(settings)
    engine = db.connect(url)
    with db.transaction(db.sessions(engine)) as session:
        community = communities.access_community(session, settings.bot_id)
        manager = staff.present(session, community.id)[0]
        staff.appoint(manager, Role.MANAGER)
        link = console_commands.make_link(session, community, manager.number, now=now)
    engine.dispose()
    return link


async def _perform(port: int, group: int, *, stay: bool, key: Callable[[], Awaitable[str]]) -> int:
    tell("demo_page", url=f"http://127.0.0.1:{port}/")
    command = [sys.executable, "-m", "sandbox.play", str(STORY), "--url", f"http://127.0.0.1:{port}"]
    player = await asyncio.create_subprocess_exec(*command, "--group", str(group), cwd=ROOT)
    code = await player.wait()
    tell("demo_done" if code == 0 else "demo_failed")
    if stay:
        tell("demo_console", url=await key())
        tell("demo_stays", url=f"http://127.0.0.1:{port}/")
        await asyncio.Event().wait()
    return code


def tell(message: str, **facts: str) -> None:
    """Print one of the demo's own lines."""
    print(f"\n» {MESSAGES[message].format(**facts)}", flush=True)


MESSAGES = {
    "demo_model": "Understanding: train the model if its data has changed",
    "demo_page": "Everything is up. Watch the residents' phone and the staff group at {url}",
    "demo_done": "The story went as written.",
    "demo_failed": "The story did NOT go as written; the line above says where.",
    "demo_console": "The staff's web pages, once, within five minutes (later: /console in the staff group): {url}",
    "demo_stays": "Play yourself at {url}; Ctrl-C ends the demo.",
}


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
