"""Appointments as the department makes them: it proposes windows, and hears which visits a new calendar closes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from service import appointments, bookings, cases, visit_offers, work_orders
from service.cases import Event
from service.communities import STAFF_LANGUAGE
from service.errors import WindowFull, WindowGone
from service.models.cases import Appointment, Case, VisitState
from service.models.communities import Community
from service.models.people import Staff
from service.texts import Line


def show(session: Session, member: Staff, case_id: int, *, key: str, now: datetime, after: int = 0) -> None:
    """Show the department the windows in which it still has a place, to propose one to the resident.

    Raises:
        CaseNotFound: no such case here.
        EventNotAllowed: the case is over.
    """
    case = cases.access_for(session, member, case_id, Event.APPOINTED)
    _show_windows(session, case, "utter_staff_visit_windows", key=key, now=now, after=after)


def propose(session: Session, member: Staff, case_id: int, word: str, *, key: str, now: datetime) -> None:
    """A worker taps a window: it holds, and the resident is asked whether it suits; who proposes has accepted.

    Args:
        session: the caller's transaction.
        member: who tapped.
        case_id: as the button said.
        word: as in `choose`.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        CaseNotFound: no such case here.
        EventNotAllowed: the case is over.
        ButtonExpired: the word is none of ours.
    """
    minute = appointments.read_minute(word)
    if word.startswith(appointments.AFTER):
        show(session, member, case_id, key=key, now=now, after=minute)
        return
    case = cases.access_for(session, member, case_id, Event.APPOINTED)
    before = bookings.live(session, case)
    if cases.has_event(session, case, key) or (before is not None and bookings.window_of(before).minute == minute):
        return
    try:
        appointment = bookings.book(session, case, minute, state=VisitState.PROPOSED, now=now)
    except (WindowFull, WindowGone) as refused:
        _show_windows(session, case, refused.response, key=key, now=now)
        return
    actor = f"staff:{member.number}"
    if (case.state, Event.ACCEPTED) in cases.STEPS:
        cases.advance(session, case, Event.ACCEPTED, actor=actor, key=f"{key}:accepted", now=now)
    case.worker_id = member.id
    appointments.log(session, appointment, actor=actor, key=key, now=now)
    appointments.note(session, appointment, "utter_staff_visit_proposed", key=key)
    line = _proposal(session, appointment, member, is_moved=before is not None)
    appointments.tell(session, case, line, key=f"case:{case.id}:{key}:visit", now=now)


def tell_closed(session: Session, community: Community, *, now: datetime) -> Sequence[Case]:
    """Tell departments which visits fall into hours that are closed by now, each once; they still hold.

    Args:
        session: the caller's transaction, in which the calendar was changed.
        community: whose.
        now: the moment, aware UTC.

    Returns:
        The cases, those that were told before among them; the soonest visit first.
    """
    closed = bookings.in_closed_hours(session, community, now=now)
    for appointment in closed:
        appointments.note(session, appointment, "utter_staff_visit_on_closed_day", key=f"visit:{appointment.id}:closed")
    return [appointment.case for appointment in closed]


def _show_windows(session: Session, case: Case, phrase: str, *, key: str, now: datetime, after: int = 0) -> None:
    found = [window for window in bookings.free(session, case, now=now) if window.minute > after]
    keys = visit_offers.buttons(session, case, found, whose=visit_offers.STAFF, language=STAFF_LANGUAGE)
    said = phrase if found else "utter_staff_visit_none"
    work_orders.note(session, case, said, key=f"case:{case.id}:{key}:windows", buttons=keys)


def _proposal(session: Session, appointment: Appointment, member: Staff, *, is_moved: bool) -> Line:
    case, language = appointment.case, appointment.case.resident.language
    phrase = "utter_visit_moved_by_staff" if is_moved else "utter_visit_proposed"
    when = appointments.words_of(session, appointment, language)
    line = cases.say(case, phrase, staff_no=member.number, when=when)
    return replace(line, buttons=appointments.keys(appointment, language))
