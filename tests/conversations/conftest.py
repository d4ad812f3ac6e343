"""One whole system, up once for all dialogues of a process, and what people see of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

import pytest
import pytest_asyncio

from cli.demo import people_move_in
from sandbox.mirror import Mirror, watching
from service import communities, db, ledger_file, ledger_import, roster, roster_file
from tests.conversations.scripts import HERE
from tests.faults.harness import BOT_ID, DIALOGUE, NOON, Stack, running

ROSTER = HERE / "roster.csv"
LEDGERS = sorted((HERE / "ledger").glob("*.csv"))


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def house(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """Everything up, as on one machine: the bot is one process."""
    more = {
        "GUANJIA_FRAGMENT_WAIT": "0.5",  # bubbles of a test that has to share its machine
        "GUANJIA_GROUP_PER_MINUTE": "100000",  # two hundred stories share one group
    }
    async with running(tmp_path_factory.mktemp("house"), names=("bot", "scheduler", *DIALOGUE), settings=more) as stack:
        await stack.post("limits", enabled=False)
        with db.transaction(db.sessions(stack.engine)) as session:
            community = communities.access_community(session, BOT_ID)
            rows = roster_file.open_roster(ROSTER.read_bytes()).read()
            now = datetime.fromisoformat(NOON)
            people_move_in(session, community)
            assert not roster.take_in(session, community, rows, now=now, new_buildings=True).problems
            for file in LEDGERS:
                kind, table = ledger_file.open_ledger(file.read_bytes())
                assert not ledger_import.take_in(session, community, kind, table.read(), now=now).problems
        yield stack


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def mirror(house: Stack) -> AsyncIterator[Mirror]:
    """What people see."""
    async with watching(house.url) as mirror:
        yield mirror
