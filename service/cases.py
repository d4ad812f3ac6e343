"""Cases: opened once, dispatched at once, followed step by step; every step is an event."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Select, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, contains_eager, lazyload

from service import bookings, categories, clocks, communities, residents, texts, work_orders
from service.categories import Category
from service.clock_runs import Step
from service.errors import CaseNotFound, EventNotAllowed
from service.models.base import table
from service.models.cases import Case, CaseCounter, CaseEvent, CaseState
from service.models.communities import Community, Department
from service.models.people import Staff
from service.models.talks import Conversation
from service.texts import Line


class Event(StrEnum):
    """What can happen to a case."""

    OPENED = "opened"
    ACCEPTED = "accepted"
    DEPARTED = "departed"
    ARRIVED = "arrived"
    PAUSED = "paused"
    RESUMED = "resumed"
    INFO_ASKED = "info_asked"
    INFO_GIVEN = "info_given"
    HANDED_ON = "handed_on"
    URGED = "urged"
    FINISHED = "finished"
    REOPENED = "reopened"
    CALLED_BACK = "called_back"
    RATED = "rated"
    CLOSED = "closed"
    WITHDRAWN = "withdrawn"
    KIND_CORRECTED = "kind_corrected"
    APPOINTED = "appointed"
    VISIT_AGREED = "visit_agreed"
    VISIT_REMINDED = "visit_reminded"
    NOBODY_HOME = "nobody_home"
    VISIT_LAPSED = "visit_lapsed"
    VISIT_DROPPED = "visit_dropped"
    AMENDED = "amended"
    LEGACY_MARKED = "legacy_marked"
    LEGACY_UNMARKED = "legacy_unmarked"
    PROGRESS_TOLD = "progress_told"


_S, _E = CaseState, Event
AT_WORK = (_S.OPEN, _S.REOPENED, _S.ACCEPTED, _S.ON_THE_WAY, _S.ON_SITE, _S.PAUSED, _S.NEEDS_INFO)
OVER = (_S.CLOSED, _S.WITHDRAWN)
_NOT_ACCEPTED = (_S.OPEN, _S.REOPENED, _S.NEEDS_INFO, _S.PAUSED)

# Which step is allowed where, and where it leads.
STEPS: dict[tuple[CaseState, Event], CaseState] = {
    **{(state, _E.ACCEPTED): _S.ACCEPTED for state in _NOT_ACCEPTED},
    **{(state, _E.DEPARTED): _S.ON_THE_WAY for state in (*_NOT_ACCEPTED, _S.ACCEPTED)},
    **{(state, _E.ARRIVED): _S.ON_SITE for state in AT_WORK if state is not _S.ON_SITE},
    **{(state, _E.PAUSED): _S.PAUSED for state in AT_WORK if state is not _S.PAUSED},
    (_S.PAUSED, _E.RESUMED): _S.ACCEPTED,
    **{(state, _E.FINISHED): _S.FINISHED for state in AT_WORK},
    **{(state, _E.INFO_ASKED): _S.NEEDS_INFO for state in AT_WORK if state is not _S.NEEDS_INFO},
    **{(state, _E.HANDED_ON): _S.OPEN for state in AT_WORK},
    **{(state, _E.URGED): state for state in AT_WORK},
    **{(state, _E.AMENDED): state for state in AT_WORK},
    **{(state, step): state for step in (_E.LEGACY_MARKED, _E.LEGACY_UNMARKED, _E.PROGRESS_TOLD) for state in AT_WORK},
    **{(state, _E.WITHDRAWN): _S.WITHDRAWN for state in AT_WORK},
    **{(state, _E.KIND_CORRECTED): state for state in (*AT_WORK, _S.FINISHED, _S.CLOSED)},
    **{(state, _E.APPOINTED): state for state in (_S.OPEN, _S.REOPENED, _S.ACCEPTED, _S.NEEDS_INFO)},
    **{(state, _E.APPOINTED): _S.ACCEPTED for state in (_S.ON_THE_WAY, _S.ON_SITE, _S.PAUSED)},  # come (again) then
    **{(state, step): state for step in (_E.VISIT_AGREED, _E.VISIT_REMINDED, _E.VISIT_LAPSED) for state in AT_WORK},
    **{(state, _E.VISIT_DROPPED): state for state in AT_WORK if state is not _S.ON_SITE},
    (_S.ON_THE_WAY, _E.VISIT_DROPPED): _S.ACCEPTED,  # turn back
    **{(state, _E.NOBODY_HOME): _S.PAUSED for state in (_S.ACCEPTED, _S.ON_THE_WAY, _S.ON_SITE)},
    (_S.NEEDS_INFO, _E.INFO_GIVEN): _S.ACCEPTED,
    (_S.FINISHED, _E.REOPENED): _S.REOPENED,
    (_S.CLOSED, _E.REOPENED): _S.REOPENED,
    (_S.FINISHED, _E.CALLED_BACK): _S.FINISHED,
    (_S.REOPENED, _E.INFO_GIVEN): _S.REOPENED,  # what is still to be done, after "in part"
    (_S.FINISHED, _E.CLOSED): _S.CLOSED,
    (_S.CLOSED, _E.RATED): _S.CLOSED,
    (_S.FINISHED, _E.RATED): _S.FINISHED,
}

MEDIA_BELONGS_FOR = timedelta(hours=1)  # what was sent this long before a case is opened belongs to it
LETTERS = {"repair": "R", "complaint": "C", "inquiry": "I"}  # the first of a case number; S for all other service
NUMBER = re.compile(r"(?i)(?<![a-z\d])([rcis])\s?(\d{4})\s?[-–—]?\s?(\d{4})(?!\d)")  # as people type it


@dataclass(frozen=True)
class Facts:
    """The five facts of a case (N8): matter, place, time, person, and how it is to be handled."""

    kind: str
    matter: str
    place: str | None = None
    wanted_at: str | None = None  # in the resident's words
    wanted_from: datetime | None = None  # what they mean, aware; none when that is unclear
    wanted_until: datetime | None = None
    contact: str | None = None
    phone: str | None = None


# The caller has the conversation, which has the resident.
_AT_HAND = lazyload(Case.conversation), lazyload(Case.resident)
_OF_TURN = (
    select(Case)
    .where(Case.conversation_id == bindparam("conversation_id"), Case.source == bindparam("source"))
    .options(*_AT_HAND)
)


def open_case(session: Session, conversation: Conversation, facts: Facts, *, source: str, now: datetime) -> Case:
    """Take a matter down and send the work order to its department in the same transaction (W1, W2).

    Args:
        session: the caller's transaction; nothing is committed here.
        conversation: the resident's, locked.
        facts: what the resident confirmed.
        source: the turn that opens it; the same source returns the same case.
        now: the moment, aware UTC.
    """
    case = session.scalars(_OF_TURN, {"conversation_id": conversation.id, "source": source}).one_or_none()
    if case is not None:
        return case
    category = categories.categorise(facts.matter)
    residents.remember(conversation.resident, phone=facts.phone, place=facts.place)
    case = Case(
        community_id=conversation.community_id,
        number=_next_number(session, conversation.community_id, facts.kind, now=now),
        conversation=conversation,
        resident=conversation.resident,
        department=communities.department(session, conversation.community_id, department_for(facts.kind, category)),
        source=source,
        category=category.key,
        state=CaseState.OPEN,
        urgency=0,
        resolution=0,
        opened_at=now,
        **vars(facts),
    )
    session.add(case)
    session.flush()
    _log(session, case, [], Step(Event.OPENED, now, _waits_until(facts, now=now), source), actor="resident")
    work_orders.post(session, case, key=f"case:{case.id}:opened")
    work_orders.attach_recent(session, case, since=now - MEDIA_BELONGS_FOR)
    return case


def _waits_until(facts: Facts, *, now: datetime) -> dict[str, Any]:
    """A visit that is wanted later is no delay: the clocks of the visit wait for it."""
    later = facts.wanted_from is not None and facts.wanted_from > now
    return {"until": facts.wanted_from.isoformat()} if facts.wanted_from and later else {}


def department_for(kind: str, category: Category) -> str:
    """Whose work it is: repairs and complaints by category, everything else at the service desk first.

    Whatever is broken and belongs to no category is still for those who mend things.
    """
    if kind == "repair" and category.key == "other":
        return "engineering"
    return category.department if kind in ("repair", "complaint") else "service"


_OF_RESIDENT = (
    select(Case)
    .where(Case.id == bindparam("case_id"), Case.conversation_id == bindparam("conversation_id"))
    .options(*_AT_HAND)
    .with_for_update(of=Case)
    .execution_options(populate_existing=True)
)


def access_case(session: Session, conversation: Conversation, case_id: int) -> Case:
    """A case of this resident; the only way from an id that a resident sent to a row.

    Raises:
        CaseNotFound: no such case, or not theirs (the answer is the same).
    """
    case = session.scalars(_OF_RESIDENT, {"case_id": case_id, "conversation_id": conversation.id}).one_or_none()
    if case is None:
        raise CaseNotFound
    return case


def named(session: Session, conversation: Conversation, words: str) -> Case | None:
    """The case of this resident whose number stands in the words, locked; None when no number does.

    Raises:
        CaseNotFound: no such case, or not theirs (the answer is the same).
    """
    found = NUMBER.search(words)
    if found is None:
        return None
    number = f"{found[1].upper()}{found[2]}-{found[3]}"
    theirs = select(Case).where(Case.conversation_id == conversation.id, Case.number == number)
    case = session.scalars(theirs.with_for_update(of=Case)).one_or_none()
    if case is None:
        raise CaseNotFound
    return case


_OF_COMMUNITY = (
    select(Case)
    .join(Case.conversation)
    .options(contains_eager(Case.conversation), lazyload(Case.resident))  # the conversation brings the resident
    .where(Case.id == bindparam("case_id"), Case.community_id == bindparam("community_id"))
    .with_for_update(of=(Conversation, Case))  # in this order, as everybody locks
    .execution_options(populate_existing=True)
)


def access_case_as_staff(session: Session, member: Staff, case_id: int) -> Case:
    """A case of this member's community, its conversation locked before it (everybody locks in that order).

    Raises:
        CaseNotFound: no such case, or another community's.
    """
    facts = {"case_id": case_id, "community_id": member.community_id}
    case = session.scalars(_OF_COMMUNITY, facts).one_or_none()
    if case is None:
        raise CaseNotFound
    return case


def access_for(session: Session, member: Staff, case_id: int, event: Event) -> Case:
    """The same, for a step that is to be taken or led up to.

    Raises:
        CaseNotFound: no such case, or another community's.
        EventNotAllowed: the case's state does not allow the step.
    """
    case = access_case_as_staff(session, member, case_id)
    _leads_to(case, event)
    return case


def say(case: Case, phrase: str, **slots: object) -> Line:
    """A line to the resident about their case: in their language, with their name, its number and its matter.

    Args:
        case: whose number and matter.
        phrase: a response of domain.yml; it need not use what is known of the case.
        slots: what else fills it, and `seed` and `unlike` of `texts.say`.
    """
    dear, language = residents.salutation(case.resident), case.resident.language
    return texts.say(phrase, language=language, salutation=dear, number=case.number, matter=case.title, **slots)


def _leads_to(case: Case, event: Event) -> CaseState:
    target = STEPS.get((case.state, event))
    if target is None:
        state = texts.words(f"utter_word_{case.state}", language=communities.STAFF_LANGUAGE)
        raise EventNotAllowed(number=case.number, state=state)
    return target


def advance(
    session: Session,
    case: Case,
    event: Event,
    *,
    actor: str,
    key: str,
    now: datetime,
    data: dict[str, Any] | None = None,
    worker_id: int | None = None,
) -> bool:
    """Take one step, write it down and bring the work order up to date.

    Args:
        session: the caller's transaction, in which the case is locked.
        case: whose step.
        event: which step.
        actor: resident, bot or staff:<number>.
        key: the update that caused it; the same key again does nothing.
        now: the moment, aware UTC.
        data: what else is to be kept.
        worker_id: who does the work from now on, when that is said with the step.

    Returns:
        False when this very step was taken before.

    Raises:
        EventNotAllowed: the case's state does not allow it.
    """
    log = clocks.log_of(session, case)
    if any(step.key == key for step in log):
        return False
    case.state, case.worker_id = _leads_to(case, event), worker_id or case.worker_id
    if event is Event.FINISHED:
        case.resolution += 1
    bookings.follow(session, case, event)
    _log(session, case, log, Step(event, now, data or {}, key), actor=actor)
    work_orders.refresh(session, case)
    return True


def add(session: Session, case: Case, data: dict[str, Any], *, key: str, now: datetime) -> bool:
    """Write down what the resident adds to a case at work; no fact changes, so the work order stays as it is.

    Returns:
        False when this very message was added before.
    """
    log = clocks.log_of(session, case)
    if any(step.key == key for step in log):
        return False
    _log(session, case, log, Step(Event.AMENDED, now, data, key), actor="resident")
    return True


def reopen(session: Session, case: Case, *, key: str, now: datetime, reason: str | None = None) -> bool:
    """Put a finished case back to work because the fix did not hold; residents hate to explain twice.

    Raises:
        EventNotAllowed: it is still being worked on.
    """
    if not advance(session, case, Event.REOPENED, actor="resident", key=key, now=now, data={"reason": reason}):
        return False
    case.urgency = max(case.urgency, 1)
    work_orders.post(session, case, key=f"case:{case.id}:reopened:{case.resolution}")
    return True


def urge(session: Session, case: Case, *, key: str, now: datetime) -> bool:
    """The resident asks how far it is: their department hears it."""
    if not advance(session, case, Event.URGED, actor="resident", key=key, now=now):
        return False
    case.urgency = max(case.urgency, 1)
    work_orders.note(session, case, "utter_staff_urged", key=f"case:{case.id}:{key}")
    return True


def hand_on(session: Session, case: Case, department: Department, *, actor: str, key: str, now: datetime) -> bool:
    """Give the case to another department: its work order goes there."""
    data = {"from": case.department.key, "to": department.key}
    if not advance(session, case, Event.HANDED_ON, actor=actor, key=key, now=now, data=data):
        return False
    case.department = department
    work_orders.post(session, case, key=f"case:{case.id}:{key}")
    return True


def correct_kind(session: Session, case: Case, kind: str, *, actor: str, key: str, now: datetime) -> bool:
    """Give the case the kind it should have had; its number stays, and the resident hears nothing of it.

    The department follows the new kind, unless somebody has handed the case on by hand or the work is done.

    Returns:
        False when it is of this kind already, or this very step was taken before.

    Raises:
        EventNotAllowed: the resident has withdrawn it.
    """
    was, data = case.kind, {"from": case.kind, "to": kind}
    if kind == was or not advance(session, case, Event.KIND_CORRECTED, actor=actor, key=key, now=now, data=data):
        return False
    case.kind = kind
    clocks.index_anew(session, case)
    category = categories.category(case.category)
    home, new_home = department_for(was, category), department_for(kind, category)
    if case.state in AT_WORK and case.department.key == home != new_home:
        department = communities.department(session, case.community_id, new_home)
        return hand_on(session, case, department, actor=actor, key=f"{key}:department", now=now)
    work_orders.refresh(session, case)
    return True


def of_resident(session: Session, conversation: Conversation, *, limit: int = 5) -> Sequence[Case]:
    """The resident's newest cases, newest first."""
    found = select(Case).where(Case.resident_id == conversation.resident_id).order_by(Case.id.desc()).limit(limit)
    return session.scalars(found).all()


