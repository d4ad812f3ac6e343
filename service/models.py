"""The tables. Every row belongs to a community; stored times are UTC and aware."""

from __future__ import annotations

from datetime import date, datetime, time
from decimal import Decimal
from enum import StrEnum
from typing import Any, cast
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    LargeBinary,
    Numeric,
    String,
    Table,
    UniqueConstraint,
    event,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase, Mapped, QueryContext, mapped_column, relationship


class Owner(StrEnum):
    """Who answers a resident."""

    BOT = "bot"
    WAITING = "waiting"
    BUTLER = "butler"


class Role(StrEnum):
    """What a member of staff is; `staff.RIGHTS` says what that allows."""

    BUTLER = "butler"
    DEPARTMENT = "department"
    SUPERVISOR = "supervisor"
    MANAGER = "manager"


class Duty(StrEnum):
    """Whether a member of staff is on duty, as they said themselves; without a word the roster decides."""

    ON = "on"
    OFF = "off"


class TalksIn(StrEnum):
    """Where a butler who has claimed talks with the resident."""

    GROUP = "group"  # in the resident's topic: everybody reads along
    PRIVATE = "private"  # in their own chat with the bot, which has a budget of its own


class CaseState(StrEnum):
    """Where a case stands."""

    OPEN = "open"
    ACCEPTED = "accepted"
    ON_THE_WAY = "on_the_way"
    ON_SITE = "on_site"
    PAUSED = "paused"
    NEEDS_INFO = "needs_info"
    FINISHED = "finished"
    REOPENED = "reopened"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"


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


class FollowUpState(StrEnum):
    """The life of a call-back or a survey."""

    PLANNED = "planned"
    SENT = "sent"
    PHONE = "phone"  # nobody answered in writing: a butler is to call
    ANSWERED = "answered"
    CANCELLED = "cancelled"


class Outcome(StrEnum):
    """What came of a call-back."""

    HELD = "held"
    PARTLY = "partly"
    NOT_HELD = "not_held"
    UNREACHED = "unreached"
    DECLINED = "declined"


class VisitState(StrEnum):
    """The life of an appointment; what is moved is a new one."""

    PROPOSED = "proposed"  # by staff; it holds until the resident wants another
    AGREED = "agreed"
    KEPT = "kept"
    MISSED = "missed"  # nobody was at home
    LAPSED = "lapsed"  # nobody came
    MOVED = "moved"
    CANCELLED = "cancelled"


class VisitStep(StrEnum):
    """What an appointment has ahead of it, in this order."""

    EVENING = "evening"  # the reminder on the evening before
    HOUR = "hour"  # the reminder an hour before
    OVER = "over"  # the window ends


class LabelUse(StrEnum):
    """What a label is for; never both at once."""

    TEST = "test"
    TRAIN = "train"


class CandidateReason(StrEnum):
    """Why a message is worth a look."""

    LOW_MARGIN = "low_margin"
    REPHRASE = "rephrase"  # the bot asked to say it again
    CORRECTED = "corrected"  # a butler gave the case another kind
    NEAR_MISS = "near_miss"  # almost an emergency
    SHADOW = "shadow"  # a candidate model reads it otherwise


class CandidateState(StrEnum):
    """What a person made of a candidate."""

    OPEN = "open"
    LABELLED = "labelled"
    IGNORED = "ignored"
    NOISE = "noise"  # no message: a slip of the thumb, a test, the words of a machine


class MemberRole(StrEnum):
    """What a person is to their household."""

    OWNER = "owner"
    TENANT = "tenant"
    FAMILY = "family"


class RequestState(StrEnum):
    """What staff made of a resident's wish to be bound."""

    OPEN = "open"
    APPROVED = "approved"
    DECLINED = "declined"


class ReportOutcome(StrEnum):
    """What a resident said of the incident they were joined to."""

    DIFFERENT = "different"  # theirs is another matter
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"


class QuestionState(StrEnum):
    """What became of a question nobody had written an answer to."""

    OPEN = "open"
    LEARNT = "learnt"  # an entry answers it now
    IGNORED = "ignored"


# What of a row can be searched, as the indexes of pairs of characters have it (service/word_search.py).
# Brackets stand as PostgreSQL writes them, so that models and migrations can be compared.
def _together(table: str, first: str, *others: str) -> str:
    made = f"{table}.{first}"
    for place, name in enumerate(others):
        made = f"({f'({made})' if place else made} || ' ') || coalesce({table}.{name}, '')"
    return made


CASE_WORDS = _together("cases", "number", "matter", "place", "contact", "phone")
RESIDENT_WORDS = _together("residents", "display_name", "surname", "phone", "place")
MEMBER_WORDS = _together("members", "name", "phone")
MESSAGE_WORDS = "messages.text"

HEARD = "author = 'resident'"  # of a message, as the index of those has it
REOPENED = "event = 'reopened'"  # of a step of a case, likewise
UNCLEAR = "why = 'rephrase'"  # of a candidate, likewise
DIFFERS = "guess <> intent"  # of a reading of two models, likewise
AT_WORK = "state NOT IN ('finished', 'closed', 'withdrawn')"  # of a case, as the index of those has it
CANCELLED = "state = 'cancelled'"  # of a call-back or a survey, likewise
GONE = "state IN ('dropped', 'dead')"  # of a line, likewise
LIVE_VISIT = "state IN ('proposed', 'agreed')"  # of an appointment, likewise
NOT_REMINDED = "case_events.event = 'visit_reminded' AND case_events.data ? 'not_sent'"  # of a step, likewise


