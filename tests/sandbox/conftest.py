"""A sandbox of its own for each test process, and a clean one for each test."""

import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import aiohttp
import pytest

from tests.sandbox.client import OTHER_TOKEN, TOKEN, Client

COMMAND = [sys.executable, "-m", "sandbox", "--port", "0", "--token", TOKEN, "--token", OTHER_TOKEN]


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """Start the real program on a free port and read the address from its first line."""
    with subprocess.Popen(COMMAND, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        yield line.removeprefix("sandbox listening on ").strip()
        process.terminate()


@pytest.fixture
async def world(server) -> AsyncIterator[Client]:
    """A sandbox in which nothing has happened yet."""
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as http:
        client = Client(server, http)
        await client.post("/reset")
        yield client
