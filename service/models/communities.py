"""Communities, their calendar, departments and topics."""

from __future__ import annotations

from datetime import date, datetime, time
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, UniqueConstraint, event, text
from sqlalchemy.orm import Mapped, QueryContext, mapped_column, relationship

from service.models.base import Base


class TalksIn(StrEnum):
    """Where a butler who has claimed talks with the resident."""

    GROUP = "group"  # in the resident's topic: everybody reads along
    PRIVATE = "private"  # in their own chat with the bot, which has a budget of its own


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
