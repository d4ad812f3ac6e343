"""Today's board: who waits, what is late, what is open, who is on duty, how satisfied residents were today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal_column, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from service import duty, waits
from service.models.cases import AT_WORK, Case, CaseClock
from service.models.communities import Community, Department
from service.models.follow_ups import Survey
from service.models.people import Staff
from service.models.talks import Wait

SHOWN = 20  # of a list: the oldest; the count says how many there are


@dataclass(frozen=True)
class Waiting:
    """A resident who waits for a person."""

    conversation_id: int
    name: str
    place: str | None
    since: datetime
    is_urgent: bool  # answered before all others


@dataclass(frozen=True)
class Late:
    """A case of which something was promised and not done yet."""

    case_id: int
    number: str
    department: str  # its key
    clock: str
    due_at: datetime


@dataclass(frozen=True)
class Stars:
    """How residents rated today."""

    count: int
    mean: float | None


@dataclass(frozen=True)
class Board:
    """Everything on it; lists are cut to the oldest, counts are whole."""

    day: date  # on the community's clock
    waiting: Sequence[Waiting]
    waiting_count: int
    late: Sequence[Late]
    late_count: int
    opened_count: int  # today
    open_cases: Sequence[tuple[str, int]]  # by department
    on_duty: Sequence[Staff]
    stars: Stars

    @property
    def open_count(self) -> int:
        """Cases at work in all departments."""
        return sum(count for _, count in self.open_cases)


def board(session: Session, community: Community, *, now: datetime) -> Board:
    """The board of a community, in a handful of queries.

    Args:
        session: a transaction; it is only read.
        community: whose.
        now: the moment, aware UTC.
    """
    begins = _midnight(community, now)
    waiting, waiting_count = waits.line(session, community.id, limit=SHOWN)
    overdue, late_count = late(session, community.id, now=now, limit=SHOWN)
    return Board(
        day=now.astimezone(ZoneInfo(community.timezone)).date(),
        waiting=[_waiting(wait) for wait in waiting],
        waiting_count=waiting_count,
        late=overdue,
        late_count=late_count,
        opened_count=_opened(session, community.id, begins),
        open_cases=open_cases(session, community.id),
        on_duty=duty.on_duty(session, community, now=now),
        stars=_stars(session, community.id, begins),
    )


def _waiting(wait: Wait) -> Waiting:
    resident = wait.conversation.resident
    urgent = wait.reason == waits.URGENT
    return Waiting(wait.conversation_id, resident.display_name, resident.place, wait.since, urgent)


def late(session: Session, community_id: int, *, now: datetime, limit: int) -> tuple[Sequence[Late], int]:
    """Cases at work of which something was not done in time, the longest overdue first, and how many there are.

    Args:
        session: a transaction; it is only read.
        community_id: whose.
        now: the moment, aware UTC.
        limit: cases at the most, each with the promise that was broken first.
    """
    broken = (
        select(
            Case.id.label("id"),
            Case.number,
            Department.key.label("department"),
            CaseClock.clock,
            CaseClock.due_at.label("due_at"),
        )
        .join(CaseClock, CaseClock.case_id == Case.id)
        .join(Department, Department.id == Case.department_id)
        .where(Case.community_id == community_id, literal_column(f"cases.{AT_WORK}"))
        .where(CaseClock.stopped_at.is_(None), CaseClock.due_at < now)
        .ext(distinct_on(Case.id))
        .order_by(Case.id, CaseClock.due_at)
        .subquery()
    )
    first = select(broken, func.count().over()).order_by(broken.c.due_at, broken.c.id).limit(limit)
    rows: Sequence[Any] = session.execute(first).all()
    return [Late(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def open_cases(session: Session, community_id: int) -> Sequence[tuple[str, int]]:
    """How many cases each department has at work, by its key; also those that have none."""
    at_work = (Case.department_id == Department.id) & (Case.community_id == community_id)
    found = (
        select(Department.key, func.count(Case.id))
        .outerjoin(Case, at_work & literal_column(f"cases.{AT_WORK}"))
        .where(Department.community_id == community_id)
        .group_by(Department.id)
        .order_by(Department.id)
    )
    return [(key, count) for key, count in session.execute(found)]


def _midnight(community: Community, now: datetime) -> datetime:
    """When the day began on the community's clock."""
    zone = ZoneInfo(community.timezone)
    return datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)


def _opened(session: Session, community_id: int, begins: datetime) -> int:
    opened = select(func.count()).where(Case.community_id == community_id, Case.opened_at >= begins)
    return session.scalar(opened) or 0


def _stars(session: Session, community_id: int, begins: datetime) -> Stars:
    rated = (
        select(func.count(), func.avg(Survey.stars))
        .join(Case, Case.id == Survey.case_id)
        .where(Case.community_id == community_id, Survey.stars.is_not(None), Survey.answered_at >= begins)
    )
    count, mean = session.execute(rated).one()
    return Stars(count, float(mean) if mean is not None else None)