def _values(kind: type[StrEnum]) -> list[str]:
    """Enumerations are stored as what they say, so that plain SQL can say it too."""
    return [member.value for member in kind]


def _searched(table: str, words: str) -> Index:
    return Index(f"{table}_words", text(f"guanjia_pairs({words})"), postgresql_using="gin")


class Base(DeclarativeBase):
    """Types used by every table."""

    type_annotation_map = {  # noqa: RUF012 - SQLAlchemy's own idiom
        datetime: DateTime(timezone=True),
        dict[str, Any]: JSONB(none_as_null=True),
        list[Any]: JSONB(none_as_null=True),
        int: BigInteger,
        StrEnum: Enum(StrEnum, native_enum=False, length=16, create_constraint=False, values_callable=_values),
    }


def table(model: type[Base]) -> Table:
    """The bare table of a model: rows that every message writes go past the mapper, which takes three times as long."""
    return cast("Table", model.__table__)


class Community(Base):
    """A housing community: one bot, one staff group."""

    __tablename__ = "communities"

    id: Mapped[int] = mapped_column(primary_key=True)
    bot_id: Mapped[int] = mapped_column(unique=True)
    name: Mapped[str]
    timezone: Mapped[str]
    phone: Mapped[str]
    desk_opens: Mapped[time]  # local time
    desk_closes: Mapped[time]
    quiet_from: Mapped[time]  # no call-back and no survey is sent from here …
    quiet_until: Mapped[time]  # … to here
    unasked_per_day: Mapped[int] = mapped_column(default=1, server_default="1")  # messages to one household
    survey_every_days: Mapped[int] = mapped_column(default=14, server_default="14")
    visit_minutes: Mapped[int] = mapped_column(default=120, server_default="120")  # how long a window is
    visits_per_window: Mapped[int] = mapped_column(default=2, server_default="2")  # of a department that says nothing
    remind_visits_at: Mapped[time] = mapped_column(default=time(19), server_default="19:00")  # of the evening before
    facts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))  # what answers name: {fee: {zh: …}}
    console_url: Mapped[str | None]  # by which staff know the console, without a slash at the end
    staff_chat_id: Mapped[int | None] = mapped_column(unique=True)
    talks_in: Mapped[TalksIn] = mapped_column(default=TalksIn.GROUP, server_default="group")
    moved_from: Mapped[int | None]  # the group's id before Telegram gave it another; the settings may still name it


@event.listens_for(Community, "load")
def _keep(community: Community, context: QueryContext | None) -> None:
    """A session forgets what nobody holds: without this, each step of a case asked for its community seven times."""
    if context is not None:  # a merge loads without one
        context.session.info.setdefault("kept", []).append(community)


class WeekdayHours(Base):
    """When the community works on a weekday; without a row the desk's hours of the settings hold."""

    __tablename__ = "weekday_hours"

    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    weekday: Mapped[int] = mapped_column(primary_key=True)  # Monday is 0
    hours: Mapped[str]  # 08:00-12:00 14:00-20:00; empty: closed


class CalendarDay(Base):
    """A day with hours of its own: a holiday, a working day in lieu."""

    __tablename__ = "calendar_days"

    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)  # local
    hours: Mapped[str]  # as above, or `workday`: as Monday's
    name: Mapped[str | None]


