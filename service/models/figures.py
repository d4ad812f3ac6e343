"""What is counted and checked at night."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from service.models.base import Base


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
