"""Processes are killed under running traffic: nothing is lost, nothing happens twice that must not."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress

import pytest

from tests.faults.figures import write_down
from tests.faults.harness import NotInTime, Stack
from tests.faults.killer import KINDS, Killer
from tests.faults.people import Person, butler, resident
from tests.faults.traffic import PATIENCE, ROUND_TRIP, Reported, on_duty, rate, report, talk, work
from tests.faults.witness import Account, account

pytestmark = pytest.mark.asyncio(loop_scope="session")
TWO_DAYS = 2 * 86_400
MANY, OF_EACH = 102, 8  # kills of our own processes in all, and of every kind at the least, PostgreSQL's too
MATTERS = ("厨房水管漏水", "卫生间马桶堵了", "客厅灯不亮", "大门门锁坏了")  # all called back within two days


async def everyday(stack: Stack, residents: Sequence[Person], staff: Sequence[Person]) -> list[Reported]:
    """Half of the residents report repairs, which are worked on to the end; the others talk with a butler."""

    async def mend(number: int, person: Person) -> Reported:
        reported = await report(person, MATTERS[number % len(MATTERS)])
        await work(staff[number % len(staff)], reported)
        return reported

    async with asyncio.TaskGroup() as group:
        reports = [group.create_task(mend(number, person)) for number, person in enumerate(residents[::2])]
        for number, person in enumerate(residents[1::2]):
            group.create_task(talk(person, staff[number % len(staff)], lines=8))
    return [task.result() for task in reports]


async def newcomers(stack: Stack, number: int) -> list[Person]:
    """Residents of the next round."""
    return [await resident(stack) for _ in range(number)]


async def kill_in_the_act(stack: Stack, killer: Killer) -> None:
    """End the sender while a message that must never be sent twice is on its way."""
    with suppress(NotInTime):
        await stack.until_row("SELECT 1 FROM outbox WHERE state = 'sending' AND delivery = 'at_most_once'")
        killer.strike("sender")


def check_each_step_once(stack: Stack, reports: Sequence[Reported], *, events: Sequence[str]) -> None:
    """One case for one confirmed report, and every step of it once."""
    for reported in reports:
        chat = reported.person.id
        of_resident = "SELECT count(*) FROM cases JOIN residents ON residents.id = resident_id WHERE chat_id = :chat"
        assert stack.value(of_resident, chat=chat) == 1, reported.number
        log = stack.rows(
            "SELECT event FROM case_events JOIN cases ON cases.id = case_id WHERE number = :number"
            " ORDER BY case_events.id",
            number=reported.number,
        )
        assert [row.event for row in log] == list(events), reported.number


WORKED = ("opened", "accepted", "departed", "finished")
RATED = (*WORKED, "called_back", "rated", "closed")


async def test_a_handful_of_kills_loses_nothing(stack: Stack):
    """One of every kind, by a fixed seed; `make faults` does it a hundred times."""
    staff = [await butler(stack) for _ in range(2)]
    residents = await newcomers(stack, 4)
    killer = Killer(stack, seed=20261123, pauses=(0.1, 0.8))
    await stack.settled()
    before = {"after_call": await stack.newest_call(), "after_row": stack.value("SELECT max(id) FROM outbox")}

    async with on_duty(stack, staff[0]), asyncio.TaskGroup() as group:
        group.create_task(killer.run(of_each=dict.fromkeys(KINDS, 1)))
        traffic = group.create_task(everyday(stack, residents, staff))
    async with on_duty(stack, staff[0]) as duty:
        await duty.settled(within=PATIENCE)

    check_each_step_once(stack, traffic.result(), events=WORKED)
    assert (await account(stack, residents, **before)).troubles() == {}


@pytest.mark.faults
async def test_more_than_a_hundred_kills_lose_nothing(stack: Stack):
    """The whole main job, round after round, until every kind was killed often."""
    staff = [await butler(stack) for _ in range(3)]
    killer = Killer(stack, seed=1, pauses=(1.0, 4.0))
    residents: list[Person] = []
    reports: list[Reported] = []

    async with on_duty(stack, staff[0]) as duty, stack.fault("latency", method="*Message", seconds=ROUND_TRIP):
        killing = asyncio.create_task(killer.run(kills=MANY, of_each=dict.fromkeys(KINDS, OF_EACH)))
        while not killing.done():
            people = await newcomers(stack, 14)
            reported = await everyday(stack, people, staff)
            await duty.settled(within=PATIENCE)
            await stack.post("clock", advance=TWO_DAYS)
            await asyncio.gather(kill_in_the_act(stack, killer), *(rate(one) for one in reported))
            residents += people
            reports += reported
        await killing
        await duty.settled(within=PATIENCE)

    found = await account(stack, residents)
    await asyncio.to_thread(write_down, killer, found, reports=len(reports), asked=len(duty.asked))
    check_each_step_once(stack, reports, events=RATED)
    assert found.troubles() == {}
    assert killer.kills > 100
    assert duty.asked, "no message was ever in doubt"


async def test_an_account_tells_what_is_wrong():
    """A witness who never complains is none."""
    found = Account(lost=["x"])
    found.doubled["work_order", "at_most_once"] += 1
    found.doubled["reply", "at_least_once"] += 1

    assert found.troubles() == {"lost": ["x"], "doubled": [("work_order", "at_most_once")]}
