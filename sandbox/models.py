"""The things the sandbox remembers: bots, chats, topics, messages, files, taps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

JSON = dict[str, Any]

TOPIC_COLOUR = 7322096  # the light blue Telegram uses when none is asked for


@dataclass(slots=True)
class Topic:
    """One forum topic; its thread id is the id of the service message that opened it."""

    thread_id: int
    name: str
    icon_color: int = TOPIC_COLOUR
    icon_custom_emoji_id: str = ""
    closed: bool = False

    def card(self) -> JSON:
        """The topic as ``ForumTopic``."""
        card: JSON = {"message_thread_id": self.thread_id, "name": self.name, "icon_color": self.icon_color}
        if self.icon_custom_emoji_id:
            card["icon_custom_emoji_id"] = self.icon_custom_emoji_id
        return card


@dataclass(slots=True)
class Stored:
    """A message as the chat shows it now; ``body`` is replaced on every change, never altered in place."""

    body: JSON
    sender: int
    keyboard: JSON | None = None
    deleted: bool = False
    pinned: bool = False
    media: bool = False
    silent: bool = False
    reactions: dict[int, list[str]] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The message id inside its chat."""
        number: int = self.body["message_id"]
        return number


@dataclass(slots=True)
class Chat:
    """A private chat (one per bot and user) or a group."""

    id: int
    face: JSON
    bots: set[int] = field(default_factory=set)
    members: dict[int, str] = field(default_factory=dict)
    messages: dict[int, Stored] = field(default_factory=dict)
    topics: dict[int, Topic] = field(default_factory=dict)
    kicked_bots: set[int] = field(default_factory=set)
    keyboard: JSON | None = None
    migrated_to: int | None = None
    started: bool = False
    blocked: bool = False
    general_closed: bool = False
    general_name: str = "General"
    last_message_id: int = 0

    @property
    def is_private(self) -> bool:
        """Whether this is the chat of one user with the bot."""
        return self.id > 0

    @property
    def is_forum(self) -> bool:
        """Whether the group has topics."""
        return bool(self.face.get("is_forum"))

    def shown(self) -> Iterable[Stored]:
        """The messages a person would still see, oldest first."""
        return (stored for stored in self.messages.values() if not stored.deleted)


@dataclass(slots=True)
class Callback:
    """One tap on a button and what the bot answered."""

    id: str
    bot_id: int
    tapped_at: float
    answered: bool = False
    text: str | None = None
    show_alert: bool = False
    url: str | None = None


@dataclass(slots=True)
class File:
    """The bytes behind a ``file_unique_id``; made up on first download when nobody gave any."""

    unique_id: str
    kind: str
    size: int
    mime: str
    name: str
    path: str
    data: bytes | None = None
    details: JSON = field(default_factory=dict)
