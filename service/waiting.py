"""Nobody waits unheard (N5): how long by now and how many are before them, by editing one line; and staff hear of it.

What happens when stands in `waiting.yml`. While the desk is closed nothing of it does: whoever waits reads when they
will be read (`service/desk.py`), and the wait goes on when the desk opens. Emergencies know no hours.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

import yaml
from sqlalchemy import select
from sqlalchemy.orm import Session

from service import calendars, conversations, courtesies, desk, holds, wait_calls, waits
from service.business_time import Calendar, around_the_clock
from service.models.talks import Conversation, Message, Wait, WaitStep
from service.wait_calls import Call

TABLE = Path(__file__).with_suffix(".yml")


@dataclass(frozen=True)
class Step:
    """One row of the table."""

    step: str
    after: timedelta  # of desk time
    to: str
    says: str | None = None


@cache
def table() -> Mapping[str, Sequence[Step]]:
    """What waiting.yml says: the steps of a usual wait and of an urgent one, in the order of time."""
    rows = yaml.safe_load(TABLE.read_text("utf-8"))
    return {
        kind: tuple(Step(**row | {"after": timedelta(minutes=row["after"])}) for row in steps)
        for kind, steps in rows.items()
    }


def sweep(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Do what is due for those who wait; any number of processes may do so at once.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: waits of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due.
    """
    due = select(Wait.id, Wait.conversation_id).where(Wait.wake_at <= now, holds.free(Wait.id))
    rows = session.execute(due.order_by(Wait.wake_at).limit(limit)).all()
    calls: list[Call] = []
    for row in conversations.in_order(rows):
        talk = conversations.lock(session, row.conversation_id)
        wait = session.get_one(Wait, row.id, populate_existing=True)
        is_due = wait.wake_at is not None and wait.wake_at <= now
        if is_due and holds.open_hold(session, Wait.id, wait.id) is None:
            calls += _look(session, talk, wait, now=now)
    wait_calls.tell(session, calls)
    return len(rows)


def _look(session: Session, talk: Conversation, wait: Wait, *, now: datetime) -> list[Call]:
    hours = _hours(session, wait, now=now)
    opens = hours.next_opening(now)
    if opens > now:
        _break_off(session, talk, wait, now=now)
        wait.wake_at = opens
        return []
    begun = hours.next_opening(wait.since)
    calls = _climb(session, talk, wait, hours, waited=now - begun, now=now)
    if courtesies.are_due(talk, wait):
        courtesies.keep_company(session, talk, wait, waited=now - begun)
    wait.wake_at = _next(session, talk, wait, hours, begun=begun, now=now)
    return calls


def _hours(session: Session, wait: Wait, *, now: datetime) -> Calendar:
    """What counts: the desk's hours, or every minute where there is danger, or where nobody knows when it opens."""
    if wait.reason == waits.URGENT:
        return around_the_clock()
    return calendars.counting(session, wait.community_id, since=max(wait.since, now))


def _break_off(session: Session, talk: Conversation, wait: Wait, *, now: datetime) -> None:
    """The desk has closed while they waited: they hear when it opens, once, and nothing counts until then."""
    waits.quieten(session, talk, wait, reason="the desk is closed")
    if courtesies.are_due(talk, wait):
        said = select(Message.text).where(Message.conversation_id == talk.id, Message.author == "resident")
        last = session.scalar(said.order_by(Message.id.desc()).limit(1))
        desk.take_message(session, talk, last or "", now=now)


def _called(wait: Wait) -> datetime:
    """What the steps count from: who was left by a butler has waited before others were called."""
    return wait.called_at or wait.since


def steps_ahead(session: Session, wait: Wait) -> list[Step]:
    """The steps that nobody has taken yet."""
    taken = set(session.scalars(select(WaitStep.step).where(WaitStep.wait_id == wait.id)))
    kind = "urgent" if wait.reason == waits.URGENT else "usual"
    return [step for step in table()[kind] if step.step not in taken]


def _climb(
    session: Session, talk: Conversation, wait: Wait, hours: Calendar, *, waited: timedelta, now: datetime
) -> list[Call]:
    """Write down the steps that have come; the last one is told."""
    reached = [one for one in steps_ahead(session, wait) if hours.between(_called(wait), now) >= one.after]
    if not reached:
        return []
    last = reached[-1]
    members = wait_calls.members(session, talk, last.to, now=now)
    for one in reached:
        told = [member.number for member in members] if one is last else None
        session.add(WaitStep(wait_id=wait.id, step=one.step, at=now, told=told))
    session.flush()
    says = next((one.says for one in reversed(reached) if one.says), None)
    if says is not None and courtesies.are_due(talk, wait):
        courtesies.say(session, talk, wait, says, step=last.step, waited=waited, now=now)
    return [Call(talk, wait, last.step, last.to, members, waited)]


def _next(
    session: Session, talk: Conversation, wait: Wait, hours: Calendar, *, begun: datetime, now: datetime
) -> datetime | None:
    """When the wait is to be looked at again: at its next step, or when the line is to be edited."""
    ahead = steps_ahead(session, wait)
    due = [max(hours.due(_called(wait), one.after), now) for one in ahead[:1]]
    if courtesies.are_due(talk, wait):
        every = courtesies.EVERY if ahead else courtesies.LATER_EVERY
        due.append(begun + (max(now - begun, timedelta()) // every + 1) * every)
    return min(due, default=None)
