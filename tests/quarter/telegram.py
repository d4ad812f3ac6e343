"""The other side: a Telegram that takes calls in, refuses some, loses answers, and tells people what has arrived."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any

import aiohttp
from telegram.error import Forbidden, NetworkError, RetryAfter, TimedOut

from service.sending import Parcel
from tests.stage import BOT_ID

THREADS_FROM = 1_000


class Killed(BaseException):
    """The sender was killed in the middle of a call; nothing of its own can catch that."""


class Telegram:
    """What `bot/sender.py` calls in place of the library's bot; it answers at once."""

    token = f"{BOT_ID}:quarter"

    def __init__(self, seed: int, *, arrived: Callable[[Parcel], None], doubted: Callable[[int], None]) -> None:
        self._seed = seed
        self._arrived = arrived
        self._doubted = doubted
        self._number = THREADS_FROM
        self.parcel: Parcel | None = None  # whose call is made next
        self.blocked_by: set[int] = set()

    def __getattr__(self, method: str) -> Callable[..., Any]:
        return partial(self._call, method)

    async def _call(self, method: str, *_: object, **__: object) -> object:
        parcel = self.parcel
        assert parcel is not None
        if parcel.chat_id in self.blocked_by:
            raise Forbidden("Forbidden: bot was blocked by the user")
        if method == "create_forum_topic":
            return SimpleNamespace(message_thread_id=self._next())
        self._meet_trouble(parcel)
        self._arrived(parcel)
        return SimpleNamespace(message_id=self._next())

    def _meet_trouble(self, parcel: Parcel) -> None:
        """A call's luck is its own, whatever was sent before it: the sender runs on a clock of its own."""
        call = f"{self._seed}:{parcel.id}:{parcel.attempts}".encode()
        luck, arrives = divmod(int.from_bytes(hashlib.blake2s(call, digest_size=4).digest()) % 2_000, 2)
        for per_mille, unsure, raise_it in TROUBLES:
            luck -= per_mille
            if luck < 0:
                if unsure and arrives:
                    self._arrived(parcel)
                if unsure:
                    self._doubted(parcel.id)
                raise_it()

    def _next(self) -> int:
        self._number += 1
        return self._number


def _slow_down() -> None:
    raise RetryAfter(30)


def _not_sent() -> None:
    raise NetworkError("no connection") from aiohttp.ConnectionTimeoutError()


def _answer_lost() -> None:
    raise TimedOut from TimeoutError()


def _killed() -> None:
    raise Killed


# How often in a thousand calls, whether the message may have arrived all the same (every second has), and what the
# sender meets.
TROUBLES = ((6, False, _slow_down), (3, False, _not_sent), (5, True, _answer_lost), (3, True, _killed))
