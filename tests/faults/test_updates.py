"""Telegram may deliver twice, and in another order between chats: the end is the same."""

import asyncio
from collections import Counter
from typing import Any

import pytest

from tests.faults.harness import Stack
from tests.faults.people import Person, butler, resident
from tests.faults.traffic import report, talk, work
from tests.faults.witness import account

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def a_day(stack: Stack) -> list[Person]:
    """One resident has something mended, another talks with a butler, at the same time."""
    reporting, talking = await resident(stack), await resident(stack)
    engineer, host = await butler(stack), await butler(stack)

    async def mend() -> None:
        await work(engineer, await report(reporting, "厨房水管漏水"))

    await asyncio.gather(mend(), talk(talking, host, lines=3))
    await stack.settled()
    return [reporting, talking]


def end_state(stack: Stack, person: Person) -> dict[str, Any]:
    """What the database holds in the end, without what differs between any two days."""
    chat = {"chat": person.id}
    of = "FROM residents JOIN conversations AS talk ON talk.resident_id = residents.id"
    where = "WHERE residents.chat_id = :chat"
    rows = stack.rows(
        f"SELECT row.kind, row.state {of} JOIN outbox AS row ON row.conversation_id = talk.id {where}", **chat
    )
    return {
        "transcript": [
            row.author
            for row in stack.rows(
                f"SELECT said.author {of} JOIN messages AS said ON said.conversation_id = talk.id {where}"
                " ORDER BY said.id",
                **chat,
            )
        ],
        "steps": [
            (row.event, row.actor.partition(":")[0])
            for row in stack.rows(
                f"SELECT event, actor {of} JOIN cases ON cases.conversation_id = talk.id"
                f" JOIN case_events ON case_events.case_id = cases.id {where} ORDER BY case_events.id",
                **chat,
            )
        ],
        "owner": [tuple(row) for row in stack.rows(f"SELECT talk.owner, talk.epoch {of} {where}", **chat)],
        "lines": Counter((row.kind, row.state) for row in rows),
    }


async def test_every_update_twice_and_lanes_shuffled_lead_to_the_same_end(stack: Stack):
    """A number that was seen is a number that was seen."""
    as_usual = [end_state(stack, person) for person in await a_day(stack)]
    before = {"after_call": await stack.newest_call(), "after_row": stack.value("SELECT max(id) FROM outbox")}

    async with stack.fault("duplicate_updates"), stack.fault("reorder_updates", seed=7):
        people = await a_day(stack)

    assert [end_state(stack, person) for person in people] == as_usual
    assert (await account(stack, people, **before)).troubles() == {}
    assert stack.value("SELECT count(update_id) - count(DISTINCT update_id) FROM inbox") == 0


async def test_a_button_tapped_again_and_again_opens_one_case(stack: Stack, wang: Person):
    """People tap until something happens."""
    await wang.says("卫生间马桶堵了，在3栋2单元1201，电话13800138000，尽快")
    question = await wang.taps("确认")
    await wang.taps("确认")
    await wang.sees("工单号")

    await wang.taps("确认")
    await wang.says("/help")
    await wang.sees("119")

    assert not any("过了时效" in line for line in await wang.hears())
    cases = "SELECT count(*) FROM cases JOIN residents ON residents.id = resident_id WHERE chat_id = :chat"
    assert stack.value(cases, chat=wang.id) == 1
    assert question
