"""What a tap on a work order does: the step, the word to the resident, the follow-up it causes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from service import callbacks, cases, communities, conversations, residents, texts, work_orders
from service.cases import Event
from service.models import Case, Staff

# What a button's word means, and what the resident hears about it.
VERBS: dict[str, tuple[Event, str]] = {
    "accept": (Event.ACCEPTED, "utter_case_accepted"),
    "depart": (Event.DEPARTED, "utter_case_on_the_way"),
    "done": (Event.FINISHED, "utter_case_finished"),
    "ask": (Event.INFO_ASKED, "utter_case_needs_info"),
}


def tap(session: Session, member: Staff, case_id: int, verb: str, *, key: str, now: datetime) -> Case:
    """Do what the button on a work order says.

    Args:
        session: the caller's transaction.
        member: who tapped.
        case_id: as the button said; only cases of the member's community are found.
        verb: one of `VERBS`, or `to_<department>`.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        CaseNotFound: no such case here.
        EventNotAllowed: the case's state does not allow the step.
        KeyError: no such verb (a forged button).
    """
    case = cases.access_case_as_staff(session, member, case_id)
    actor = f"staff:{member.number}"
    if verb.startswith("to_"):
        key_of = {f"to_{name}": name for name in communities.DEPARTMENTS}
        department = communities.department(session, case.community_id, key_of[verb])
        cases.hand_on(session, case, department, actor=actor, key=key, now=now)
        return case
    event, phrase = VERBS[verb]
    if not cases.advance(session, case, event, actor=actor, key=key, now=now):
        return case
    case.worker_id = member.id
    _tell_resident(session, case, phrase, key=f"case:{case.id}:{key}", number=member.number, now=now)
    if event is Event.FINISHED:
        callbacks.plan(session, case, now=now)
    if event is Event.INFO_ASKED:
        case.conversation.awaiting_case_id = case.id
    return case


def choose_department(session: Session, member: Staff, case_id: int, *, key: str) -> None:
    """Offer the departments a case can be handed on to.

    Raises:
        CaseNotFound: no such case here.
    """
    case = cases.access_case_as_staff(session, member, case_id)
    work_orders.note(session, case, "utter_staff_hand_on", key=f"case:{case.id}:{key}", case_id=case.id)


def give_info(session: Session, case: Case, words: str, *, key: str, now: datetime) -> None:
    """The resident answered what the department asked for: the department reads it under the work order."""
    cases.advance(session, case, Event.INFO_GIVEN, actor="resident", key=key, now=now, data={"words": words})
    case.conversation.awaiting_case_id = None
    work_orders.note(session, case, "utter_staff_info_given", key=f"case:{case.id}:{key}", words=words[:1000])
    line = texts.say("utter_info_passed_on", language=case.resident.language, number=case.number)
    conversations.tell(session, case.conversation, line, now=now, key=f"case:{case.id}:{key}:thanks")


def _tell_resident(session: Session, case: Case, phrase: str, *, key: str, number: int, now: datetime) -> None:
    line = texts.say(
        phrase,
        language=case.resident.language,
        salutation=residents.salutation(case.resident),
        number=case.number,
        matter=case.matter[:60],
        staff_no=number,
    )
    conversations.tell(session, case.conversation, line, now=now, key=key, kind="progress")
