"""What is still to come, what was not sent and why, and what somebody holds back: one look at every follow-up.

The rows stay where they are; `KINDS` says of each kind which rows are open, when they are due and whose they are. A new
kind is one line there, a name in domain.yml, and `holds.free` in the sweep that takes it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Select,
    String,
    and_,
    cast,
    func,
    literal,
    literal_column,
    null,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.orm import InstrumentedAttribute, Session

from service import conversations, holds, idle, incidents, outbox, surveys, texts
from service.errors import FollowUpHeld, FollowUpNotFound, FollowUpNotHeld
from service.models.cases import NOT_REMINDED, Appointment, Case, CaseClock, CaseEvent
from service.models.follow_ups import CANCELLED, CallBack, FollowUpState, Hold, Survey
from service.models.incidents import Incident, IncidentReport
from service.models.queues import GONE, OutboxRow, OutboxState
from service.models.talks import Conversation, DeskMessage, Wait


@dataclass(frozen=True)
class Kind:
    """One kind of follow-up, as the sweep that takes it sees it."""

    name: str  # its words: utter_word_follow_up_<name>
    number: InstrumentedAttribute[int]  # by which a row is held
    due: ColumnElement[Any] | InstrumentedAttribute[Any]
    open: ColumnElement[bool]
    case: InstrumentedAttribute[Any] | None = None  # whose it is: of a case …
    talk: InstrumentedAttribute[Any] | None = None  # … or of a conversation
    detail: ColumnElement[Any] | InstrumentedAttribute[Any] | None = None  # what kind of it
    reason: ColumnElement[Any] | InstrumentedAttribute[Any] | None = None  # why it is late, or was not sent
    line: InstrumentedAttribute[Any] | None = None  # the outbox row that carries it
    late: str | None = None  # a column that a release sets to now, so that what was held back is not too late


_CALL_BACK: Mapping[str, Any] = {
    "number": CallBack.id,
    "due": CallBack.due_at,
    "case": CallBack.case_id,
    "reason": CallBack.reason,
    "line": CallBack.outbox_id,
}
_OUTBOX: Mapping[str, Any] = {
    "number": OutboxRow.id,
    "due": OutboxRow.created_at,
    "case": OutboxRow.case_id,
    "talk": OutboxRow.conversation_id,
    "detail": OutboxRow.kind,
    "reason": OutboxRow.reason,
}
_SURVEY: Mapping[str, Any] = {
    "number": Survey.id,
    "case": Survey.case_id,
    "reason": Survey.reason,
    "line": Survey.outbox_id,
}
_REPORT: Mapping[str, Any] = {
    "number": IncidentReport.id,
    "talk": IncidentReport.conversation_id,
    "reason": IncidentReport.reason,
}
_ASKED = CallBack.state == FollowUpState.SENT

KINDS: Sequence[Kind] = (
    Kind("call_back", open=CallBack.state == FollowUpState.PLANNED, late="due_at", **_CALL_BACK),
    Kind("reminder", open=_ASKED & CallBack.reminded_at.is_(None), **_CALL_BACK),
    Kind(
        "phone_call",
        open=or_(CallBack.state == FollowUpState.PHONE, _ASKED & CallBack.reminded_at.is_not(None)),
        **_CALL_BACK,
    ),
    Kind(
        "survey_end",
        due=Survey.asked_at + surveys.EXPIRES_AFTER,
        open=Survey.state == FollowUpState.SENT,
        **_SURVEY,
    ),
    Kind(
        "clock",
        number=CaseClock.case_id,
        due=CaseClock.wake_at,
        open=CaseClock.wake_at.is_not(None),
        case=CaseClock.case_id,
        detail=CaseClock.clock,
    ),
    Kind(
        "visit",
        number=Appointment.id,
        due=Appointment.due_at,
        open=Appointment.due_at.is_not(None),
        case=Appointment.case_id,
        detail=Appointment.step,
        reason=Appointment.reason,
    ),
    Kind(
        "wait",
        number=Wait.id,
        due=Wait.wake_at,
        open=Wait.wake_at.is_not(None),
        talk=Wait.conversation_id,
        detail=Wait.reason,
    ),
    Kind(
        "incident_check",
        number=Incident.id,
        due=Incident.expected_until,
        open=and_(incidents.UNASKED, Incident.expected_until.is_not(None)),
        detail=Incident.category,
    ),
    Kind(
        "incident_over",
        due=IncidentReport.due_at,
        open=IncidentReport.due_at.is_not(None),
        late="due_at",
        **_REPORT,
    ),
    Kind(
        "desk_message",
        number=DeskMessage.id,
        due=DeskMessage.opens_at,
        open=DeskMessage.handed_over_at.is_(None),
        talk=DeskMessage.conversation_id,
    ),
    Kind(
        "silent_talk",
        number=Conversation.id,
        due=Conversation.look_at,
        open=and_(idle.HAS_BUTLER, Conversation.look_at.is_not(None)),
        talk=Conversation.id,
    ),
    Kind("held_line", open=OutboxRow.state == OutboxState.HELD, **_OUTBOX),
    Kind("unconfirmed", open=OutboxRow.state == OutboxState.UNCONFIRMED, **_OUTBOX),
)

# In the words of their indexes: a value that is bound may be planned for as if it were any.
_NO_REMINDER: ColumnElement[bool] = literal_column(NOT_REMINDED)
_NOT_TOLD = and_(IncidentReport.reason.is_not(None), IncidentReport.due_at.is_(None), IncidentReport.told_at.is_(None))
_ENDED_AT = select(Incident.ended_at).where(Incident.id == IncidentReport.incident_id).scalar_subquery()
_GONE: ColumnElement[bool] = literal_column(f"outbox.{GONE}")
NOT_SENT: Sequence[Kind] = (
    Kind("call_back", open=literal_column(f"call_backs.{CANCELLED}"), **_CALL_BACK),
    Kind("survey", due=Survey.asked_at, open=literal_column(f"surveys.{CANCELLED}"), **_SURVEY),
    Kind(
        "visit",
        number=CaseEvent.id,
        due=CaseEvent.at,
        open=_NO_REMINDER,
        case=CaseEvent.case_id,
        detail=CaseEvent.data["reminder"].astext,
        reason=CaseEvent.data["not_sent"].astext,
    ),
    Kind("incident_over", due=_ENDED_AT, open=_NOT_TOLD, **_REPORT),
    Kind("line", open=_GONE & OutboxRow.kind.in_(outbox.SAID_LATER), **_OUTBOX),
)


Place = tuple[datetime, str, int, str]  # when it is due, its kind, number and detail: two clocks have one case's number


@dataclass(frozen=True)
class FollowUp:
    """One row that is still to come, or was not sent."""

    kind: str
    number: int
    due_at: datetime
    case: str | None  # its number
    case_id: int | None
    conversation: int | None
    detail: str | None
    reason: str | None
    delivery: str | None  # what became of the line that carries it
    delivery_reason: str | None
    held_by: str | None
    held_why: str | None
    held_since: datetime | None

    @property
    def place(self) -> Place:
        """Where it stands in the list."""
        return self.due_at, self.kind, self.number, self.detail or ""


@dataclass(frozen=True)
class Wanted:
    """Which rows are asked for; what is not said is not asked."""

    community_id: int
    since: datetime | None = None
    until: datetime | None = None
    case: str | None = None  # its number
    conversation_id: int | None = None
    after: Place | None = None  # of the last row of the page before
    kinds: Sequence[str] = field(default=())
    held: bool = False  # only what somebody holds back


def to_come(session: Session, wanted: Wanted, *, limit: int = 100) -> list[FollowUp]:
    """What is still to come, the soonest first."""
    return _look(session, KINDS, wanted, limit=limit)


def not_sent(session: Session, wanted: Wanted, *, limit: int = 100) -> list[FollowUp]:
    """What was not sent in the period, or not any more, with its reason."""
    return _look(session, NOT_SENT, wanted, limit=limit)


def unconfirmed(session: Session, community_id: int, *, limit: int = 100) -> list[FollowUp]:
    """What may or may not have arrived; staff say so, or have it sent again."""
    return to_come(session, Wanted(community_id, kinds=("unconfirmed",)), limit=limit)


def _look(session: Session, kinds: Sequence[Kind], wanted: Wanted, *, limit: int) -> list[FollowUp]:
    asked = [kind for kind in kinds if not wanted.kinds or kind.name in wanted.kinds]
    found = chain.from_iterable(session.execute(_of(kind, wanted).limit(limit)).all() for kind in asked)
    return sorted((FollowUp(*row) for row in found), key=lambda one: one.place)[:limit]


def _of(kind: Kind, wanted: Wanted) -> Select[Any]:
    """The rows of one kind, in the shape of a `FollowUp`."""
    line = OutboxRow.__table__.alias("line")
    of_row = and_(Hold.of == holds.table_of(kind.number), Hold.row_id == kind.number, Hold.released_at.is_(None))
    rows = (
        select(
            literal(kind.name),
            kind.number,
            kind.due,
            Case.number,
            Case.id,
            _talk_of(kind),
            _text(kind.detail),
            _text(kind.reason),
            cast(line.c.state, String) if kind.line is not None else null(),
            line.c.reason if kind.line is not None else null(),
            Hold.by,
            Hold.why,
            Hold.held_at,
        )
        .select_from(kind.number.class_)
        .outerjoin(Hold, of_row)
        .outerjoin(Case, _case_of(kind))
    )
    if kind.line is not None:
        rows = rows.outerjoin(line, line.c.id == kind.line)
    return rows.where(kind.open, *_asked_for(kind, wanted)).order_by(*_order(kind))


def _case_of(kind: Kind) -> ColumnElement[bool]:
    """A row's case; work orders are named by their case, not the other way round."""
    if kind.case is None:
        return literal(value=False)
    named = Case.id == kind.case
    return or_(named, Case.work_order_id == OutboxRow.id) if kind.number.class_ is OutboxRow else named


