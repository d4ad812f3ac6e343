"""The scheduler wakes the sweeps; the clock it follows may be the demo's."""

from __future__ import annotations

import asyncio
import logging
import threading
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from aiohttp import web
from sqlalchemy.event import listen
from sqlalchemy.orm import Session

from bot import scheduler
from bot.clock import Clock
from bot.scheduler import SWEEPS, Scheduler
from service.db import Sessions
from service.models.base import Base
from service.models.follow_ups import CallBack, FollowUpState
from service.models.queues import OutboxRow
from tests.bot.servers import serving
from tests.service.test_follow_ups import finish
from tests.stage import NOON, Stage

LATER = NOON + timedelta(days=2)


@pytest.fixture
def due(sessions: Sessions, monkeypatch) -> int:
    """More call-backs than a batch holds."""
    monkeypatch.setattr(scheduler, "BATCH", 3)
    with sessions.begin() as session:
        stage = Stage(session)
        for _ in range(7):
            finish(stage)
    return 7


def sweeper(sessions: Sessions, *, every: float = 60.0) -> Scheduler:
    return Scheduler(sessions, now=lambda: LATER, every=every)


def sent(sessions: Sessions) -> int:
    with sessions.begin() as session:
        return session.query(CallBack).filter(CallBack.state == FollowUpState.SENT).count()


def test_a_sweep_does_everything_that_is_due_batch_by_batch(sessions, due):
    sweeper(sessions).sweep("call_backs")

    assert sent(sessions) == due


@pytest.mark.parametrize("name", sorted(SWEEPS))
def test_a_sweep_with_nothing_to_do_ends(sessions, name):
    sweeper(sessions).sweep(name)

    with sessions.begin() as session:
        assert session.query(OutboxRow).count() == 0


# By which index each sweep finds that nothing is due; the others look at communities only, of which there are few.
INDEXES = {
    "call_backs": "call_backs_due",
    "visits": "appointments_due",
    "waiting": "waits_due",
    "topic_names": "topics_to_rename",
    "incidents": "incidents_open",
    "incidents_over": "incident_reports_due",
    "phone_calls": "call_backs_due",
    "surveys": "surveys_open",
    "after_talks": "outbox_held",
    "idle": "conversations_of_butlers",
    "unconfirmed": "outbox_attention",
    "desk": "desk_messages_due",
    "clocks": "case_clocks_due",
}


@pytest.mark.parametrize("name", INDEXES)
def test_a_sweep_finds_by_its_index_that_nothing_is_due(engine, name):
    """Among a million rows it looks every second; `make bench-sweeps` measures it."""
    asked: list[tuple[str, Any]] = []
    with engine.connect() as connection, connection.begin() as transaction:
        listen(connection, "before_cursor_execute", lambda *said: asked.append((said[2], said[3])))
        assert SWEEPS[name](Session(connection), LATER) == 0
        [(statement, values)] = asked
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        connection.exec_driver_sql(
            f"TRUNCATE {', '.join(Base.metadata.tables)}"
        )  # of pages others left nothing is known
        plan = connection.exec_driver_sql(f"EXPLAIN {statement}", values).scalars().all()
        transaction.rollback()

    assert INDEXES[name] in "\n".join(plan)
    assert "Seq Scan" not in "\n".join(plan)


async def test_the_scheduler_wakes_the_sweeps_until_it_is_stopped(sessions, due):
    running = asyncio.create_task(sweeper(sessions, every=0.05).run())

    async with asyncio.timeout(10):
        while await asyncio.to_thread(sent, sessions) < due:
            pass
    running.cancel()

    with pytest.raises(asyncio.CancelledError):
        await running


async def test_what_nobody_waits_for_is_woken_seldom(sessions):
    """A day whose sum is counted anew with every change of it took a third of a core after a downtime."""
    woken: list[str] = []
    enough = threading.Event()

    class Counting(Scheduler):
        def sweep(self, name: str) -> None:
            woken.append(name)
            if woken.count("call_backs") == 3:
                enough.set()

    running = asyncio.create_task(Counting(sessions, now=lambda: LATER, every=0.02).run())
    assert await asyncio.to_thread(enough.wait, 10)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    assert "daily_sums" not in woken


async def test_a_stop_leaves_what_is_still_due_to_the_next_start(sessions, due):
    """A week's backlog would keep the process alive, until whoever stops it loses patience and kills it."""
    scheduled = sweeper(sessions)
    running = asyncio.create_task(scheduled.run())
    await asyncio.sleep(0)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)

    scheduled.sweep("call_backs")

    assert sent(sessions) == scheduler.BATCH < due


async def test_a_stop_in_the_middle_of_a_sweep_is_no_failure(sessions, caplog):
    """Every clean stop of the bot would look like a crash in its log."""
    begun, may_end = threading.Event(), threading.Event()

    class Slow(Scheduler):
        def sweep(self, name: str) -> None:
            begun.set()
            may_end.wait(10)

    running = asyncio.create_task(Slow(sessions, now=lambda: LATER, every=0.05).run())
    await asyncio.to_thread(begun.wait, 10)

    running.cancel()
    await asyncio.gather(*asyncio.all_tasks() - {asyncio.current_task()}, return_exceptions=True)
    may_end.set()

    assert [record.message for record in caplog.records if record.levelno >= logging.WARNING] == []


async def test_the_clock_follows_the_one_it_is_told():
    """A demo advances it; what cannot be read is passed over."""
    lines = [b": hello\n", b'data: {"offset": 3600}\n', b"\n"]

    async def stream(request: web.Request) -> web.StreamResponse:
        assert request.path == "/sim/clock/stream"
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        await asyncio.Event().wait()
        return response

    changed = asyncio.Event()
    clock = Clock()
    async with serving(stream) as url:
        following = asyncio.create_task(clock.follow(f"{url}/sim/clock", on_change=changed.set))
        async with asyncio.timeout(5):
            await changed.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    assert timedelta(minutes=59) < clock.now() - datetime.now(UTC) < timedelta(minutes=61)


@pytest.mark.parametrize("line", [b"data: {}\n", b"data: 5\n", b"data: {\n", b'data: {"offset": null}\n'])
async def test_a_clock_that_talks_nonsense_stops_nobody(line):
    """The role would end, and with it the process."""
    asked = 0
    again = asyncio.Event()

    async def stream(_: web.Request) -> web.Response:
        nonlocal asked
        asked += 1
        if asked > 1:
            again.set()
        return web.Response(body=line)

    clock = Clock()
    async with serving(stream) as url:
        following = asyncio.create_task(clock.follow(url, on_change=lambda: None))
        async with asyncio.timeout(5):
            await asyncio.wait([following, asyncio.create_task(again.wait())], return_when=asyncio.FIRST_COMPLETED)
        alive = not following.done()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)

    assert alive


def test_without_another_clock_it_is_the_machines():
    assert abs(Clock().now() - datetime.now(UTC)) < timedelta(seconds=5)
