"""All state of one sandbox, in memory."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import Clock
from sandbox.errors import ApiError, bad_request, refuse
from sandbox.events import Events
from sandbox.faults import Faults
from sandbox.limits import Backoff, Limits
from sandbox.models import JSON, Callback, Chat, File, Stored
from sandbox.updates import UpdateQueue

REQUESTS_LOGGED = 100_000
FIRST_GROUP_ID = 1_001_000_000_000  # supergroups are -100 followed by their own id


@dataclass(slots=True)
class Bot:
    """A token the sandbox knows and all that belongs to it."""

    token: str
    user: JSON
    updates: UpdateQueue
    private: dict[int, Chat] = field(default_factory=dict)
    commands: dict[tuple[str, str], list[JSON]] = field(default_factory=dict)
    webhook: Any = None
    poller: Any = None
    last_message_id: int = 0

    @property
    def id(self) -> int:
        """The bot's user id, the first half of its token."""
        number: int = self.user["id"]
        return number

    def end(self) -> None:
        """Stop deliveries and let a waiting poll go: this bot starts afresh."""
        if self.webhook is not None:
            self.webhook.stop()
        if self.poller is not None:
            self.poller.over = True
        self.updates.wake()


class World:
    """Bots, people, chats and the rules of the day."""

    def __init__(self, tokens: list[str], *, latency: float = 0.0, limited: bool = True) -> None:
        self.clock = Clock()
        self.events = Events()
        self.tokens = tokens
        self._started_with = (latency, limited)
        self.bots: dict[str, Bot] = {}
        self.reset()
        self.clock.listeners.append(self._clock_moved)

    def reset(self) -> None:
        """Forget everything but the tokens and the clock; limits go back to what they were at the start."""
        self.faults = Faults()
        self.limits = Limits()
        self.backoff = Backoff()
        self.latency, self.limits.settings.enabled = self._started_with  # seconds every answer takes at least
        for bot in self.bots.values():
            bot.end()
        self.bots = {token: self._new_bot(token) for token in self.tokens}
        self.bots_by_id = {bot.id: bot for bot in self.bots.values()}
        self.users: dict[int, JSON] = {}
        self.groups: dict[int, Chat] = {}
        self.files: dict[str, File] = {}
        self.callbacks: dict[str, Callback] = {}
        self.requests: deque[Any] = deque(maxlen=REQUESTS_LOGGED)
        self.request_count = 0
        self._last_ids: dict[str, int] = {"group": FIRST_GROUP_ID, "user": 1000, "file": 0, "callback": 7_000_000}
        self.publish("reset")

    def new_id(self, of: str) -> int:
        """The next number of a series."""
        self._last_ids[of] = number = self._last_ids.get(of, 0) + 1
        return number

    @property
    def first_bot(self) -> Bot:
        """The bot that is meant when nobody says which."""
        return next(iter(self.bots.values()))

    def publish(self, kind: str, **what: Any) -> None:
        """Tell the watchers, if there are any."""
        if self.events:
            self.events.publish({"type": kind, **what})

    def access_chat(self, bot: Bot, chat_id: object) -> Chat:
        """The chat a bot names, if it may see it.

        Raises:
            ApiError: 400 not found or migrated, 403 kicked.
        """
        if not isinstance(chat_id, int):
            raise bad_request("chat not found")
        return self._access_private(bot, chat_id) if chat_id > 0 else self._access_group(bot, chat_id)

    def private_chat(self, bot: Bot, user_id: int) -> Chat:
        """The chat of a user with a bot, begun if need be."""
        if user_id not in bot.private:
            user = self.users[user_id]
            face: JSON = {"id": user_id, "type": "private"}
            face |= {key: user[key] for key in ("first_name", "last_name", "username") if key in user}
            bot.private[user_id] = Chat(user_id, face, bots={bot.id}, members={user_id: "member"})
        return bot.private[user_id]

    def next_message_id(self, chat: Chat) -> int:
        """Groups count for themselves; all private chats of a bot share one counter."""
        holder: Any = self.bots_by_id[next(iter(chat.bots))] if chat.is_private else chat
        holder.last_message_id += 1
        number: int = holder.last_message_id
        return number

    def why_not_write(self, chat: Chat) -> ApiError | None:
        """The reason a bot may not write to a person, if there is one."""
        if not chat.is_private:
            return None
        if chat.blocked:
            return refuse(403, "bot was blocked by the user")
        return None if chat.started else refuse(403, "bot can't initiate conversation with a user")

    def user_of(self, user_id: int) -> JSON:
        """A person or a bot as ``User``."""
        bot = self.bots_by_id.get(user_id)
        return bot.user if bot else self.users[user_id]

    def find(self, chat: Chat, message_id: object, reason: str) -> Stored:
        """A message that is still there, or the refusal that names what was wanted of it."""
        stored = chat.messages.get(message_id) if isinstance(message_id, int) else None
        if stored is None or stored.deleted:
            raise bad_request(reason)
        return stored

    def _access_private(self, bot: Bot, chat_id: int) -> Chat:
        if chat_id not in self.users:
            raise bad_request("chat not found")
        return self.private_chat(bot, chat_id)

    def _access_group(self, bot: Bot, chat_id: int) -> Chat:
        chat = self.groups.get(chat_id)
        if chat is None:
            raise bad_request("chat not found")
        if chat.migrated_to is not None:
            raise bad_request("group chat was upgraded to a supergroup chat", migrate_to_chat_id=chat.migrated_to)
        if bot.id in chat.kicked_bots:
            raise refuse(403, f"bot was kicked from the {chat.face['type']} chat")
        if bot.id not in chat.bots:
            raise bad_request("chat not found")
        return chat

    def _new_bot(self, token: str) -> Bot:
        number = int(token.partition(":")[0])
        user = {"id": number, "is_bot": True, "first_name": "小管家", "username": f"guanjia_{number}_bot"}
        return Bot(token, user, UpdateQueue(self.clock))

    def _clock_moved(self) -> None:
        self.publish("clock", **self.clock.reading())
        for bot in self.bots.values():
            bot.updates.expire()
