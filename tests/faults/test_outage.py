"""Rasa or the action server is down: nobody waits in silence, nothing is lost, and the talk goes on afterwards."""

import asyncio

import pytest

from tests.faults.harness import Stack
from tests.faults.people import Person

pytestmark = pytest.mark.asyncio(loop_scope="session")
AT_ONCE = 3.0  # seconds until a resident hears that a person will look


@pytest.mark.parametrize("part", ["rasa", "actions"])
async def test_without_the_dialogue_a_person_is_told_at_once_and_the_talk_goes_on_afterwards(
    stack: Stack, wang: Person, li: Person, part: str
):
    """Rasa alone would answer with silence."""
    await stack.hold_down(part)
    asked = asyncio.get_running_loop().time()

    await wang.says("厨房水管漏水了，一直在滴。")

    await wang.sees("转给了管家", within=10)
    took = asyncio.get_running_loop().time() - asked
    await li.sees("厨房水管漏水了，一直在滴。", topic=wang.name)
    assert took <= AT_ONCE

    stack.start([part])
    await stack.up(part)
    await wang.says("厨房水管漏水了，一直在滴，在3栋2单元1201。")
    assert "电话" in str(await wang.sees("电话"))
