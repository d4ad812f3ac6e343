"""Call-backs (回访): a finished case is asked after when it is due, reminded of once, never at a bad moment."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from sqlalchemy import ColumnElement, Select, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import (
    amendments,
    budget,
    cases,
    categories,
    conversations,
    holds,
    outbox,
    phone_cards,
    quiet_hours,
    surveys,
    texts,
)
from service.budget import Refusal
from service.errors import CallBackNotOpen
from service.models.cases import Case, CaseState
from service.models.communities import Community
from service.models.follow_ups import CallBack, FollowUpState, Outcome
from service.models.people import Resident
from service.models.queues import Delivery, OutboxRow, OutboxState, Priority
from service.models.talks import Conversation, Owner

TOO_LATE = timedelta(days=3)  # after a long downtime nobody is asked about last week
BUTLER_TALKS_WAIT = timedelta(hours=1)
LATE, LATE_AT_ONCE = "too late", 250  # rows that are off at a stroke
REMIND_AFTER = timedelta(hours=24)  # and as long again until a butler is to call

PHRASES = {"call_back": "utter_call_back", "reminder": "utter_call_back_reminder"}
WAITING = (FollowUpState.SENT, FollowUpState.PHONE)  # for an answer
OPEN = (FollowUpState.PLANNED, *WAITING)
UNANSWERED = {
    Outcome.UNREACHED: "nobody took the calls",
    Outcome.DECLINED: "the resident does not want to be asked",
}
IN_WRITING = (Outcome.HELD, Outcome.PARTLY, Outcome.NOT_HELD)  # the buttons of the question


def plan(session: Session, case: Case, *, now: datetime) -> None:
    """Plan the call-back of a case that was finished just now; written in the same transaction.

    Args:
        session: the caller's transaction.
        case: finished, its resolution counted.
        now: when it was finished, aware UTC.
    """
    delay = timedelta(hours=categories.call_back_hours(case.category))
    due = quiet_hours.after(now + delay, session.get_one(Community, case.community_id))
    whose = {
        "worker_id": case.worker_id,
        "butler_id": surveys.last_butler(session, case),
        "department_id": case.department_id,
    }
    planned = insert(CallBack).values(
        case_id=case.id, resolution=case.resolution, due_at=due, state=FollowUpState.PLANNED, **whose
    )
    session.execute(planned.on_conflict_do_nothing())


def send_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Ask everybody whose call-back is due, and remind once who has not answered; any number of processes may.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: rows of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due.
    """
    in_writing = (CallBack.state == FollowUpState.PLANNED) | (
        (CallBack.state == FollowUpState.SENT) & CallBack.reminded_at.is_(None)
    )
    roomy = outbox.roomy()
    can_go = Case.community_id.in_(roomy) & roomy.exists()  # where there is none, not a row is looked at
    to_ask = due(in_writing & can_go, now)
    return conversations.take_due(session, to_ask, partial(_ask, session, now=now), limit=limit)


def due(to_do: ColumnElement[bool], now: datetime) -> Select[CallBack]:
    """Call-backs with something to do whose moment has come, the longest due first."""
    of_cases = select(CallBack).join(Case, Case.id == CallBack.case_id)
    return of_cases.where(to_do, CallBack.due_at <= now, holds.free(CallBack.id)).order_by(CallBack.due_at, CallBack.id)


def why_not_ask(call_back: CallBack, *, now: datetime) -> str | None:
    """Why this call-back is never to be sent, or None."""
    case = call_back.case
    if case.state is not CaseState.FINISHED or case.resolution != call_back.resolution:
        return "the case is no longer finished"
    if case.resident.unreachable_since is not None:
        return "the resident cannot be reached"
    if call_back.state is FollowUpState.PLANNED and now - call_back.due_at > TOO_LATE:
        return LATE
    return None


def _why_later(
    session: Session, call_back: CallBack, refusal: Refusal | None, *, now: datetime
) -> tuple[datetime, str] | None:
    """Why this is no good moment, and when the next may be."""
    community = session.get_one(Community, call_back.case.community_id)
    if call_back.state is FollowUpState.SENT and _is_on_its_way(session, call_back):  # nobody has read what to answer
        return quiet_hours.after(now + REMIND_AFTER, community), "the question has not gone out yet"
    if refusal is not None and refusal.until is not None:
        return quiet_hours.after(refusal.until, community), refusal.reason
    due = quiet_hours.after(now, community)
    if due > now:
        return due, "quiet hours"
    if call_back.case.conversation.owner is not Owner.BOT:
        return now + BUTLER_TALKS_WAIT, "a butler talks"
    return None


