"""How many repairs held the first time, by what residents said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import exists, func, select
from sqlalchemy.orm import Session

from service.models import CallBack, Case, CaseEvent, Outcome

ANSWERS = (Outcome.HELD, Outcome.PARTLY, Outcome.NOT_HELD)


@dataclass(frozen=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """The share, or None when there is nothing to share."""
        return self.count / self.of if self.of else None


def first_time_fix(
    session: Session, community_id: int, *, since: datetime, until: datetime, kind: str = "repair"
) -> Share:
    """The share of cases whose first resolution held, of those about whose first resolution something is known.

    A case that was reopened before anybody asked did not hold. Who was never asked, or did not answer, is left out:
    silence is no praise.

    Args:
        session: a transaction; it is only read.
        community_id: whose cases.
        since: cases opened from here …
        until: … to here, aware.
        kind: of the cases.
    """
    first = select(CallBack.outcome).where(CallBack.case_id == Case.id, CallBack.resolution == 1).scalar_subquery()
    reopened = exists().where(CaseEvent.case_id == Case.id, CaseEvent.event == "reopened")
    known = reopened | first.in_(ANSWERS)
    counted = select(
        func.count().filter(known & ~reopened & (first == Outcome.HELD)), func.count().filter(known)
    ).where(Case.community_id == community_id, Case.kind == kind, Case.opened_at >= since, Case.opened_at < until)
    held, of = session.execute(counted).one()
    return Share(held, of)
