"""Cases, their steps, clocks and visits."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.models.base import Base, searched, together
from service.models.communities import Department
from service.models.people import Resident
from service.models.talks import Conversation


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


CASE_WORDS = together("cases", "number", "matter", "place", "contact", "phone")
REOPENED = "event = 'reopened'"  # of a step of a case, as the index of those has it
AT_WORK = "state NOT IN ('finished', 'closed', 'withdrawn')"  # of a case, as the index of those has it
LIVE_VISIT = "state IN ('proposed', 'agreed')"  # of an appointment, as the index of those has it
NOT_REMINDED = (
    "case_events.event = 'visit_reminded' AND case_events.data ? 'not_sent'"  # of a step, as the index of those has it
)


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
        searched("cases", CASE_WORDS),
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