def _resident_at_work(conversation: Conversation) -> Select[Case]:
    found = select(Case).where(Case.resident_id == conversation.resident_id, Case.state.in_(AT_WORK))
    return found.order_by(Case.id.desc()).limit(1)


def at_work(session: Session, conversation: Conversation) -> Case | None:
    """The resident's newest case that is still being worked on, locked until the transaction ends."""
    return session.scalars(_resident_at_work(conversation).with_for_update(of=Case)).one_or_none()


def newest_at_work(session: Session, conversation: Conversation) -> Case | None:
    """The same, only to be read."""
    return session.scalars(_resident_at_work(conversation)).one_or_none()


def last_finished(session: Session, conversation: Conversation) -> Case | None:
    """The resident's newest finished or closed case, which 「还没好」 is about."""
    found = (
        select(Case)
        .where(Case.resident_id == conversation.resident_id, Case.state.in_([_S.FINISHED, _S.CLOSED]))
        .order_by(Case.id.desc())
        .with_for_update(of=Case)
    )
    return session.scalars(found.limit(1)).one_or_none()


def events(session: Session, case: Case) -> Sequence[CaseEvent]:
    """The case's log, oldest first."""
    return session.scalars(select(CaseEvent).where(CaseEvent.case_id == case.id).order_by(CaseEvent.id)).all()


