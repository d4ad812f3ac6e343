"""Call-backs (回访): a finished case is asked after once, when it is due, and never at a bad moment."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import cases, categories, conversations, residents, surveys, texts
from service.errors import CallBackNotOpen
from service.models import CallBack, Case, CaseState, Community, Conversation, Delivery, FollowUpState, Owner, Priority

TOO_LATE = timedelta(days=3)  # after a long downtime nobody is asked about last week
BUTLER_TALKS_WAIT = timedelta(hours=1)


def plan(session: Session, case: Case, *, now: datetime) -> None:
    """Plan the call-back of a case that was finished just now; written in the same transaction.

    Args:
        session: the caller's transaction.
        case: finished, its resolution counted.
        now: when it was finished, aware UTC.
    """
    delay = timedelta(hours=categories.call_back_hours(case.category))
    due = _out_of_quiet_hours(now + delay, session.get_one(Community, case.community_id))
    planned = insert(CallBack).values(
        case_id=case.id, resolution=case.resolution, due_at=due, state=FollowUpState.PLANNED
    )
    session.execute(planned.on_conflict_do_nothing())


def send_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Ask everybody whose call-back is due; any number of processes may do so at once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: rows of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due.
    """
    due = (
        select(CallBack.id, Case.conversation_id)
        .join(Case, Case.id == CallBack.case_id)
        .where(CallBack.state == FollowUpState.PLANNED, CallBack.due_at <= now)
        .order_by(CallBack.due_at)
        .limit(limit)
    )
    rows = session.execute(due).all()
    for row in rows:
        conversations.lock(session, row.conversation_id)
        mine = select(CallBack).where(CallBack.id == row.id, CallBack.state == FollowUpState.PLANNED)
        call_back = session.scalars(
            mine.with_for_update(of=CallBack, skip_locked=True).execution_options(populate_existing=True)
        ).one_or_none()
        if call_back is not None:
            _send(session, call_back, now=now)
    return len(rows)


def why_not_ask(call_back: CallBack, *, now: datetime) -> str | None:
    """Why this call-back is never to be sent, or None."""
    case = call_back.case
    if case.state is not CaseState.FINISHED or case.resolution != call_back.resolution:
        return "the case is no longer finished"
    if case.resident.unreachable_since is not None:
        return "the resident cannot be reached"
    if now - call_back.due_at > TOO_LATE:
        return "too late"
    return None


def _send(session: Session, call_back: CallBack, *, now: datetime) -> None:
    case = call_back.case
    reason = why_not_ask(call_back, now=now)
    if reason is not None:
        call_back.state, call_back.reason = FollowUpState.CANCELLED, reason
        return
    due = _out_of_quiet_hours(now, session.get_one(Community, case.community_id))
    if due > now:
        call_back.due_at, call_back.reason = due, "quiet hours"
        return
    if case.conversation.owner is not Owner.BOT:
        call_back.due_at, call_back.reason = now + BUTLER_TALKS_WAIT, "a butler talks"
        return
    line = texts.say(
        "utter_call_back",
        language=case.resident.language,
        salutation=residents.salutation(case.resident),
        number=case.number,
        matter=case.matter[:60],
        call_back_id=call_back.id,
    )
    call_back.outbox_id = conversations.tell(
        session,
        case.conversation,
        line,
        now=now,
        key=f"call_back:{call_back.id}:{case.conversation.epoch}",  # asked again after a talk that came in between
        kind="call_back",
        priority=Priority.FOLLOW_UP,
        delivery=Delivery.AT_MOST_ONCE,
    )
    call_back.state = FollowUpState.SENT


def plan_again(session: Session, outbox_id: int, *, now: datetime) -> None:
    """A butler talked when the question was to go out: it is due again now, and checked as if for the first time.

    Args:
        session: the caller's transaction, in which the conversation is locked.
        outbox_id: the row that was held back.
        now: the moment, aware UTC.
    """
    asked = select(CallBack).where(CallBack.outbox_id == outbox_id, CallBack.state == FollowUpState.SENT)
    call_back = session.scalars(asked).one_or_none()
    if call_back is not None:
        call_back.state, call_back.due_at, call_back.reason = FollowUpState.PLANNED, now, "a butler talked"


def answer(
    session: Session, conversation: Conversation, call_back_id: int, *, held: bool, key: str, now: datetime
) -> None:
    """The resident says whether it holds: "no" puts the same case back to work, "yes" asks how it was.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who answers.
        call_back_id: as the button said.
        held: whether the fix holds.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        CallBackNotOpen: answered otherwise before, cancelled, or not theirs.
    """
    call_back = session.get(CallBack, call_back_id)
    if call_back is None or call_back.case.conversation_id != conversation.id:
        raise CallBackNotOpen
    case = cases.access_case(session, conversation, call_back.case_id)
    if call_back.state is FollowUpState.ANSWERED and call_back.held == held:
        return
    if call_back.state is not FollowUpState.SENT or case.state is not CaseState.FINISHED:
        raise CallBackNotOpen
    call_back.state, call_back.held = FollowUpState.ANSWERED, held
    if held:
        surveys.ask(session, case, now=now)
        return
    reopen(session, case, key=key, now=now)


def reopen(session: Session, case: Case, *, key: str, now: datetime) -> None:
    """The fix did not hold: same case, more urgent, what was still to be asked is withdrawn (W4).

    Raises:
        EventNotAllowed: it is still being worked on.
    """
    surveys.withdraw(session, case, reason="the case was reopened")
    cancel(session, case, reason="the case was reopened")
    if cases.reopen(session, case, key=key, now=now):
        line = texts.say("utter_reopened", language=case.resident.language, number=case.number)
        conversations.tell(session, case.conversation, line, now=now, key=f"case:{case.id}:reopened:{key}")


def cancel(session: Session, case: Case, *, reason: str) -> None:
    """Take back what is planned or unanswered for this case."""
    open_states = (FollowUpState.PLANNED, FollowUpState.SENT)
    found = select(CallBack).where(CallBack.case_id == case.id, CallBack.state.in_(open_states))
    for call_back in session.scalars(found):
        call_back.state, call_back.reason = FollowUpState.CANCELLED, reason


def _out_of_quiet_hours(moment: datetime, community: Community) -> datetime:
    """The same moment, or the end of the community's quiet hours that it falls into."""
    local = moment.astimezone(ZoneInfo(community.timezone))
    begins, ends = community.quiet_from, community.quiet_until
    overnight = begins > ends
    quiet = local.time() >= begins or local.time() < ends if overnight else begins <= local.time() < ends
    if not quiet:
        return moment
    if overnight and local.time() >= begins:
        local += timedelta(days=1)
    return local.replace(hour=ends.hour, minute=ends.minute, second=0, microsecond=0).astimezone(moment.tzinfo)
