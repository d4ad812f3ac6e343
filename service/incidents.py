"""Known incidents: what ails many at once, entered by staff, shown on one card, ended with one tap.

A resident who reports what is known already is told so instead of waiting for a worker of their own
(service/incident_reports.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, func, select, update
from sqlalchemy.orm import Session

from service import clocks, communities, conversations, holds, incident_words, outbox, texts, where
from service.communities import STAFF_LANGUAGE
from service.errors import IncidentNotFound
from service.incident_words import Entry
from service.models.communities import Community
from service.models.incidents import Incident, IncidentReport
from service.models.queues import Delivery, Priority
from service.texts import Line

STOP = {"zh": "\u3002", "en": "."}  # ends what staff typed without
UNASKED = and_(Incident.ended_at.is_(None), Incident.reminded_at.is_(None))  # whether it is over, of staff
CHANGES = ("begins_at", "expected_until", "text_zh", "text_en")  # of an open one that is entered again


def enter(session: Session, community: Community, entry: Entry, *, by: str, source: str, now: datetime) -> Incident:
    """Make an incident known; entered again for the same places it is brought up to date.

    Whoever was told of another end before hears the new one.

    Args:
        session: the caller's transaction.
        community: whose.
        entry: what staff said.
        by: staff:<number>, or the operator's name.
        source: the turn or command; the same one again changes nothing.
        now: the moment, aware UTC.
    """
    found = session.scalars(
        select(Incident).where(Incident.community_id == community.id, Incident.source == source)
    ).one_or_none()
    if found is not None:
        return found
    incident = _same(session, community.id, entry)
    if incident is None:
        incident = Incident(community_id=community.id, source=source, entered_by=by)
        for name, value in vars(entry).items():
            setattr(incident, name, list(value) if isinstance(value, tuple) else value)
        session.add(incident)
    else:
        if entry.expected_until not in (None, incident.expected_until):
            _owe_news(session, incident, now=now)
        for name in CHANGES:
            setattr(incident, name, getattr(entry, name) or getattr(incident, name))
        incident.reminded_at = None
    session.flush()
    _show(session, incident, now=now)
    return incident


def _same(session: Session, community_id: int, entry: Entry) -> Incident | None:
    return next(
        (
            one
            for one in open_ones(session, community_id)
            if (one.category, one.trouble, set(one.places)) == (entry.category, entry.trouble, set(entry.places))
        ),
        None,
    )


def open_ones(session: Session, community_id: int) -> Sequence[Incident]:
    """The community's incidents that have not ended, also those that are announced for later; oldest first."""
    found = select(Incident).where(Incident.community_id == community_id, Incident.ended_at.is_(None))
    return session.scalars(found.order_by(Incident.id)).all()


def access_incident(session: Session, community_id: int, incident_id: int) -> Incident:
    """An open incident of this community, locked.

    Raises:
        IncidentNotFound: no such one here, or it is over.
    """
    incident = session.get(Incident, incident_id, with_for_update={"of": Incident}, populate_existing=True)
    if incident is None or incident.community_id != community_id or incident.ended_at is not None:
        raise IncidentNotFound
    return incident


def affecting(session: Session, community_id: int, matter: str, category: str, place: str | None, *, now: datetime
) -> Incident | None:  # fmt: skip
    """The incident a matter is about, if one is known.

    Args:
        session: the caller's transaction.
        community_id: whose.
        matter: in the resident's words.
        category: what these are about, by service/categories.py.
        place: where it is, or where they live.
        now: the moment, aware UTC; what is announced for later explains nothing yet.
    """
    troubles = incident_words.troubles(matter)
    for incident in open_ones(session, community_id):
        fits = incident.trouble in troubles if incident.trouble else incident.category == category
        if fits and incident.begins_at <= now and incident_words.covers(incident.places, place):
            return incident
    return None


def end(session: Session, incident: Incident, *, now: datetime) -> int:
    """It is over: everybody who was joined to it is told when their turn comes; returns how many these are.

    Args:
        session: the caller's transaction, in which the incident is locked.
        incident: an open one.
        now: when it ended, aware UTC.
    """
    incident.ended_at = now
    told = _owe_news(session, incident, now=now)
    _show(session, incident, now=now)
    return told


