"""What a tap on a work order does: the step, the word to the resident, the follow-up it causes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from service import (
    appointments,
    bookings,
    callbacks,
    candidates,
    cases,
    clocks,
    communities,
    conversations,
    legacy,
    texts,
    visit_offers,
    work_orders,
)
from service.cases import Event
from service.models.cases import Case, CaseState
from service.models.communities import Community
from service.models.people import Staff
from service.models.talks import Conversation
from service.texts import Button

# What a button's word means, and what the resident hears about it.
VERBS: dict[str, tuple[Event, str]] = {
    "accept": (Event.ACCEPTED, "utter_case_accepted"),
    "depart": (Event.DEPARTED, "utter_case_on_the_way"),
    "arrive": (Event.ARRIVED, "utter_case_arrived"),
    "resume": (Event.RESUMED, "utter_case_resumed"),
    "done": (Event.FINISHED, "utter_case_finished"),
    "ask": (Event.INFO_ASKED, "utter_case_needs_info"),
    "nobody_home": (Event.NOBODY_HOME, "utter_case_nobody_home"),
}

KINDS = ("repair", "complaint", "inquiry")  # what staff may say a case is after all

# Where and what a case goes on to be; the button of the work order that offers it, and the phrase that asks.
TO_DEPARTMENT = {f"to_{key}": key for key in communities.DEPARTMENTS}
IS_KIND = {f"is_{kind}": kind for kind in KINDS}
OFFERS = {"hand_on": "utter_staff_hand_on", "wrong_kind": "utter_staff_wrong_kind", "pause": "utter_staff_pause"}

# Why the work waits; the clocks wait with it.
PAUSES = {f"pause_{reason}": reason for reason in ("resident", "parts", "weather", "appointment")}

AWAITS = (CaseState.NEEDS_INFO, CaseState.REOPENED)  # states in which the resident may owe an answer
STEPS = frozenset({*VERBS, *TO_DEPARTMENT, *IS_KIND, *PAUSES, *legacy.VERBS})  # whatever `tap` knows


def tap(session: Session, member: Staff, case_id: int, verb: str, *, key: str, now: datetime) -> Case:
    """Do what the button on a work order says.

    Args:
        session: the caller's transaction.
        member: who tapped.
        case_id: as the button said; only cases of the member's community are found.
        verb: one of `STEPS`.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        CaseNotFound: no such case here.
        EventNotAllowed: the case's state does not allow the step.
        KeyError: no such verb (a forged button).
    """
    case = cases.access_case_as_staff(session, member, case_id)
    actor = f"staff:{member.number}"
    if verb in TO_DEPARTMENT or verb in IS_KIND:
        _hand_on(session, case, verb, actor=actor, key=key, now=now)
        return case
    if verb in legacy.VERBS:
        legacy.tap(session, member, case, verb, key=key, now=now)
        return case
    if verb in PAUSES:
        _pause(session, member, case, PAUSES[verb], key=key, now=now)
        return case
    event, phrase = VERBS[verb]
    if not cases.advance(session, case, event, actor=actor, key=key, now=now, worker_id=member.id):
        return case
    buttons = _buttons(session, case, event, now=now)
    _tell_resident(session, case, phrase, key=f"case:{case.id}:{key}", number=member.number, now=now, buttons=buttons)
    if event is Event.FINISHED:
        callbacks.plan(session, case, now=now)
    if event is Event.INFO_ASKED:
        case.conversation.awaiting_case_id = case.id
    return case


def possible(case: Case) -> Sequence[str]:
    """The verbs of `VERBS`, and progress, pause, hand_on and wrong_kind, that the case's state allows."""
    others = {
        "progress": Event.PROGRESS_TOLD,
        "pause": Event.PAUSED,
        "hand_on": Event.HANDED_ON,
        "wrong_kind": Event.KIND_CORRECTED,
    }
    events = {verb: event for verb, (event, _) in VERBS.items()} | others
    behind = work_orders.past(case)
    return [verb for verb, event in events.items() if (case.state, event) in cases.STEPS and verb not in behind]


def _hand_on(session: Session, case: Case, verb: str, *, actor: str, key: str, now: datetime) -> None:
    """Another department, or another kind and perhaps its department; the appointment was made with the old one."""
    had_appointment = bookings.live(session, case) is not None
    if verb in IS_KIND:
        _correct_kind(session, case, IS_KIND[verb], actor=actor, key=key, now=now)
    else:
        department = communities.department(session, case.community_id, TO_DEPARTMENT[verb])
        cases.hand_on(session, case, department, actor=actor, key=key, now=now)
    if had_appointment and bookings.live(session, case) is None:
        appointments.tell_cancelled(session, case, key=key, now=now)


