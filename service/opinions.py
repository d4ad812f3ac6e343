"""What a further person says of a label: of a share it is asked, agreement is counted, a contradiction is decided.

The share is taken by the hash of the words, so nobody can choose what is looked at again, and it stays the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy import ColumnElement, exists, func, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import learning
from service.errors import CandidateNotFound, ChangedMeanwhile, UnknownIntent
from service.kinds import KINDS
from service.models.understanding import Candidate, CandidateState, Label, Opinion

CHECKED_BELOW = "33"  # hexadecimal: of the hashes one in five begins below it
MOST = 100  # of a list


class Outcome(StrEnum):
    """What became of somebody's word."""

    KEPT = "kept"  # it is the label now
    AGREED = "agreed"  # somebody else had said the same
    DISAGREED = "disagreed"  # somebody else had said otherwise: both are kept until one is decided on


@dataclass(frozen=True)
class Answer:
    """What became of somebody's word, and of which label."""

    outcome: Outcome
    label: Label


@dataclass(frozen=True)
class Agreement:
    """How often two people who did not see each other's word said the same."""

    same: int
    asked: int


def say(session: Session, candidate: Candidate, intent: str, *, by: str, seen: str, now: datetime) -> Answer:
    """Say what a message means; who says otherwise than somebody before them starts a conflict, and loses nothing.

    Args:
        session: the caller's transaction.
        candidate: one that `learning.access_candidate` gave.
        intent: what it means.
        by: who says so.
        seen: the state in which they saw the message.
        now: the moment, aware UTC.

    Raises:
        UnknownIntent: there is no such intent, or no more.
        ChangedMeanwhile: somebody has put it aside since they saw it.
    """
    _check_intent(intent)
    if candidate.state is not CandidateState.LABELLED:
        _check_unchanged(candidate, seen)
    known = session.get(Label, candidate.label_id) if candidate.label_id else learning.find(session, candidate.text)
    if known is None or known.labelled_by == by:
        return Answer(Outcome.KEPT, learning.label(session, candidate, intent, by=by, now=now))
    if candidate.state is CandidateState.OPEN:
        learning.follow(session, candidate, known)
        if known.intent == intent:
            return Answer(Outcome.KEPT, known)
    return give(session, known, intent, by=by, now=now)


def put_aside(session: Session, candidate: Candidate, *, seen: str, as_noise: bool = False) -> None:
    """Ignore a message, or say that it is none; what somebody has labelled stays labelled.

    Raises:
        ChangedMeanwhile: somebody has settled it since it was seen.
    """
    _check_unchanged(candidate, seen)
    learning.ignore(session, candidate, as_noise=as_noise)


def give(session: Session, label: Label, intent: str, *, by: str, now: datetime) -> Answer:
    """Give an opinion on a label; a later one of the same person takes its place.

    Raises:
        UnknownIntent: there is no such intent.
    """
    _check_intent(intent)
    values = {"label_id": label.id, "by": by, "intent": intent, "was": label.intent, "at": now, "decided_at": None}
    statement = insert(Opinion).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=["label_id", "by"], set_=values))
    return Answer(Outcome.AGREED if intent == label.intent else Outcome.DISAGREED, label)


def access_label(session: Session, community_id: int, number: int) -> Label:
    """A label of a message of this community, locked.

    Raises:
        CandidateNotFound: there is none, or none of theirs; the answer is the same.
    """
    wanted = select(Label).where(Label.id == number, _is_of(community_id)).with_for_update()
    found = session.scalars(wanted.execution_options(populate_existing=True)).one_or_none()
    if found is None:
        raise CandidateNotFound(number=number)
    return found


def to_check(session: Session, community_id: int, *, by: str, limit: int = MOST) -> Sequence[Label]:
    """Labels that wait for a second person, and are not this one's own; the oldest first."""
    theirs = select(Label).where(Label.digest < CHECKED_BELOW, Label.labelled_by != by, _is_of(community_id))
    unasked = theirs.where(~exists().where(Opinion.label_id == Label.id))
    return session.scalars(unasked.order_by(Label.id).limit(limit)).all()


def conflicts(session: Session, community_id: int, *, limit: int = MOST) -> list[tuple[Label, Opinion]]:
    """Labels and what somebody says against them, the oldest first."""
    against = select(Label, Opinion).join(Opinion, Opinion.label_id == Label.id).where(_in_conflict())
    ours = against.where(_is_of(community_id)).order_by(Opinion.id).limit(limit)
    return [(label, opinion) for label, opinion in session.execute(ours)]


def decide(session: Session, label: Label, intent: str, *, by: str, now: datetime) -> None:
    """Agree on what a label is to say, and end its conflicts.

    Raises:
        UnknownIntent: there is no such intent, or no more.
        ChangedMeanwhile: somebody has decided already.
    """
    _check_intent(intent)
    theirs = update(Opinion).where(Opinion.label_id == label.id, _in_conflict()).values(decided_at=now)
    if not session.scalars(theirs.returning(Opinion.id)).all():
        raise ChangedMeanwhile
    if label.intent != intent:
        label.intent, label.labelled_by, label.labelled_at = intent, by, now
    session.flush()


def agreement(session: Session, community_id: int) -> Agreement:
    """How often the second person said what the first had said."""
    counted = select(func.count().filter(Opinion.intent == Opinion.was), func.count()).select_from(Opinion)
    same, asked = session.execute(counted.join(Label, Label.id == Opinion.label_id).where(_is_of(community_id))).one()
    return Agreement(same, asked)


def _check_intent(intent: str) -> None:
    if intent not in KINDS:
        raise UnknownIntent(intent=intent, intents=", ".join(KINDS))


def _check_unchanged(candidate: Candidate, seen: str) -> None:
    if candidate.state is CandidateState.LABELLED or candidate.state != seen:
        raise ChangedMeanwhile


def _in_conflict() -> ColumnElement[bool]:
    return (Opinion.intent != Opinion.was) & Opinion.decided_at.is_(None)


def _is_of(community_id: int) -> ColumnElement[bool]:
    """Labels are shared by all communities of a site, the messages behind them are not (N12)."""
    return exists().where(Candidate.label_id == Label.id, Candidate.community_id == community_id)
