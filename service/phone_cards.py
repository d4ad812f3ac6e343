"""The task to call a resident back by phone, as it stands in the service desk's topic, with its result form."""

from __future__ import annotations

from sqlalchemy.orm import Session

from service import clocks, communities, outbox, texts
from service.communities import STAFF_LANGUAGE
from service.models.communities import Community
from service.models.follow_ups import CallBack, FollowUpState
from service.models.people import Staff
from service.models.queues import Delivery, Priority
from service.texts import Line


def post(session: Session, call_back: CallBack) -> None:
    """Put the task into the topic of the service desk."""
    key = f"phone:{call_back.id}"
    call_back.task_id = _put(session, call_back, _line(session, call_back), kind="work_order", key=key)


def show(session: Session, call_back: CallBack) -> None:
    """Bring the task up to date: with its outcome, or that it is off, it has no buttons any more."""
    if call_back.task_id is not None:
        _put(session, call_back, _line(session, call_back), kind="card", edits_id=call_back.task_id)


def say(session: Session, call_back: CallBack, line: Line, *, key: str) -> None:
    """Say something about the task beside it."""
    _put(session, call_back, line, kind="note", key=key)


def _line(session: Session, call_back: CallBack) -> Line:
    case = call_back.case
    open_task = call_back.state is FollowUpState.PHONE
    outcome = call_back.outcome or ("open" if open_task else "off")
    worker = session.get(Staff, case.worker_id) if case.worker_id else None
    community = session.get_one(Community, case.community_id)
    return texts.say(
        "utter_staff_phone_task" if open_task else "utter_staff_phone_task_done",
        language=STAFF_LANGUAGE,
        number=case.number,
        matter=case.matter[:200],
        name=case.contact or case.resident.display_name,
        phone=case.phone or case.resident.phone,
        worker=worker.number if worker else None,
        due=clocks.moment(call_back.due_at, community, language=STAFF_LANGUAGE),
        outcome=texts.words(f"utter_word_call_back_{outcome}", language=STAFF_LANGUAGE),
        tries=call_back.tries,
        call_back_id=call_back.id,
    )


def _put(
    session: Session, call_back: CallBack, line: Line, *, kind: str, key: str | None = None, edits_id: int | None = None
) -> int | None:
    group = communities.staff_group(session, call_back.case.community_id)
    if group is None:
        return None
    return outbox.put(
        session,
        **group,
        topic_id=communities.department(session, call_back.case.community_id, "service").topic_id,
        kind=kind,
        act="edit" if edits_id else "say",
        payload=line.payload(),
        priority=Priority.CARD if edits_id else Priority.WORK_ORDER,
        delivery=Delivery.RETRY if edits_id else Delivery.AT_LEAST_ONCE,
        edits_id=edits_id,
        key=key,
    )
