"""What the control API takes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Status = Literal["creator", "administrator", "member", "left", "kicked"]


class Body(BaseModel):
    """A request body; a field nobody knows is a mistake worth hearing of."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)


class Reset(Body):
    """Wipe everything but the tokens."""

    keep_clock: bool = False


class User(Body):
    """A person; the same id again changes the person."""

    id: int | None = None
    first_name: str
    last_name: str | None = None
    username: str | None = None
    language_code: str | None = None
    is_premium: bool | None = Field(None, description="captions may be as long as texts")


class Group(Body):
    """A group with the bot in it as administrator."""

    title: str
    members: list[int] = []
    admins: list[int] = Field([], description="members who are administrators; the first one owns the group")
    is_forum: bool = True
    token: str | None = Field(None, description="which bot; the first one by default")
    id: int | None = None


class Member(Body):
    """A person's (or a bot's) standing in a group."""

    user_id: int
    status: Status
    by: int | None = Field(None, description="who did it; the person alone by default")


class Message(BaseModel):
    """What a person sends: text, or one kind of content, or an album."""

    model_config = ConfigDict(extra="forbid", populate_by_name=True)

    sender: int = Field(alias="from")
    chat_id: int | None = None
    thread: int | None = None
    text: str | None = None
    entities: list[dict[str, Any]] | None = None
    caption: str | None = None
    media_group_id: str | None = None
    album: list[dict[str, Any]] | None = None
    reply_to: int | None = None
    quote: str | None = Field(None, description="the part of the message replied to")
    forward_origin: dict[str, Any] | None = Field(None, description="where it was forwarded from, as a MessageOrigin")
    protected: bool = Field(False, description="nobody may copy or forward it")
    token: str | None = None
    photo: dict[str, Any] | None = None
    document: dict[str, Any] | None = None
    voice: dict[str, Any] | None = None
    video: dict[str, Any] | None = None
    video_note: dict[str, Any] | None = None
    audio: dict[str, Any] | None = None
    sticker: dict[str, Any] | None = None
    animation: dict[str, Any] | None = None
    live_photo: dict[str, Any] | None = None
    location: dict[str, Any] | None = None
    venue: dict[str, Any] | None = None
    contact: dict[str, Any] | None = None
    poll: dict[str, Any] | None = None
    dice: dict[str, Any] | None = None
    other: dict[str, Any] | None = Field(None, description="content the sandbox has no words for, as it is")


class Tap(Body):
    """A tap on an inline button, named by its data or its place."""

    sender: int = Field(alias="from")
    chat_id: int
    message_id: int
    data: str | None = None
    row: int | None = None
    col: int | None = None
    stale: bool = Field(False, description="allow data that is no longer (or never was) on the message")
    token: str | None = None


class Edit(Body):
    """A person changes a message of their own."""

    sender: int = Field(alias="from")
    chat_id: int
    message_id: int
    text: str | None = None
    caption: str | None = None
    entities: list[dict[str, Any]] | None = None
    photo: dict[str, Any] | None = Field(None, description="another file; so are video, document and audio")
    video: dict[str, Any] | None = None
    document: dict[str, Any] | None = None
    audio: dict[str, Any] | None = None
    location: dict[str, Any] | None = Field(None, description="where a live location is now")
    stop: bool = Field(False, description="a live location moves no more")
    token: str | None = None


class Reaction(Body):
    """A person's reactions to a message; none takes them back."""

    sender: int = Field(alias="from")
    chat_id: int
    message_id: int
    emoji: list[str] = []
    token: str | None = None


class Block(Body):
    """A person blocks the bot, or lets it in again."""

    user: int
    blocked: bool
    token: str | None = None


class TopicBody(Body):
    """A topic made by hand."""

    chat_id: int
    name: str
    sender: int | None = Field(None, alias="from")


class Deletion(Body):
    """Messages people delete; the bot hears nothing of it."""

    chat_id: int
    message_ids: list[int]
    token: str | None = None


class ClockBody(Body):
    """A move of the simulated clock."""

    advance: float | None = Field(None, description="seconds")
    set: datetime | None = None


class FaultBody(Body):
    """Trouble; see ``GET /sim/faults`` for the kinds."""

    kind: str
    method: str = "*"
    chat_id: int | None = None
    count: int | None = None
    probability: float | None = None
    seconds: float | None = None
    retry_after: int = 1
    code: int = 502
    description: str = "message can't be copied"
    html: bool | None = None
    take: bool = True
    scope: Literal["lanes", "batch"] = "lanes"
    seed: int | None = None


class RateBody(Body):
    """So many at once, then a steady rate."""

    burst: float = Field(gt=0)
    per_second: float = Field(gt=0)


class WindowBody(Body):
    """So many in any stretch of seconds."""

    count: int = Field(gt=0)
    seconds: float = Field(gt=0)


class BackoffBody(Body):
    """Seconds between tries of a webhook delivery."""

    first: float = Field(gt=0)
    longest: float = Field(gt=0)


class LimitsBody(Body):
    """The limits to change; null switches one off."""

    enabled: bool | None = None
    per_chat: RateBody | None = None
    per_group: WindowBody | None = None
    per_bot: RateBody | None = None
    webhook_backoff: BackoffBody | None = None
    latency_ms: float | None = None
