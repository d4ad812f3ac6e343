"""Everything about one case on one page: its log, its clocks, what was sent along, call-backs, ratings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from service import callbacks, cases, clocks, work
from service.cases import MEDIA_BELONGS_FOR
from service.clocks import Standing
from service.errors import CaseNotFound
from service.models.cases import Case, CaseEvent
from service.models.follow_ups import CallBack, Survey
from service.models.talks import Message

MOST_FILES = 50


@dataclass(frozen=True)
class Sheet:
    """A case as its page shows it."""

    case: Case
    version: int  # rises with every step
    log: Sequence[CaseEvent]
    clocks: Sequence[Standing]
    files: Sequence[Message]
    call_backs: Sequence[CallBack]
    surveys: Sequence[Survey]
    steps: Sequence[str]  # the verbs that its state allows


def read(session: Session, community_id: int, case_id: int) -> Sheet:
    """The page of a case.

    Raises:
        CaseNotFound: no such case, or another community's.
    """
    case = session.get(Case, case_id)
    if case is None or case.community_id != community_id:
        raise CaseNotFound
    log = cases.events(session, case)
    held = clocks.rules(session, community_id)
    surveys = select(Survey).where(Survey.case_id == case.id).order_by(Survey.resolution)
    return Sheet(
        case=case,
        version=version(session, case),
        log=log,
        clocks=list(clocks.standings(case, clocks.log_of(session, case), held)),
        files=_files(session, case, until=log[-1].at),
        call_backs=callbacks.of_case(session, case),
        surveys=session.scalars(surveys).all(),
        steps=work.possible(case),
    )


def version(session: Session, case: Case) -> int:
    """What an editor saw: the number of the case's last step; that staff were told of a clock is none."""
    steps = select(func.max(CaseEvent.id)).where(CaseEvent.case_id == case.id, CaseEvent.event != clocks.TOLD)
    return session.scalar(steps) or 0


def _files(session: Session, case: Case, *, until: datetime) -> Sequence[Message]:
    """What the resident sent shortly before the case was opened or while it was at work, newest first."""
    sent = select(Message).where(
        Message.conversation_id == case.conversation_id,
        Message.author == "resident",
        Message.media.is_not(None),
        Message.said_at >= case.opened_at - MEDIA_BELONGS_FOR,
    )
    if case.state in clocks.ENDED:
        sent = sent.where(Message.said_at <= until)
    return session.scalars(sent.order_by(Message.id.desc()).limit(MOST_FILES)).all()
