"""`guanjia bench backlog`: the scheduler comes back after a week, and residents go on talking.

So many call-backs became due while it was down. Measured are how soon those that are too late are off, how fast the
rest goes out under the bot's real budget, and what residents notice of it: answers to the same steady talk while the
scheduler finds nothing due among as many rows, meanwhile, and once more when nothing is due any more: how much the p99
of the two idle times differs says how much of any difference is chance. Private chats and the group have no limits, so
that only the bot's own is felt. It takes as long as residents talk, however many rows there are; what is left by then
is counted.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
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
HEAD = "ms                answers     p50             p99            nineteen of twenty such runs find a p99"
ROW = (
    "{name:18}{answers:7.0f}{p50_ms:8.0f}{p50_growth:+7.0%}{p99_ms:9.0f}{p99_growth:+7.0%}"
    "     from {p99_from_ms:.0f} to {p99_to_ms:.0f}"
)

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
_PUT_OFF = "UPDATE call_backs SET due_at = due_at + interval '30 days' WHERE state = 'planned'"
_LEFT = "SELECT count(*) FROM call_backs WHERE state = 'planned' AND due_at <= clock_timestamp()"
_LATE_LEFT = """
    SELECT CAST(EXISTS (SELECT 1 FROM call_backs WHERE state = 'planned'
                        AND due_at <= clock_timestamp() - interval '3 days') AS int)
"""
_SENT = "SELECT count(*) FROM outbox WHERE kind = 'call_back' AND state = 'sent'"
_IN_HAND = "SELECT count(*) FROM outbox WHERE state IN ('pending', 'sending')"
_TOO_LATE = "SELECT count(*) FROM call_backs WHERE state = 'cancelled' AND reason = 'too late'"


@dataclass
class Watched:
    """What was seen, look by look, while residents talked; also while nothing was due, so that looks cost the same."""

    fell_due: float = float("inf")  # when, by the clock of the looks
    late: list[tuple[float, int]] = field(default_factory=list)  # whether anything was due that is too late, and when
    sent: list[tuple[float, int]] = field(default_factory=list)  # how many had gone out, and when
    first_sent: asyncio.Event = field(default_factory=asyncio.Event)
    memory: list[Mapping[str, float]] = field(default_factory=list)  # MB by process

    def late_off_after(self) -> float:
        """Seconds until nothing was due any more that is too late."""
        return next((at - self.fell_due for at, late in self.late if at > self.fell_due and not late), float("inf"))


async def run(rows: int, *, seconds: float) -> dict[str, float]:
    """Measure it, and print the table.

    Args:
        rows: call-backs that are due.
        seconds: how long residents talk, each time.
    """
    turns: Sequence[bench.Turn] = yaml.safe_load(bench.SCRIPT.read_text("utf-8"))["turns"]
    async with bench.house_on_look_alike(LIMITS, name="bench-backlog") as house:
        engine = db.connect(house.database_url)
        await _meet(house, int(BOT_PER_SECOND * seconds * AT_TELEGRAM), engine)
        await _without_scheduler(house, _prepare, engine, rows)
        await bench.steady(house.ask, turns, seconds=min(seconds, 10.0), people=10_000)  # warms everything up
        watched, talks = Watched(), {}
        watching = asyncio.create_task(_watch(house, engine, watched))
        talks["idle"] = await bench.steady(house.ask, turns, seconds=seconds, people=20_000)
        await _without_scheduler(house, _fall_due, engine)
        watched.fell_due = time.perf_counter()
        talks["sweeping"] = await bench.steady(house.ask, turns, seconds=seconds, people=30_000)
        await watched.first_sent.wait()
        talks["sending"] = await bench.steady(house.ask, turns, seconds=seconds, people=40_000)
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        left = await asyncio.to_thread(_count, engine, _LEFT)
        await asyncio.to_thread(_put_off, engine)
        await _until(lambda: not _count(engine, _IN_HAND))
        watching = asyncio.create_task(_watch(house, engine, Watched()))
        talks["idle_again"] = await bench.steady(house.ask, turns, seconds=seconds, people=50_000)
        watching.cancel()
        of_all = _of_all(watched, left=left, too_late=_count(engine, _TOO_LATE))
        engine.dispose()
    by_talk = of_talks(talks)
    _print(of_all, by_talk, rows)
    flat = {f"{name}_{figure}": value for name, of in by_talk.items() for figure, value in of.items()}
    return {f"backlog_{name}": value for name, value in (of_all | flat).items()}


async def _without_scheduler(house: House, change: Callable[..., None], *arguments: Any) -> None:
    """Change what is due while nobody sweeps."""
    house.signal("scheduler", signal.SIGSTOP)
    await asyncio.to_thread(change, *arguments)
    house.signal("scheduler", signal.SIGCONT)


async def _meet(house: House, people: int, engine: Engine) -> None:
    """People who have started the bot, so that Telegram takes what is sent to them."""
    for number in range(people):
        await house.greet(f"B{number}")
    await _until(lambda: _count(engine, "SELECT count(*) FROM conversations") >= people)
    await _until(lambda: not _count(engine, _IN_HAND))


async def _until(holds: Callable[[], bool]) -> None:
    while not await asyncio.to_thread(holds):  # noqa: ASYNC110 - another program has no event to wait for
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


def _put_off(engine: Engine) -> None:
    """Nothing is due any more, as before; a scheduler that was stopped now might hold rows that this waits for."""
    _execute(engine, _PUT_OFF)
    _tidy(engine)


def _tidy(engine: Engine) -> None:
    """Away with what so many rows at once leave behind; a week does not."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for tidying in ("VACUUM ANALYZE", "CHECKPOINT"):
            connection.execute(text(tidying))