def _ask(session: Session, call_back: CallBack, *, now: datetime) -> None:
    """Everything is checked again at send time; then the question, or the reminder of it."""
    if call_back.state is FollowUpState.CANCELLED:  # with one before it, at a stroke
        return
    if call_back.state is FollowUpState.SENT and call_back.case.resident.unreachable_since is not None:
        call_back.reminded_at = call_back.due_at = now  # no reminder reaches them: a butler calls
        return
    reason = why_not_ask(call_back, now=now)
    if reason is not None:
        call_back.state, call_back.reason = FollowUpState.CANCELLED, reason
        if reason == LATE:
            _cancel_late(session, now=now)
        return
    kind = "call_back" if call_back.state is FollowUpState.PLANNED else "reminder"
    refusal = budget.why_not(session, call_back.case.resident, kind, now=now)
    if refusal is not None and refusal.until is None:
        call_back.state, call_back.reason = FollowUpState.CANCELLED, refusal.reason
        return
    later = _why_later(session, call_back, refusal, now=now)
    if later is not None:
        call_back.due_at, call_back.reason = later
        return
    row_id = _say(session, call_back, PHRASES[kind], kind=kind, now=now)
    budget.spend(session, call_back.case.resident, kind, now=now, row_id=row_id)
    if call_back.state is FollowUpState.PLANNED:
        call_back.state, call_back.outbox_id = FollowUpState.SENT, row_id
    else:
        call_back.reminded_at = now
    community = session.get_one(Community, call_back.case.community_id)
    call_back.due_at = quiet_hours.after(now + REMIND_AFTER, community)


def _is_on_its_way(session: Session, call_back: CallBack) -> bool:
    """Whether the question still waits for a sender, which checks it anew when it has waited for long."""
    state = session.scalar(select(OutboxRow.state).where(OutboxRow.id == call_back.outbox_id))
    return state in (OutboxState.PENDING, OutboxState.SENDING, OutboxState.HELD)


def _cancel_late(session: Session, *, now: datetime) -> None:
    """One that is too late is one of many, after a downtime: they are off at a stroke, and others are asked soon."""
    asked_about = [Case.state == CaseState.FINISHED, Case.resolution == CallBack.resolution]
    late = due(CallBack.state == FollowUpState.PLANNED, now).join(Resident, Resident.id == Case.resident_id)
    late = late.where(CallBack.due_at < now - TOO_LATE, *asked_about, Resident.unreachable_since.is_(None))
    rows = late.with_only_columns(CallBack.id).limit(LATE_AT_ONCE).with_for_update(of=CallBack, skip_locked=True)
    off = update(CallBack).where(CallBack.id.in_(session.scalars(rows).all()))
    session.execute(off.values(state=FollowUpState.CANCELLED, reason=LATE))


def _say(session: Session, call_back: CallBack, phrase: str, *, kind: str, now: datetime) -> int | None:
    case = call_back.case
    line = cases.say(case, phrase, call_back_id=call_back.id)
    return conversations.tell(
        session,
        case.conversation,
        line,
        now=now,
        key=f"{kind}:{call_back.id}:{now.isoformat()}",  # asked again after a talk that came in between
        kind=kind,
        priority=Priority.FOLLOW_UP,
        delivery=Delivery.AT_MOST_ONCE,
    )


def plan_again(session: Session, row: OutboxRow, *, now: datetime) -> None:
    """A butler talked when the question was to go out: it is due again now, and checked as if for the first time.

    Args:
        session: the caller's transaction, in which the conversation is locked.
        row: the question, or the reminder of it, that was held back.
        now: the moment, aware UTC.
    """
    call_back = asked_in(session, row)
    if call_back is None or call_back.state is not FollowUpState.SENT:
        return
    if row.kind == "call_back":
        call_back.state = FollowUpState.PLANNED
    call_back.due_at, call_back.reason, call_back.reminded_at = now, "a butler talked", None


def asked_in(session: Session, row: OutboxRow) -> CallBack | None:
    """The call-back that a question or a reminder is about: its number stands in the key (see `_say`)."""
    number = (row.key or "").split(":")[1:2]
    return session.get(CallBack, int(number[0])) if number and number[0].isdecimal() else None


