"""Residents and a known incident: told at once and joined, told when it ends, heard when theirs is another matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import budget, cases, categories, clocks, conversations, holds, incidents, quiet_hours, residents, texts
from service.errors import ButtonExpired
from service.models.cases import Case
from service.models.communities import Community
from service.models.incidents import Incident, IncidentReport, ReportOutcome
from service.models.queues import Delivery, OutboxRow, Priority
from service.models.talks import Conversation, Owner
from service.texts import Line

TOO_LATE = timedelta(days=3)  # after a long downtime nobody is told about last week's water
BUTLER_TALKS_WAIT = timedelta(minutes=10)
KIND = "incident_over"


def find(session: Session, conversation: Conversation, matter: str, place: str | None, *, now: datetime
) -> Incident | None:  # fmt: skip
    """The known incident that a resident's matter is about.

    Args:
        session: the caller's transaction.
        conversation: whose matter.
        matter: in their words.
        place: where it is; unknown, where they live.
        now: the moment, aware UTC.
    """
    category = categories.categorise(matter).key
    lives = place or conversation.resident.place
    return incidents.affecting(session, conversation.community_id, matter, category, lives, now=now)


def join(session: Session, conversation: Conversation, incident: Incident, facts: cases.Facts, *, now: datetime
) -> Line:  # fmt: skip
    """Tell a resident what is known and count them in: they hear when it is over.

    Whoever ends the incident waits for those who are just being joined; if it has ended since it was found, the news is
    due at once.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: who reported it.
        incident: one that was open when it was found.
        facts: what they reported, kept for the case that is opened if theirs is another matter.
        now: the moment, aware UTC.
    """
    session.refresh(incident, with_for_update={"read": True, "of": Incident})
    kept = {"kind": facts.kind, "matter": facts.matter, "place": facts.place or conversation.resident.place}
    values = {"incident_id": incident.id, "conversation_id": conversation.id, "joined_at": now, "phone": facts.phone}
    values["due_at"] = now if incident.ended_at else None
    fresh = insert(IncidentReport).values(kept | values).on_conflict_do_nothing().returning(IncidentReport.id)
    is_new = session.scalar(fresh) is not None
    report = session.scalars(
        select(IncidentReport).where(
            IncidentReport.incident_id == incident.id, IncidentReport.conversation_id == conversation.id
        )
    ).one()
    language = conversation.resident.language
    return texts.say(
        "utter_incident_known" if is_new else "utter_incident_still",
        language=language,
        seed=now,
        where=incidents.places(incident, language),
        what=incidents.name(incident, language),
        details=incidents.details(session, incident, now=now, language=language),
        report_id=report.id,
    )


def tell_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Tell everybody who was joined to an incident that has ended, or is to end at another time; any process may.

    They reported it themselves and were promised to hear of its end, so the budget of unasked messages does not refuse
    it; it is written down there. Nobody is woken for it, and nobody is talked to over a butler.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: rows of one transaction.

    Returns:
        How many rows were looked at; 0 means nothing is due.
    """
    due = select(IncidentReport).where(IncidentReport.due_at <= now, holds.free(IncidentReport.id))
    rows = session.execute(
        due.order_by(IncidentReport.due_at)
        .limit(limit)
        .with_only_columns(IncidentReport.id, IncidentReport.conversation_id)
    ).all()
    for row in conversations.in_order(rows):
        conversation = conversations.lock(session, row.conversation_id)
        mine = due.where(IncidentReport.id == row.id).with_for_update(of=IncidentReport, skip_locked=True)
        report = session.scalars(mine.execution_options(populate_existing=True)).one_or_none()
        if report is not None:
            _tell(session, conversation, report, now=now)
    return len(rows)


def _tell(session: Session, conversation: Conversation, report: IncidentReport, *, now: datetime) -> None:
    """Everything is checked again at send time; then the newest of it, with the question whether theirs is mended."""
    reason = _why_not(conversation, report, now=now)
    if reason is not None:
        report.due_at, report.reason = None, reason
        return
    community = session.get_one(Community, conversation.community_id)
    awake = quiet_hours.after(now, community)
    if awake > now or conversation.owner is not Owner.BOT:
        report.due_at = max(awake, now + BUTLER_TALKS_WAIT) if conversation.owner is not Owner.BOT else awake
        report.reason = "a butler talks" if conversation.owner is not Owner.BOT else "quiet hours"
        return
    line = _news(session, conversation, report, now=now)
    row_id = conversations.tell(
        session,
        conversation,
        line,
        now=now,
        key=f"{KIND}:{report.id}:{now.isoformat()}",  # told again after a talk that came in between
        kind=KIND,
        priority=Priority.FOLLOW_UP,
        delivery=Delivery.AT_MOST_ONCE,
    )
    budget.spend(session, conversation.resident, KIND, now=now, urgent=True, row_id=row_id)
    report.due_at, report.reason = None, None
    report.told_at = now if report.incident.ended_at else None