def _talk_of(kind: Kind) -> ColumnElement[Any]:
    talk: ColumnElement[Any] = func.coalesce(kind.talk, Case.conversation_id)
    return talk if kind.talk is not None else Case.conversation_id.expression


def _text(column: ColumnElement[Any] | InstrumentedAttribute[Any] | None) -> ColumnElement[Any]:
    return null() if column is None else cast(column, String)


def _asked_for(kind: Kind, wanted: Wanted) -> list[ColumnElement[bool]]:
    asked = [_community_of(kind) == wanted.community_id]
    if wanted.since is not None:
        asked.append(kind.due >= wanted.since)
    if wanted.until is not None:
        asked.append(kind.due < wanted.until)
    if wanted.case is not None:
        asked.append(Case.number == wanted.case.upper())
    if wanted.after is not None:
        asked.append(_behind(kind, *wanted.after))
    if wanted.conversation_id is not None:
        asked.append(_talk_of(kind) == wanted.conversation_id)
    if wanted.held:
        asked.append(Hold.id.is_not(None))
    return asked


def _order(kind: Kind) -> tuple[ColumnElement[Any], ...]:
    """What the rows of one kind follow each other by; sorted here as Python sorts."""
    detail = func.coalesce(_text(kind.detail), "").collate("C")
    return kind.due.expression, kind.number.expression, detail


