"""What ails many at once."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from service.models.base import Base


class ReportOutcome(StrEnum):
    """What a resident said of the incident they were joined to."""

    DIFFERENT = "different"  # theirs is another matter
    FIXED = "fixed"
    NOT_FIXED = "not_fixed"


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
