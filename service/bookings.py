"""Places in windows: which are free, who has one, and what a step of a case does to its own.

Places of a department are given out one after the other: whoever books locks the department's row first, so of two
residents who want the last place one has it and the other is offered the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, bindparam, literal_column, select
from sqlalchemy.orm import Session, lazyload

from service import calendars, visits, windows
from service.errors import WindowFull, WindowGone
from service.models.cases import LIVE_VISIT, Appointment, Case, VisitState, VisitStep
from service.models.communities import Community, Department
from service.when import When
from service.windows import Window

LIVE = (VisitState.PROPOSED, VisitState.AGREED)
IS_LIVE: ColumnElement[bool] = literal_column(f"appointments.{LIVE_VISIT}")  # as the index has it: one plan for all
HOUR_BEFORE = timedelta(hours=1)

# What a step of the case makes of its appointment; other steps leave it alone.
FOLLOWS: Mapping[str, VisitState] = {
    "arrived": VisitState.KEPT,
    "finished": VisitState.KEPT,
    "nobody_home": VisitState.MISSED,
    "visit_lapsed": VisitState.LAPSED,
    "visit_dropped": VisitState.CANCELLED,
    "handed_on": VisitState.CANCELLED,
    "withdrawn": VisitState.CANCELLED,
}


_HOLDS = (
    select(Appointment)
    .where(Appointment.case_id == bindparam("case_id"), IS_LIVE)
    .options(lazyload(Appointment.case))  # whoever asks has the case at hand
)


def live(session: Session, case: Case) -> Appointment | None:
    """The appointment that holds for a case; there is never more than one."""
    return session.scalars(_HOLDS, {"case_id": case.id}).one_or_none()


def window_of(appointment: Appointment) -> Window:
    """Its window."""
    return Window(appointment.begins_at, appointment.ends_at)


def words(appointment: Appointment, *, timezone: str, language: str) -> str:
    """Its day and hours, as people read them."""
    return visits.display(When(appointment.begins_at, appointment.ends_at), timezone=timezone, language=language)


def free(session: Session, case: Case, *, now: datetime) -> list[Window]:
    """Windows ahead in which the case's department still has a place; the case's own counts as free.

    Args:
        session: the caller's transaction.
        case: whose.
        now: the moment, aware UTC.
    """
    community = session.get_one(Community, case.community_id)
    places = session.get_one(Department, case.department_id).visit_places
    most = community.visits_per_window if places is None else places
    taken = _taken(session, case, since=now)
    all_windows = windows.ahead(calendars.of(session, community), community, now=now)
    return [window for window in all_windows if sum(_meet(window, other) for other in taken) < most]


def _taken(session: Session, case: Case, *, since: datetime) -> Sequence[Window]:
    """What others have of the department; windows that were longer or lay elsewhere when they were given out, too."""
    found = select(Appointment.begins_at, Appointment.ends_at).where(
        Appointment.department_id == case.department_id,
        IS_LIVE,
        Appointment.ends_at > since,
        Appointment.case_id != case.id,
    )
    return [Window(*row) for row in session.execute(found)]


def _meet(one: Window, other: Window) -> bool:
    return one.begins < other.ends and other.begins < one.ends


def in_closed_hours(session: Session, community: Community, *, now: datetime) -> Sequence[Appointment]:
    """Appointments ahead of which the calendar leaves a part closed, because it was changed after they were agreed."""
    calendar = calendars.of(session, community)
    found = select(Appointment).join(Case, Case.id == Appointment.case_id).where(Case.community_id == community.id)
    ahead = found.where(IS_LIVE, Appointment.begins_at > now)
    return [
        one
        for one in session.scalars(ahead.order_by(Appointment.begins_at, Appointment.id))
        if calendar.between(one.begins_at, one.ends_at) < one.ends_at - one.begins_at
    ]


def book(session: Session, case: Case, minute: int, *, state: VisitState, now: datetime) -> Appointment:
    """Take a place in a window; an earlier appointment of the case is moved.

    Args:
        session: the caller's transaction, in which the case is locked.
        case: whose.
        minute: names the window, as a button does.
        state: proposed by staff or agreed.
        now: the moment, aware UTC.

    Raises:
        WindowGone: it has begun, or the calendar offers no such window (any more).
        WindowFull: others have the places.
    """
    _lock_places(session, case)
    community = session.get_one(Community, case.community_id)
    offered = windows.ahead(calendars.of(session, community), community, now=now)
    window = next((one for one in offered if one.minute == minute), None)
    if window is None:
        raise WindowGone
    if window not in free(session, case, now=now):
        raise WindowFull
    before = live(session, case)
    if before is not None:
        end(before, VisitState.MOVED)
        session.flush()  # before the new one: only one holds at a time
    facts = {"case_id": case.id, "case": case, "department_id": case.department_id}
    made = Appointment(**facts, begins_at=window.begins, ends_at=window.ends, state=state, made_at=now)
    steps = _steps(made, community)
    made.step, made.due_at = next((step, at) for step, at in steps.items() if at > now)
    session.add(made)
    session.flush()
    return made


def _lock_places(session: Session, case: Case) -> None:
    """One booking of a department at a time; others may go on writing cases for it."""
    department = select(Department.id).where(Department.id == case.department_id)
    session.execute(department.with_for_update(key_share=True))


def follow(session: Session, case: Case, event: str) -> None:
    """Let the case's appointment follow a step of the case; called at every one."""
    state = FOLLOWS.get(event)
    appointment = live(session, case) if state is not None else None
    if state is not None and appointment is not None:
        end(appointment, state)
        session.flush()