def _news(session: Session, conversation: Conversation, report: IncidentReport, *, now: datetime) -> Line:
    """It is over; or when it will be, after they were told another time."""
    incident, language = report.incident, conversation.resident.language
    facts = {
        "salutation": residents.salutation(conversation.resident),
        "where": incidents.places(incident, language),
        "what": incidents.name(incident, language),
        "report_id": report.id,
    }
    if incident.ended_at:
        return texts.say("utter_incident_over", language=language, seed=report.id, **facts)
    details = incidents.details(session, incident, now=now, language=language)
    return texts.say("utter_incident_moved", language=language, seed=report.id, details=details, **facts)


def _why_not(conversation: Conversation, report: IncidentReport, *, now: datetime) -> str | None:
    """Why this resident is not to be told at all, or None."""
    if report.outcome is not None:
        return "they have said how it is"
    if conversation.resident.unreachable_since is not None:
        return "the resident cannot be reached"
    if report.due_at is not None and now - report.due_at > TOO_LATE:
        return "too late"
    until = report.incident.expected_until
    if report.incident.ended_at is None and until is not None and until <= now:
        return "too late"  # staff are asked, and whoever asks is told that it takes longer
    return None


def plan_again(session: Session, row: OutboxRow, *, now: datetime) -> None:
    """A butler talked, or no sender ran, when the news was to go out: it is due again now, and checked anew.

    Args:
        session: the caller's transaction, in which the conversation is locked.
        row: the news that was held back.
        now: the moment, aware UTC.
    """
    report = _told_in(session, row)
    if report is None or report.outcome is not None:
        return
    report.due_at, report.told_at, report.reason = now, None, "a butler talked"


def is_still_open(session: Session, row: OutboxRow) -> bool:
    """Whether the resident has not said yet how theirs is."""
    report = _told_in(session, row)
    return report is not None and report.outcome is None


def _told_in(session: Session, row: OutboxRow) -> IncidentReport | None:
    """Whose news a row is: its number stands in the key (see `_tell`)."""
    number = (row.key or "").split(":")[1:2]
    return session.get(IncidentReport, int(number[0])) if number and number[0].isdecimal() else None


def answer(session: Session, conversation: Conversation, report_id: int, outcome: ReportOutcome, *, now: datetime
) -> None:  # fmt: skip
    """The resident says how theirs is: mended, or not, or another matter; both of the latter get a case of their own.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who answers.
        report_id: as the button said.
        outcome: what they tapped; the same again does nothing.
        now: the moment, aware UTC.

    Raises:
        ButtonExpired: not theirs, or they said something else before.
    """
    report = session.get(IncidentReport, report_id, with_for_update={"of": IncidentReport})
    if report is None or report.conversation_id != conversation.id or report.outcome not in (None, outcome):
        raise ButtonExpired
    if report.outcome is None:
        report.outcome, report.due_at = outcome, None
        line = _ANSWERS[outcome](session, conversation, report, now)
        conversations.tell(session, conversation, line, now=now, key=f"incident_report:{report.id}:{outcome}")


def _own_case(session: Session, conversation: Conversation, report: IncidentReport, now: datetime) -> Line:
    """Open the case that was not opened when they reported it; nothing is asked twice."""
    case = cases.open_case(
        session,
        conversation,
        cases.Facts(
            kind="repair" if report.kind == "inquiry" else report.kind,
            matter=report.matter,
            place=report.place,
            phone=report.phone or conversation.resident.phone,
        ),
        source=f"incident_report:{report.id}",
        now=now,
    )
    report.case_id = case.id
    return _opened(session, case, now=now)


def _opened(session: Session, case: Case, *, now: datetime) -> Line:
    language = case.resident.language
    return texts.say(
        "utter_incident_own_case",
        language=language,
        number=case.number,
        department=texts.words(f"utter_word_{case.department.key}", language=language),
        expected=clocks.expected(session, case, now=now, language=language),
    )


def _glad(_: Session, conversation: Conversation, report: IncidentReport, __: datetime) -> Line:
    return texts.say("utter_incident_fixed", language=conversation.resident.language, seed=report.id)


_ANSWERS: Mapping[ReportOutcome, Callable[[Session, Conversation, IncidentReport, datetime], Line]] = {
    ReportOutcome.DIFFERENT: _own_case,
    ReportOutcome.NOT_FIXED: _own_case,
    ReportOutcome.FIXED: _glad,
}