def count(session: Session, conversation: Conversation) -> int:
    """How many cases the resident has brought."""
    counted = select(func.count()).select_from(Case).where(Case.resident_id == conversation.resident_id)
    return session.scalar(counted) or 0


_WITH_KEY = select(CaseEvent.id).where(CaseEvent.case_id == bindparam("case_id"), CaseEvent.key == bindparam("key"))


def has_event(session: Session, case: Case, key: str) -> bool:
    """Whether the step that this update caused was taken before."""
    return session.scalar(_WITH_KEY, {"case_id": case.id, "key": key}) is not None


_STEP = insert(table(CaseEvent))


def _log(session: Session, case: Case, log: Sequence[Step], step: Step, *, actor: str) -> None:
    """Write a step down behind those that were taken before it."""
    session.flush()
    facts = {"event": step.event, "at": step.at, "data": step.data or None, "key": step.key}
    session.execute(_STEP, {"case_id": case.id, "actor": actor, **facts})
    clocks.index(session, case, log=[*log, step])


def _next_number(session: Session, community_id: int, kind: str, *, now: datetime) -> str:
    zone = ZoneInfo(session.get_one(Community, community_id).timezone)
    month = now.astimezone(zone).strftime("%y%m")
    statement = insert(CaseCounter).values(community_id=community_id, month=month, last=1)
    counted = statement.on_conflict_do_update(
        index_elements=["community_id", "month"], set_={"last": CaseCounter.last + 1}
    ).returning(CaseCounter.last)
    return f"{LETTERS.get(kind, 'S')}{month}-{session.scalar(counted):04d}"
