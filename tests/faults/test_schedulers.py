"""Two schedulers beside each other, killed every few seconds: everybody is asked once, and nobody is forgotten."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy import select

from cli.children import Child
from service import callbacks, cases, communities, db, residents
from service.models.follow_ups import CallBack
from tests.faults.figures import put_between
from tests.faults.harness import BOT_ID, NOON, Stack, running, until
from tests.faults.people import Person, resident, text_of

SCHEDULERS = ("scheduler", "scheduler_2")
PEOPLE = 400
AT_A_TIME = 4  # people whose call-back becomes due …
EVERY = 0.5  # … seconds, so that there is something to take whenever a scheduler dies
LIVES = (0.3, 4.0)  # seconds from when a scheduler works until it is killed
KILLS = 30  # at the least
ASKED = "请问现在都好了吗"


def _second(stack: Stack) -> Child:
    """The same scheduler once more, with a log of its own."""
    first, name = stack.family["scheduler"], SCHEDULERS[1]
    script, log = first.command[:3], str(stack.logs / f"{name}.log")
    return replace(first, name=name, command=[*script, log, *first.command[4:]])


def _becomes_due(stack: Stack, person: Person) -> None:
    """Their repair has been finished, and it is time to ask whether it holds."""
    now = datetime.fromisoformat(NOON)
    with db.transaction(db.sessions(stack.engine)) as session:
        community = communities.access_community(session, BOT_ID)
        talk = residents.access_conversation(session, community.id, person.id, display_name="R", language="zh")
        case = cases.open_case(session, talk, cases.Facts("repair", "那个东西坏了"), source="test", now=now)
        cases.advance(session, case, cases.Event.FINISHED, actor="staff:101", key="done", now=now)
        callbacks.plan(session, case, now=now)
        session.scalars(select(CallBack).where(CallBack.case_id == case.id)).one().due_at = now


async def _kill_again_and_again(stack: Stack, name: str, *, kills: Counter[str], until_done: asyncio.Event) -> None:
    dice = random.Random(name)
    while not until_done.is_set() or kills[name] < KILLS // 2:
        await stack.up(name)
        await asyncio.sleep(dice.uniform(*LIVES))
        kills[name] += stack.kill(name)
    await stack.up(name)


@pytest.mark.faults
async def test_two_schedulers_that_are_killed_every_few_seconds_ask_everybody_once(tmp_path):
    """Whatever a scheduler had in hand when it died is rolled back whole, and the other takes it."""
    kills: Counter[str] = Counter()
    fed = asyncio.Event()
    async with running(tmp_path / "schedulers", names=("sender",)) as stack:
        people = [await resident(stack) for _ in range(PEOPLE)]
        for person in people:
            await person.says("/start")
        stack.family = {**stack.family, SCHEDULERS[1]: _second(stack)}
        stack.start(SCHEDULERS)

        async with asyncio.TaskGroup() as group:
            for name in SCHEDULERS:
                group.create_task(_kill_again_and_again(stack, name, kills=kills, until_done=fed))
            for first in range(0, PEOPLE, AT_A_TIME):
                for person in people[first : first + AT_A_TIME]:
                    await asyncio.to_thread(_becomes_due, stack, person)
                await asyncio.sleep(EVERY)
            fed.set()
        await until(lambda: _nothing_left(stack), "call-backs are still to be sent", within=120)

        asked = Counter([await _times_asked(person) for person in people])
        counted = stack.value("SELECT count(*) FROM unasked_messages")
    put_between(
        "schedulers",
        [
            "| Two schedulers, killed in turn | |",
            "|---|---|",
            f"| `kill -9` | {kills.total()} |",
            f"| call-backs that became due meanwhile | {PEOPLE} |",
            f"| … asked once, twice, never | {asked[1]}, {sum(asked.values()) - asked[0] - asked[1]}, {asked[0]} |",
        ],
    )
    assert asked == {1: PEOPLE}
    assert counted == PEOPLE, "the budget counts each once"
    assert kills.total() >= KILLS


async def _nothing_left(stack: Stack) -> bool:
    left = """
        SELECT (SELECT count(*) FROM call_backs WHERE state = 'planned')
             + (SELECT count(*) FROM outbox WHERE kind = 'call_back' AND state IN ('pending', 'sending'))
    """
    return bool(await asyncio.to_thread(stack.value, left) == 0)


async def _times_asked(person: Person) -> int:
    return sum(ASKED in text_of(message) for message in await person.messages() if message["from"]["is_bot"])
