"""The table of methods: which function answers, and what it costs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox import spec
from sandbox.models import JSON, Chat
from sandbox.world import Bot, World


@dataclass(slots=True)
class Call:
    """One request of a bot, ready to be answered."""

    world: World
    bot: Bot
    params: JSON
    _chat: Chat | None = field(default=None, repr=False)

    @property
    def chat(self) -> Chat:
        """The chat the request names in ``chat_id``."""
        if self._chat is None:
            self._chat = self.world.access_chat(self.bot, self.params.get("chat_id"))
        return self._chat

    def writable_chat(self) -> Chat:
        """The same, if the bot may write there.

        Raises:
            ApiError: 403 blocked by the user, or never started.
        """
        refusal = self.world.why_not_write(self.chat)
        if refusal is not None:
            raise refusal
        return self.chat


Answer = Callable[[Call], Any]
Cost = Callable[[JSON], int]


@dataclass(frozen=True, slots=True)
class Method:
    """A method of the Bot API as the sandbox answers it."""

    name: str
    answer: Answer
    cost: Cost | None


METHODS: dict[str, Method] = {}


def one_message(_: JSON) -> int:
    """The cost of an ordinary send or edit."""
    return 1


def answers(*names: str, cost: Cost | None = None) -> Callable[[Answer], Answer]:
    """Register a function for methods; with a ``cost`` it writes to a chat and counts against its limits."""

    def register(answer: Answer) -> Answer:
        for name in names:
            if name not in spec.SUPPORTED:
                raise LookupError(name)
            METHODS[name.lower()] = Method(name, answer, cost)
        return answer

    return register