def is_still_open(session: Session, row: OutboxRow) -> bool:
    """Whether the resident may still answer what this row asks."""
    call_back = asked_in(session, row)
    if call_back is None or call_back.state not in WAITING:
        return False
    return call_back.case.state is CaseState.FINISHED and call_back.case.resolution == call_back.resolution


def answer(
    session: Session, conversation: Conversation, call_back_id: int, *, outcome: Outcome, key: str, now: datetime
) -> None:
    """The resident says whether it holds: "no" puts the same case back to work, "yes" asks how it was.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who answers.
        call_back_id: as the button said.
        outcome: one of `IN_WRITING`.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        CallBackNotOpen: answered otherwise before, cancelled, or not theirs.
    """
    call_back = session.get(CallBack, call_back_id)
    if call_back is None or call_back.case.conversation_id != conversation.id or outcome not in IN_WRITING:
        raise CallBackNotOpen
    cases.access_case(session, conversation, call_back.case_id)
    settle(session, call_back, outcome, actor="resident", key=key, now=now)


def settle(
    session: Session,
    call_back: CallBack,
    outcome: Outcome,
    *,
    actor: str,
    key: str,
    now: datetime,
    words: str | None = None,
) -> None:
    """Write down what came of a call-back, in writing or by phone, and do what follows from it.

    Args:
        session: the caller's transaction, in which the case is locked.
        call_back: asked, or to be made by phone.
        outcome: what came of it.
        actor: resident or staff:<number>.
        key: the update; the same outcome again does nothing.
        now: the moment, aware UTC.
        words: the resident's, which say what is left.

    Raises:
        CallBackNotOpen: it has another outcome, or is cancelled.
    """
    case = call_back.case
    if call_back.state is FollowUpState.ANSWERED and call_back.outcome is outcome:
        return
    if call_back.state not in WAITING or case.state is not CaseState.FINISHED:
        raise CallBackNotOpen
    call_back.state, call_back.outcome = FollowUpState.ANSWERED, outcome
    data = {"outcome": outcome, "resolution": call_back.resolution}
    cases.advance(session, case, cases.Event.CALLED_BACK, actor=actor, key=f"{key}:called_back", now=now, data=data)
    phone_cards.show(session, call_back)
    if outcome is Outcome.HELD:
        surveys.ask(session, case, now=now, at_once=actor == "resident")
    elif outcome in (Outcome.PARTLY, Outcome.NOT_HELD):
        reopen(session, case, key=key, now=now, outcome=outcome, words=words)
    else:
        call_back.reason = UNANSWERED[outcome]
        cases.advance(session, case, cases.Event.CLOSED, actor="bot", key=f"{key}:closed", now=now)


def reopen(
    session: Session,
    case: Case,
    *,
    key: str,
    now: datetime,
    outcome: Outcome = Outcome.NOT_HELD,
    words: str | None = None,
) -> None:
    """The fix did not hold, or in part: same case, more urgent, what was still to be asked is withdrawn (W4).

    Raises:
        EventNotAllowed: it is still being worked on.
    """
    surveys.withdraw(session, case, reason="the case was reopened")
    cancel(session, case, reason="the case was reopened")
    if not cases.reopen(session, case, key=key, now=now, reason=outcome):
        return
    is_to_say_what_is_left = outcome is Outcome.PARTLY and words is None
    phrase = "utter_reopened_in_part" if is_to_say_what_is_left else "utter_reopened"
    line = texts.say(phrase, language=case.resident.language, number=case.number)
    conversations.tell(session, case.conversation, line, now=now, key=f"case:{case.id}:reopened:{key}")
    if words is not None:
        amendments.add_words(session, case, words, key=f"{key}:left", now=now)
    if is_to_say_what_is_left:
        case.conversation.awaiting_case_id = case.id


def cancel(session: Session, case: Case, *, reason: str) -> None:
    """Take back what is planned or unanswered for this case."""
    found = select(CallBack).where(CallBack.case_id == case.id, CallBack.state.in_(OPEN))
    for call_back in session.scalars(found):
        call_back.state, call_back.reason = FollowUpState.CANCELLED, reason
        phone_cards.show(session, call_back)


def of_case(session: Session, case: Case) -> Sequence[CallBack]:
    """The call-backs of a case, oldest first."""
    return session.scalars(select(CallBack).where(CallBack.case_id == case.id).order_by(CallBack.resolution)).all()
