"""What the charts count: a table of figures, each of them a value that a case has, and the rows behind every number.

All figures are about the cases opened in a period, so a number and the list behind it are the same condition. A case
whose value is NULL is not counted: nobody was asked, the clock did not run, the promise is still open.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Text, case, cast, func, or_, select, text
from sqlalchemy.orm import InstrumentedAttribute, Session, raiseload

from service import clock_runs, first_time_fix, paging
from service.models import Case, CaseClock, CaseState, Community, Survey
from service.paging import MomentPage
from service.sheets import Period

Moment = ColumnElement[datetime] | InstrumentedAttribute[datetime]
KEPT, LATE = "kept", "late"
SATISFIED, UNSATISFIED = "satisfied", "unsatisfied"
GOOD = 4  # stars from here on are satisfaction
STEPS = ((31, "day"), (184, "week"))  # up to so many days, a column is that long; else a month


@dataclass(frozen=True)
class Scope:
    """Whose figures, of which days, seen when."""

    community: Community
    first: date
    last: date
    now: datetime  # aware UTC

    @cached_property
    def moments(self) -> tuple[datetime, datetime]:
        """From here, and to here, not included."""
        begins, ends = Period(self.first, self.last).moments(ZoneInfo(self.community.timezone))
        assert begins is not None
        assert ends is not None
        return begins, ends

    @property
    def step(self) -> str:
        """How long a column of the chart over time is."""
        days = (self.last - self.first).days + 1
        return next((step for most, step in STEPS if days <= most), "month")

    def holds(self, moment: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        """Whether something happened in the period."""
        begins, ends = self.moments
        return (moment >= begins) & (moment < ends)

    def local(self, moment: Moment) -> ColumnElement[Any]:
        """A moment on the community's clock."""
        return func.timezone(self.community.timezone, moment)

    def begins(self, moment: Moment) -> ColumnElement[date]:
        """The first day of the column in which a moment lies."""
        return cast(func.date_trunc(self.step, self.local(moment)), Date)


Value = Callable[[Scope], ColumnElement[Any]]


def _verdict(scope: Scope) -> ColumnElement[Any]:
    """Whether the last run of a clock was kept; a withdrawn case's promise is off, neither kept nor broken."""
    late = or_(CaseClock.stopped_at > CaseClock.due_at, CaseClock.stopped_at.is_(None) & (CaseClock.due_at < scope.now))
    kept = CaseClock.stopped_at <= CaseClock.due_at
    return case((Case.state == CaseState.WITHDRAWN, None), (late, LATE), (kept, KEPT))


def _clock(clock: str, scope: Scope) -> ColumnElement[Any]:
    ran = CaseClock.case_id == Case.id, CaseClock.clock == clock
    return select(_verdict(scope)).where(*ran).correlate(Case).scalar_subquery()


def _fix(scope: Scope) -> ColumnElement[Any]:
    del scope
    return case((Case.kind == "repair", first_time_fix.first_answer()))


def _last_stars() -> ColumnElement[Any]:
    """Who was asked twice about one case has said it last."""
    rated = select(Survey.stars).where(Survey.case_id == Case.id, Survey.stars.is_not(None))
    return rated.order_by(Survey.resolution.desc()).limit(1).scalar_subquery()


def _stars(scope: Scope) -> ColumnElement[Any]:
    del scope
    return _last_stars()


def _satisfied(scope: Scope) -> ColumnElement[Any]:
    del scope
    stars = _last_stars()
    return case((stars >= GOOD, SATISFIED), (stars < GOOD, UNSATISFIED))


FIGURES: Mapping[str, Value] = {
    "opened": lambda scope: scope.begins(Case.opened_at),
    "kind": lambda _: Case.kind.expression,
    "category": lambda _: Case.category.expression,
    "fix": _fix,
    "stars": _stars,
    "satisfied": _satisfied,
    **{f"clock_{name}": partial(_clock, name) for name in clock_runs.names()},
}


def count(session: Session, scope: Scope, figure: str) -> Mapping[Any, int]:
    """How many cases have which value.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
        figure: one of `FIGURES`.
    """
    _expect_memory(session)
    value = FIGURES[figure](scope).label("value")
    inner = select(value).where(*_opened(scope)).subquery()
    each = session.execute(select(inner.c.value, func.count()).group_by(inner.c.value))
    return {value: cases for value, cases in each if value is not None}  # a condition would work it out twice


def clocks(session: Session, scope: Scope) -> Mapping[str, Mapping[str, int]]:
    """How many promises of each clock were kept and how many broken: the figures of all clocks in one query.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
    """
    _expect_memory(session)
    verdict = select(CaseClock.clock, _verdict(scope).label("value")).join(Case, Case.id == CaseClock.case_id)
    inner = verdict.where(*_opened(scope)).subquery()
    each = select(inner.c.clock, inner.c.value, func.count()).group_by(inner.c.clock, inner.c.value)
    found: dict[str, dict[str, int]] = {}
    for clock, value, count in session.execute(each):
        if value is not None:
            found.setdefault(clock, {})[value] = count
    return found


def _expect_memory(session: Session) -> None:
    """Tell the planner that looking a row up is cheap: those of the last months lie together, and in memory."""
    session.execute(text("SET LOCAL random_page_cost = 1.1"))


def cases(session: Session, scope: Scope, figure: str, value: str, *, before: str | None) -> MomentPage[Case]:
    """The cases behind a number, the newest first.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
        figure: one of `FIGURES`; another one has no cases.
        value: as `count` gave it.
        before: where this page begins.
    """
    if figure not in FIGURES:
        return MomentPage((), None)
    found = select(Case).where(*_opened(scope), cast(FIGURES[figure](scope), Text) == value)
    found = found.options(raiseload(Case.conversation))
    return paging.page_by_moment(session, found, Case.opened_at, Case.id, before=before)


def _opened(scope: Scope) -> tuple[ColumnElement[bool], ...]:
    return Case.community_id == scope.community.id, scope.holds(Case.opened_at)