class Department(Base):
    """A department that works on cases, with its topic in the staff group."""

    __tablename__ = "departments"
    __table_args__ = (UniqueConstraint("community_id", "key"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    key: Mapped[str]
    topic_id: Mapped[int] = mapped_column(ForeignKey("topics.id"))
    visit_places: Mapped[int | None]  # appointments in one window; none: as the community says; 0: it makes none

    topic: Mapped[Topic] = relationship(lazy="raise_on_sql")


class Topic(Base):
    """A forum topic of the staff group; `thread_id` is empty until Telegram has made it."""

    __tablename__ = "topics"
    __table_args__ = (
        Index("topics_by_thread", "community_id", "thread_id"),
        Index("topics_to_rename", "rename_at", postgresql_where=text("rename_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str]
    thread_id: Mapped[int | None]
    card: Mapped[dict[str, Any] | None]  # what is said first, and again after a deletion
    closed: Mapped[bool] = mapped_column(
        default=False, server_default="false"
    )  # by staff; nothing is passed on from it
    rename_at: Mapped[datetime | None]  # when its name is compared with what it should be
    renamed_at: Mapped[datetime | None]


class Resident(Base):
    """A person who writes to the bot, and what is known of them."""

    __tablename__ = "residents"
    __table_args__ = (
        UniqueConstraint("community_id", "chat_id"),
        Index("residents_by_community", "community_id", "id"),
        _searched("residents", RESIDENT_WORDS),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    chat_id: Mapped[int]
    display_name: Mapped[str]
    surname: Mapped[str | None]
    honorific: Mapped[str | None]
    language: Mapped[str] = mapped_column(String(2))
    phone: Mapped[str | None]
    place: Mapped[str | None]
    unreachable_since: Mapped[datetime | None]
    questions_off_since: Mapped[datetime | None]  # 退订: no call-backs and no surveys
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"), index=True)  # whom the account is bound to
    language_chosen: Mapped[bool] = mapped_column(default=False, server_default="false")  # else it follows the words
    binding_told_at: Mapped[datetime | None]  # when they were told what binding gives: once


class Staff(Base):
    """A member of the staff group."""

    __tablename__ = "staff"
    __table_args__ = (
        UniqueConstraint("community_id", "user_id"),
        UniqueConstraint("community_id", "number"),
        Index("staff_by_user", "user_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    user_id: Mapped[int]
    number: Mapped[int]
    display_name: Mapped[str]
    left_at: Mapped[datetime | None]
    role: Mapped[Role] = mapped_column(default=Role.BUTLER, server_default="butler")
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    languages: Mapped[list[Any] | None]  # zh, en; none said: the community's own
    duty: Mapped[Duty | None]
    private_since: Mapped[datetime | None]  # since when the bot may write to them in private
    talks_with_id: Mapped[int | None]  # the conversation to which a plain line in their private chat goes
    shown_id: Mapped[int | None]  # the conversation whose line was shown there last

    department: Mapped[Department | None] = relationship(lazy="raise_on_sql")


class Shift(Base):
    """When a member of staff is on duty by the roster: local time, on one day of every week."""

    __tablename__ = "shifts"
    __table_args__ = (UniqueConstraint("staff_id", "weekday", "begins"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    weekday: Mapped[int]  # 1 is Monday
    begins: Mapped[time]
    ends: Mapped[time]  # not after `begins`: the next morning


class Conversation(Base):
    """Who answers a resident; `epoch` rises with every change of owner."""

    __tablename__ = "conversations"
    __table_args__ = (
        Index("conversations_of_butlers", "active_at", postgresql_where=text("owner = 'butler'")),
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
    answer_owed: Mapped[bool] = mapped_column(default=False, server_default="false")  # the resident said it
    idle_told_at: Mapped[datetime | None]  # when staff were asked whether the talk is over

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


class SelfCheck(Base):
    """What the nightly look over the stored conversations found."""

    __tablename__ = "self_checks"
    __table_args__ = (UniqueConstraint("community_id", "day"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    day: Mapped[date]  # the community's, whose night it was
    checked_at: Mapped[datetime]
    until: Mapped[datetime]  # database time: what was settled later is for the next one
    looked_at: Mapped[dict[str, Any]]  # how many of what
    violations: Mapped[list[Any]]


class Message(Base):
    """One line of a conversation, as it was said; edits keep the earlier wording."""

    __tablename__ = "messages"
    __table_args__ = (
        Index("messages_by_conversation", "conversation_id", "id"),
        Index("messages_by_telegram_id", "chat_id", "message_id"),
        Index("messages_reworded", "conversation_id", postgresql_where=text("earlier IS NOT NULL")),
        _searched("messages", MESSAGE_WORDS),
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


class CaseCounter(Base):
    """The last case number given in a month."""

    __tablename__ = "case_counters"

    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    month: Mapped[str] = mapped_column(String(4), primary_key=True)
    last: Mapped[int]


class Case(Base):
    """A matter a resident brought: what, where, when, who, and how it is to be handled (N8)."""

    __tablename__ = "cases"
    __table_args__ = (
        UniqueConstraint("community_id", "number"),
        UniqueConstraint("conversation_id", "source"),
        Index("cases_by_resident", "resident_id", "id"),
        Index("cases_by_community", "community_id", "id"),
        Index("cases_by_state", "community_id", "state", "id"),
        Index("cases_by_department", "community_id", "department_id", "id"),
        Index("cases_by_category", "community_id", "category", "opened_at"),
        Index("cases_urgent", "community_id", "id", postgresql_where=text("urgency > 0")),
        _searched("cases", CASE_WORDS),
        Index("cases_at_work", "community_id", "department_id", postgresql_where=text(AT_WORK)),
        Index("cases_by_work_order", "work_order_id", postgresql_where=text("work_order_id IS NOT NULL")),
        Index("cases_opened", "community_id", "opened_at", "id", postgresql_include=["kind", "category"]),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    number: Mapped[str] = mapped_column(String(16))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))
    source: Mapped[str]  # the turn that opened it: opening again with the same source returns this case
    kind: Mapped[str] = mapped_column(String(32))
    category: Mapped[str] = mapped_column(String(32))
    state: Mapped[CaseState]
    urgency: Mapped[int] = mapped_column(default=0)  # 0 normal, 1 reopened or urged, 2 emergency
    resolution: Mapped[int] = mapped_column(default=0)  # how often it was finished
    matter: Mapped[str]
    place: Mapped[str | None]
    wanted_at: Mapped[str | None]  # in the resident's words
    wanted_from: Mapped[datetime | None]  # what the words mean, when that is clear
    wanted_until: Mapped[datetime | None]  # the same as wanted_from for a moment; none when no end was meant
    contact: Mapped[str | None]
    phone: Mapped[str | None]
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    work_order_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))
    opened_at: Mapped[datetime]

    conversation: Mapped[Conversation] = relationship(lazy="joined", innerjoin=True)
    resident: Mapped[Resident] = relationship(lazy="joined", innerjoin=True)
    department: Mapped[Department] = relationship(lazy="joined", innerjoin=True)

    @property
    def title(self) -> str:
        """What it is about, short enough to be quoted: its first line; what was added later stands behind it."""
        return self.matter.partition("\n")[0][:60]


class CaseEvent(Base):
    """One step of a case: who did what when. The log is never changed."""

    __tablename__ = "case_events"
    __table_args__ = (
        UniqueConstraint("case_id", "key"),
        Index("case_events_by_case", "case_id", "id"),
        Index("case_events_reopened", "case_id", postgresql_where=text(REOPENED)),
        Index("case_events_not_reminded", "at", "id", postgresql_where=text(NOT_REMINDED)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    event: Mapped[str] = mapped_column(String(32))
    actor: Mapped[str]  # resident, bot, staff:<number>
    at: Mapped[datetime]
    data: Mapped[dict[str, Any] | None]
    key: Mapped[str | None]


class Incident(Base):
    """What ails many at once: no water in building 3. Who reports it is told and joined, instead of a case each."""

    __tablename__ = "incidents"
    __table_args__ = (
        UniqueConstraint("community_id", "source"),
        Index("incidents_open", "community_id", postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    source: Mapped[str]  # the turn or command that entered it: entering it again changes nothing
    category: Mapped[str] = mapped_column(String(32))
    trouble: Mapped[str | None] = mapped_column(String(32))  # of incident_words.yml; none: all of the category
    places: Mapped[list[Any]]  # as service/where.py writes them in Chinese; empty: the whole community
    text_zh: Mapped[str | None]
    text_en: Mapped[str | None]
    begins_at: Mapped[datetime]
    expected_until: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]  # when staff were asked whether it is over, for it was expected to be
    ended_at: Mapped[datetime | None]
    entered_by: Mapped[str]  # staff:<number>, or the operator's name


class IncidentReport(Base):
    """A resident who was told of an incident: joined to it, told when it ends, asked whether theirs is mended."""

    __tablename__ = "incident_reports"
    __table_args__ = (
        UniqueConstraint("incident_id", "conversation_id"),
        Index("incident_reports_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    incident_id: Mapped[int] = mapped_column(ForeignKey("incidents.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"), index=True)
    kind: Mapped[str] = mapped_column(String(32))
    matter: Mapped[str]  # in their words, for the case that is opened when theirs is another matter
    place: Mapped[str | None]
    phone: Mapped[str | None]
    joined_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # when they are to be told that it is over
    told_at: Mapped[datetime | None]
    outcome: Mapped[ReportOutcome | None]
    reason: Mapped[str | None]  # why they were not told, or are told later
    case_id: Mapped[int | None] = mapped_column(ForeignKey("cases.id"))

    incident: Mapped[Incident] = relationship(lazy="joined", innerjoin=True)


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


class CaseClock(Base):
    """The last run of a case's clock, so that a sweep finds what is due.

    Only an index: everything in it follows from the log, the calendar and the targets (service/clocks.py).
    """

    __tablename__ = "case_clocks"
    __table_args__ = (
        Index("case_clocks_due", "wake_at", postgresql_where=text("wake_at IS NOT NULL")),
        Index("case_clocks_running", "due_at", postgresql_where=text("stopped_at IS NULL")),
    )

    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"), primary_key=True)
    clock: Mapped[str] = mapped_column(String(32), primary_key=True)
    run: Mapped[int]
    started_at: Mapped[datetime]
    due_at: Mapped[datetime | None]  # none while it is paused
    stopped_at: Mapped[datetime | None]
    wake_at: Mapped[datetime | None]  # when somebody is to be told next


class ClockTarget(Base):
    """A community's own target; it goes before the row of clocks.yml with as many conditions."""

    __tablename__ = "clock_targets"
    __table_args__ = (
        UniqueConstraint(
            "community_id", "kind", "clock", "category", "urgency",
            name="clock_targets_once", postgresql_nulls_not_distinct=True,
        ),
        CheckConstraint("minutes > 0", name="clock_targets_positive"),
    )  # fmt: skip

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    kind: Mapped[str] = mapped_column(String(32))
    clock: Mapped[str] = mapped_column(String(32))
    category: Mapped[str | None] = mapped_column(String(32))
    urgency: Mapped[int | None]
    minutes: Mapped[int]  # of service time, or of any time
    always: Mapped[bool]


class CallBack(Base):
    """Ask whether a finished case holds, when it is due."""

    __tablename__ = "call_backs"
    __table_args__ = (
        UniqueConstraint("case_id", "resolution"),
        Index("call_backs_due", "due_at", postgresql_where=text("state IN ('planned', 'sent', 'phone')")),
        Index("call_backs_cancelled", "due_at", "id", postgresql_where=text(CANCELLED)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    resolution: Mapped[int]
    due_at: Mapped[datetime]  # when the next thing is due: to ask, to remind, to call, to tell that nobody has called
    state: Mapped[FollowUpState] = mapped_column(default=FollowUpState.PLANNED)
    reason: Mapped[str | None]
    outcome: Mapped[Outcome | None]
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))
    reminded_at: Mapped[datetime | None]
    task_id: Mapped[int | None] = mapped_column(
        ForeignKey("outbox.id")
    )  # the task to call, in the service desk's topic
    tries: Mapped[int] = mapped_column(default=0, server_default="0")  # calls that nobody took
    warned_at: Mapped[datetime | None]  # the supervisor heard that nobody has called
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # whose work it was when it was finished
    butler_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))

    case: Mapped[Case] = relationship(lazy="joined", innerjoin=True)


class Appointment(Base):
    """A window in which somebody comes to a resident's home."""

    __tablename__ = "appointments"
    __table_args__ = (
        Index("appointments_once", "case_id", unique=True, postgresql_where=text(LIVE_VISIT)),
        Index(
            "appointments_by_window",
            "department_id",
            "begins_at",
            postgresql_where=text(LIVE_VISIT),
        ),
        Index("appointments_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    department_id: Mapped[int] = mapped_column(ForeignKey("departments.id"))  # whose place in the window it takes
    begins_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    state: Mapped[VisitState]
    made_at: Mapped[datetime]
    step: Mapped[VisitStep | None]  # what comes next
    due_at: Mapped[datetime | None]  # when; none when nothing is ahead
    reason: Mapped[str | None]  # why the last step waits, or why it is off
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))  # the last reminder

    case: Mapped[Case] = relationship(lazy="joined", innerjoin=True)


class Survey(Base):
    """How satisfied the resident is: one per case and resolution."""

    __tablename__ = "surveys"
    __table_args__ = (
        UniqueConstraint("case_id", "resolution"),
        Index("surveys_open", "asked_at", postgresql_where=text("state = 'sent'")),
        Index("surveys_rated", "answered_at", postgresql_where=text("stars IS NOT NULL")),
        Index("surveys_cancelled", "asked_at", "id", postgresql_where=text(CANCELLED)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    resolution: Mapped[int]
    state: Mapped[FollowUpState]
    stars: Mapped[int | None]
    reasons: Mapped[list[Any] | None]  # what should have been better
    comment: Mapped[str | None]
    comment_asked_at: Mapped[datetime | None]
    asked_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    reason: Mapped[str | None]  # why it was not sent, or taken back
    worker_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))  # whose work it was when it was finished
    butler_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))
    department_id: Mapped[int | None] = mapped_column(ForeignKey("departments.id"))
    outbox_id: Mapped[int | None] = mapped_column(ForeignKey("outbox.id"))

    case: Mapped[Case] = relationship(lazy="joined", innerjoin=True)


class UnaskedMessage(Base):
    """A resident was written to unasked: what the budget counts (service/budget.py)."""

    __tablename__ = "unasked_messages"
    __table_args__ = (
        Index("unasked_messages_by_resident", "resident_id", "sent_at"),
        Index("unasked_messages_by_row", "outbox_id", postgresql_where=text("outbox_id IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"))
    kind: Mapped[str] = mapped_column(String(32))
    sent_at: Mapped[datetime]
    urgent: Mapped[bool]  # exempt, and logged
    outbox_id: Mapped[int | None]  # the message


class Hold(Base):
    """Somebody holds a follow-up back; one hold at a time, and who released it stays written down."""

    __tablename__ = "holds"
    __table_args__ = (Index("holds_open", "of", "row_id", unique=True, postgresql_where=text("released_at IS NULL")),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    conversation_id: Mapped[int | None] = mapped_column(ForeignKey("conversations.id"))
    of: Mapped[str] = mapped_column(String(32))  # the table whose row is held
    row_id: Mapped[int]
    by: Mapped[str]
    why: Mapped[str]  # in words of staff
    held_at: Mapped[datetime]
    released_at: Mapped[datetime | None]
    released_by: Mapped[str | None]


class EmergencyAlarm(Base):
    """An emergency that was raised, and which half of the watch caught it."""

    __tablename__ = "emergency_alarms"
    __table_args__ = (UniqueConstraint("conversation_id", "source"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    source: Mapped[str]  # the turn
    kind: Mapped[str] = mapped_column(String(32))
    caught_by: Mapped[str] = mapped_column(String(16))  # tripwire, classifier
    raised_at: Mapped[datetime]


class LanguageModel(Base):
    """A trained model of the understanding; the file lies in the models folder under this name.

    One site trains and serves one model for all of its communities, so these rows belong to none.
    """

    __tablename__ = "language_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)  # guanjia-<hash of everything it was made from>
    data_hash: Mapped[str] = mapped_column(String(64))  # of its training examples, the site's labels included
    trained_at: Mapped[datetime]
    trained_by: Mapped[str]
    scores: Mapped[dict[str, Any] | None]  # as `guanjia evaluate` measured it on the frozen sets; None: not yet


class ModelReport(Base):
    """What a model makes of the messages nobody trains on, each error with its message; what two are compared by."""

    __tablename__ = "model_reports"

    model_id: Mapped[int] = mapped_column(ForeignKey("language_models.id"), primary_key=True)
    measured: Mapped[str]  # which messages, read by which code: as in the model's scores
    report: Mapped[dict[str, Any]]  # as nlu/evaluate.py gives it; a message of this site by the digest of its words
    at: Mapped[datetime]


class TrainingState(StrEnum):
    """How far a training is."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class TrainingRun(Base):
    """A training somebody asked for, or models to be measured; one at a time for the whole site."""

    __tablename__ = "training_runs"
    __table_args__ = (
        Index("training_runs_one_at_a_time", text("(true)"), unique=True, postgresql_where=text("ended_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))  # whose staff asked
    asked_by: Mapped[str]
    asked_at: Mapped[datetime]
    state: Mapped[TrainingState]
    step: Mapped[int]
    steps: Mapped[int]
    doing: Mapped[str]  # a component of Rasa's, or a key of the console's words
    model_id: Mapped[int | None] = mapped_column(ForeignKey("language_models.id"))  # only to be measured; then: made
    started_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    failure: Mapped[str | None] = mapped_column(String(32))  # a key of the console's words


class Activation(Base):
    """A switch of the model that is served; the newest says which one is active. The log is never changed."""

    __tablename__ = "activations"

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("language_models.id"))
    at: Mapped[datetime]
    by: Mapped[str]
    reason: Mapped[str | None]  # why the gate was overruled
    undoes_id: Mapped[int | None] = mapped_column(ForeignKey("language_models.id"))  # rolled back from this one

    model: Mapped[LanguageModel] = relationship(foreign_keys=[model_id], lazy="joined", innerjoin=True)
    undoes: Mapped[LanguageModel | None] = relationship(foreign_keys=[undoes_id], lazy="joined")


class ShadowEnd(StrEnum):
    """Why a candidate reads along no more."""

    STOPPED = "stopped"  # somebody ended it
    OVER = "over"  # its days are over
    ENOUGH = "enough"  # it has read as many messages as it may
    REPLACED = "replaced"  # another candidate reads along instead
    SERVED = "served"  # it was activated
    GONE = "gone"  # its file was deleted, or is broken
    UNREADABLE = "unreadable"  # Rasa could not load it, or did not come to an end with it


class Shadow(Base):
    """A candidate model reads along, and nobody hears a word of it; one at a time for the whole site."""

    __tablename__ = "shadows"
    __table_args__ = (
        Index("shadows_one_at_a_time", text("(true)"), unique=True, postgresql_where=text("ended_at IS NULL")),
        Index("shadows_by_model", "model_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    model_id: Mapped[int] = mapped_column(ForeignKey("language_models.id"))
    begun_by: Mapped[str]
    begun_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    last_reading: Mapped[int]  # no reading beyond this number is its own
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None]
    why: Mapped[ShadowEnd | None]
    messages: Mapped[int | None]  # that both models had read when it ended
    agreed: Mapped[int | None]  # of them: those of which both guessed the same

    model: Mapped[LanguageModel] = relationship(lazy="joined", innerjoin=True)


class Reading(Base):
    """What the served model and a candidate guessed of a message, or of a matter in it. The words are not here.

    They are looked up when they are needed, and the digest says whether they are still the words that were read.
    """

    __tablename__ = "shadow_readings"
    __table_args__ = (
        UniqueConstraint("shadow_id", "source"),
        Index("shadow_readings_by_turn", "turn_id"),
        Index("shadow_readings_unread", "id", postgresql_where=text("guess IS NULL")),
        Index("shadow_readings_differ", "shadow_id", "id", postgresql_where=text(DIFFERS)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    shadow_id: Mapped[int] = mapped_column(ForeignKey("shadows.id"))
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    turn_id: Mapped[int]  # the row of the inbox
    rows: Mapped[list[Any]]  # all of the turn: several bubbles are read as one
    source: Mapped[str]  # as of a candidate: the turn, with the place of a further matter in it
    begins: Mapped[int]  # characters of the turn's words
    ends: Mapped[int]
    digest: Mapped[str] = mapped_column(String(64))
    language: Mapped[str] = mapped_column(String(2))
    intent: Mapped[str] = mapped_column(String(32))  # as the served model guessed
    confidence: Mapped[float]
    margin: Mapped[float | None]
    model: Mapped[str]
    guess: Mapped[str | None] = mapped_column(String(32))  # as the candidate did; None: it has not read it yet
    guess_confidence: Mapped[float | None]
    heard_at: Mapped[datetime]


class Label(Base):
    """What a message of this site means, as a person said: first in the site's test set, later in its training."""

    __tablename__ = "labels"

    id: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the text, which may be too long to index
    text: Mapped[str]
    intent: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(2))
    use: Mapped[LabelUse]
    labelled_by: Mapped[str]
    labelled_at: Mapped[datetime]


class Opinion(Base):
    """What a further person says of a label: asked of a share of them, or given because they see it otherwise."""

    __tablename__ = "opinions"
    __table_args__ = (
        UniqueConstraint("label_id", "by"),
        Index("opinions_in_conflict", "label_id", postgresql_where=text("decided_at IS NULL AND intent <> was")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    label_id: Mapped[int] = mapped_column(ForeignKey("labels.id", ondelete="CASCADE"))
    by: Mapped[str]
    intent: Mapped[str] = mapped_column(String(32))
    was: Mapped[str] = mapped_column(String(32))  # what the label said then
    at: Mapped[datetime]
    decided_at: Mapped[datetime | None]  # when people agreed on one of the two


class Candidate(Base):
    """A message worth a look by a person: why, and what the model made of it."""

    __tablename__ = "candidates"
    __table_args__ = (
        UniqueConstraint("community_id", "source", "why"),
        Index("candidates_open", "community_id", "id", postgresql_where=text("state = 'open'")),
        Index("candidates_by_text", "text", postgresql_using="hash"),  # of any length
        Index("candidates_by_label", "label_id"),
        Index("candidates_near_misses", "community_id", "noticed_at", postgresql_where=text("why = 'near_miss'")),
        Index("candidates_unclear", "community_id", "noticed_at", "id", postgresql_where=text(UNCLEAR)),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    text: Mapped[str]
    language: Mapped[str] = mapped_column(String(2))
    why: Mapped[CandidateReason]
    source: Mapped[str]  # the turn, or the case whose kind a butler corrected
    detail: Mapped[str | None]  # the kind a butler chose, the filter that kept the tripwire quiet
    intent: Mapped[str | None] = mapped_column(String(32))
    confidence: Mapped[float | None]
    margin: Mapped[float | None]  # confidence of the first guess less that of the second
    model: Mapped[str | None]
    noticed_at: Mapped[datetime]
    state: Mapped[CandidateState]
    label_id: Mapped[int | None] = mapped_column(ForeignKey("labels.id"))


class Building(Base):
    """A building of a community, by the name residents use: a number or a letter."""

    __tablename__ = "buildings"
    __table_args__ = (UniqueConstraint("community_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    name: Mapped[str] = mapped_column(String(16))


class Household(Base):
    """Who lives behind one door: the room is the household."""

    __tablename__ = "households"
    __table_args__ = (
        UniqueConstraint("building_id", "unit", "room"),
        Index("households_by_community", "community_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), index=True)
    building_id: Mapped[int] = mapped_column(ForeignKey("buildings.id"))
    unit: Mapped[str] = mapped_column(String(16))  # empty in a building without units
    room: Mapped[str] = mapped_column(String(16))

    building: Mapped[Building] = relationship(lazy="joined", innerjoin=True)


class Member(Base):
    """A person of a household, as the roster has them; one row a person and household, also when they come back."""

    __tablename__ = "members"
    __table_args__ = (
        UniqueConstraint("household_id", "name"),
        _searched("members", MEMBER_WORDS),
        Index("members_by_phone", "community_id", "phone", postgresql_where=text("phone IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"))
    name: Mapped[str] = mapped_column(String(64))
    surname: Mapped[str] = mapped_column(String(32))
    honorific: Mapped[str | None] = mapped_column(String(8))  # mr, ms
    language: Mapped[str | None] = mapped_column(String(2))
    phone: Mapped[str | None] = mapped_column(String(24))
    role: Mapped[MemberRole]
    moved_in: Mapped[date | None]
    moved_out: Mapped[date | None]  # the first day on which they live there no more
    consented_at: Mapped[datetime | None]  # when they said yes to being served by what the archive holds

    household: Mapped[Household] = relationship(lazy="joined", innerjoin=True)


class Fee(Base):
    """What a household owes or has paid, as the property system had it on `as_of`."""

    __tablename__ = "fees"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))  # what for
    period: Mapped[str | None] = mapped_column(String(64))  # in the office's words
    amount: Mapped[Decimal] = mapped_column(Numeric(12, 2))  # charged; below zero it is the household's
    waived: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default="0")
    paid: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default="0")
    currency: Mapped[str] = mapped_column(String(3))  # ISO 4217
    due: Mapped[date | None]
    paid_on: Mapped[date | None]  # the last payment
    reference: Mapped[str | None] = mapped_column(String(64))  # the number of the bill
    as_of: Mapped[date]

    @property
    def left(self) -> Decimal:
        """What is still owed; below zero the household has so much with the office."""
        return self.amount - self.waived - self.paid


class ParkingSpace(Base):
    """A parking space of a household, with a car that may stand on it, as the property system had it on `as_of`."""

    __tablename__ = "parking_spaces"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"), index=True)
    name: Mapped[str] = mapped_column(String(64))
    plate: Mapped[str | None] = mapped_column(String(64))
    valid_until: Mapped[date | None]  # the last day; none: without an end
    as_of: Mapped[date]


class VisitorCode(Base):
    """A code by which a household's visitors come in, as the property system had it on `as_of`."""

    __tablename__ = "visitor_codes"

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"), index=True)
    name: Mapped[str | None] = mapped_column(String(64))  # for whom, or for what
    code: Mapped[str] = mapped_column(String(64))  # only the household is ever shown it
    valid_from: Mapped[datetime]
    valid_until: Mapped[datetime]  # the moment from which it opens nothing
    as_of: Mapped[date]


class Invitation(Base):
    """A link that binds one Telegram account to a household, once; the token itself stands only on paper."""

    __tablename__ = "invitations"
    __table_args__ = (
        Index("invitations_open", "household_id", postgresql_where=text("used_at IS NULL AND revoked_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"))
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the token, in hexadecimal
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]
    used_by_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))


class BindingOffer(Base):
    """What an account has proved so far: it may say which member of the household it is. One offer an account."""

    __tablename__ = "binding_offers"

    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), primary_key=True)
    how: Mapped[str] = mapped_column(String(16))  # invitation, phone
    household_id: Mapped[int] = mapped_column(ForeignKey("households.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))  # none: any member of the household
    invitation_id: Mapped[int | None] = mapped_column(ForeignKey("invitations.id"))
    until: Mapped[datetime]


class BindingRequest(Base):
    """Somebody without an invitation says who they are; staff compare it with the roster and decide."""

    __tablename__ = "binding_requests"
    __table_args__ = (
        Index("binding_requests_open", "resident_id", unique=True, postgresql_where=text("state = 'open'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    resident_id: Mapped[int] = mapped_column(ForeignKey("residents.id"), index=True)
    household_id: Mapped[int | None] = mapped_column(ForeignKey("households.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    words: Mapped[str]  # what they said of themselves
    state: Mapped[RequestState]
    asked_at: Mapped[datetime]
    decided_at: Mapped[datetime | None]
    decided_by_id: Mapped[int | None] = mapped_column(ForeignKey("staff.id"))


class ArchiveEvent(Base):
    """Who did what with which file of the archive: also who was shown it. The log is never changed (N12)."""

    __tablename__ = "archive_events"
    __table_args__ = (
        Index("archive_events_by_resident", "resident_id", "id"),
        Index("archive_events_by_member", "member_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(32))  # resident, staff:<number>, operator, bot
    act: Mapped[str] = mapped_column(String(32))
    resident_id: Mapped[int | None] = mapped_column(ForeignKey("residents.id"))
    member_id: Mapped[int | None] = mapped_column(ForeignKey("members.id"))
    household_id: Mapped[int | None] = mapped_column(ForeignKey("households.id"))
    detail: Mapped[dict[str, Any] | None]


class KnowledgeEntry(Base):
    """Something residents ask, and its answer: of one community, or of the base that every community inherits."""

    __tablename__ = "knowledge_entries"
    __table_args__ = (UniqueConstraint("community_id", "key", postgresql_nulls_not_distinct=True),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))  # None: the base
    key: Mapped[str] = mapped_column(String(64))
    content: Mapped[dict[str, Any]]  # as in a file: service/knowledge_file.py


class KnowledgeEdit(Base):
    """What an entry became, by whom and when. The log is never changed; its newest row says when an index is stale."""

    __tablename__ = "knowledge_edits"
    __table_args__ = (Index("knowledge_edits_by_community", "community_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    entry_id: Mapped[int] = mapped_column(ForeignKey("knowledge_entries.id"), index=True)
    community_id: Mapped[int | None] = mapped_column(ForeignKey("communities.id"))
    content: Mapped[dict[str, Any]]
    by: Mapped[str]
    at: Mapped[datetime]


class UnansweredQuestion(Base):
    """A question that was handed to people because no entry answers it; each turn that asked it has a row."""

    __tablename__ = "unanswered_questions"
    __table_args__ = (
        UniqueConstraint("conversation_id", "source"),
        Index("unanswered_questions_open", "community_id", "id", postgresql_where=text("state = 'open'")),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    conversation_id: Mapped[int] = mapped_column(ForeignKey("conversations.id"))
    case_id: Mapped[int] = mapped_column(ForeignKey("cases.id"))
    source: Mapped[str]  # the turn
    text: Mapped[str]
    language: Mapped[str] = mapped_column(String(2))
    asked_at: Mapped[datetime]
    state: Mapped[QuestionState]
    entry_id: Mapped[int | None] = mapped_column(ForeignKey("knowledge_entries.id"))


class ConsoleLink(Base):
    """A link that signs a member of staff in to the console, once; the token itself stands only in their chat."""

    __tablename__ = "console_links"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of the token, in hexadecimal
    made_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]  # used, or another was made since


class ConsoleSession(Base):
    """A member of staff is signed in to the console in one browser."""

    __tablename__ = "console_sessions"

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"), index=True)
    digest: Mapped[str] = mapped_column(String(64), unique=True)  # SHA-256 of what the cookie holds
    role: Mapped[Role]  # when they signed in: with another one they sign in again
    language: Mapped[str] = mapped_column(String(2))
    made_at: Mapped[datetime]
    used_at: Mapped[datetime]  # to the minute
    ended_at: Mapped[datetime | None]

    member: Mapped[Staff] = relationship(lazy="raise_on_sql")


class AuditEntry(Base):
    """Who was shown or changed what in the console: keys and numbers, no words. The log is never changed (N12)."""

    __tablename__ = "audit_entries"
    __table_args__ = (
        Index("audit_entries_by_community", "community_id", "at", "id"),
        Index("audit_entries_by_actor", "community_id", "actor", "at", "id"),
        Index("audit_entries_by_object", "community_id", "object", "object_id", "at", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"))
    at: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(32))  # staff:<number>, operator
    act: Mapped[str] = mapped_column(String(32))  # shown, or what was done
    object: Mapped[str] = mapped_column(String(32))  # what kind of thing: case, resident, board …
    object_id: Mapped[int | None]  # none: a list


class DailySum(Base):
    """What the charts count of a day, kept; one without a row, or with a change beside it, is counted on the spot."""

    __tablename__ = "daily_sums"

    community_id: Mapped[int] = mapped_column(ForeignKey("communities.id"), primary_key=True)
    zone: Mapped[str] = mapped_column(primary_key=True)  # whose midnights the day has
    day: Mapped[date] = mapped_column(primary_key=True)
    counts: Mapped[dict[str, Any]]  # {figure: {value: how many}}


class FigureChange(Base):
    """Something that is counted has changed: the day in which it happened is to be counted anew.

    Triggers write it in the transaction of the change, so whoever sees the one sees the other. It is written beside
    each message, so nothing is looked up for it: the community is no foreign key.
    """

    __tablename__ = "figure_changes"
    __table_args__ = (Index("figure_changes_by_moment", "community_id", "at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    community_id: Mapped[int]
    at: Mapped[datetime]  # when it happened, which may be long ago


class SavedView(Base):
    """A filter of a list that a member of staff has given a name."""

    __tablename__ = "saved_views"
    __table_args__ = (UniqueConstraint("staff_id", "page", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    staff_id: Mapped[int] = mapped_column(ForeignKey("staff.id"))
    page: Mapped[str] = mapped_column(String(16))  # cases
    name: Mapped[str] = mapped_column(String(32))
    query: Mapped[str]  # as it stands in the address
