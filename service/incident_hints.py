"""Several residents of one building report the same within an hour: is it an incident? Their department is asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import reduce
from operator import and_

from sqlalchemy import select
from sqlalchemy.orm import Session

from service import cases, incident_words, incidents, texts, where, work_orders
from service.communities import STAFF_LANGUAGE
from service.incident_words import WRITTEN_IN, Entry
from service.models.cases import Case
from service.models.communities import Community
from service.models.incidents import Incident
from service.models.people import Staff
from service.where import Where

REPORTS = 3  # residents
WITHIN = timedelta(hours=1)


def suggest(session: Session, case: Case, *, now: datetime) -> None:
    """Ask the department of a case that was opened just now, if it is one of several alike; once an hour."""
    building = where.parse(case.place or "").building
    if building is None or case.kind not in ("repair", "complaint") or case.category == "other":
        return
    alike = _alike(session, case, building, now=now)
    if len({one.resident_id for one in alike}) < REPORTS or _is_known(session, case, building):
        return
    place = _display(building)
    work_orders.note(
        session,
        case,
        "utter_staff_incident_hint",
        key=f"incident_hint:{case.community_id}:{case.category}:{building}:{now:%Y%m%d%H}",
        where=place,
        count=len({one.resident_id for one in alike}),
        what=texts.words(f"utter_word_category_{case.category}", language=STAFF_LANGUAGE),
        numbers=", ".join(one.number for one in alike),
        case_id=case.id,
    )


def enter(session: Session, member: Staff, case_id: int, *, source: str, now: datetime) -> Incident:
    """Make the incident that was suggested known, with one tap; the cases stay what they are.

    Raises:
        CaseNotFound: no such case here.
    """
    case = cases.access_case_as_staff(session, member, case_id)
    building = where.parse(case.place or "").building or ""
    troubles = [incident_words.troubles(one.matter) for one in _alike(session, case, building, now=case.opened_at)]
    common = sorted(reduce(and_, troubles)) if troubles else []
    entry = Entry(
        category=case.category,
        trouble=common[0] if common else None,
        places=(_display(building),),
        begins_at=now,
        expected_until=None,
        text_zh=None,
        text_en=None,
    )
    community = session.get_one(Community, member.community_id)
    return incidents.enter(session, community, entry, by=f"staff:{member.number}", source=source, now=now)


def _alike(session: Session, case: Case, building: str, *, now: datetime) -> Sequence[Case]:
    """Cases of the same category from the same building, opened within the hour."""
    lately = select(Case).where(
        Case.community_id == case.community_id,
        Case.category == case.category,
        Case.opened_at > now - WITHIN,
        Case.opened_at <= now,
    )
    found = session.scalars(lately.order_by(Case.id)).all()
    return [one for one in found if where.parse(one.place or "").building == building]


def _is_known(session: Session, case: Case, building: str) -> bool:
    return any(
        one.category == case.category and incident_words.covers(one.places, _display(building))
        for one in incidents.open_ones(session, case.community_id)
    )


def _display(building: str) -> str:
    return where.display(Where(building), WRITTEN_IN)
