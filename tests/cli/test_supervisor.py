"""The supervisor with real children: starts again what dies, and stops all within five seconds."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import pairwise
from pathlib import Path

import psutil
import pytest

from cli.children import Child
from cli.supervisor import Supervisor
from tests.bot.servers import Telegram, serving

ROOT = Path(__file__).parents[2]
SAY = "import os, signal, sys\nwith open(os.environ['FIFO'], 'w') as out: out.write(f'{os.getpid()}\\n')\n"
STAY = SAY + "signal.pause()\n"
DIE = SAY + "sys.exit(3)\n"
DEAF = "import signal\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STAY.replace("pause()", "pause()\n" * 3)


class Births:
    """Hears of every child that has started."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lines = asyncio.StreamReader()

    async def open(self) -> asyncio.ReadTransport:
        os.mkfifo(self.path)
        pipe = os.fdopen(os.open(self.path, os.O_RDWR | os.O_NONBLOCK), "rb", 0)  # a writer too: reading never ends
        loop = asyncio.get_running_loop()
        transport, _ = await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(self._lines), pipe)
        return transport

    async def next(self) -> int:
        async with asyncio.timeout(20):
            return int(await self._lines.readline())


@pytest.fixture
async def births(tmp_path):
    births = Births(tmp_path / "births")
    transport = await births.open()
    yield births
    transport.close()


@pytest.fixture
def child(births) -> Callable[[str], Child]:
    def make(code: str, *, name: str = "tiny", health: str | None = None) -> Child:
        return Child(name, [sys.executable, "-S", "-c", code], {**os.environ, "FIFO": str(births.path)}, health)

    return make


@asynccontextmanager
async def supervising(*children: Child) -> AsyncIterator[Supervisor]:
    supervisor = Supervisor(children)
    supervisor.start()
    try:
        yield supervisor
    finally:
        await supervisor.stop()


def alive(pid: int) -> bool:
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


async def test_what_is_killed_is_started_again(births, child):
    async with supervising(child(STAY)):
        first = await births.next()
        os.kill(first, signal.SIGKILL)

        second = await births.next()

        assert (alive(first), alive(second)) == (False, True)


async def test_one_child_that_dies_leaves_the_others_alone(births, child):
    async with supervising(child(STAY, name="a"), child(STAY, name="b")):
        pids = [await births.next(), await births.next()]
        os.kill(pids[0], signal.SIGKILL)
        await births.next()

        assert alive(pids[1])


async def test_what_keeps_dying_is_started_ever_more_slowly(births, child):
    loop = asyncio.get_running_loop()
    async with supervising(child(DIE)):
        born = []
        for _ in range(4):
            await births.next()
            born.append(loop.time())

    waits = [later - earlier for earlier, later in pairwise(born)]
    assert waits[2] > waits[0]
    assert waits[2] >= 1.5


async def test_what_cannot_even_be_started_does_not_stop_the_others(births, child):
    nothing = Child("nothing", ["/no/such/program"], {})

    async with supervising(nothing, child(STAY)):
        assert alive(await births.next())


async def test_stopping_asks_and_takes_a_moment(births, child):
    loop = asyncio.get_running_loop()
    async with supervising(child(STAY, name="a"), child(STAY, name="b")):
        pids = [await births.next(), await births.next()]
        began = loop.time()

    assert loop.time() - began < 4
    assert [alive(pid) for pid in pids] == [False, False]


async def test_who_does_not_listen_is_killed_within_five_seconds(births, child):
    loop = asyncio.get_running_loop()
    async with supervising(child(DEAF)):
        pid = await births.next()
        began = loop.time()

    assert loop.time() - began < 5
    assert not alive(pid)


async def test_stopping_in_the_middle_of_a_back_off_starts_nothing(births, child):
    async with supervising(child(DIE)) as supervisor:
        pid = await births.next()
        await supervisor.running["tiny"].wait()

    assert not alive(pid)
    assert all(process.returncode is not None for process in supervisor.running.values())


async def test_health_is_waited_for(births, child):
    telegram = Telegram()
    async with serving(telegram.handle) as url, supervising(child(STAY, health=f"{url}/health")) as supervisor:
        await births.next()

        await supervisor.healthy(within=5)

    assert [method for method, _ in telegram.calls] == ["health"]


async def test_who_does_not_become_healthy_is_named(births, child):
    async with supervising(child(STAY, name="rasa", health="http://127.0.0.1:9/")) as supervisor:
        await births.next()

        with pytest.raises(TimeoutError, match="rasa"):
            await supervisor.healthy(within=0.3)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_children_end_when_their_supervisor_is_killed():
    """Nobody is left to hold the ports and the database."""
    code = (
        "import asyncio, sys\nfrom cli.children import Child\nfrom cli import supervisor\n"
        "tiny = [sys.executable, '-S', '-c', \"import signal; print('up', flush=True); signal.pause()\"]\n"
        "asyncio.run(supervisor.run([Child('tiny', tiny, {})]))\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as parent:
        assert parent.stdout is not None
        assert parent.stdout.readline() == "up\n"

        parent.kill()

        assert parent.stdout.read() == "", "the pipe closes when the child has ended too"
