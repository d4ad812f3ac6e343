"""Signs of life: every role's own loop touches a file, and the doctor looks how long ago that was.

A file, because a health check must tell a loop that hangs from one that waits, must cost nothing, and must not fail
when PostgreSQL does: a restart of the worker mends no database. The folder belongs to one machine or container.
"""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path

BEATS_EVERY = 3.0  # seconds between touches, at the least
LATE = 90.0  # seconds; the longest honest pauses are a long poll's 40 and a scheduler told to sweep every 60


class Heart:
    """Beats when a loop has turned."""

    def __init__(self, data_dir: Path, role: str) -> None:
        self._file = _file(data_dir, role)
        self._last = float("-inf")

    def beat(self) -> None:
        """Leave the sign; a disk that is full or read-only must not stop the loop."""
        if time.monotonic() - self._last < BEATS_EVERY:
            return
        self._last = time.monotonic()
        with suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._file.touch()


def unwatched() -> None:
    """The beat of a loop that nobody watches: in the terminal, in tests."""


def seconds_since(data_dir: Path, role: str) -> float | None:
    """How long ago the role's loop turned on this machine; None when it never did."""
    try:
        return max(time.time() - _file(data_dir, role).stat().st_mtime, 0.0)
    except OSError:
        return None


def _file(data_dir: Path, role: str) -> Path:
    return data_dir / "run" / f"{role}.beat"
