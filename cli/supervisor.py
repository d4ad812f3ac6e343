"""Start children, start again what dies, stop all within five seconds."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import signal
import sys
from collections.abc import Sequence

import aiohttp
import structlog

from cli.children import Child

log = structlog.get_logger(__name__)
BACK_OFF = (0.2, 10.0)  # seconds before the first restart, and at the most; a minute of life starts it afresh
HEALTHY_AFTER = 60.0  # seconds
STOP_WITHIN = 3.5  # seconds after SIGTERM, then SIGKILL; PostgreSQL stops after the children, all within five
PR_SET_PDEATHSIG = 1


class Supervisor:
    """Owns the children of one machine."""

    def __init__(self, children: Sequence[Child], *, healthy_after: float = HEALTHY_AFTER) -> None:
        self._children = children
        self._healthy_after = healthy_after
        self._stopping = False
        self.running: dict[str, asyncio.subprocess.Process] = {}
        self._keepers: list[asyncio.Task[None]] = []

    def start(self) -> None:
        """Start every child and keep it running."""
        self._keepers = [asyncio.create_task(self._keep(child)) for child in self._children]

    async def healthy(self, *, within: float) -> None:
        """Return when every child with an address answers.

        Raises:
            TimeoutError: one does not; its name is in the message.
        """
        async with aiohttp.ClientSession() as session:
            for child in self._children:
                if child.health is not None:
                    await _answers(session, child, within)

    async def stop(self) -> None:
        """End every child: asked first, killed when it does not listen."""
        self._stopping = True
        for process in self.running.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        waits = [asyncio.create_task(process.wait()) for process in self.running.values()]
        if waits:
            await asyncio.wait(waits, timeout=STOP_WITHIN)
        for process in self.running.values():
            if process.returncode is None:
                process.kill()
                await process.wait()
        for keeper in self._keepers:
            keeper.cancel()
        await asyncio.gather(*self._keepers, return_exceptions=True)

    async def _keep(self, child: Child) -> None:
        pause, longest = BACK_OFF
        loop = asyncio.get_running_loop()
        while not self._stopping:
            started = loop.time()
            how = await self._live(child)
            if self._stopping:
                return
            pause = BACK_OFF[0] if loop.time() - started > self._healthy_after else min(pause * 2, longest)
            log.warning("child_died", child=child.name, how=how, again_in=round(pause, 1))
            await asyncio.sleep(pause)

    async def _live(self, child: Child) -> int | str:
        """Run a child to its end, and say how it ended: its exit code, or why it could not be started."""
        try:
            process = await asyncio.create_subprocess_exec(
                *child.command,
                env=dict(child.environment),
                stdin=asyncio.subprocess.DEVNULL,
                preexec_fn=_die_with_parent,
            )
        except OSError as error:  # no memory for another process, say: the next try may do better
            return type(error).__name__
        self.running[child.name] = process
        try:
            return await process.wait()
        finally:
            if process.returncode is None:  # started while everything was being stopped
                process.kill()


async def run(children: Sequence[Child]) -> None:
    """Supervise until SIGTERM or SIGINT."""
    supervisor = Supervisor(children)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    supervisor.start()
    await stop.wait()
    await supervisor.stop()


async def _answers(session: aiohttp.ClientSession, child: Child, within: float) -> None:
    assert child.health is not None
    try:
        async with asyncio.timeout(within):
            while not await _is_up(session, child.health):  # noqa: ASYNC110 - another program has no event to wait for
                await asyncio.sleep(0.1)
    except TimeoutError as error:
        raise TimeoutError(f"{child.name} does not answer at {child.health}") from error


async def _is_up(session: aiohttp.ClientSession, url: str) -> bool:
    with contextlib.suppress(aiohttp.ClientError, OSError):
        async with session.get(url) as response:
            return response.status < 500
    return False


def _die_with_parent() -> None:
    """Linux ends the child when its supervisor is killed; elsewhere the child stays until it is stopped."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
