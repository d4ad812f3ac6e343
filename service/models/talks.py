"""Talks: who answers, what was said, who waits."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, LargeBinary, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.models.base import Base, searched
from service.models.people import Resident, Staff


class Owner(StrEnum):
    """Who answers a resident."""

    BOT = "bot"
    WAITING = "waiting"
    BUTLER = "butler"


MESSAGE_WORDS = "messages.text"
HEARD = "author = 'resident'"  # of a message, as the index of those has it


class Conversation(Base):
    """Who answers a resident; `epoch` rises with every change of owner."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index("conversations_of_butlers", "look_at", postgresql_where=text("owner = 'butler'")),
        Index("conversations_by_activity", "community_id", "active_at", "id"),
        Index("conversations_waiting", "community_id", postgresql_where=text("owner = 'waiting'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), index=True)
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), unique=True)
    owner: Mapped[Owner]
    epoch: Mapped[int]
    butler_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    topic_id: Mapped[int | None] = mapped_column(ForeignKey("topics.id"), index=True)
    misunderstood: Mapped[int] = mapped_column(default=0)
    keyboard_turn: Mapped[int | None]  # the turn whose buttons are current, negative once one was tapped
    dialogue_is_old: Mapped[bool] = mapped_column(default=False)  # a butler has talked since: Rasa starts afresh
    awaiting_case_id: Mapped[int | None]  # the department asked for details: the next words belong to this case
    awaiting_survey_id: Mapped[int | None]  # a comment was offered: the next words are it
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))  # whose turn it is to take over
    greeted_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # the butler whose number was told
    held_until: Mapped[datetime | None]  # database time: a claim waits for a line in flight, no other is begun
    active_at: Mapped[datetime | None]  # when a person last said something
    owed_since: Mapped[datetime | None]  # when a butler came to owe the resident an answer; none: nothing is owed
    idle_told_at: Mapped[datetime | None]  # when staff were asked whether the talk is over, or reminded to answer
    look_at: Mapped[datetime | None]  # when it is looked at, if a butler has it by then

    resident: Mapped[Resident] = relationship(lazy="joined", innerjoin=True)
    butler: Mapped[Staff | None] = relationship(lazy="raise_on_sql", foreign_keys=[butler_id])


