"""Once a week staff read which messages almost raised an alarm, so that a hole in the tripwire does not stay unseen."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Select, and_, func, select
from sqlalchemy.orm import Session

from service import conversations, texts
from service.candidates import PUT_ASIDE
from service.communities import STAFF_LANGUAGE
from service.models.communities import Community
from service.models.queues import OutboxRow, Priority
from service.models.understanding import Candidate, CandidateReason, EmergencyAlarm

POSTED_AT = 9  # o'clock on Mondays, in the community's time zone
WEEK = timedelta(weeks=1)
LISTED = 20  # messages; the rest is only counted
WORDS = 60  # characters of each


def post_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Post the list of the week up to last Monday wherever it is missing; a week without near misses stays silent.

    Any number of processes may do so at once: the outbox takes the same key once. After a longer downtime only the
    newest list is posted; the other messages wait in the review.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: lists of one transaction.

    Returns:
        How many lists were posted.
    """
    posted = 0
    for zone in session.scalars(select(Community.timezone).distinct().order_by(Community.timezone)).all():
        monday = last_monday(now.astimezone(ZoneInfo(zone)))
        for row in session.execute(_missing(zone, monday).limit(limit - posted)).all():
            _post(session, row.Community, monday, key=row.key)
            posted += 1
    return posted


def last_monday(local: datetime) -> datetime:
    """When the newest list was due.

    Args:
        local: the moment, in the community's time zone.
    """
    due = local.replace(hour=POSTED_AT, minute=0, second=0, microsecond=0) - timedelta(days=local.weekday())
    return due if due <= local else due - WEEK


def _missing(zone: str, monday: datetime) -> Select[Community, str]:
    """Communities that have something to list and no list of this Monday, with the key it will have."""
    key = func.concat("near_misses:", Community.id, f":{monday:%F}")
    something = select(Candidate.id).where(Candidate.community_id == Community.id, _of_week(monday)).exists()
    posted = select(OutboxRow.id).where(OutboxRow.key == key).exists()
    in_zone = select(Community, key.label("key")).where(
        Community.timezone == zone, Community.staff_chat_id.is_not(None)
    )
    return in_zone.where(something, ~posted).order_by(Community.id)


def _of_week(monday: datetime) -> ColumnElement[bool]:
    return and_(
        Candidate.why == CandidateReason.NEAR_MISS,
        Candidate.state.not_in(PUT_ASIDE),
        Candidate.source.not_in(select(EmergencyAlarm.source)),  # the classifier rang
        Candidate.noticed_at > monday - WEEK,
        Candidate.noticed_at <= monday,
    )


def _post(session: Session, community: Community, monday: datetime, *, key: str) -> None:
    found = select(Candidate).where(Candidate.community_id == community.id, _of_week(monday)).order_by(Candidate.id)
    missed = session.scalars(found).all()
    line = texts.say(
        "utter_staff_near_misses",
        language=STAFF_LANGUAGE,
        count=len(missed),
        lines="\n".join(_line(candidate, community) for candidate in missed[:LISTED]),
    )
    conversations.alert_staff(session, community.id, line, key=key, priority=Priority.NOTICE)


def _line(candidate: Candidate, community: Community) -> str:
    local = candidate.noticed_at.astimezone(ZoneInfo(community.timezone))
    words = " ".join(candidate.text.split())
    return texts.words(
        "utter_word_near_miss",
        language=STAFF_LANGUAGE,
        at=f"{local:%m-%d %H:%M}",
        text=words if len(words) <= WORDS else f"{words[:WORDS]}…",
        detail=candidate.detail,
    )
