"""Today's board: who waits, what is late, what is open, who is on duty, how satisfied residents were today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import func, literal_column, select
from sqlalchemy.orm import Session

from service import duty
from service.models import (
    AT_WORK,
    Case,
    CaseClock,
    Community,
    Conversation,
    Department,
    Handover,
    Resident,
    Staff,
    Survey,
)

SHOWN = 20  # of a list: the oldest; the count says how many there are


@dataclass(frozen=True)
class Waiting:
    """A resident who waits for a person."""

    conversation_id: int
    name: str
    place: str | None
    since: datetime | None


@dataclass(frozen=True)
class Late:
    """A promise that was not kept yet."""

    case_id: int
    number: str
    category: str
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

    waiting: Sequence[Waiting]
    waiting_count: int
    late: Sequence[Late]
    late_count: int
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
    waiting, waiting_count = _waiting(session, community.id)
    late, late_count = _late(session, community.id, now=now)
    return Board(
        waiting=waiting,
        waiting_count=waiting_count,
        late=late,
        late_count=late_count,
        open_cases=open_cases(session, community.id),
        on_duty=duty.on_duty(session, community, now=now),
        stars=_stars(session, community, now=now),
    )


def _waiting(session: Session, community_id: int) -> tuple[Sequence[Waiting], int]:
    found = (
        select(Conversation.id, Resident.display_name, Resident.place, Handover.at, func.count().over())
        .join(Resident, Resident.id == Conversation.resident_id)
        .outerjoin(Handover, (Handover.conversation_id == Conversation.id) & (Handover.epoch == Conversation.epoch))
        .where(Conversation.community_id == community_id, literal_column("conversations.owner = 'waiting'"))
        .order_by(Handover.at, Conversation.id)
        .limit(SHOWN)
    )
    rows = session.execute(found).all()
    return [Waiting(*row[:-1]) for row in rows], rows[0][-1] if rows else 0


def _late(session: Session, community_id: int, *, now: datetime) -> tuple[Sequence[Late], int]:
    found = (
        select(
            Case.id, Case.number, Case.category, Department.key, CaseClock.clock, CaseClock.due_at, func.count().over()
        )
        .join(CaseClock, CaseClock.case_id == Case.id)
        .join(Department, Department.id == Case.department_id)
        .where(Case.community_id == community_id, literal_column(f"cases.{AT_WORK}"))
        .where(CaseClock.stopped_at.is_(None), CaseClock.due_at < now)
        .order_by(CaseClock.due_at, Case.id)
        .limit(SHOWN)
    )
    rows: Sequence[Any] = session.execute(found).all()
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


def _stars(session: Session, community: Community, *, now: datetime) -> Stars:
    zone = ZoneInfo(community.timezone)
    midnight = datetime.combine(now.astimezone(zone).date(), time(), zone).astimezone(UTC)
    rated = (
        select(func.count(), func.avg(Survey.stars))
        .join(Case, Case.id == Survey.case_id)
        .where(Case.community_id == community.id, Survey.stars.is_not(None), Survey.answered_at >= midnight)
    )
    count, mean = session.execute(rated).one()
    return Stars(count, float(mean) if mean is not None else None)
