"""Satisfaction: one to five stars for every resolution of a case, asked once."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import cases, conversations, residents, takeover, texts, work_orders
from service.errors import SurveyNotOpen
from service.models import Case, CaseState, Conversation, Delivery, FollowUpState, Priority, Survey

LOW = 2  # stars at or below: a person looks at the case


def ask(session: Session, case: Case, *, now: datetime) -> None:
    """Ask how satisfied the resident is with this resolution; asking twice does nothing."""
    values = {"case_id": case.id, "resolution": case.resolution, "state": FollowUpState.SENT, "asked_at": now}
    survey_id = session.scalar(insert(Survey).values(values).on_conflict_do_nothing().returning(Survey.id))
    if survey_id is None:
        return
    line = texts.say("utter_survey", language=case.resident.language, number=case.number, survey_id=survey_id)
    session.get_one(Survey, survey_id).outbox_id = conversations.tell(
        session,
        case.conversation,
        line,
        now=now,
        key=f"survey:{survey_id}",
        kind="survey",
        priority=Priority.FOLLOW_UP,
        delivery=Delivery.AT_MOST_ONCE,
    )


def rate(session: Session, conversation: Conversation, survey_id: int, *, stars: int, key: str, now: datetime) -> None:
    """The resident gives stars; the case is closed with the farewell (N4).

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who rates.
        survey_id: as the button said.
        stars: 1 to 5.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        SurveyNotOpen: withdrawn, rated before, not theirs, or no such number of stars.
    """
    survey = session.get(Survey, survey_id)
    if survey is None or survey.case.conversation_id != conversation.id or not 1 <= stars <= 5:
        raise SurveyNotOpen
    case = cases.access_case(session, conversation, survey.case_id)
    if survey.state is FollowUpState.ANSWERED and survey.stars == stars:
        return
    if survey.state is not FollowUpState.SENT:
        raise SurveyNotOpen
    survey.state, survey.stars, survey.answered_at = FollowUpState.ANSWERED, stars, now
    cases.advance(session, case, cases.Event.RATED, actor="resident", key=key, now=now, data={"stars": stars})
    _close(session, case, stars=stars, key=key, now=now)


def _close(session: Session, case: Case, *, stars: int, key: str, now: datetime) -> None:
    if case.state is CaseState.FINISHED:
        cases.advance(session, case, cases.Event.CLOSED, actor="resident", key=f"{key}:closed", now=now)
    if stars <= LOW:
        work_orders.note(session, case, "utter_staff_rated_low", key=f"case:{case.id}:{key}:low", stars=stars)
        # Before the line below, which would be dropped as one from before the change of owner.
        takeover.escalate(session, case.conversation, reason="rating", source=key, now=now, quietly=True)
    phrase = "utter_rated_low" if stars <= LOW else "utter_farewell"
    salutation = residents.salutation(case.resident)
    line = texts.say(phrase, language=case.resident.language, salutation=salutation, number=case.number)
    conversations.tell(session, case.conversation, line, now=now, key=f"case:{case.id}:{key}:farewell")


def is_still_open(session: Session, outbox_id: int) -> bool:
    """Whether the question in this row is still to be asked: not withdrawn, and the case not reopened since."""
    found = select(Survey).where(Survey.outbox_id == outbox_id, Survey.state == FollowUpState.SENT)
    survey = session.scalars(found).one_or_none()
    return survey is not None and survey.resolution == survey.case.resolution


def withdraw(session: Session, case: Case, *, reason: str) -> None:
    """Take an unanswered survey back."""
    found = select(Survey).where(Survey.case_id == case.id, Survey.state == FollowUpState.SENT)
    for survey in session.scalars(found):
        survey.state, survey.reason = FollowUpState.CANCELLED, reason
