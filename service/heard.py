"""What residents wrote and what of it was not understood, and how well the models that were served understand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, cast, func, literal_column, select
from sqlalchemy.orm import Session, contains_eager

from service import paging
from service.figures import Moment, Scope
from service.models.talks import HEARD, Conversation, Message
from service.models.understanding import UNCLEAR, Activation, Candidate
from service.paging import MomentPage

MOST_SWITCHES = 20  # of the model: the newest


def in_hour(session: Session, scope: Scope, hour: int, *, before: str | None) -> MomentPage[Message]:
    """The messages behind one of them, the newest first, each with its resident.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
        hour: of the day.
        before: where this page begins.
    """
    found = of_residents(scope, Message).where(scope.holds(Message.said_at), hour_of(scope, Message.said_at) == hour)
    return paging.page_by_moment(session, found, Message.said_at, Message.id, before=before)


def conversations(session: Session, messages: Sequence[Message]) -> Mapping[int, Conversation]:
    """The talks in which messages stand, with their residents."""
    theirs = Conversation.id.in_({message.conversation_id for message in messages})
    return {talk.id: talk for talk in session.scalars(select(Conversation).where(theirs))}


def unclear(session: Session, scope: Scope, *, before: str | None) -> MomentPage[Candidate]:
    """What was not understood, the newest first.

    Args:
        session: a transaction; it is only read.
        scope: whose, and which days.
        before: where this page begins.
    """
    found = select(Candidate).where(*not_understood(scope), scope.holds(Candidate.noticed_at))
    return paging.page_by_moment(session, found, Candidate.noticed_at, Candidate.id, before=before)


def served(session: Session) -> Sequence[Activation]:
    """The newest switches of the model, the oldest of them first: one site serves one model to all communities."""
    found = select(Activation).join(Activation.model).options(contains_eager(Activation.model))
    return session.scalars(found.order_by(Activation.id.desc()).limit(MOST_SWITCHES)).all()[::-1]


def of_residents(scope: Scope, *what: Any) -> Select[Any]:
    """Something about the messages of the community's residents, of any time."""
    found = select(*what).select_from(Message).join(Conversation, Conversation.id == Message.conversation_id)
    return found.where(Conversation.community_id == scope.community.id, literal_column(f"messages.{HEARD}"))


def hour_of(scope: Scope, moment: Moment) -> ColumnElement[int]:
    """The hour of the day in which a moment lies."""
    return cast(func.extract("hour", scope.local(moment)), Integer)


def not_understood(scope: Scope) -> tuple[ColumnElement[Any], ...]:
    """What the bot asked to say again, or gave up on, at any time.

    What a text was settled as later does not matter: it was not understood when it came.
    """
    return Candidate.community_id == scope.community.id, literal_column(f"candidates.{UNCLEAR}")
