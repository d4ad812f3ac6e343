"""Processes are killed in the middle of talks in both directions: no line is lost, none overtakes another."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from tests.faults.figures import write_down_talks
from tests.faults.harness import Stack
from tests.faults.killer import Killer
from tests.faults.people import butler, resident
from tests.faults.traffic import PATIENCE, ROUND_TRIP, Exchange, on_duty, troubles

pytestmark = pytest.mark.asyncio(loop_scope="session")
# A line goes through these; the others are down now and then without a talk between people noticing.
KILLS = dict.fromkeys(("ingress", "worker", "sender", "postgres", "backend"), 18) | dict.fromkeys(
    ("scheduler", "actions", "rasa"), 4
)
TALKS = 3
BETWEEN_LINES = 0.7  # seconds: far quicker than people type
FEW_LINES = 4  # of either side, before and after each kill of the short part


async def exchanges(stack: Stack, number: int) -> Sequence[Exchange]:
    """Residents who have been taken over, each by a butler of their own."""
    found = [Exchange(await resident(stack), await butler(stack)) for _ in range(number)]
    for exchange in found:
        await exchange.begin()
    await stack.settled(within=PATIENCE)
    return found


async def test_a_kill_in_the_middle_of_a_talk_loses_nothing_and_turns_nothing_round(stack: Stack):
    """Whatever carries a line is killed once while both type; `make faults` kills everything, a hundred times."""
    [exchange] = await exchanges(stack, 1)

    for name in ("worker", "sender", "ingress"):
        await exchange.say(FEW_LINES)
        stack.kill(name)
        await exchange.say(FEW_LINES)
    await stack.settled(within=PATIENCE)

    assert await exchange.troubles() == {}
    assert exchange.said == 6 * FEW_LINES


@pytest.mark.faults
async def test_more_than_a_hundred_kills_in_the_middle_of_talks_lose_nothing_and_turn_nothing_round(stack: Stack):
    """Both sides type without a pause and without waiting for each other, and nothing may notice."""
    talks = await exchanges(stack, TALKS)
    killer = Killer(stack, seed=5, pauses=(0.5, 2.0))

    async with (
        on_duty(stack, await butler(stack)) as duty,
        stack.fault("latency", method="*Message", seconds=ROUND_TRIP),
    ):
        killing = asyncio.create_task(killer.run(of_each=KILLS))
        await asyncio.gather(*(talk.go_on(killing, pause=BETWEEN_LINES) for talk in talks))
        await killing
        await duty.settled(within=PATIENCE)

    found = [await talk.troubles() for talk in talks]
    doubled = sum([await talk.doubled() for talk in talks])
    await asyncio.to_thread(
        write_down_talks, killer, said=sum(2 * talk.said for talk in talks), found=found, doubled=doubled
    )
    assert found == [{}] * TALKS
    assert sum(len(times) for times in killer.recovery.values()) > 100


async def test_what_is_wrong_with_a_talk_is_seen():
    """A witness who never complains is none."""
    burst = "住户第1句。\n住户第3句。\n住户第1句。"

    found = troubles(
        3, to_butler=[burst, "住户第2句。"], to_resident=["管家第1句。", "小管家继续为您服务", "管家第3句。"]
    )

    assert found == {
        "out of order to the butler": [1, 3, 2],
        "lost to the resident": [2],
        "said by the bot meanwhile": ["小管家继续为您服务"],
    }
