"""Flood limits on real monotonic time: per group, per private chat, per bot."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.errors import too_many_requests
from sandbox.models import Chat


@dataclass(slots=True)
class Rate:
    """So many at once, then a steady rate."""

    burst: float
    per_second: float


@dataclass(slots=True)
class Window:
    """So many in any stretch of seconds."""

    count: int
    seconds: float


@dataclass(slots=True)
class Settings:
    """The limits in force; ``None`` switches one off, ``enabled`` all of them."""

    enabled: bool = True
    per_chat: Rate | None = field(default_factory=lambda: Rate(burst=5, per_second=1))
    per_group: Window | None = field(default_factory=lambda: Window(count=20, seconds=60))
    per_bot: Rate | None = field(default_factory=lambda: Rate(burst=30, per_second=30))


@dataclass(slots=True)
class Backoff:
    """Real seconds between tries of a webhook delivery."""

    first: float = 1.0
    longest: float = 60.0


class Bucket:
    """A token bucket."""

    __slots__ = ("at", "tokens")

    def __init__(self, rate: Rate, now: float) -> None:
        self.tokens = rate.burst
        self.at = now

    def wait(self, rate: Rate, cost: int, now: float) -> float:
        """Refill, then say how many seconds are missing for ``cost``."""
        self.tokens = min(rate.burst, self.tokens + (now - self.at) * rate.per_second)
        self.at = now
        return max(0.0, (min(cost, rate.burst) - self.tokens) / rate.per_second)


class Limits:
    """Takes a request's cost from every budget it touches, or refuses without taking any."""

    def __init__(self) -> None:
        self.settings = Settings()
        self.forget()

    def forget(self) -> None:
        """Start all budgets full."""
        self._bots: dict[int, Bucket] = {}
        self._chats: dict[tuple[int, int], Bucket] = {}
        self._groups: dict[tuple[int, int], deque[float]] = {}

    def change(self, wanted: dict[str, Any]) -> None:
        """Set what is named in ``wanted``; budgets start afresh."""
        for name, kind in (("per_chat", Rate), ("per_bot", Rate), ("per_group", Window)):
            if name in wanted:
                value = wanted[name]
                setattr(self.settings, name, None if value is None else kind(**value))
        self.settings.enabled = bool(wanted.get("enabled", self.settings.enabled))
        self.forget()

    def charge(self, bot_id: int, chat: Chat, cost: int) -> None:
        """Take ``cost`` messages for this chat.

        Raises:
            ApiError: 429 with the seconds to wait; nothing was taken.
        """
        if not self.settings.enabled:
            return
        now = time.monotonic()
        bucket_wait, bucket = self._bot_wait(bot_id, cost, now)
        key = (bot_id, chat.id)
        chat_wait = self._chat_wait(key, cost, now) if chat.is_private else self._group_wait(key, cost, now)
        if wait := max(bucket_wait, chat_wait):
            raise too_many_requests(math.ceil(wait))
        if bucket is not None:
            bucket.tokens -= cost
        self._take(key, cost, now)

    def _bot_wait(self, bot_id: int, cost: int, now: float) -> tuple[float, Bucket | None]:
        rate = self.settings.per_bot
        if rate is None:
            return 0.0, None
        bucket = self._bots.get(bot_id) or self._bots.setdefault(bot_id, Bucket(rate, now))
        return bucket.wait(rate, cost, now), bucket

    def _chat_wait(self, key: tuple[int, int], cost: int, now: float) -> float:
        rate = self.settings.per_chat
        if rate is None:
            return 0.0
        bucket = self._chats.get(key) or self._chats.setdefault(key, Bucket(rate, now))
        return bucket.wait(rate, cost, now)

    def _group_wait(self, key: tuple[int, int], cost: int, now: float) -> float:
        window = self.settings.per_group
        if window is None:
            return 0.0
        sent = self._groups.setdefault(key, deque())
        while sent and sent[0] <= now - window.seconds:
            sent.popleft()
        over = len(sent) + min(cost, window.count) - window.count
        return sent[over - 1] + window.seconds - now if over > 0 else 0.0

    def _take(self, key: tuple[int, int], cost: int, now: float) -> None:
        if bucket := self._chats.get(key):
            bucket.tokens -= cost
        sent = self._groups.get(key)
        if sent is not None:
            sent.extend([now] * cost)