class Handover(Base):
    """One change of who answers: to whom, by whom, why. The log is never changed, and its epochs have no gap."""

    __tablename__ = "handovers"
    __table_args__ = (UniqueConstraint("conversation_id", "epoch"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    epoch: Mapped[int]  # as it is from this change on
    owner: Mapped[Owner]
    butler_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    reason: Mapped[str] = mapped_column(String(32))
    note: Mapped[str | None]
    at: Mapped[datetime]
    since: Mapped[datetime] = mapped_column(server_default=text("clock_timestamp()"))  # database time, as in outbox


class CannedPhrase(Base):
    """What a community's butlers say again and again; {…} is filled from the resident's record."""

    __tablename__ = "canned_phrases"
    __table_args__ = (UniqueConstraint("community_id", "name", "language"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(2))
    text: Mapped[str]


class Message(Base):
    """One line of a conversation, as it was said; edits keep the earlier wording."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_by_conversation", "conversation_id", "id"),
        Index("messages_by_telegram_id", "chat_id", "message_id"),
        Index("messages_reworded", "conversation_id", postgresql_where=text("earlier IS NOT NULL")),
        searched("messages", MESSAGE_WORDS),
        Index(
            "messages_heard",
            "said_at",
            "id",
            postgresql_include=["conversation_id"],
            postgresql_where=text(HEARD),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    author: Mapped[str] = mapped_column(String(16))  # resident, bot, butler, note (among staff)
    staff_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    kind: Mapped[str] = mapped_column(String(32))
    text: Mapped[str]
    media: Mapped[dict[str, Any] | None]
    chat_id: Mapped[int | None]
    message_id: Mapped[int | None]
    said_at: Mapped[datetime]
    edited_at: Mapped[datetime | None]
    earlier: Mapped[list[Any] | None]
    entities: Mapped[list[Any] | None]  # bold, links and the like, as Telegram writes them
    reply_to: Mapped[int | None]  # the message of the same chat it answers
    forwarded_from: Mapped[str | None]
    withdrawn_at: Mapped[datetime | None]
    withdrawn_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    inbox_id: Mapped[int | None] = mapped_column(unique=True)
    outbox_id: Mapped[int | None] = mapped_column(unique=True)


class Twin(Base):
    """A message that was passed on, and its copy on the other side: replies, edits, reactions and undo go by it."""

    __tablename__ = "twins"
    __table_args__ = (
        UniqueConstraint("outbox_id", "place"),
        Index("twins_by_original", "said_chat_id", "said_message_id"),
        Index("twins_by_copy", "chat_id", "message_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    outbox_id: Mapped[int] = mapped_column(ForeignKey("outbox.id"))
    place: Mapped[int]  # which of the messages that the row makes
    kind: Mapped[str] = mapped_column(String(32))
    album: Mapped[str | None]
    said_chat_id: Mapped[int]
    said_message_id: Mapped[int]
    chat_id: Mapped[int]
    message_id: Mapped[int | None]  # none until Telegram has taken it
    withdrawn_at: Mapped[datetime | None]


class FetchedFile(Base):
    """A file of a line that staff have asked to see: fetched from Telegram by the bot's process, kept for a while."""

    __tablename__ = "fetched_files"
    __table_args__ = (
        UniqueConstraint("message_id", "file_id"),
        Index("fetched_files_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
        Index("fetched_files_by_age", "asked_at"),
        Index("fetched_files_by_community", "community_id", "asked_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    message_id: Mapped[int] = mapped_column(ForeignKey("messages.id"))
    file_id: Mapped[str]
    asked_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # when it is to be fetched, or tried again; none: settled
    attempts: Mapped[int]
    content: Mapped[bytes | None] = mapped_column(LargeBinary, deferred=True)
    type: Mapped[str | None] = mapped_column(String(32))  # by its bytes
    refused: Mapped[str | None] = mapped_column(String(16))  # why there is nothing to show


class DeskMessage(Base):
    """Somebody wrote while the desk was closed: they were told when it opens, once; staff are told then."""

    __tablename__ = "desk_messages"
    __table_args__ = (
        UniqueConstraint("conversation_id", "opens_at"),
        Index("desk_messages_due", "opens_at", postgresql_where=text("handed_over_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    taken_at: Mapped[datetime]
    opens_at: Mapped[datetime]
    words: Mapped[str]  # the beginning of the first message
    handed_over_at: Mapped[datetime | None]

    conversation: Mapped[Conversation] = relationship(lazy="raise_on_sql")


class Wait(Base):
    """Somebody waits for a person to answer; who comes back unanswered goes on waiting where they stood."""

    __tablename__ = "waits"
    __table_args__ = (
        Index("waits_open", "conversation_id", unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("waits_line", "community_id", "since", postgresql_where=text("ended_at IS NULL")),
        Index("waits_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
        Index("waits_by_conversation", "conversation_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    reason: Mapped[str] = mapped_column(String(32))  # as in the handover; emergency goes before all others
    since: Mapped[datetime]  # the place in line follows from it
    called_at: Mapped[datetime | None]  # when others were called, for whom a butler has left: the steps count from it
    wake_at: Mapped[datetime | None]  # when somebody is to be told next
    courtesy_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))  # the line that says how long by now
    ended_at: Mapped[datetime | None]
    answered: Mapped[bool] = mapped_column(default=False, server_default="false")  # by a butler; else they left

    conversation: Mapped[Conversation] = relationship(lazy="raise_on_sql")


class WaitStep(Base):
    """A step that was taken for somebody who waits: who was told when. The log is never changed."""

    __tablename__ = "wait_steps"
    __table_args__ = (UniqueConstraint("wait_id", "step"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    wait_id: Mapped[int] = mapped_column(ForeignKey("waits.id"))
    step: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime]
    told: Mapped[list[Any] | None]  # staff numbers; none where a later step of the same moment told more


class Board(Base):
    """The pinned overview in General of a staff group: one message, and what it says now."""

    __tablename__ = "boards"
    __table_args__ = (Index("boards_due", "look_at"),)

    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    look_at: Mapped[datetime] = mapped_column(server_default=text("to_timestamp(0)"))  # when it is looked at next
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))  # the message
    edit_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))  # its last edit
    digest: Mapped[str | None] = mapped_column(String(64))  # of what it says, which names residents
