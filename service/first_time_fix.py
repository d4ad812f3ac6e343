"""How many repairs held the first time, by what residents said."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ColumnElement, case, exists, func, literal_column, select
from sqlalchemy.orm import Session

from service.models.cases import REOPENED, Case, CaseEvent
from service.models.follow_ups import CallBack, Outcome
from service.shares import Share

HELD, NOT_HELD = "held", "not_held"


def first_answer() -> ColumnElement[str]:
    """Whether a case's first resolution held; NULL when nothing is known of it.

    A case that was reopened before anybody asked did not hold. Who was never asked, or did not answer, is left out:
    silence is no praise.
    """
    said = select(CallBack.outcome).where(CallBack.case_id == Case.id, CallBack.resolution == 1).scalar_subquery()
    reopened = exists().where(CaseEvent.case_id == Case.id, literal_column(f"case_events.{REOPENED}"))
    means = {Outcome.HELD: HELD, Outcome.PARTLY: NOT_HELD, Outcome.NOT_HELD: NOT_HELD}
    return case((reopened, NOT_HELD), else_=case(means, value=said))


def first_time_fix(
    session: Session, community_id: int, *, since: datetime, until: datetime, kind: str = "repair"
) -> Share:
    """The share of cases whose first resolution held, of those about whose first resolution something is known.

    Args:
        session: a transaction; it is only read.
        community_id: whose cases.
        since: cases opened from here …
        until: … to here, aware.
        kind: of the cases.
    """
    said = first_answer()
    counted = select(func.count().filter(said == HELD), func.count(said)).where(
        Case.community_id == community_id, Case.kind == kind, Case.opened_at >= since, Case.opened_at < until
    )
    held, of = session.execute(counted).one()
    return Share(held, of)
