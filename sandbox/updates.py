"""What a bot is told: a queue of updates with ids, expiry and confirmation."""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass
from itertools import islice
from math import inf
from typing import Any

from sandbox.clock import Clock

KEPT = 86_400.0  # seconds an update waits for its bot
CALLBACK_KEPT = 150.0  # seconds a tap waits
LOGGED = 100_000  # updates remembered for GET /sim/updates
ONLY_WHEN_ASKED = frozenset({"chat_member", "message_reaction", "message_reaction_count"})


@dataclass(slots=True)
class Update:
    """One update and how far it got."""

    body: dict[str, Any] | str
    kind: str
    lane: str
    emitted_at: float
    expires_at: float
    update_id: int = 0
    confirmed: bool = False
    expired: bool = False
    deliveries: int = 0

    @property
    def settled(self) -> bool:
        """Whether it needs no further delivery."""
        return self.confirmed or self.expired


class UpdateQueue:
    """The pending updates of one bot and the log of all it was ever sent."""

    def __init__(self, clock: Clock) -> None:
        self.pending: deque[Update] = deque()
        self.log: deque[Update] = deque(maxlen=LOGGED)
        self.allowed: frozenset[str] | None = None
        self.next_id = 1
        self._clock = clock
        self._waiting: list[asyncio.Future[None]] = []
        self._next_expiry = inf

    def allows(self, kind: str) -> bool:
        """Whether the bot asked for this kind; by default all but the noisy ones."""
        return kind not in ONLY_WHEN_ASKED if self.allowed is None else kind in self.allowed

    def emit(self, kind: str, payload: dict[str, Any], *, lane: str) -> Update | None:
        """Queue an update, unless the bot does not want its kind."""
        if not self.allows(kind):
            return None
        now = self._clock.now()
        kept = CALLBACK_KEPT if kind == "callback_query" else KEPT
        update = Update({"update_id": self.next_id, kind: payload}, kind, lane, now, now + kept, self.next_id)
        return self.put(update)

    def put(self, update: Update) -> Update:
        """Append an update as it is, also one that no bot should ever see."""
        self.next_id = max(self.next_id, update.update_id + 1)
        self._next_expiry = min(self._next_expiry, update.expires_at)
        self.pending.append(update)
        self.log.append(update)
        self.wake()
        return update

    def wake(self) -> None:
        """Let a waiting poller or the webhook look again."""
        waiting, self._waiting = self._waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)

    def arrival(self) -> asyncio.Future[None]:
        """A promise made at once (nothing slips in before it is awaited) that something may have been queued."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(future)
        return future

    def confirm_below(self, offset: int) -> None:
        """Forget what the bot has acknowledged; a negative offset keeps only the last so many."""
        self.expire()
        waiting = len(self.pending)
        while self.pending and (self.pending[0].update_id < offset or waiting > -offset > 0):
            self.pending.popleft().confirmed = True
            waiting -= 1

    def confirm(self, update: Update) -> None:
        """Note that one update arrived, in whatever order the lanes move."""
        update.confirmed = True
        while self.pending and self.pending[0].settled:
            self.pending.popleft()

    def expire(self) -> None:
        """Drop what waited too long on the simulated clock."""
        now = self._clock.now()
        if now < self._next_expiry:
            return
        for update in self.pending:
            update.expired = update.expires_at <= now
        self.pending = deque(update for update in self.pending if not update.settled)
        self._next_expiry = min((update.expires_at for update in self.pending), default=inf)

    def clear(self) -> None:
        """Drop everything that waits (``drop_pending_updates``)."""
        for update in self.pending:
            update.expired = True
        self.pending.clear()

    def head(self, limit: int) -> list[Update]:
        """The oldest pending updates."""
        while self.pending and self.pending[0].settled:
            self.pending.popleft()
        return list(islice((update for update in self.pending if not update.settled), limit))
