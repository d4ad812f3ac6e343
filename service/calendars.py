"""Each community's own calendar: its hours and special days as rows, and as something to calculate with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from functools import lru_cache

from sqlalchemy import BindParameter, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service.business_time import ALL_DAY, Calendar, around_the_clock, read_hours
from service.calendar_file import WORKDAY, Reading
from service.errors import NotEnoughServiceTime
from service.models.communities import CalendarDay, Community, WeekdayHours

IN_USE = 4096  # calendars kept ready in a process


# Both tables in one question, which others may ask along: it is asked at every step of a case.
_WHOSE: BindParameter[int] = bindparam("community_id")
SAID = (
    select(func.jsonb_object_agg(WeekdayHours.weekday, WeekdayHours.hours))
    .where(WeekdayHours.community_id == _WHOSE)
    .scalar_subquery(),
    select(func.jsonb_object_agg(CalendarDay.day, CalendarDay.hours))
    .where(CalendarDay.community_id == _WHOSE)
    .scalar_subquery(),
)


def of(session: Session, community: Community) -> Calendar:
    """The community's calendar; what nobody has said about a weekday are the desk's hours of the settings."""
    return made(community, *_said(session, community))


def usual(community: Community) -> Calendar:
    """The desk's hours of the settings, every day."""
    return made(community, {}, {})


def _said(session: Session, community: Community) -> tuple[dict[int, str], dict[date, str]]:
    """The hours that were imported: of weekdays, and of special days."""
    return read(*session.execute(select(*SAID), {"community_id": community.id}).one())


def read(week: Mapping[str, str] | None, days: Mapping[str, str] | None) -> tuple[dict[int, str], dict[date, str]]:
    """What `SAID` found: the hours of weekdays, and of special days."""
    return (
        {int(weekday): hours for weekday, hours in (week or {}).items()},
        {date.fromisoformat(day): hours for day, hours in (days or {}).items()},
    )


def made(community: Community, week: Mapping[int, str], days: Mapping[date, str]) -> Calendar:
    """A calendar to calculate with; weekdays that are not named have the desk's hours of the settings."""
    usual = _desk_hours(community)
    return _ready(community.timezone, tuple(week.get(day, usual) for day in range(7)), tuple(sorted(days.items())))


def of_id(session: Session, community_id: int) -> Calendar:
    """The same, by the community's id."""
    return of(session, session.get_one(Community, community_id))


def counting(session: Session, community_id: int, *, since: datetime) -> Calendar:
    """The hours in which waiting counts; every minute, where nobody knows when the community opens again."""
    hours = of_id(session, community_id)
    try:
        hours.next_opening(since)
    except NotEnoughServiceTime:
        return around_the_clock()
    return hours


def special_days(session: Session, community: Community, *, since: date = date.min) -> Sequence[CalendarDay]:
    """The days with hours of their own, in their order."""
    found = select(CalendarDay).where(CalendarDay.community_id == community.id, CalendarDay.day >= since)
    return session.scalars(found.order_by(CalendarDay.day)).all()


def imagine(session: Session, community: Community, reading: Reading) -> Calendar:
    """The calendar as it would be with what a file says; nothing is kept.

    Raises:
        UnknownZone: the community's zone is none.
    """
    week, days = _said(session, community)
    return made(community, week | reading.week, days | {day: told.hours for day, told in reading.days.items()})


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


def forget(session: Session, community: Community) -> None:
    """Go back to the desk's hours of the settings, every day."""
    for table in (WeekdayHours, CalendarDay):
        session.execute(delete(table).where(table.community_id == community.id))


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
