"""Rasa or the action server is down: nobody waits in silence, nothing is lost, and the talk goes on afterwards."""

import asyncio

import pytest

from tests.faults.harness import Stack
from tests.faults.people import Person, resident

pytestmark = pytest.mark.asyncio(loop_scope="session")
AT_ONCE = 3.0  # seconds until a resident hears that a person will look


async def test_without_the_dialogue_a_person_is_told_at_once_and_the_talk_goes_on_afterwards(
    stack: Stack, wang: Person, li: Person
):
    """Rasa alone would answer with silence, whether its actions are gone or it is itself."""
    zhou = await resident(stack)
    for part, person in (("actions", wang), ("rasa", zhou)):
        await stack.hold_down(part)
        asked = asyncio.get_running_loop().time()

        await person.says("厨房水管漏水了，一直在滴。")

        await person.sees("转给了管家", within=10)
        took = asyncio.get_running_loop().time() - asked
        await li.sees("厨房水管漏水了，一直在滴。", topic=person.name)
        assert took <= AT_ONCE

    stack.start(["actions", "rasa"])
    await stack.up("actions", "rasa")
    for person in (wang, zhou):
        await person.says("厨房水管漏水了，一直在滴，在3栋2单元1201。")
        assert "电话" in str(await person.sees("电话"))
