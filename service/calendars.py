"""Each community's own calendar: its hours and special days as rows, and as something to calculate with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.business_time import ALL_DAY, Calendar, Frames, read_hours
from service.calendar_file import WORKDAY, Reading
from service.models import CalendarDay, Community, WeekdayHours

IN_USE = 4096  # calendars kept ready in a process


def of(session: Session, community: Community) -> Calendar:
    """The community's calendar; what nobody has said about a weekday are the desk's hours of the settings."""
    said = {row.weekday: row.hours for row in _weekdays(session, community)}
    usual = _desk_hours(community)
    week = tuple(said.get(weekday, usual) for weekday in range(7))
    days = tuple((row.day, row.hours) for row in special_days(session, community))
    return _ready(community.timezone, week, days)


def of_id(session: Session, community_id: int) -> Calendar:
    """The same, by the community's id."""
    return of(session, session.get_one(Community, community_id))


def special_days(session: Session, community: Community, *, since: date = date.min) -> Sequence[CalendarDay]:
    """The days with hours of their own, in their order."""
    found = select(CalendarDay).where(CalendarDay.community_id == community.id, CalendarDay.day >= since)
    return session.scalars(found.order_by(CalendarDay.day)).all()


def imagine(session: Session, community: Community, reading: Reading) -> Calendar:
    """The calendar as it would be with what a file says; nothing is kept.

    Raises:
        UnknownZone: the community's zone is none.
    """
    said = {row.weekday: row.hours for row in _weekdays(session, community)} | reading.week
    days: dict[date, str] = {row.day: row.hours for row in special_days(session, community)}
    days |= {day: told.hours for day, told in reading.days.items()}
    usual = _desk_hours(community)
    return _ready(community.timezone, tuple(said.get(day, usual) for day in range(7)), tuple(sorted(days.items())))


def take_in(session: Session, community: Community, reading: Reading, *, now: datetime) -> None:
    """Keep what a file says; taking the same file in again changes nothing.

    Args:
        session: the caller's transaction.
        community: whose calendar.
        reading: without problems.
        now: the moment, aware UTC: the calendar must open again after it.

    Raises:
        NotEnoughServiceTime: the community would never open again.
    """
    assert not reading.problems, "the caller refuses a file with problems"
    imagine(session, community, reading).next_opening(now)
    for weekday, hours in reading.week.items():
        row = {"community_id": community.id, "weekday": weekday, "hours": hours}
        kept = (
            insert(WeekdayHours)
            .values(row)
            .on_conflict_do_update(index_elements=["community_id", "weekday"], set_={"hours": hours})
        )
        session.execute(kept)
    for day, told in reading.days.items():
        facts = {"hours": told.hours, "name": told.name}
        special = insert(CalendarDay).values(community_id=community.id, day=day, **facts)
        session.execute(special.on_conflict_do_update(index_elements=["community_id", "day"], set_=facts))
    session.expire_all()


def forget(session: Session, community: Community) -> None:
    """Go back to the desk's hours of the settings, every day."""
    for table in (WeekdayHours, CalendarDay):
        session.execute(delete(table).where(table.community_id == community.id))


def hours_of_week(session: Session, community: Community) -> Mapping[int, Frames]:
    """The frames of Monday to Sunday."""
    return dict(enumerate(of(session, community).week))


def _weekdays(session: Session, community: Community) -> Sequence[WeekdayHours]:
    return session.scalars(select(WeekdayHours).where(WeekdayHours.community_id == community.id)).all()


def _desk_hours(community: Community) -> str:
    if community.desk_opens == community.desk_closes:
        return "00:00-24:00"
    return f"{community.desk_opens:%H:%M}-{community.desk_closes:%H:%M}"


@lru_cache(maxsize=IN_USE)
def _ready(zone: str, week: tuple[str, ...], days: tuple[tuple[date, str], ...]) -> Calendar:
    """A calendar that keeps what it has worked out, for as long as nobody changes the hours."""
    frames = [read_hours(hours) for hours in week]
    workday = next(filter(None, frames), ALL_DAY)
    return Calendar(zone, frames, {day: workday if hours == WORKDAY else read_hours(hours) for day, hours in days})
