"""Work orders: a case as its department sees it, in the department's topic, with buttons."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from service import bookings, clocks, communities, outbox, texts, visits
from service.clocks import Outlook
from service.communities import STAFF_LANGUAGE
from service.models.cases import Appointment, Case, CaseState
from service.models.communities import Community
from service.models.queues import Delivery, OutboxRow, Priority
from service.models.talks import Message
from service.texts import Button, Line
from service.when import When

# Steps that are behind the case, or that its state does not offer: their buttons are gone.
PAST: dict[CaseState, tuple[str, ...]] = {
    CaseState.ACCEPTED: ("accept",),
    CaseState.ON_THE_WAY: ("accept", "depart"),
    CaseState.ON_SITE: ("accept", "depart", "arrive"),
    CaseState.NEEDS_INFO: ("ask",),
    CaseState.PAUSED: ("accept", "pause"),
}

# Buttons that only these states offer.
ONLY: dict[str, tuple[CaseState, ...]] = {
    "resume": (CaseState.PAUSED,),
    "nobody_home": (CaseState.ON_THE_WAY, CaseState.ON_SITE),
}


def post(session: Session, case: Case, *, key: str) -> None:
    """Tell the case's department at once (W2); an earlier work order of the case loses its buttons."""
    row_id = _put(session, case, _sheet(session, case), kind="work_order", key=key, delivery=Delivery.AT_MOST_ONCE)
    if row_id is None:
        return
    if case.work_order_id is not None:
        _show(session, case, case.work_order_id, _sheet(session, case, superseded=True))
    case.work_order_id = row_id


def refresh(session: Session, case: Case) -> None:
    """Show the case's state on its work order."""
    if case.work_order_id is not None:
        _show(session, case, case.work_order_id, _sheet(session, case))


def rewrite(session: Session, case: Case) -> None:
    """Show what the case says now on every work order it ever had; those that were superseded stay so."""
    orders = select(OutboxRow.id).where(OutboxRow.kind == "work_order", OutboxRow.key.startswith(f"case:{case.id}:"))
    for row_id in session.scalars(orders.order_by(OutboxRow.id)).all():
        _show(session, case, row_id, _sheet(session, case, superseded=row_id != case.work_order_id))


def _show(session: Session, case: Case, row_id: int, sheet: Line) -> None:
    """Edit the work order; only the newest state is shown."""
    _put(session, case, sheet, kind="card", edits_id=row_id, delivery=Delivery.RETRY)


def note(
    session: Session, case: Case, phrase: str, *, key: str, buttons: tuple[Button, ...] = (), **slots: object
) -> None:
    """Say something about the case in its department's topic, with buttons beside those of the phrase."""
    line = texts.say(phrase, language=STAFF_LANGUAGE, number=case.number, **slots)
    line = replace(line, buttons=(*buttons, *line.buttons))
    _put(session, case, line, kind="note", key=key, delivery=Delivery.AT_LEAST_ONCE)


def attach(session: Session, case: Case, *, from_chat_id: int, message_ids: list[int]) -> None:
    """Show the department a picture, voice or file of the resident's; an album stays one."""
    group = communities.staff_group(session, case.community_id)
    if group is None:
        return
    key = f"case:{case.id}:media:{message_ids[0]}"
    heading = texts.say("utter_staff_case_media", language=STAFF_LANGUAGE, number=case.number)
    _put(session, case, heading, kind="note", key=f"{key}:heading", delivery=Delivery.AT_LEAST_ONCE)
    outbox.put(
        session,
        **group,
        topic_id=case.department.topic_id,
        kind="relay",
        act="copy",
        payload={"from_chat_id": from_chat_id, "message_ids": message_ids},
        priority=Priority.WORK_ORDER,
        key=key,
    )


_RECENT = (
    select(Message)
    .where(Message.conversation_id == bindparam("conversation_id"), Message.author == "resident")
    .where(Message.media.is_not(None), Message.said_at >= bindparam("since"))
    .order_by(Message.id)
)


def attach_recent(session: Session, case: Case, *, since: datetime) -> None:
    """What the resident sent shortly before the case was opened belongs to it."""
    recent = session.scalars(_RECENT, {"conversation_id": case.conversation_id, "since": since})
    albums: dict[object, list[Message]] = {}
    for message in recent:
        albums.setdefault((message.media or {}).get("album") or message.id, []).append(message)
    for album in albums.values():
        ids = [message.message_id for message in album if message.message_id]
        attach(session, case, from_chat_id=album[0].chat_id or 0, message_ids=ids)


def _put(
    session: Session,
    case: Case,
    line: Line,
    *,
    kind: str,
    delivery: Delivery,
    key: str | None = None,
    edits_id: int | None = None,
) -> int | None:
    group = communities.staff_group(session, case.community_id)
    if group is None:
        return None
    return outbox.put(
        session,
        **group,
        topic_id=case.department.topic_id,
        kind=kind,
        act="edit" if edits_id else "say",
        payload=line.payload(),
        priority=Priority.CARD if edits_id else Priority.WORK_ORDER,
        delivery=delivery,
        edits_id=edits_id,
        key=key,
    )


def _sheet(session: Session, case: Case, *, superseded: bool = False) -> Line:
    final = superseded or case.state in clocks.ENDED
    state = "superseded" if superseded else case.state
    ahead, community = clocks.outlook(session, case), session.get_one(Community, case.community_id)
    line = texts.say(
        "utter_staff_work_order_done" if final else "utter_staff_work_order",
        language=STAFF_LANGUAGE,
        mark=texts.words(f"utter_word_urgency_{case.urgency}", language=STAFF_LANGUAGE),
        number=case.number,
        kind=_kind(case, ahead),
        category=texts.words(f"utter_word_category_{case.category}", language=STAFF_LANGUAGE),
        state=texts.words(f"utter_word_{state}", language=STAFF_LANGUAGE),
        matter=case.matter[:1000],
        place=case.place,
        wanted_at=_wanted_at(case, ahead.appointment, zone=community.timezone),
        due=clocks.due_line(ahead.due, community, language=STAFF_LANGUAGE),
        contact=case.contact or case.resident.display_name,
        phone=case.phone,
        case_id=case.id,
    )
    behind = past(case)
    return replace(line, buttons=tuple(b for b in line.buttons if b.data.rpartition(":")[2] not in behind))


def _kind(case: Case, ahead: Outlook) -> str:
    """What the case is, and that notes on it are owed."""
    kind = texts.words(f"utter_word_{case.kind}", language=STAFF_LANGUAGE)
    return texts.words("utter_word_legacy", language=STAFF_LANGUAGE, kind=kind) if ahead.note else kind


def past(case: Case) -> tuple[str, ...]:
    """The steps that are behind the case, or that its state does not offer."""
    return (*PAST.get(case.state, ()), *(word for word, states in ONLY.items() if case.state not in states))


def _wanted_at(case: Case, appointment: Appointment | None, *, zone: str) -> str | None:
    """When the resident wants somebody, in their words and as what these mean; and the appointment."""
    when = When(case.wanted_from, case.wanted_until) if case.wanted_from else None
    wanted = visits.written(case.wanted_at, when, timezone=zone, language=STAFF_LANGUAGE)
    if appointment is None:
        return wanted
    window = bookings.words(appointment, timezone=zone, language=STAFF_LANGUAGE)
    phrase = f"utter_word_visit_{appointment.state}"
    return "；".join(filter(None, (wanted, texts.words(phrase, language=STAFF_LANGUAGE, when=window))))
