"""What was held back while a butler talked, or at night, is said if it still holds, each with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import (
    budget,
    callbacks,
    cases,
    conversations,
    holds,
    incident_reports,
    outbox,
    progress_notes,
    quiet_hours,
    surveys,
    visit_reminders,
)
from service.budget import SURVEY
from service.models.cases import Case
from service.models.communities import Community
from service.models.queues import OutboxRow, OutboxState
from service.models.talks import Conversation, Owner

SAID = "said after it was held back"
NEWS = ("progress", "visit", progress_notes.KIND)  # said to whoever waits for a person too, so in their order
BY_DAY = (SURVEY, progress_notes.KIND)  # kinds that wait here for the end of the quiet hours


def take_up(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Take up what is held in conversations that no butler has any more; any number of processes may do so at once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: rows of one transaction.

    Returns:
        How many rows were settled.
    """
    holding = _holding(session)
    if not holding:
        return 0
    asleep = [community.id for community in holding if quiet_hours.after(now, community) > now]
    held = (
        select(OutboxRow.id, OutboxRow.conversation_id)
        .join(Conversation, Conversation.id == OutboxRow.conversation_id)
        .where(OutboxRow.state == OutboxState.HELD, holds.free(OutboxRow.id))
        .where((Conversation.owner == Owner.BOT) | ((Conversation.owner == Owner.WAITING) & OutboxRow.kind.in_(NEWS)))
        .where(OutboxRow.kind.not_in(BY_DAY) | OutboxRow.community_id.not_in(asleep))
        .order_by(OutboxRow.id)
        .limit(limit)
    )
    return sum(_settle(session, row.id, row.conversation_id, now=now) for row in session.execute(held).all())


def _holding(session: Session) -> Sequence[Community]:
    """The communities in which anything is held."""
    held = select(OutboxRow.community_id).where(OutboxRow.state == OutboxState.HELD)
    return session.scalars(select(Community).where(Community.id.in_(held))).all()


def _settle(session: Session, row_id: int, conversation_id: int, *, now: datetime) -> bool:
    conversation = conversations.lock(session, conversation_id)
    row = session.get_one(OutboxRow, row_id, populate_existing=True)
    if row.state is not OutboxState.HELD or not _may_be_said(conversation, row):
        return False
    if holds.open_hold(session, OutboxRow.id, row_id) is not None:
        return False
    unreachable = conversation.resident.unreachable_since is not None
    reason = "the resident cannot be reached" if unreachable else _WHY_NOT[row.kind](session, row, now)
    if reason is None:
        row.state, row.reason, row.epoch = OutboxState.PENDING, SAID, conversation.epoch
        row.not_before = func.clock_timestamp()  # it has not waited for a sender
        budget.postpone(session, row_id, until=now)
        outbox.wake(session)
    else:
        budget.give_back(session, row_id)
        row.state, row.reason, row.settled_at = OutboxState.DROPPED, reason, func.clock_timestamp()
    return True


def _may_be_said(conversation: Conversation, row: OutboxRow) -> bool:
    """Not while a butler talks; whoever is in line again, because theirs did not come back, reads how the work goes."""
    return conversation.owner is Owner.BOT or (conversation.owner is Owner.WAITING and row.kind in NEWS)


def _why_not_progress(session: Session, row: OutboxRow, now: datetime) -> str | None:
    later = select(OutboxRow.id).where(
        OutboxRow.case_id == row.case_id, OutboxRow.kind == row.kind, OutboxRow.id > row.id
    )
    if session.scalar(later.limit(1)) is not None:
        return "a later step overtook it"
    return _why_not_note(session, row, now)


def _why_not_note(session: Session, row: OutboxRow, now: datetime) -> str | None:
    """No note overtakes another: each says its own."""
    del now
    return "the case is over" if session.get_one(Case, row.case_id).state in cases.OVER else None


def _why_not_survey(session: Session, row: OutboxRow, now: datetime) -> str | None:
    del now
    return None if surveys.is_still_open(session, row) else "the survey was withdrawn"


def _why_not_call_back(session: Session, row: OutboxRow, now: datetime) -> str:
    """The question, or its reminder, is planned afresh, because the quiet hours may have begun."""
    callbacks.plan_again(session, row, now=now)
    return "planned again after the butler handed back"


def _why_not_incident_over(session: Session, row: OutboxRow, now: datetime) -> str:
    """The news is planned afresh too: they may have said meanwhile how theirs is."""
    incident_reports.plan_again(session, row, now=now)
    return "planned again after the butler handed back"


_WHY_NOT: Mapping[str, Callable[[Session, OutboxRow, datetime], str | None]] = {
    "progress": _why_not_progress,
    SURVEY: _why_not_survey,
    "call_back": _why_not_call_back,
    progress_notes.KIND: _why_not_note,
    "visit": _why_not_progress,
    "visit_reminder": lambda session, row, now: visit_reminders.why_not_after_talk(session, row.id, now=now),
    incident_reports.KIND: _why_not_incident_over,
    "reminder": _why_not_call_back,
}
