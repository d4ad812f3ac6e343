"""Call-backs by phone: who answers neither question nor reminder is called by a butler, with a clock of its own."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import partial

from sqlalchemy.orm import Session

from service import calendars, callbacks, cases, conversations, phone_cards, texts
from service.communities import STAFF_LANGUAGE
from service.errors import CallBackNotOpen, NotEnoughServiceTime
from service.models.follow_ups import CallBack, FollowUpState, Outcome
from service.models.people import Staff

CALL_WITHIN = timedelta(hours=8)  # of service time
TRY_AGAIN_WITHIN = timedelta(hours=4)  # of service time, after a call that nobody took
MOST_TRIES = 3

# What the result form offers; who did not answer is called again.
RESULTS = {
    "held": Outcome.HELD,
    "partly": Outcome.PARTLY,
    "not_held": Outcome.NOT_HELD,
    "no_answer": Outcome.UNREACHED,
    "declined": Outcome.DECLINED,
}


def post_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Give butlers the calls that are due, and tell the supervisor, once, of those that nobody has made.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: rows of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due.
    """
    unanswered = (CallBack.state == FollowUpState.SENT) & CallBack.reminded_at.is_not(None)
    uncalled = (CallBack.state == FollowUpState.PHONE) & CallBack.warned_at.is_(None)
    due = callbacks.due(unanswered | uncalled, now)
    return conversations.take_due(session, due, partial(_act, session, now=now), limit=limit)


def _act(session: Session, call_back: CallBack, *, now: datetime) -> None:
    if call_back.state is FollowUpState.PHONE:
        call_back.warned_at = now
        role = texts.words("utter_word_role_supervisor", language=STAFF_LANGUAGE)
        said = texts.say("utter_staff_phone_late", language=STAFF_LANGUAGE, number=call_back.case.number, role=role)
        phone_cards.say(session, call_back, said, key=f"phone:{call_back.id}:late:{call_back.tries}")
        return
    reason = callbacks.why_not_ask(call_back, now=now)
    if reason is not None and call_back.case.resident.unreachable_since is None:
        call_back.state, call_back.reason = FollowUpState.CANCELLED, reason
        return
    call_back.state, call_back.due_at = FollowUpState.PHONE, _due(session, call_back, CALL_WITHIN, now=now)
    phone_cards.post(session, call_back)


def result(session: Session, member: Staff, call_back_id: int, word: str, *, key: str, now: datetime) -> None:
    """A butler has called, and says with one tap what came of it.

    Args:
        session: the caller's transaction.
        member: who called.
        call_back_id: as the button said; only those of the member's community are found.
        word: one of `RESULTS`.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        CallBackNotOpen: it is settled, off, or another community's.
        KeyError: no such word (a forged button).
    """
    outcome = RESULTS[word]
    call_back = session.get(CallBack, call_back_id)
    if call_back is None or call_back.case.community_id != member.community_id:
        raise CallBackNotOpen
    cases.access_case_as_staff(session, member, call_back.case_id)
    session.refresh(call_back, with_for_update={"of": CallBack})
    actor = f"staff:{member.number}"
    if outcome is Outcome.UNREACHED and call_back.state is FollowUpState.PHONE:
        if cases.has_event(session, call_back.case, f"{key}:tried"):
            return
        _tried(session, call_back, actor=actor, key=key, now=now)
        if call_back.tries < MOST_TRIES:
            return
    callbacks.settle(session, call_back, outcome, actor=actor, key=key, now=now)


def _tried(session: Session, call_back: CallBack, *, actor: str, key: str, now: datetime) -> None:
    """Nobody took the call: the task stays, with a new due time, and says how often it was tried."""
    call_back.tries += 1
    data = {"outcome": "no_answer", "tries": call_back.tries}
    event = cases.Event.CALLED_BACK
    cases.advance(session, call_back.case, event, actor=actor, key=f"{key}:tried", now=now, data=data)
    if call_back.tries < MOST_TRIES:
        call_back.due_at, call_back.warned_at = _due(session, call_back, TRY_AGAIN_WITHIN, now=now), None
        phone_cards.show(session, call_back)


def _due(session: Session, call_back: CallBack, length: timedelta, *, now: datetime) -> datetime:
    """By the community's calendar; where it never opens, by the clock."""
    try:
        return calendars.of_id(session, call_back.case.community_id).due(now, length)
    except NotEnoughServiceTime:
        return now + length