def _owe_news(session: Session, incident: Incident, *, now: datetime) -> int:
    """Everybody who was joined to it is to hear of it (service/incident_reports.py); returns how many these are."""
    joined = update(IncidentReport).where(IncidentReport.incident_id == incident.id, IncidentReport.outcome.is_(None))
    return len(session.scalars(joined.values(due_at=now).returning(IncidentReport.id)).all())


def hear_soon(session: Session, incident: Incident) -> int:
    """How many residents are still to hear the newest of it."""
    counted = select(func.count()).where(IncidentReport.incident_id == incident.id, IncidentReport.due_at.is_not(None))
    return session.scalar(counted) or 0


def ask_whether_over(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Ask staff once whether an incident is over that was expected to be: residents are told what it says."""
    due = (
        select(Incident)
        .where(UNASKED, Incident.expected_until <= now, holds.free(Incident.id))
        .order_by(Incident.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    overdue = session.scalars(due).all()
    for incident in overdue:
        incident.reminded_at = now
        line = texts.say(
            "utter_staff_incident_overdue",
            language=STAFF_LANGUAGE,
            where=places(incident, STAFF_LANGUAGE),
            what=name(incident, STAFF_LANGUAGE),
            incident_id=incident.id,
        )
        key = f"incident:{incident.id}:overdue:{incident.expected_until}"
        conversations.alert_staff(session, incident.community_id, line, key=key, priority=Priority.WORK_ORDER)
    return len(overdue)


def joined(session: Session, incident: Incident) -> int:
    """How many residents wait for its end."""
    counted = select(func.count()).where(
        IncidentReport.incident_id == incident.id, IncidentReport.outcome.is_(None), IncidentReport.told_at.is_(None)
    )
    return session.scalar(counted) or 0


def places(incident: Incident, language: str) -> str:
    """Where it is, in words."""
    if not incident.places:
        return texts.words("utter_word_everywhere", language=language)
    comma = texts.words("utter_word_list_comma", language=language)
    return comma.join(where.display(where.parse(place), language) for place in incident.places)


def name(incident: Incident, language: str) -> str:
    """What it is, in words."""
    if incident.trouble:
        return texts.words(f"utter_word_trouble_{incident.trouble}", language=language)
    category = texts.words(f"utter_word_category_{incident.category}", language=language)
    return texts.words("utter_word_trouble_other", language=language, category=category)


def expected(session: Session, incident: Incident, *, now: datetime, language: str) -> str:
    """Until when it should be over, in words; nothing when nobody knows, and never a time that is past."""
    if incident.expected_until is None:
        return ""
    if incident.expected_until <= now:
        return texts.words("utter_word_incident_late", language=language)
    zone = session.get_one(Community, incident.community_id).timezone
    by = clocks.by_when(incident.expected_until, now=now, timezone=zone, language=language)
    return texts.words("utter_word_incident_expected", language=language, by=by)


def details(session: Session, incident: Incident, *, now: datetime, language: str) -> str:
    """Until when, and what staff have said of it in this language: their words are nobody's to translate."""
    words = (incident.text_zh if language == "zh" else incident.text_en) or ""
    if words and words[-1].isalnum():
        words += STOP[language]
    between = "" if language == "zh" else " "
    return between.join(filter(None, (expected(session, incident, now=now, language=language), words)))


def card(session: Session, incident: Incident, *, now: datetime) -> Line:
    """The incident as staff see it."""
    return texts.say(
        "utter_staff_incident_ended" if incident.ended_at else "utter_staff_incident",
        language=STAFF_LANGUAGE,
        where=places(incident, STAFF_LANGUAGE),
        what=name(incident, STAFF_LANGUAGE),
        words=" | ".join(filter(None, (incident.text_zh, incident.text_en))),
        expected=expected(session, incident, now=now, language=STAFF_LANGUAGE),
        joined=joined(session, incident),
        incident_id=incident.id,
    )


def _show(session: Session, incident: Incident, *, now: datetime) -> None:
    """Put the card into General, or bring it up to date there."""
    group = communities.staff_group(session, incident.community_id)
    if group is None:
        return
    line, key = card(session, incident, now=now), f"incident:{incident.id}"
    first = outbox.find(session, key=key)
    outbox.put(
        session,
        **group,
        kind="card" if first else "alert",
        act="edit" if first else "say",
        payload=line.payload(),
        edits_id=first,
        priority=Priority.CARD if first else Priority.WORK_ORDER,
        delivery=Delivery.RETRY if first else Delivery.AT_LEAST_ONCE,
        key=None if first else key,
    )
