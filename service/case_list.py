"""The list of a community's cases: what somebody filters by, and what stands in a row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import eq, ge, lt

from sqlalchemy import ColumnElement, func, literal_column, select
from sqlalchemy.orm import Session, raiseload

from service import paging, word_search
from service.models.cases import AT_WORK, CASE_WORDS, Case, CaseClock, CaseState
from service.models.communities import Department
from service.models.follow_ups import Survey
from service.paging import Page

KINDS = ("repair", "complaint", "inquiry", "suggestion", "request_service")
URGENCIES = (0, 1, 2)


@dataclass(frozen=True)
class Wanted:
    """What somebody looks for; what is None may be anything."""

    words: str = ""
    state: CaseState | None = None
    at_work: bool = False
    overdue: bool = False
    kind: str | None = None
    category: str | None = None
    department: str | None = None  # its key
    urgency: int | None = None
    resident: int | None = None
    since: datetime | None = None  # when it was opened
    until: datetime | None = None  # not included
    rated: datetime | None = None  # since when somebody has given it stars


@dataclass(frozen=True)
class Found:
    """A page of cases, and until when the next thing was promised for those where a clock runs."""

    page: Page[Case]
    due: Mapping[int, datetime]


def find(session: Session, community_id: int, wanted: Wanted, *, now: datetime, before: int | None = None) -> Found:
    """The cases of a community, newest first, page by page.

    Args:
        session: a transaction; it is only read.
        community_id: whose.
        wanted: what is looked for.
        now: the moment, aware UTC: what was promised until before it is overdue.
        before: the case behind which the page begins.
    """
    found = select(Case).where(Case.community_id == community_id, *_conditions(community_id, wanted, now))
    page = paging.page(session, found.options(raiseload(Case.conversation)), Case.id, before=before)
    return Found(page, _due(session, page.rows))


def _conditions(community_id: int, wanted: Wanted, now: datetime) -> Iterator[ColumnElement[bool]]:
    if wanted.words:
        yield word_search.holds(CASE_WORDS, wanted.words)
    if wanted.at_work or wanted.overdue:
        yield literal_column(f"cases.{AT_WORK}")
    if wanted.overdue:
        late = select(CaseClock.case_id).where(CaseClock.stopped_at.is_(None), CaseClock.due_at < now)
        yield Case.id.in_(late)
    if wanted.rated is not None:
        rated = select(Survey.case_id).where(Survey.stars.is_not(None), Survey.answered_at >= wanted.rated)
        yield Case.id.in_(rated)
    yield from _plain(community_id, wanted)


def _plain(community_id: int, wanted: Wanted) -> Iterator[ColumnElement[bool]]:
    """What one column answers by itself."""
    named = select(Department.id).where(Department.community_id == community_id, Department.key == wanted.department)
    for column, compare, value in (
        (Case.state, eq, wanted.state),
        (Case.kind, eq, wanted.kind),
        (Case.category, eq, wanted.category),
        (Case.department_id, eq, named.scalar_subquery() if wanted.department else None),
        (Case.urgency, eq, wanted.urgency),
        (Case.resident_id, eq, wanted.resident),
        (Case.opened_at, ge, wanted.since),
        (Case.opened_at, lt, wanted.until),
    ):
        if value is not None:
            yield compare(column, value)


def _due(session: Session, cases: Sequence[Case]) -> Mapping[int, datetime]:
    running = select(CaseClock.case_id, func.min(CaseClock.due_at)).where(
        CaseClock.case_id.in_([case.id for case in cases]),
        CaseClock.stopped_at.is_(None),
        CaseClock.due_at.is_not(None),
    )
    return {case_id: due for case_id, due in session.execute(running.group_by(CaseClock.case_id)) if due}
