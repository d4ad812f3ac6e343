"""A process of the bot comes up whatever the database does meanwhile."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import create_engine, make_url, text
from structlog.testing import capture_logs

from bot import process
from service import communities, db
from service.config import Settings
from service.db import Sessions

TOKEN = "7:token"


@contextmanager
def closed(database_url: str) -> Iterator[None]:
    """A database that takes no new connections."""
    url = make_url(db.url_for(database_url))
    engine = create_engine(url.set(database="postgres"), isolation_level="AUTOCOMMIT")

    def switch(*, is_open: bool) -> None:
        with engine.connect() as connection:
            connection.execute(text(f'ALTER DATABASE "{url.database}" ALLOW_CONNECTIONS {is_open}'))

    switch(is_open=False)
    try:
        yield
    finally:
        switch(is_open=True)
        engine.dispose()


async def test_a_process_settles_in_as_soon_as_the_database_answers(sessions: Sessions, database_url: str):
    """It had looked at the schema, and then the server was killed: dying of that would cost a whole start more."""
    engine = db.connect(database_url)
    with capture_logs() as lines, closed(database_url):
        settling = asyncio.create_task(process.settled_in(Settings(bot_token=TOKEN), db.sessions(engine)))
        async with asyncio.timeout(10):
            while not lines:
                await asyncio.wait({settling}, timeout=0.01)

    async with asyncio.timeout(10):
        await settling
    engine.dispose()

    assert lines[0]["event"] == "database_does_not_answer_yet"
    with sessions.begin() as session:
        assert communities.access_community(session, 7).bot_id == 7


def test_the_bot_holds_no_library_of_indexes():
    """Only the action server looks questions up in one: in the bot it would be sixty megabytes for nothing."""
    held = "import sys, bot.process; print([name for name in ('bm25s', 'numpy') if name in sys.modules])"

    assert subprocess.run([sys.executable, "-c", held], capture_output=True, text=True, check=True).stdout == "[]\n"


async def test_what_a_process_is_made_of_is_not_looked_through_for_garbage(sessions: Sessions, database_url: str):
    """It took Python a tenth of a second, again and again, and every answer waited for it."""
    settings = Settings(bot_token=TOKEN, data_dir="unused", clock_url=None)
    with capture_logs() as lines:
        running = asyncio.create_task(process.run(settings, database_url=database_url, roles=()))
        async with asyncio.timeout(10):
            while "started" not in [line["event"] for line in lines]:
                await asyncio.wait({running}, timeout=0.01)

    kept = gc.get_freeze_count()
    gc.unfreeze()
    os.kill(os.getpid(), signal.SIGTERM)
    await running

    assert kept > 100_000
