"""The simulated clock: real time plus an offset a test may move."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any


class Clock:
    """Dates of messages and every expiry read this clock; flood limits and back-off do not."""

    def __init__(self) -> None:
        self.offset = 0.0  # seconds
        self.listeners: list[Callable[[], None]] = []

    def now(self) -> float:
        """Simulated seconds since the epoch."""
        return time.time() + self.offset

    def advance(self, seconds: float) -> None:
        """Move the clock on (or back) and tell whoever watches."""
        self.offset += seconds
        for listener in self.listeners:
            listener()

    def set(self, moment: datetime) -> None:
        """Move the clock to a moment; one without a zone is read as UTC."""
        aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        self.advance(aware.timestamp() - self.now())

    def reading(self) -> dict[str, Any]:
        """What ``GET /sim/clock`` shows."""
        return {"now": datetime.fromtimestamp(self.now(), UTC).isoformat(), "offset": self.offset}
