"""What the office keeps of call-backs (回访单) and of satisfaction: rows of a table, by community and period.

A sheet is its columns: each has a name, a title (`utter_word_column_<name>` in domain.yml), what is read for it, and
the words its values stand for. Who exports, how many rows and of which days stands in the archive's log (N12).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from service import archive, schedule, texts
from service.models.cases import Case, CaseEvent
from service.models.communities import Community, Department
from service.models.follow_ups import CallBack, Survey
from service.models.people import Staff

AT_ONCE = 500  # rows fetched at a time: 100,000 need no more memory than these


@dataclass(frozen=True)
class Column:
    """One column: what is read for it, and the family of words that its values are."""

    name: str
    value: ColumnElement[Any] | InstrumentedAttribute[Any]
    words: str | None = None  # the value is the end of utter_word_<words>…; "reason": a stored reason


@dataclass(frozen=True)
class Sheet:
    """What can be exported."""

    name: str
    columns: Sequence[Column]
    rows: Select[Any]  # of the columns, with everything joined
    at: ColumnElement[Any] | InstrumentedAttribute[Any]  # the moment that puts a row into a period


_worker, _butler = aliased(Staff), aliased(Staff)


def _people(rows: Select[Any], of: type[CallBack | Survey]) -> Select[Any]:
    """The case, and whose work it was when it was finished."""
    joined = rows.join(Case, Case.id == of.case_id).outerjoin(_worker, _worker.id == of.worker_id)
    return joined.outerjoin(_butler, _butler.id == of.butler_id).outerjoin(
        Department, Department.id == of.department_id
    )


def _event(what: str, of: type[CallBack | Survey]) -> ColumnElement[Any]:
    """When a step that names the resolution was taken last."""
    named = CaseEvent.data["resolution"].as_integer() == of.resolution
    taken = and_(CaseEvent.case_id == of.case_id, CaseEvent.event == what, named)
    return select(func.max(CaseEvent.at)).where(taken).scalar_subquery()


def _finished(of: type[CallBack | Survey]) -> ColumnElement[Any]:
    """When the case was finished for the time that the row is about."""
    steps = select(CaseEvent.at).where(CaseEvent.case_id == of.case_id, CaseEvent.event == "finished")
    return steps.order_by(CaseEvent.id).offset(of.resolution - 1).limit(1).scalar_subquery()


_CASE = (
    Column("case", Case.number),
    Column("kind", Case.kind, words=""),
    Column("category", Case.category, words="category_"),
)
_WHOSE = (
    Column("worker", _worker.number),
    Column("butler", _butler.number),
    Column("department", Department.key, words=""),
)

CALL_BACKS = Sheet(
    "call-backs",
    (
        *_CASE,
        Column("matter", Case.matter),
        Column("place", Case.place),
        Column("contact", Case.contact),
        Column("phone", Case.phone),
        Column("resolution", CallBack.resolution),
        Column("finished_at", _finished(CallBack)),
        Column("state", CallBack.state, words="follow_up_state_"),
        Column("due_at", CallBack.due_at),
        Column("reminded_at", CallBack.reminded_at),
        Column("tries", CallBack.tries),
        Column("called_back_at", _event("called_back", CallBack)),
        Column("outcome", CallBack.outcome, words="call_back_"),
        Column("reason", CallBack.reason, words="reason"),
        *_WHOSE,
    ),
    _people(select(CallBack.id).select_from(CallBack), CallBack),
    _finished(CallBack),
)
SURVEYS = Sheet(
    "surveys",
    (
        *_CASE,
        Column("resolution", Survey.resolution),
        Column("finished_at", _finished(Survey)),
        Column("state", Survey.state, words="follow_up_state_"),
        Column("asked_at", Survey.asked_at),
        Column("answered_at", Survey.answered_at),
        Column("stars", Survey.stars),
        Column("reasons", Survey.reasons, words="survey_"),
        Column("comment", Survey.comment),
        Column("reason", Survey.reason, words="reason"),
        *_WHOSE,
    ),
    _people(select(Survey.id).select_from(Survey), Survey),
    Survey.asked_at,
)
SHEETS: Mapping[str, Sheet] = {sheet.name: sheet for sheet in (CALL_BACKS, SURVEYS)}


@dataclass(frozen=True)
class Period:
    """Days of the community's calendar, the last one included; without one there is no end to that side."""

    first: date | None = None
    last: date | None = None

    def moments(self, zone: ZoneInfo) -> tuple[datetime | None, datetime | None]:
        """From here, and to here, not included."""
        begins = None if self.first is None else datetime.combine(self.first, time(), zone)
        ends = None if self.last is None else datetime.combine(self.last + timedelta(days=1), time(), zone)
        return begins, ends


def read(session: Session, sheet: Sheet, community: Community, period: Period) -> Iterator[tuple[Any, ...]]:
    """The rows of a period, the oldest first, fetched a few at a time; times are the community's.

    Args:
        session: the caller's transaction, open until the last row is read.
        sheet: what to read.
        community: whose; its zone says when a day begins.
        period: which days.
    """
    zone = ZoneInfo(community.timezone)
    begins, ends = period.moments(zone)
    rows = sheet.rows.with_only_columns(*(column.value for column in sheet.columns), maintain_column_froms=True)
    rows = rows.where(Case.community_id == community.id).order_by(sheet.at, Case.number)
    if begins is not None:
        rows = rows.where(sheet.at >= begins)
    if ends is not None:
        rows = rows.where(sheet.at < ends)
    for row in session.execute(rows, execution_options={"yield_per": AT_ONCE}):
        yield tuple(value.astimezone(zone) if isinstance(value, datetime) else value for value in row)


def titles(sheet: Sheet) -> list[str]:
    """The header, each column in Chinese and English."""
    return [" ".join(texts.words(f"utter_word_column_{column.name}", language=one) for one in texts.LANGUAGES)
            for column in sheet.columns]  # fmt: skip


def in_words(sheet: Sheet, row: Sequence[Any], language: str) -> list[Any]:
    """The row as people read it: stored keys are words, several are a list."""
    return [_said(column, value, language) for column, value in zip(sheet.columns, row, strict=True)]


def _said(column: Column, value: Any, language: str) -> Any:
    if column.words is None or value is None:
        return value
    if column.words == "reason":
        return schedule.words(value, language)
    if isinstance(value, list):
        return ", ".join(_word(column.words, one, language) for one in value)
    return _word(column.words, value, language)


def _word(family: str, value: str, language: str) -> str:
    """A word of a later version, or an older one, is shown as it is stored."""
    key = f"utter_word_{family}{value}"
    return texts.words(key, language=language) if texts.exists(key) else value


def log(
    session: Session, sheet: Sheet, community: Community, period: Period, *, by: str, rows: int, now: datetime
) -> None:
    """Write down who took what out of the house."""
    archive.log_community(
        session,
        community.id,
        f"exported_{sheet.name}",
        actor="operator",
        now=now.astimezone(UTC),
        by=by,
        rows=rows,
        first=period.first and period.first.isoformat(),
        last=period.last and period.last.isoformat(),
    )
