"""What is ahead of an appointment: a reminder on the evening before and an hour before, and the end of its window.

A reminder of one's own appointment is service, not something nobody asked for: it does not count in the budget of
service/budget.py, and 退订 does not switch it off, because whoever takes a morning off wants to hear of it. Quiet hours
and a butler's talk hold for it too. Each reminder stands in the case's log, with the reason when it was not sent.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import (
    appointments,
    bookings,
    cases,
    conversations,
    holds,
    quiet_hours,
    visit_offers,
    work_orders,
)
from service.bookings import LIVE
from service.cases import Event
from service.communities import STAFF_LANGUAGE
from service.models.cases import Appointment, Case, CaseState, VisitStep
from service.models.communities import Community
from service.models.queues import Delivery, OutboxRow, Priority
from service.models.talks import Owner

TALK_WAIT = timedelta(minutes=5)  # how often a reminder looks whether the butler has handed back
TOO_LATE = timedelta(days=1)  # after a long downtime nobody is told that nobody came last week
UNDER_WAY = (CaseState.ON_THE_WAY, CaseState.ON_SITE)


def send_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Take the next step of every appointment for which it is time; any number of processes may.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: rows of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due.
    """
    of_cases = select(Appointment).join(Case, Case.id == Appointment.case_id)
    due = of_cases.where(Appointment.due_at <= now, holds.free(Appointment.id))
    due = due.order_by(Appointment.due_at, Appointment.id)
    return conversations.take_due(session, due, partial(_act, session, now=now), limit=limit)


def _act(session: Session, appointment: Appointment, *, now: datetime) -> None:
    if appointment.step is VisitStep.OVER:
        _end(session, appointment, now=now)
        return
    reason = why_not(session, appointment, now=now)
    if reason is None and appointment.case.conversation.owner is not Owner.BOT:
        appointment.due_at, appointment.reason = now + TALK_WAIT, "a butler talks"
        return
    if reason is None:
        _remind(session, appointment, now=now)
    data = {"reminder": appointment.step} | ({"not_sent": reason} if reason else {})
    key = f"visit:{appointment.id}:{appointment.step}"
    cases.advance(session, appointment.case, Event.VISIT_REMINDED, actor="bot", key=key, now=now, data=data)
    bookings.go_on(session, appointment)


def why_not(session: Session, appointment: Appointment, *, now: datetime) -> str | None:
    """Why this reminder is not to be sent any more, or None."""
    case = appointment.case
    if _is_over(session, appointment, appointment.step, now=now):
        return appointment.reason or "too late"
    if case.resident.unreachable_since is not None:
        return "the resident cannot be reached"
    if case.state in UNDER_WAY:
        return "somebody is on the way"
    if quiet_hours.are_at(now, session.get_one(Community, case.community_id)):
        return "quiet hours"
    return None


def _is_over(session: Session, appointment: Appointment, step: VisitStep | None, *, now: datetime) -> bool:
    """Whether a reminder would say what is no longer so: of "tomorrow" on the day itself, of a visit that has begun."""
    community = session.get_one(Community, appointment.case.community_id)
    return now >= bookings.holds_until(appointment, step, community)


def _remind(session: Session, appointment: Appointment, *, now: datetime) -> None:
    case = appointment.case
    when = appointments.words_of(session, appointment, case.resident.language)
    line = cases.say(case, f"utter_visit_reminder_{appointment.step}", when=when)
    appointment.outbox_id = conversations.tell(
        session,
        case.conversation,
        replace(line, buttons=appointments.keys_of(session, case)),
        now=now,
        key=f"visit:{appointment.id}:{appointment.step}",
        kind="visit_reminder",
        priority=Priority.FOLLOW_UP,
        delivery=Delivery.AT_MOST_ONCE,
        case_id=case.id,
    )


def why_not_after_talk(session: Session, outbox_id: int, *, now: datetime) -> str | None:
    """Why a reminder that was held while a butler talked is not to be said, or None."""
    appointment = _reminded_in(session, outbox_id)
    if appointment is None:
        return "the appointment was changed"
    if _is_over(session, appointment, _step_in(session, outbox_id), now=now):
        return "too late"
    community = session.get_one(Community, appointment.case.community_id)
    return "quiet hours" if quiet_hours.are_at(now, community) else None


def is_still_open(session: Session, row: OutboxRow, now: datetime) -> bool:
    """Whether this reminder still says what holds: the visit is ahead, was not moved, and none was sent after it."""
    appointment = _reminded_in(session, row.id)
    return appointment is not None and not _is_over(session, appointment, _step_in(session, row.id), now=now)


def _reminded_in(session: Session, outbox_id: int) -> Appointment | None:
    """The appointment whose last reminder this row is, while it holds."""
    found = select(Appointment).where(Appointment.outbox_id == outbox_id, Appointment.state.in_(LIVE))
    return session.scalars(found).one_or_none()


def _step_in(session: Session, outbox_id: int) -> VisitStep:
    """Which reminder a row is: its step stands last in the key (see `_remind`)."""
    key = session.get_one(OutboxRow, outbox_id).key or ""
    return VisitStep(key.rpartition(":")[2])


def _end(session: Session, appointment: Appointment, *, now: datetime) -> None:
    """The window is over: who is on the way may still arrive; else nobody came, and both sides hear it."""
    case = appointment.case
    if case.state in UNDER_WAY:
        appointment.step = appointment.due_at = None
        return
    awake = quiet_hours.after(now, session.get_one(Community, case.community_id))
    if awake > now:
        appointment.due_at, appointment.reason = awake, "quiet hours"
        return
    when = {
        lang: appointments.words_of(session, appointment, lang) for lang in (case.resident.language, STAFF_LANGUAGE)
    }
    key = f"visit:{appointment.id}:lapsed"
    cases.advance(session, case, Event.VISIT_LAPSED, actor="bot", key=key, now=now)
    work_orders.note(session, case, "utter_staff_visit_lapsed", key=f"case:{case.id}:{key}", when=when[STAFF_LANGUAGE])
    if now - appointment.ends_at > TOO_LATE or case.resident.unreachable_since is not None:
        return
    found = bookings.free(session, case, now=now)
    line = visit_offers.offer(session, case, "utter_visit_lapsed", found, key=key, when=when[case.resident.language])
    conversations.tell(session, case.conversation, line, now=now, key=key, kind="visit", case_id=case.id)
