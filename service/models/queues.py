"""What comes in and what goes out."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base


class Delivery(StrEnum):
    """What may happen to a message whose delivery is uncertain."""

    RETRY = "retry"  # edits, reactions, chat actions, topic creation: idempotent, retry freely
    AT_LEAST_ONCE = "at_least_once"  # replies, relays, emergencies: better twice than never
    AT_MOST_ONCE = "at_most_once"  # surveys, call-backs, notices, work orders: never twice by itself


class Priority:
    """Who goes first; smaller is sooner. Residents before staff (N13), emergencies before all."""

    EMERGENCY = 0
    TALK = 10
    WORK_ORDER = 20
    FOLLOW_UP = 30
    NOTICE = 40
    CARD = 50
    BOARD = 60  # what only looks nicer: the overview, names of topics


class OutboxState(StrEnum):
    """The life of a message to Telegram."""

    PENDING = "pending"
    SENDING = "sending"
    SENT = "sent"
    UNCONFIRMED = "unconfirmed"  # at most once, and nobody knows whether it arrived: staff decide
    HELD = "held"  # the bot's, while a butler talks; looked at again after the hand-back
    DROPPED = "dropped"  # by design (epoch moved, resident unreachable); the reason says why
    DEAD = "dead"  # Telegram refuses it for ever; the reason says why


GONE = "state IN ('dropped', 'dead')"  # of a line, as the index of those has it


class InboxRow(Base):
    """One update from Telegram, as it came. Times are the database's, not the demo's clock."""

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("bot_id", "update_id"),
        Index("inbox_open", "lane", "id", postgresql_where=text("done_at IS NULL AND dead_at IS NULL")),
        Index("inbox_turn", "turn_id", postgresql_where=text("done_at IS NULL AND dead_at IS NULL")),
        Index("inbox_dead", "dead_at", postgresql_where=text("dead_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    bot_id: Mapped[int]
    update_id: Mapped[int | None]
    lane: Mapped[str]
    joins: Mapped[bool]  # a bubble that may be read together with its neighbours
    raw: Mapped[bytes] = mapped_column(LargeBinary)
    received_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    ready_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    turn_id: Mapped[int | None]
    worker: Mapped[int | None]
    lease: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    done_at: Mapped[datetime | None]
    dead_at: Mapped[datetime | None]
    error: Mapped[str | None]


class OutboxRow(Base):
    """One call to Telegram: a line to a person, a card, an edit. Times are the database's."""

    __tablename__ = "outbox"
    __table_args__ = (
        Index("outbox_due", "bot_id", "priority", "id", postgresql_where=text("state = 'pending'")),
        Index("outbox_lane", "lane", "priority", "id", postgresql_where=text("state = 'pending'")),
        Index("outbox_in_flight", "lane", unique=True, postgresql_where=text("state = 'sending'")),
        Index("outbox_attention", "state", "id", postgresql_where=text("state IN ('unconfirmed', 'dead')")),
        Index(
            "outbox_attention_of",
            "community_id",
            "state",
            "id",
            postgresql_where=text("state IN ('unconfirmed', 'dead')"),
        ),
        Index("outbox_by_conversation", "conversation_id", "id"),
        Index("outbox_held", "conversation_id", postgresql_where=text("state = 'held'")),
        Index("outbox_by_case", "case_id", postgresql_where=text("case_id IS NOT NULL")),
        Index("outbox_settled", "community_id", "settled_at", postgresql_where=text("settled_at IS NOT NULL")),
        Index("outbox_gone", "community_id", "created_at", "id", postgresql_where=text(GONE)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    bot_id: Mapped[int]
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    chat_id: Mapped[int]
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id"))
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    epoch: Mapped[int | None]  # a bot's line: dropped at send time when the conversation's epoch has moved
    case_id: Mapped[int | None]  # a progress line's; without a key, as cases name their work orders
    lane: Mapped[str]
    kind: Mapped[str] = mapped_column(String(32))
    act: Mapped[str] = mapped_column(String(16))  # say, edit, copy …: bot/render.py turns it into a Bot API call
    payload: Mapped[dict[str, Any]]
    edits_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))  # the row whose message this one edits
    priority: Mapped[int]
    delivery: Mapped[Delivery]
    key: Mapped[str | None] = mapped_column(unique=True)  # the same key is written once
    state: Mapped[OutboxState] = mapped_column(default=OutboxState.PENDING)
    reason: Mapped[str | None]
    not_before: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    attempts: Mapped[int] = mapped_column(default=0, server_default="0")
    sender: Mapped[int | None]
    lease: Mapped[UUID | None]
    message_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))
    sending_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]


class Budget(Base):
    """A token bucket kept as one moment: when it will be full again (generic cell rate algorithm)."""

    __tablename__ = "budgets"

    key: Mapped[str] = mapped_column(primary_key=True)
    full_at: Mapped[datetime]
    closed_until: Mapped[datetime]
