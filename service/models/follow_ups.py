"""What is asked after a case is finished, and what it may cost."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.models.base import Base
from service.models.cases import Case


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


CANCELLED = "state = 'cancelled'"  # of a call-back or a survey, as the index of those has it


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
