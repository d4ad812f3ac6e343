"""Who is on duty: what members of staff said themselves, otherwise the roster."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from service import staff
from service.errors import ShiftNotClear
from service.models.communities import Community
from service.models.people import Duty, Role, Shift, Staff
from service.staff import Right

_HOURS = re.compile(r"(\d{1,2}):(\d{2})\s*[-–~]\s*(\d{1,2}):(\d{2})")
_DAYS = re.compile(r"([1-7])(?:\s*[-–~]\s*([1-7]))?")


@dataclass(frozen=True)
class Hours:
    """A shift on some days of the week, local time; one that ends no later than it begins lasts overnight."""

    weekdays: Sequence[int]  # 1 is Monday
    begins: time
    ends: time


def read_hours(words: str) -> Hours:
    """Read `1-5 08:00-20:00`: weekdays from 1, Monday, and the clock.

    Raises:
        ShiftNotClear: it says something else.
    """
    days, _, clock = words.strip().partition(" ")
    span, hours = _DAYS.fullmatch(days), _HOURS.fullmatch(clock.strip())
    if span is None or hours is None:
        raise ShiftNotClear(words=words[:40])
    first, last = int(span[1]), int(span[2] or span[1])
    try:
        begins, ends = time(int(hours[1]), int(hours[2])), time(int(hours[3]), int(hours[4]))
    except ValueError as error:
        raise ShiftNotClear(words=words[:40]) from error
    if last < first or begins == ends:
        raise ShiftNotClear(words=words[:40])
    return Hours(range(first, last + 1), begins, ends)


def say(member: Staff, duty: Duty | None) -> None:
    """The member goes on duty, off duty, or leaves it to the roster again.

    Raises:
        NotAllowed: they have left the group.
    """
    staff.check(member, Right.OWN_DUTY)
    member.duty = duty


def plan(session: Session, member: Staff, hours: Hours | None, *, by: Staff) -> None:
    """Put a member's week on the roster; None takes it off.

    Raises:
        NotAllowed: the roster is not theirs to change.
    """
    if by.id != member.id:
        staff.check(by, Right.DUTY_OF_OTHERS)
    session.execute(delete(Shift).where(Shift.staff_id == member.id))
    for weekday in hours.weekdays if hours else ():
        assert hours is not None
        session.add(Shift(staff_id=member.id, weekday=weekday, begins=hours.begins, ends=hours.ends))
    session.flush()


def on_duty(session: Session, community: Community, *, now: datetime) -> Sequence[Staff]:
    """Everybody who is on duty now, by number.

    Args:
        session: the caller's transaction.
        community: whose staff.
        now: the moment, aware UTC.
    """
    local = now.astimezone(ZoneInfo(community.timezone))
    by_roster = _by_roster(session, community, local)
    return [
        member
        for member in staff.present(session, community.id)
        if member.duty is Duty.ON or (member.duty is None and member.id in by_roster)
    ]


def on_duty_or_all(session: Session, community: Community, role: Role, *, now: datetime) -> Sequence[Staff]:
    """Those of a role who are on duty; when nobody is, everybody who has it and has not gone off duty themselves.

    Somebody has to hear of what cannot wait, also where no roster is kept.
    """
    present = [member for member in on_duty(session, community, now=now) if member.role is role]
    return present or [
        member for member in staff.present(session, community.id) if member.role is role and member.duty is not Duty.OFF
    ]


def _by_roster(session: Session, community: Community, local: datetime) -> set[int]:
    today, yesterday = local.isoweekday(), (local - timedelta(days=1)).isoweekday()
    shifts = select(Shift).join(Staff, Staff.id == Shift.staff_id).where(Staff.community_id == community.id)
    return {shift.staff_id for shift in session.scalars(shifts) if _holds(shift, today, yesterday, local.time())}


def _holds(shift: Shift, today: int, yesterday: int, clock: time) -> bool:
    if shift.begins < shift.ends:
        return shift.weekday == today and shift.begins <= clock < shift.ends
    return (shift.weekday == today and clock >= shift.begins) or (shift.weekday == yesterday and clock < shift.ends)