def _buttons(session: Session, case: Case, event: Event, *, now: datetime) -> tuple[Button, ...]:
    """What the resident can tap below a step: another time when somebody sets out, a window when nobody was home."""
    if event is Event.DEPARTED:
        return appointments.keys_of(session, case)
    return _windows(session, case, now=now) if event is Event.NOBODY_HOME else ()


def _windows(session: Session, case: Case, *, now: datetime) -> tuple[Button, ...]:
    found, whose = bookings.free(session, case, now=now), visit_offers.RESIDENTS
    return visit_offers.buttons(session, case, found, whose=whose, language=case.resident.language)


def offer(session: Session, member: Staff, case_id: int, what: str, *, key: str) -> None:
    """Offer the departments a case can be handed on to, or the kinds it can be.

    Raises:
        CaseNotFound: no such case here.
        KeyError: nothing of `OFFERS`.
    """
    case = cases.access_case_as_staff(session, member, case_id)
    work_orders.note(session, case, OFFERS[what], key=f"case:{case.id}:{key}", case_id=case.id, matter=case.title)


def awaited(session: Session, conversation: Conversation) -> Case | None:
    """The case whose department has asked the resident for details."""
    if conversation.awaiting_case_id is None:
        return None
    case = cases.access_case(session, conversation, conversation.awaiting_case_id)
    if case.state in AWAITS:
        return case
    conversation.awaiting_case_id = None
    return None


def show_info(session: Session, case: Case, *, key: str, now: datetime) -> None:
    """The resident answered with a picture or the like, which the department has been shown: the work goes on."""
    cases.advance(session, case, Event.INFO_GIVEN, actor="resident", key=key, now=now)
    case.conversation.awaiting_case_id = None


def give_info(session: Session, case: Case, words: str, *, key: str, now: datetime) -> None:
    """The resident answered what the department asked for: the department reads it under the work order."""
    cases.advance(session, case, Event.INFO_GIVEN, actor="resident", key=key, now=now, data={"words": words})
    case.conversation.awaiting_case_id = None
    work_orders.note(session, case, "utter_staff_info_given", key=f"case:{case.id}:{key}", words=words[:1000])
    line = texts.say("utter_info_passed_on", language=case.resident.language, number=case.number)
    conversations.tell(session, case.conversation, line, now=now, key=f"case:{case.id}:{key}:thanks")


def _correct_kind(session: Session, case: Case, kind: str, *, actor: str, key: str, now: datetime) -> None:
    """A butler knows better what it is: the case changes, and the message that opened it is worth a look."""
    was = case.kind
    if cases.correct_kind(session, case, kind, actor=actor, key=key, now=now):
        candidates.notice_correction(session, case, was, now=now)


def _pause(session: Session, member: Staff, case: Case, reason: str, *, key: str, now: datetime) -> None:
    """The work waits for somebody or something else; for an appointment that is known, no longer than until then."""
    data, appointment = {"reason": reason}, bookings.live(session, case)
    agreed = appointment.begins_at if appointment is not None else case.wanted_from
    is_open = reason == "appointment" and appointment is None and visit_offers.is_wanted(case)
    if reason == "appointment" and agreed is not None and agreed > now:
        data["until"] = agreed.isoformat()
    actor = f"staff:{member.number}"
    if cases.advance(session, case, Event.PAUSED, actor=actor, key=key, now=now, data=data, worker_id=member.id):
        phrase = "utter_case_paused_choose" if is_open else f"utter_case_paused_{reason}"
        buttons = _windows(session, case, now=now) if is_open else ()
        told = f"case:{case.id}:{key}"
        _tell_resident(session, case, phrase, key=told, number=member.number, now=now, buttons=buttons)


def _tell_resident(
    session: Session,
    case: Case,
    phrase: str,
    *,
    key: str,
    number: int,
    now: datetime,
    buttons: tuple[Button, ...] = (),
) -> None:
    zone = ZoneInfo(session.get_one(Community, case.community_id).timezone)
    line = cases.say(
        case,
        phrase,
        staff_no=number,
        clock=f"{now.astimezone(zone):%H:%M}",
        expected=clocks.expected(session, case, now=now, language=case.resident.language),
    )
    said = replace(line, buttons=buttons)
    conversations.tell(session, case.conversation, said, now=now, key=key, kind="progress", case_id=case.id)