def _behind(kind: Kind, due: datetime, name: str, number: int, detail: str) -> ColumnElement[bool]:
    """What comes after a place of the list."""
    if kind.name == name:
        return tuple_(*_order(kind)) > tuple_(literal(due), literal(number), literal(detail))
    later: ColumnElement[bool] = kind.due >= due if kind.name > name else kind.due > due
    return later


def _community_of(kind: Kind) -> ColumnElement[Any]:
    """A row's community: its own, its case's, or its conversation's."""
    model = kind.number.class_
    if hasattr(model, "community_id"):
        own: ColumnElement[Any] = model.community_id
        return own
    if kind.case is not None:
        return Case.community_id.expression
    return select(Conversation.community_id).where(Conversation.id == kind.talk).scalar_subquery()


def hold(session: Session, community_id: int, kind: str, number: int, *, by: str, why: str, now: datetime) -> None:
    """Hold a follow-up back until somebody releases it: no sweep takes it.

    Args:
        session: the caller's transaction; the row and its conversation are locked in it.
        community_id: whose follow-up.
        kind: a name of `KINDS`.
        number: as the list shows it; of a clock, every clock of the case is held.
        by: who.
        why: in their words.
        now: the moment, aware UTC.

    Raises:
        FollowUpNotFound: no such row is still to come, or not here (the answer is the same).
        FollowUpHeld: it is held already.
    """
    row = _access(session, community_id, kind, number)
    if row.held_by is not None:
        raise FollowUpHeld(by=row.held_by, why=row.held_why)
    holds.put(
        session,
        _kind(kind).number,
        number,
        community_id=community_id,
        conversation_id=row.conversation,
        by=by,
        why=why,
        now=now,
    )


def release(session: Session, community_id: int, kind: str, number: int, *, by: str, now: datetime) -> None:
    """Let a follow-up go again; a call-back that has become too late meanwhile is due now.

    Raises:
        FollowUpNotFound: no such row is still to come, or not here.
        FollowUpNotHeld: nobody holds it.
    """
    row, known = _access(session, community_id, kind, number), _kind(kind)
    held = holds.open_hold(session, known.number, row.number)
    if held is None:
        raise FollowUpNotHeld
    held.released_at, held.released_by = now, by
    if known.late is not None:
        missed = update(known.number.class_).where(known.number == number, known.due < now)
        session.execute(missed.values({known.late: now}))
    session.flush()


def _kind(name: str) -> Kind:
    for kind in KINDS:
        if kind.name == name:
            return kind
    raise FollowUpNotFound(kind=name)


def _access(session: Session, community_id: int, name: str, number: int) -> FollowUp:
    """A row that is still to come, its conversation locked first, as sweeps do; then the row itself.

    Raises:
        FollowUpNotFound: no such row, not open any more, or another community's.
    """
    kind = _kind(name)
    talk_id = _one(session, community_id, kind, number).conversation
    if talk_id is not None:
        conversations.lock(session, talk_id)
    session.execute(select(kind.number).where(kind.number == number).with_for_update())
    return _one(session, community_id, kind, number)


def _one(session: Session, community_id: int, kind: Kind, number: int) -> FollowUp:
    found = session.execute(_of(kind, Wanted(community_id)).where(kind.number == number).limit(1)).one_or_none()
    if found is None:
        raise FollowUpNotFound(kind=kind.name, number=number)
    return FollowUp(*found)


def words(reason: str | None, language: str) -> str:
    """A stored reason in words; what Telegram said is kept as it is."""
    if not reason:
        return ""
    key = word_of(reason)
    return texts.words(key, language=language) if texts.exists(key) else reason


def word_of(reason: str) -> str:
    """The name under which a stored reason's words stand in domain.yml."""
    return f"utter_word_reason_{re.sub(r'[^a-z0-9]+', '_', reason.lower()).strip('_')}"