async def _watch(house: House, engine: Engine, watched: Watched) -> None:
    """Look now and then, until told to stop."""
    while True:
        late, sent = await asyncio.to_thread(lambda: [_count(engine, sql) for sql in (_LATE_LEFT, _SENT)])
        at = time.perf_counter()
        watched.late.append((at, late))
        if sent:
            watched.sent.append((at, sent))
            watched.first_sent.set()
        watched.memory.append(house.memory())
        await asyncio.sleep(LOOK_EVERY)


def _pace(sent: Sequence[tuple[float, int]]) -> float:
    """How many went out a second, from the first look that saw any to the last."""
    (begun, first), (ended, last) = sent[0], sent[-1]
    return (last - first) / (ended - begun) if ended > begun else 0.0


def _of_all(watched: Watched, *, left: int, too_late: int) -> dict[str, float]:
    """What was measured of the backlog."""
    used = [memory["bot"] + memory["scheduler"] for memory in watched.memory]
    return {
        "late_off_seconds": watched.late_off_after(),
        "left": left,
        "too_late": too_late,
        "sent_per_second": _pace(watched.sent),
        "mb_first": used[0],
        "mb_last": used[-1],
        "mb_most": max(used),
    }


def of_talks(talks: Mapping[str, Figures]) -> dict[str, dict[str, float]]:
    """What residents noticed, beside both times together when nothing was due, before and after."""
    idle = Figures(latencies=[*talks["idle"].latencies, *talks["idle_again"].latencies])
    return {name: _beside(idle, talk) for name, talk in talks.items()}


def _beside(idle: Figures, talk: Figures) -> dict[str, float]:
    figures = {"answers": float(len(talk.latencies))}
    for share in (50, 99):
        took = talk.percentile(share / 100)
        figures |= {f"p{share}_ms": took, f"p{share}_growth": took / idle.percentile(share / 100) - 1}
    figures["p99_from_ms"], figures["p99_to_ms"] = talk.likely(0.99)
    return figures


def _print(of_all: Mapping[str, float], by_talk: Mapping[str, Mapping[str, float]], rows: int) -> None:
    late = f"what is older than {TOO_LATE.days} is not asked"
    print(f"\n{rows} call-backs were due, over the last {WEEK.days} days; {late}")
    for name, figure in of_all.items():
        print(f"{name:20}{figure:10.2f}")
    print(HEAD)
    for name, figures in by_talk.items():
        print(ROW.format(name=name, **figures))
    print("processes wanting a core, over 1, 5 and 15 minutes: {:.1f} {:.1f} {:.1f}".format(*os.getloadavg()))
    print(f"bars: p99 may grow by {P99_MAY_GROW:.0%}; the bot may send {BOT_PER_SECOND:.0f} messages a second in all")


def _count(engine: Engine, sql: str) -> int:
    with engine.connect() as connection:
        return int(connection.execute(text(sql)).scalar_one())


def _execute(engine: Engine, sql: str, **values: Any) -> None:
    with engine.begin() as connection:
        connection.execute(text(sql), values)
