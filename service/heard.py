"""When residents write, how much of it was not understood, and how well the models that were served understand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, cast, func, literal_column, select
from sqlalchemy.orm import Session, contains_eager

from service import paging
from service.figures import Moment, Scope
from service.models import HEARD, UNCLEAR, Activation, Candidate, Conversation, Message
from service.paging import START, MomentPage
from service.shares import Share

# No zone's hours begin elsewhere. What is counted by quarters first has to be put on the community's clock seldom.
QUARTER = timedelta(minutes=15)
MOST_SWITCHES = 20  # of the model: the newest


@dataclass(frozen=True)
class Written:
    """How many messages residents wrote: in each hour of the day, and in each column along time."""

    by_hour: Mapping[int, int]
    by_column: Mapping[date, int]


def written(session: Session, scope: Scope) -> Written:
    """Count the messages of a period, in one look at them.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
    """
    quarter = func.date_bin(QUARTER, Message.said_at, START).label("at")
    inner = _of(scope, quarter, func.count().label("messages")).group_by(quarter).subquery()
    hour, column = _hour(scope, inner.c.at), scope.begins(inner.c.at)
    by_hour: Counter[int] = Counter()
    by_column: Counter[date] = Counter()
    for at, day, count in session.execute(select(hour, column, inner.c.messages)):
        by_hour[at] += count
        by_column[day] += count
    return Written(by_hour, by_column)


def in_hour(session: Session, scope: Scope, hour: int, *, before: str | None) -> MomentPage[Message]:
    """The messages behind one of them, the newest first, each with its resident.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
        hour: of the day.
        before: where this page begins.
    """
    found = _of(scope, Message).where(_hour(scope, Message.said_at) == hour)
    return paging.page_by_moment(session, found, Message.said_at, Message.id, before=before)


def conversations(session: Session, messages: Sequence[Message]) -> Mapping[int, Conversation]:
    """The talks in which messages stand, with their residents."""
    theirs = Conversation.id.in_({message.conversation_id for message in messages})
    return {talk.id: talk for talk in session.scalars(select(Conversation).where(theirs))}


def not_understood(session: Session, scope: Scope, said: Mapping[date, int]) -> Mapping[date, Share]:
    """Of the messages of each column over time: how many the bot asked to say again, or gave up on.

    What a text was settled as later does not matter: it was not understood when it came.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
        said: how many messages there were in each column.
    """
    column = scope.begins(Candidate.noticed_at)
    found = select(column, func.count()).where(*_unclear(scope)).group_by(column)
    failed: dict[date, int] = dict(session.execute(found).all())
    return {day: Share(failed.get(day, 0), max(said.get(day, 0), failed.get(day, 0))) for day in {*said, *failed}}


def unclear(session: Session, scope: Scope, *, before: str | None) -> MomentPage[Candidate]:
    """What was not understood, the newest first.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
        before: where this page begins.
    """
    found = select(Candidate).where(*_unclear(scope))
    return paging.page_by_moment(session, found, Candidate.noticed_at, Candidate.id, before=before)


def served(session: Session) -> Sequence[Activation]:
    """The newest switches of the model, the oldest of them first: one site serves one model to all communities."""
    found = select(Activation).join(Activation.model).options(contains_eager(Activation.model))
    return session.scalars(found.order_by(Activation.id.desc()).limit(MOST_SWITCHES)).all()[::-1]


def _of(scope: Scope, *what: Any) -> Select[Any]:
    """Something about the messages of the community's residents in the period."""
    found = select(*what).select_from(Message).join(Conversation, Conversation.id == Message.conversation_id)
    ours = Conversation.community_id == scope.community.id
    return found.where(ours, literal_column(f"messages.{HEARD}"), scope.holds(Message.said_at))


def _hour(scope: Scope, moment: Moment) -> ColumnElement[int]:
    return cast(func.extract("hour", scope.local(moment)), Integer)


def _unclear(scope: Scope) -> tuple[ColumnElement[Any], ...]:
    theirs = Candidate.community_id == scope.community.id
    return theirs, literal_column(f"candidates.{UNCLEAR}"), scope.holds(Candidate.noticed_at)
