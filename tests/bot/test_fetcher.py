"""Files that staff want to see, fetched from a Telegram that answers as it pleases."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy import select

from bot.fetcher import Fetcher
from bot.transport import make_bot
from bot.wake import Wake
from service import files
from service.db import Sessions
from service.models.talks import FetchedFile
from tests.bot.servers import refusal, serving
from tests.service.test_files import JPEG, ask, sends
from tests.stage import BOT_ID, NOON, Stage

LATER = NOON + timedelta(seconds=1)


@dataclass
class Shelf:
    """Telegram's files: says where one is, then gives it, unless a test has it answer something else."""

    where: Any = None
    content: Any = None
    asked: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request.path)
        if request.path.endswith("/getFile"):
            found = {"file_id": "large", "file_unique_id": "u", "file_size": len(JPEG), "file_path": "photos/1.jpg"}
            return self.where or web.json_response({"ok": True, "result": found})
        return self.content or web.Response(body=JPEG)


@pytest.fixture
async def shelf(sessions: Sessions) -> AsyncIterator[tuple[Shelf, str]]:
    """The look-alike and its address, with one file asked for."""
    with sessions.begin() as session:
        stage = Stage(session)
        ask(stage, sends(stage))
    telegram = Shelf()
    async with serving(telegram.handle) as url:
        yield telegram, url


async def fetch(url: str, sessions: Sessions, database_url: str) -> FetchedFile:
    """Run all errands that are due; gives what is known of the file afterwards."""
    bot = make_bot(f"{BOT_ID}:TEST", url)
    for request in bot._request:
        await request.initialize()
    fetcher = Fetcher(bot, sessions, Wake(database_url, files.CHANNEL), now=lambda: LATER)
    with sessions.begin() as session:
        errands = fetcher.take(session, 9)
    await asyncio.gather(*map(fetcher.work, errands))
    for request in bot._request:
        await request.shutdown()
    with sessions.begin() as session:
        row = session.scalars(select(FetchedFile)).one()
        assert row.content in (None, JPEG)
        return row


async def test_a_file_is_brought(shelf, sessions, database_url):
    """Asked where it is, then fetched from there."""
    telegram, url = shelf

    row = await fetch(url, sessions, database_url)

    assert (row.type, row.content, row.refused, row.due_at) == ("image/jpeg", JPEG, None, None)
    assert telegram.asked == [f"/bot{BOT_ID}:TEST/getFile", f"/file/bot{BOT_ID}:TEST/photos/1.jpg"]


def described(**facts: Any) -> web.Response:
    body = {"ok": True, "result": {"file_id": "large", "file_unique_id": "u", **facts}}
    return web.Response(text=json.dumps(body), content_type="application/json")


@pytest.mark.parametrize(
    ("answers", "refused"),
    [
        ({"where": (400, "Bad Request: file is too big")}, files.TOO_LARGE),
        ({"where": (400, "Bad Request: wrong file_id or the file is temporarily unavailable")}, files.GONE),
        ({"where": {"file_size": files.MOST_BYTES + 1, "file_path": "videos/1.mp4"}}, files.TOO_LARGE),
        ({"where": {"file_size": 9}}, files.GONE),  # no way to it: the library cannot fetch that
        ({"where": (500, "Internal Server Error")}, None),
        ({"where": (401, "Unauthorized")}, None),
        ({"content": (404, "Not Found")}, None),
        ({"content": (502, "Bad Gateway")}, None),
    ],
    ids=str,
)
async def test_what_telegram_answers_decides_what_becomes_of_it(shelf, sessions, database_url, answers, refused):
    """Staff read a reason, or it is tried again; nothing is thrown, and nothing is lost."""
    telegram, url = shelf
    for name, answer in answers.items():
        setattr(telegram, name, described(**answer) if isinstance(answer, dict) else refusal(*answer))

    row = await fetch(url, sessions, database_url)

    assert (row.refused, row.content) == (refused, None)
    assert (row.due_at is None) == (refused is not None)
    assert row.due_at is None or row.due_at > LATER


async def test_a_429_is_obeyed(shelf, sessions, database_url):
    """As long as Telegram says."""
    telegram, url = shelf
    telegram.where = refusal(429, "Too Many Requests: retry after 30", retry_after=30)

    row = await fetch(url, sessions, database_url)

    assert (row.refused, row.due_at) == (None, LATER + timedelta(seconds=30))


async def test_a_telegram_that_does_not_answer_is_asked_again(shelf, sessions, database_url):
    """Its own outage is no reason to say that a photo is gone."""
    row = await fetch("http://127.0.0.1:9", sessions, database_url)

    assert (row.refused, row.attempts, row.due_at) == (None, 1, LATER + files.AGAIN_AFTER)
