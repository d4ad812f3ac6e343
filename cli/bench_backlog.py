"""`guanjia bench backlog`: the scheduler comes back after a week, and residents go on talking.

So many call-backs became due while it was down. Measured are how soon those that are too late are off, how fast the
rest goes out under the bot's real budget, and what residents notice of it: answers to the same steady talk before,
while the scheduler finds nothing due among as many rows, and meanwhile. Private chats and the group have no limits, so
that only the bot's own is felt. It takes as long as residents talk, however many rows there are; what is left by then
is counted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import yaml
from sqlalchemy import Engine, text

from cli import bench
from cli.bench import Figures, House
from service import db
from service.callbacks import TOO_LATE

WEEK = timedelta(days=7)
BOT_PER_SECOND = 25.0
LIMITS = {
    "BOT_PER_SECOND": str(BOT_PER_SECOND),
    "PRIVATE_PER_SECOND": "1000",
    "GROUP_PER_MINUTE": "100000",
    "QUIET_FROM": "00:00",  # whenever the bench is run, nobody sleeps
    "QUIET_UNTIL": "00:00",
}
AT_TELEGRAM = 1.2  # times as many people as can be written to meanwhile have a chat at the look-alike
NOBODY = 10**12  # the others' chats begin here; nothing comes to them within the time
LOOK_EVERY = 5.0  # seconds; every look counts all rows
P99_MAY_GROW = 0.2  # the bar

_PEOPLE = """
    WITH people AS (
      INSERT INTO residents (community_id, chat_id, display_name, language)
      SELECT (SELECT id FROM communities), :nobody + n, 'R', 'zh' FROM generate_series(1, :rows) AS n RETURNING id)
    INSERT INTO conversations (community_id, resident_id, owner, epoch, misunderstood, dialogue_is_old)
    SELECT (SELECT id FROM communities), id, 'bot', 0, 0, false FROM people
"""
_CASES = """
    INSERT INTO cases (community_id, number, conversation_id, resident_id, department_id, source, kind, category, state,
                       urgency, resolution, matter, opened_at)
    SELECT talk.community_id, 'B' || talk.id, talk.id, resident_id, (SELECT min(id) FROM departments), 'bench',
           'repair', 'water', 'finished', 0, 1, 'bench', clock_timestamp() - interval '9 days'
    FROM conversations AS talk
"""
# Evenly over a week to come, those with a chat at the look-alike first of those that will not be too late.
_CALL_BACKS = """
    WITH placed AS (
      SELECT cases.id, chat_id >= :nobody AND cases.id % 7 < 4 AS late,
             row_number() OVER (ORDER BY chat_id >= :nobody, cases.id) AS place
      FROM cases JOIN residents ON residents.id = resident_id)
    INSERT INTO call_backs (case_id, resolution, state, tries, due_at)
    SELECT id, 1, 'planned', 0, clock_timestamp() + interval '30 days' - CASE WHEN late
        THEN interval '3 days 1 hour' + (place % 90) * interval '1 hour'
        ELSE interval '2 days 22 hours' - place * interval '2 seconds' END
    FROM placed
