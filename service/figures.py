"""What the charts count: a table of figures, each of them a value that a case has, and the rows behind every number.

All figures are about the cases opened in a period, so a number and the list behind it are the same condition. A case
whose value is NULL is not counted: nobody was asked, the clock did not run, the promise is still open. The numbers
themselves are of `service/tallies.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Date, Text, case, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, raiseload

from service import clock_runs, first_time_fix, paging
from service.models.cases import Case, CaseClock, CaseState
from service.models.communities import Community
from service.models.follow_ups import Survey
from service.paging import MomentPage
from service.sheets import Period

Moment = ColumnElement[datetime] | InstrumentedAttribute[datetime]
KEPT, LATE = "kept", "late"
SATISFIED, UNSATISFIED = "satisfied", "unsatisfied"
GOOD = 4  # stars from here on are satisfaction
STEPS = ((31, "day"), (184, "week"))  # up to so many days, a column is that long; else a month
CLOCK = "clock_"  # how the figures of clocks begin


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
    def days(self) -> list[date]:
        """Every day of it."""
        return [self.first + timedelta(days=after) for after in range((self.last - self.first).days + 1)]

    @property
    def step(self) -> str:
        """How long a column of the chart over time is."""
        days = (self.last - self.first).days + 1
        return next((step for most, step in STEPS if days <= most), "month")

    def holds(self, moment: InstrumentedAttribute[datetime]) -> ColumnElement[bool]:
        """Whether something happened in the period."""
        begins, ends = self.moments
        return (moment >= begins) & (moment < ends)

    def stretches(self, days: Iterable[date]) -> list[Scope]:
        """Some days, in their order, as periods that are as long as possible."""
        found: list[Scope] = []
        for day in days:
            if found and day - found[-1].last == timedelta(days=1):
                found[-1] = replace(found[-1], last=day)
            else:
                found.append(replace(self, first=day, last=day))
        return found

    def local(self, moment: Moment) -> ColumnElement[Any]:
        """A moment on the community's clock."""
        return func.timezone(self.community.timezone, moment)

    def day(self, moment: Moment) -> ColumnElement[date]:
        """The community's day in which a moment lies."""
        return cast(self.local(moment), Date)

    def begins(self, moment: Moment) -> ColumnElement[date]:
        """The first day of the column in which a moment lies."""
        return cast(func.date_trunc(self.step, self.local(moment)), Date)

    def column(self, day: date) -> date:
        """The same of a day, as date_trunc has it."""
        if self.step == "week":
            return day - timedelta(days=day.weekday())
        return day.replace(day=1) if self.step == "month" else day


Value = Callable[[Scope], ColumnElement[Any]]

_IN_TIME = CaseClock.stopped_at <= CaseClock.due_at
_TOO_LATE = CaseClock.stopped_at > CaseClock.due_at


def is_running_late(scope: Scope) -> ColumnElement[bool]:
    """Whether the last run of a clock goes on although it was promised until before now."""
    return CaseClock.stopped_at.is_(None) & (CaseClock.due_at < scope.now)


def settled() -> ColumnElement[Any]:
    """Whether a promise was kept, once that can change no more by waiting.

    A withdrawn case's promise is off, neither kept nor broken.
    """
    return case((Case.state == CaseState.WITHDRAWN, None), (_TOO_LATE, LATE), (_IN_TIME, KEPT))


def _clock(clock: str, scope: Scope) -> ColumnElement[Any]:
    """What is promised until before now is as good as broken."""
    late = is_running_late(scope) & (Case.state != CaseState.WITHDRAWN)
    verdict = select(case((late, LATE), else_=settled()))
    ran = CaseClock.case_id == Case.id, CaseClock.clock == clock
    return verdict.where(*ran).correlate(Case).scalar_subquery()


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
    **{f"{CLOCK}{name}": partial(_clock, name) for name in clock_runs.names()},
}


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