def end(appointment: Appointment, state: VisitState) -> None:
    """Nothing is ahead of it any more."""
    appointment.state, appointment.step, appointment.due_at = state, None, None


def go_on(session: Session, appointment: Appointment) -> None:
    """Plan what comes after the step that has just been done."""
    steps = _steps(appointment, _community(session, appointment))
    order = list(steps)
    later = order[order.index(appointment.step) + 1 :] if appointment.step else []
    appointment.step = later[0] if later else None
    appointment.due_at, appointment.reason = steps[later[0]] if later else None, None


def plan_anew(session: Session, community: Community) -> None:
    """After another zone or hour of reminding: what is ahead is due at the same hours on the wall."""
    found = select(Appointment).join(Case, Case.id == Appointment.case_id)
    ahead = found.where(Case.community_id == community.id, Appointment.due_at.is_not(None))
    for appointment in session.scalars(ahead.with_for_update(of=Appointment)):
        assert appointment.step is not None, "what is due has a step"
        appointment.due_at = _steps(appointment, community)[appointment.step]


def _steps(appointment: Appointment, community: Community) -> dict[VisitStep, datetime]:
    """When each step is due."""
    zone = ZoneInfo(community.timezone)
    evening_before = appointment.begins_at.astimezone(zone).date() - timedelta(days=1)
    evening = datetime.combine(evening_before, community.remind_visits_at, zone)
    return {
        VisitStep.EVENING: evening.astimezone(appointment.begins_at.tzinfo),
        VisitStep.HOUR: appointment.begins_at - HOUR_BEFORE,
        VisitStep.OVER: appointment.ends_at,
    }


def holds_until(appointment: Appointment, step: VisitStep | None, community: Community) -> datetime:
    """Until when the reminder of a step may be said: the evening's says "tomorrow", so it ends at midnight."""
    if step is not VisitStep.EVENING:
        return appointment.begins_at
    day = appointment.begins_at.astimezone(ZoneInfo(community.timezone)).date()
    midnight = datetime.combine(day, time(), ZoneInfo(community.timezone)).astimezone(appointment.begins_at.tzinfo)
    return min(midnight, appointment.begins_at - HOUR_BEFORE)


def _community(session: Session, appointment: Appointment) -> Community:
    return session.get_one(Community, appointment.case.community_id)