"""
_FALL_DUE = "UPDATE call_backs SET due_at = due_at - interval '30 days'"
_LEFT = "SELECT count(*) FROM call_backs WHERE state = 'planned' AND due_at <= clock_timestamp()"
_LATE_LEFT = f"{_LEFT} - interval '3 days'"
_SENT = "SELECT count(*) FROM outbox WHERE kind = 'call_back' AND state = 'sent'"
LOOKED_AT = (_LEFT, _LATE_LEFT, _SENT)
_IN_HAND = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')"
_TOO_LATE = "SELECT count(*) FROM call_backs WHERE state = 'cancelled' AND reason = 'too late'"


@dataclass
class Watched:
    """What was seen while the backlog was worked off."""

    late_off_after: float | None = None  # seconds until nothing was due any more that is too late
    left: int = 0  # rows that nobody has looked at yet
    sent: list[tuple[float, int]] = field(default_factory=list)  # how many had gone out after how many seconds
    first_sent: asyncio.Event = field(default_factory=asyncio.Event)
    memory: list[Mapping[str, float]] = field(default_factory=list)  # MB by process, look by look


async def run(rows: int, *, seconds: float) -> dict[str, float]:
    """Measure it, and print the table.

    Args:
        rows: call-backs that are due.
        seconds: how long residents talk, before and meanwhile.
    """
    turns: Sequence[bench.Turn] = yaml.safe_load(bench.SCRIPT.read_text("utf-8"))["turns"]
    async with bench.house_on_look_alike(LIMITS, name="bench-backlog") as house:
        engine = db.connect(house.database_url)
        await _meet(house, int(BOT_PER_SECOND * seconds * AT_TELEGRAM), engine)
        house.signal("scheduler", signal.SIGSTOP)
        await asyncio.to_thread(_prepare, engine, rows)
        house.signal("scheduler", signal.SIGCONT)
        await bench.steady(house.ask, turns, seconds=min(seconds, 10.0), people=10_000)  # warms everything up
        before = await bench.steady(house.ask, turns, seconds=seconds, people=20_000)
        house.signal("scheduler", signal.SIGSTOP)
        await asyncio.to_thread(_fall_due, engine)
        house.signal("scheduler", signal.SIGCONT)
        watched = Watched()
        watching = asyncio.create_task(_watch(house, engine, watched))
        sweeping = await bench.steady(house.ask, turns, seconds=seconds, people=30_000)
        await watched.first_sent.wait()
        sending = await bench.steady(house.ask, turns, seconds=seconds, people=40_000)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        talks = {"idle": before, "sweeping": sweeping, "sending": sending}
        figures = _figures(talks, watched, too_late=_count(engine, _TOO_LATE))
        engine.dispose()
    _print(figures, rows)
    return figures


async def _meet(house: House, people: int, engine: Engine) -> None:
    """People who have started the bot, so that Telegram takes what is sent to them."""
    for number in range(people):
        await house.greet(f"B{number}")
    while True:
        met = await asyncio.to_thread(_count, engine, "SELECT count(*) FROM conversations")
        if met >= people and not await asyncio.to_thread(_count, engine, _IN_HAND):
            return
        await asyncio.sleep(LOOK_EVERY)


def _prepare(engine: Engine, rows: int) -> None:
    known = _count(engine, "SELECT count(*) FROM conversations")
    _execute(engine, _PEOPLE, nobody=NOBODY, rows=max(rows - known, 0))
    _execute(engine, _CASES)
    _execute(engine, _CALL_BACKS, nobody=NOBODY)
    _tidy(engine)


def _fall_due(engine: Engine) -> None:
    """The week goes by, and nobody sweeps."""
    _execute(engine, _FALL_DUE)
    _tidy(engine)


def _tidy(engine: Engine) -> None:
    """Away with what so many rows at once leave behind; a week does not."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for tidying in ("VACUUM ANALYZE", "CHECKPOINT"):
            connection.execute(text(tidying))


async def _watch(house: House, engine: Engine, watched: Watched) -> None:
    """Look now and then, until told to stop."""
    started = time.perf_counter()
    while True:
        watched.left, late, sent = await asyncio.to_thread(lambda: [_count(engine, sql) for sql in LOOKED_AT])
        seconds = time.perf_counter() - started
        if sent:
            watched.sent.append((seconds, sent))
            watched.first_sent.set()
        if late == 0 and watched.late_off_after is None:
            watched.late_off_after = seconds
        watched.memory.append(house.memory())
        await asyncio.sleep(LOOK_EVERY)


def _pace(sent: Sequence[tuple[float, int]]) -> float:
    """How many went out a second, from the first look that saw any to the last."""
    (begun, first), (ended, last) = sent[0], sent[-1]
    return (last - first) / (ended - begun) if ended > begun else 0.0


def _figures(talks: Mapping[str, Figures], watched: Watched, *, too_late: int) -> dict[str, float]:
    """What was measured; residents talked while nothing was due, while rows were swept, and while they were sent."""
    used = [memory["bot"] + memory["scheduler"] for memory in watched.memory]
    idle = talks["idle"].percentile(0.99)
    figures = {
        "backlog_late_off_seconds": watched.late_off_after or float("inf"),
        "backlog_left": watched.left,
        "backlog_too_late": too_late,
        "backlog_sent_per_second": _pace(watched.sent),
        "backlog_mb_first": used[0],
        "backlog_mb_last": used[-1],
        "backlog_mb_most": max(used),
    }
    for name, talk in talks.items():
        p99 = talk.percentile(0.99)
        figures |= {f"backlog_p50_{name}_ms": talk.percentile(0.5), f"backlog_p99_{name}_ms": p99}
        figures[f"backlog_p99_{name}_growth"] = p99 / idle - 1
    return figures


def _print(figures: Mapping[str, float], rows: int) -> None:
    late = f"what is older than {TOO_LATE.days} is not asked"
    print(f"\n{rows} call-backs were due, over the last {WEEK.days} days; {late}")
    for name, figure in figures.items():
        print(f"{name.removeprefix('backlog_'):24}{figure:10.2f}")
    print("processes wanting a core, over 1, 5 and 15 minutes: {:.1f} {:.1f} {:.1f}".format(*os.getloadavg()))
    print(f"bars: p99 may grow by {P99_MAY_GROW:.0%}; the bot may send {BOT_PER_SECOND:.0f} messages a second in all")


def _count(engine: Engine, sql: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(sql)).scalar_one())


def _execute(engine: Engine, sql: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql), values)
