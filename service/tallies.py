"""Every figure of the charts, counted from the rows day by day: kept of a day that is over, shown of any other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, func, literal, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session

from service import figures, heard
from service.figures import CLOCK, FIGURES, Scope
from service.models.cases import Case, CaseClock, CaseState
from service.models.talks import Message
from service.models.understanding import Candidate
from service.paging import START

Counts = dict[str, dict[str, int]]  # figure → value → how many

OF_CASES = ("kind", "category", "fix", "stars")  # of `FIGURES`: "opened" and "satisfied" follow from them
HOUR, UNCLEAR = "hour", "unclear"  # messages by the hour of the day; those that were not understood
# No zone's hours begin elsewhere. What is counted by quarters first has to be put on the community's clock seldom.
QUARTER = timedelta(minutes=15)


def by_day(session: Session, scope: Scope, days: Sequence[date]) -> dict[date, Counts]:
    """What there is of each day: nothing of it changes by waiting, only by something that happens.

    Args:
        session: a transaction; it is only read.
        scope: whose.
        days: which, in their order.
    """
    found: dict[date, Counts] = {day: {} for day in days}
    if not days:
        return found
    _expect_memory(session)
    for question in _questions(scope, scope.stretches(days)):
        for day, figure, value, count in session.execute(question):
            if value is not None:  # a condition in SQL would work the value out twice
                add(found, day, figure, str(value), count)
    return found


def running_late(session: Session, scope: Scope) -> Iterator[tuple[date, str, int]]:
    """Promises that are broken because it is late by now: of each day and clock, how many."""
    day = scope.day(Case.opened_at)
    late = figures.is_running_late(scope), Case.state != CaseState.WITHDRAWN
    found = select(day, CaseClock.clock, func.count()).join(Case, Case.id == CaseClock.case_id)
    mine = Case.community_id == scope.community.id, scope.holds(Case.opened_at)
    for at, clock, count in session.execute(found.where(*mine, *late).group_by(day, CaseClock.clock)):
        yield at, f"{CLOCK}{clock}", count


def add(days: dict[date, Counts], day: date, figure: str, value: str, count: int) -> None:
    """Count so many more on a day; none that PostgreSQL knows in a zone whose new rules Python does not know yet."""
    if day in days:
        values = days[day].setdefault(figure, {})
        values[value] = values.get(value, 0) + count


def _expect_memory(session: Session) -> None:
    """Tell the planner that looking a row up is cheap: those of the last months lie together, and in memory."""
    session.execute(text("SET LOCAL random_page_cost = 1.1"))


def _questions(scope: Scope, periods: Sequence[Scope]) -> Iterator[Select[Any, Any, Any, int]]:
    """Each gives day, figure, value and how many; values of NULL are counted along."""

    def within(moment: InstrumentedAttribute[Any]) -> ColumnElement[bool]:
        return or_(*(period.holds(moment) for period in periods))

    opened = Case.community_id == scope.community.id, within(Case.opened_at)
    day = scope.day(Case.opened_at).label("day")
    for figure in OF_CASES:
        yield _counted(
            select(day, literal(figure).label("figure"), FIGURES[figure](scope).label("value")).where(*opened)
        )
    clock = (literal(CLOCK) + CaseClock.clock).label("figure")
    verdict = select(day, clock, figures.settled().label("value")).join(Case, Case.id == CaseClock.case_id)
    yield _counted(verdict.where(*opened))
    yield _hours(scope, within(Message.said_at))
    noticed = scope.day(Candidate.noticed_at).label("day")
    unclear = select(noticed, literal(UNCLEAR).label("figure"), literal(UNCLEAR).label("value"))
    yield _counted(unclear.where(*heard.not_understood(scope), within(Candidate.noticed_at)))


def _counted(each: Select[Any, Any, Any]) -> Select[Any, Any, Any, int]:
    inner = each.subquery()
    by = inner.c.day, inner.c.figure, inner.c.value
    return select(*by, func.count()).group_by(*by)


def _hours(scope: Scope, within: ColumnElement[bool]) -> Select[Any, Any, Any, int]:
    quarter = func.date_bin(QUARTER, Message.said_at, START).label("at")
    inner = (
        heard.of_residents(scope, quarter, func.count().label("messages")).where(within).group_by(quarter).subquery()
    )
    return select(scope.day(inner.c.at), literal(HOUR), heard.hour_of(scope, inner.c.at), inner.c.messages)
