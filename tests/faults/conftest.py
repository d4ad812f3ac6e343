"""One running system for all tests of this folder; tests/conftest.py keeps them on one worker."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.faults.harness import Stack, running
from tests.faults.people import Person, butler, resident


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Everything up, Telegram by long polling."""
    async with running(tmp_path_factory.mktemp("stack")) as stack:
        yield stack


@pytest_asyncio.fixture(loop_scope="session")
async def wang(stack: Stack) -> Person:
    """A resident who has started the bot."""
    person = await resident(stack)
    await person.says("/start")
    await person.sees("小管家")
    return person


@pytest_asyncio.fixture(loop_scope="session")
async def li(stack: Stack) -> Person:
    """A butler."""
    return await butler(stack)
