"""The supervisor: what dies is started again, a clean stop is quick, and nothing outlives a killed supervisor."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from itertools import pairwise
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from cli.children import Child
from cli.supervisor import Supervisor
from tests.faults.harness import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
STOPS_WITHIN = 5.0  # seconds


def program(name: str, source: str, *arguments: object) -> Child:
    """A child that runs a little Python."""
    command = [sys.executable, "-c", dedent(source), *map(str, arguments)]
    return Child(name, command, dict(os.environ))


def lines_so_far(file: Path) -> list[str]:
    """What a program has written."""
    return file.read_text().splitlines() if file.exists() else []


async def lines_of(file: Path, wanted: int) -> list[str]:
    """Wait until a file has so many lines."""

    async def look() -> list[str]:
        lines = await asyncio.to_thread(lines_so_far, file)
        return lines if len(lines) >= wanted else []

    return await until(look, f"{file} has no {wanted} lines")


async def test_what_dies_at_once_is_started_again_ever_more_slowly(tmp_path: Path):
    """A process that cannot start must not burn the machine."""
    starts = tmp_path / "starts"
    hasty = program("hasty", "import sys, time; open(sys.argv[1], 'a').write(f'{time.monotonic()}\\n')", starts)
    supervisor = Supervisor([hasty])

    supervisor.start()
    times = [float(line) for line in await lines_of(starts, 4)]
    await supervisor.stop()

    gaps = [later - earlier for earlier, later in pairwise(times)]
    assert gaps[0] >= 0.4
    assert gaps[1] >= 0.8
    assert gaps[2] >= 1.6


async def test_a_program_that_is_not_there_is_tried_again(tmp_path: Path):
    """No memory for a new process, or a file that is just being replaced, is no reason to give up for ever."""
    late, starts = tmp_path / "late", tmp_path / "starts"
    supervisor = Supervisor([Child("late", [str(late), str(starts)], dict(os.environ))])

    supervisor.start()
    late.write_text('#!/bin/sh\necho here >>"$1"\nexec sleep 60\n')
    late.chmod(0o755)
    lines = await lines_of(starts, 1)
    await supervisor.stop()

    assert lines == ["here"]


async def test_a_stop_ends_also_who_does_not_listen(tmp_path: Path):
    """Five seconds, whatever hangs."""
    started = tmp_path / "started"
    deaf = program(
        "deaf",
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "open(sys.argv[1], 'a').write('up\\n')\n"
        "time.sleep(60)",
        started,
    )
    supervisor = Supervisor([deaf])
    supervisor.start()
    await lines_of(started, 1)
    process = supervisor.running["deaf"]
    loop = asyncio.get_running_loop()
    asked = loop.time()

    await supervisor.stop()

    assert loop.time() - asked < STOPS_WITHIN + 0.5
    assert process.returncode == -signal.SIGKILL


OWNER = """
    import asyncio, os, sys
    from pathlib import Path
    from cli.children import Child
    from cli.postgres import Postgres
    from cli.supervisor import run

    server = Postgres(Path(sys.argv[1]))
    sleeper = [sys.executable, "-c", "import time; time.sleep(600)"]
    print(server.pid, flush=True)
    asyncio.run(run([Child(name, sleeper, dict(os.environ)) for name in ("one", "two")]))
    server.stop()
"""


async def an_owner(folder: Path) -> tuple[Process, int]:
    """A process with children and a PostgreSQL, and the postmaster's process id."""
    owner = await asyncio.create_subprocess_exec(sys.executable, "-c", dedent(OWNER), str(folder), stdout=PIPE)
    assert owner.stdout is not None
    return owner, int(await owner.stdout.readline())


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_outlives_the_supervisor(tmp_path: Path, how: signal.Signals):
    """An orphaned PostgreSQL would hold the data when everything is started again."""
    owner, postmaster = await an_owner(tmp_path)
    family = psutil.Process(owner.pid)

    async def both() -> bool:
        return sum("sleep(600)" in " ".join(child.cmdline()) for child in family.children()) == 2

    await until(both, "the children never started")
    everybody = [*family.children(recursive=True), psutil.Process(postmaster)]

    owner.send_signal(how)
    await asyncio.wait_for(owner.wait(), STOPS_WITHIN + 1)

    async def gone() -> bool:
        return not any(one.is_running() and one.status() != psutil.STATUS_ZOMBIE for one in everybody)

    await until(gone, f"left behind: {everybody}", within=20)
    assert owner.returncode == (0 if how is signal.SIGTERM else -how)


async def test_after_a_kill_the_next_clean_stop_still_stops_postgresql(tmp_path: Path):
    """The wheel counts owners; one that was killed must not count for ever."""
    pids = []
    for how in (signal.SIGKILL, signal.SIGTERM):
        owner, postmaster = await an_owner(tmp_path)
        pids.append(postmaster)
        owner.send_signal(how)
        await asyncio.wait_for(owner.wait(), STOPS_WITHIN + 1)

    async def gone() -> bool:
        return not any(psutil.pid_exists(pid) for pid in pids)

    await until(gone, f"PostgreSQL still runs: {pids}", within=15)
    assert len(pids) == 2
