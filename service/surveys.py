"""Satisfaction: one to five stars for every resolution of a case, asked once, with reasons and a comment."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from service import (
    budget,
    cases,
    conversations,
    holds,
    keyboards,
    pointers,
    quiet_hours,
    takeover,
    texts,
    work_orders,
)
from service.communities import STAFF_LANGUAGE
from service.errors import SurveyNotOpen
from service.models.cases import Case, CaseState
from service.models.communities import Community
from service.models.follow_ups import CallBack, FollowUpState, Survey
from service.models.people import Staff
from service.models.queues import Delivery, OutboxRow, Priority
from service.models.talks import Conversation, Message

BEST = 5  # stars
LOW = 2  # stars at or below: a person looks at the case
ASK_WHY = 3  # stars at or below: what was wrong?
REASONS = ("slow", "not_fixed", "attitude", "price", "mess", "other")
CHANGE_WITHIN = timedelta(hours=24)
EXPIRES_AFTER = timedelta(days=7)
COMMENT_WITHIN = timedelta(minutes=30)  # of the tap; later words are about something else
LONGEST = 1000  # characters of a comment
RATEABLE = (CaseState.FINISHED, CaseState.CLOSED)


def ask(session: Session, case: Case, *, now: datetime, at_once: bool = True) -> None:
    """Ask how satisfied the resident is with this resolution; asking twice does nothing.

    A survey that is not sent has its reason, and the case is closed with thanks instead.

    Args:
        session: the caller's transaction; the case is locked in it.
        case: finished, and the fix holds.
        now: the moment, aware UTC.
        at_once: they have just tapped that it holds, so it is their hour; after a phone call the quiet hours count.
    """
    refusal = budget.why_not(session, case.resident, budget.SURVEY, now=now)
    values = {
        "case_id": case.id,
        "resolution": case.resolution,
        "state": FollowUpState.CANCELLED if refusal else FollowUpState.SENT,
        "reason": refusal.reason if refusal else None,
        "asked_at": now,
        **_attribution(session, case),
    }
    survey_id = session.scalar(insert(Survey).values(values).on_conflict_do_nothing().returning(Survey.id))
    if survey_id is None:
        return
    survey = session.get_one(Survey, survey_id)
    if refusal is None:
        _send(session, survey, now=now, at_once=at_once)
    else:
        _close_unrated(session, survey, now=now)


def _send(session: Session, survey: Survey, *, now: datetime, at_once: bool) -> None:
    case = survey.case
    waits = not at_once and quiet_hours.after(now, session.get_one(Community, case.community_id)) > now
    line = texts.say("utter_survey", language=case.resident.language, number=case.number, survey_id=survey.id)
    survey.outbox_id = conversations.tell(
        session,
        case.conversation,
        line,
        now=now,
        key=f"survey:{survey.id}",
        kind="survey",
        priority=Priority.FOLLOW_UP,
        delivery=Delivery.AT_MOST_ONCE,
        waits=waits,
    )
    budget.spend(session, case.resident, budget.SURVEY, now=now, row_id=survey.outbox_id)


def _attribution(session: Session, case: Case) -> dict[str, Any]:
    """Whose work it was when it was finished: later changes of hands do not move the stars."""
    found = select(CallBack).where(CallBack.case_id == case.id, CallBack.resolution == case.resolution)
    then = session.scalars(found).one_or_none() or case
    butler = then.butler_id if isinstance(then, CallBack) else last_butler(session, case)
    return {"worker_id": then.worker_id, "department_id": then.department_id, "butler_id": butler}


_LAST_BUTLER = (
    select(Message.staff_id)
    .where(Message.conversation_id == bindparam("conversation_id"), Message.author == "butler")
    .where(Message.said_at >= bindparam("since"))
    .order_by(Message.id.desc())
    .limit(1)
)


def last_butler(session: Session, case: Case) -> int | None:
    """The butler who has talked with the resident last since the case was opened."""
    facts = {"conversation_id": case.conversation_id, "since": case.opened_at}
    return session.scalar(_LAST_BUTLER, facts)


def rate(session: Session, conversation: Conversation, survey_id: int, *, stars: int, key: str, now: datetime) -> None:
    """The resident gives stars; the case is closed with the farewell (N4).

    Other stars within a day, and before a comment, replace the first: a thumb slips.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who rates.
        survey_id: as the button said.
        stars: 1 to 5.
        key: the update; the same one again does nothing.
        now: the moment, aware UTC.

    Raises:
        SurveyNotOpen: withdrawn, expired, settled, not theirs, or no such number of stars.
    """
    survey = _access(session, conversation, survey_id)
    case, before = survey.case, survey.stars
    if not 1 <= stars <= 5:
        raise SurveyNotOpen
    if survey.state is FollowUpState.ANSWERED and before == stars:
        return
    if not _may_rate(survey, now=now):
        raise SurveyNotOpen
    survey.state, survey.stars, survey.answered_at = FollowUpState.ANSWERED, stars, survey.answered_at or now
    cases.advance(session, case, cases.Event.RATED, actor="resident", key=key, now=now, data={"stars": stars})
    if case.state is CaseState.FINISHED:
        cases.advance(session, case, cases.Event.CLOSED, actor="resident", key=f"{key}:closed", now=now)
    if stars <= LOW and (before is None or before > LOW):
        _call_supervisor(session, survey, key=key, now=now)
    _thank(session, survey, key=key, now=now)


def _access(session: Session, conversation: Conversation, survey_id: int) -> Survey:
    """The resident's own survey, its case locked."""
    survey = session.get(Survey, survey_id)
    if survey is None or survey.case.conversation_id != conversation.id:
        raise SurveyNotOpen
    cases.access_case(session, conversation, survey.case_id)
    return survey


def _may_rate(survey: Survey, *, now: datetime) -> bool:
    if survey.case.state not in RATEABLE or survey.case.resolution != survey.resolution:
        return False
    if survey.state is FollowUpState.SENT:
        return now < survey.asked_at + EXPIRES_AFTER
    changeable = survey.state is FollowUpState.ANSWERED and survey.comment is None
    return changeable and survey.answered_at is not None and now < survey.answered_at + CHANGE_WITHIN


def _call_supervisor(session: Session, survey: Survey, *, key: str, now: datetime) -> None:
    """Low stars bring a person to the resident, and the supervisor to the case."""
    case = survey.case
    role = texts.words("utter_word_role_supervisor", language=STAFF_LANGUAGE)
    note_key = f"case:{case.id}:{key}:low"
    work_orders.note(session, case, "utter_staff_rated_low", key=note_key, stars=survey.stars, role=role)
    # Before the lines of thanks, which would be dropped as ones from before the change of owner.
    takeover.escalate(session, case.conversation, reason="rating", source=key, now=now, quietly=True)


def _thank(session: Session, survey: Survey, *, key: str, now: datetime) -> None:
    """The farewell, with one offer to say more: why, or in a line of one's own."""
    assert survey.stars is not None
    asks_why = survey.stars <= ASK_WHY
    phrase = "utter_rated_low" if survey.stars <= LOW else "utter_farewell"
    _tell(session, survey, phrase, key=key, now=now, plain=asks_why)
    if asks_why:
        _tell(session, survey, "utter_survey_reasons", key=key, now=now)


def _tell(session: Session, survey: Survey, phrase: str, *, key: str, now: datetime, plain: bool = False) -> None:
    case = survey.case
    line = cases.say(case, phrase, survey_id=survey.id)
    said = replace(line, buttons=()) if plain else line
    conversations.tell(session, case.conversation, said, now=now, key=f"case:{case.id}:{key}:{phrase}")


def say_more(
    session: Session, conversation: Conversation, survey_id: int, word: str, *, key: str, now: datetime
) -> None:
    """A tap on a reason, or on the wish to write a comment.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who taps.
        survey_id: as the button said.
        word: one of `REASONS`, or comment.
        key: the update; the same reason again does nothing.
        now: the moment, aware UTC.

    Raises:
        SurveyNotOpen: not rated, rated too long ago, not theirs, or no such word.
    """
    survey = _access(session, conversation, survey_id)
    if survey.answered_at is None or survey.stars is None or now >= survey.answered_at + EXPIRES_AFTER:
        raise SurveyNotOpen
    if word == "comment" and survey.comment is None:
        survey.comment_asked_at, conversation.awaiting_survey_id = now, survey.id
        _tell(session, survey, "utter_survey_comment", key=key, now=now)
        return
    if word not in REASONS or survey.stars > ASK_WHY:
        raise SurveyNotOpen
    if word in (survey.reasons or ()):
        return
    survey.reasons = [*(survey.reasons or ()), word]
    _tell(session, survey, "utter_survey_noted", key=key, now=now)
    if survey.stars <= LOW:
        said = texts.words(f"utter_word_survey_{word}", language=STAFF_LANGUAGE)
        _note(session, survey, said, key=key)


def take_comment(session: Session, conversation: Conversation, words: str, *, key: str, now: datetime) -> bool:
    """Keep the words as the comment that was just offered; False when none was, or too long ago.

    Args:
        session: the caller's transaction; the conversation is locked in it.
        conversation: the one who writes.
        words: the whole message.
        key: the turn.
        now: the moment, aware UTC.
    """
    survey = session.get(Survey, conversation.awaiting_survey_id) if conversation.awaiting_survey_id else None
    conversation.awaiting_survey_id = None
    asked = survey.comment_asked_at if survey is not None else None
    if survey is None or survey.comment is not None or asked is None or now >= asked + COMMENT_WITHIN:
        return False
    survey.comment = words[:LONGEST]
    _tell(session, survey, "utter_survey_noted", key=key, now=now)
    _note(session, survey, survey.comment, key=key)
    _praise(session, survey, key=key)
    return True


def _note(session: Session, survey: Survey, words: str, *, key: str) -> None:
    note_key = f"case:{survey.case_id}:{key}:survey"
    work_orders.note(session, survey.case, "utter_staff_survey_said", key=note_key, stars=survey.stars, words=words)


def _praise(session: Session, survey: Survey, *, key: str) -> None:
    """The butler who cared for it hears what was said of five stars, by name, in the resident's topic."""
    butler = session.get(Staff, survey.butler_id) if survey.butler_id is not None else None
    if butler is None or survey.stars != BEST:
        return
    case, named = survey.case, pointers.at_member(butler)
    slots = {"who": named.words, "number": case.number, "words": survey.comment}
    line = texts.say("utter_staff_praised", language=STAFF_LANGUAGE, **slots)
    payload = line.payload() | {"entities": pointers.entities(line.text, [named])}
    where = conversations.IN_TOPIC
    conversations.to_staff(session, case.conversation, "say", payload, key=f"{key}:praise", kind="note", where=where)


def is_still_open(session: Session, row: OutboxRow) -> bool:
    """Whether the question in this row is still to be asked: not withdrawn, and the case not reopened since."""
    found = select(Survey).where(Survey.outbox_id == row.id, Survey.state == FollowUpState.SENT)
    survey = session.scalars(found).one_or_none()
    return survey is not None and survey.resolution == survey.case.resolution


def withdraw(session: Session, case: Case, *, reason: str) -> None:
    """Take an unanswered survey back, and its buttons off."""
    found = select(Survey).where(Survey.case_id == case.id, Survey.state == FollowUpState.SENT)
    for survey in session.scalars(found):
        survey.state, survey.reason = FollowUpState.CANCELLED, reason
        keyboards.take_off(session, survey.outbox_id)


def expire_due(session: Session, *, now: datetime, limit: int = 50) -> int:
    """Close what nobody has rated within a week.

    Args:
        session: the caller's transaction.
        now: the moment, aware UTC.
        limit: surveys of one transaction.

    Returns:
        How many were looked at; 0 means nothing has expired.
    """
    old = Survey.state == FollowUpState.SENT, Survey.asked_at <= now - EXPIRES_AFTER, holds.free(Survey.id)
    due = select(Survey).join(Case, Case.id == Survey.case_id).where(*old).order_by(Survey.asked_at)
    return conversations.take_due(session, due, partial(_expire, session, now=now), limit=limit)


def _expire(session: Session, survey: Survey, *, now: datetime) -> None:
    survey.state, survey.reason = FollowUpState.CANCELLED, "nobody rated within a week"
    keyboards.take_off(session, survey.outbox_id)
    _close(session, survey, now=now)


def _close_unrated(session: Session, survey: Survey, *, now: datetime) -> None:
    _close(session, survey, now=now)
    _tell(session, survey, "utter_held_thanks", key=f"survey:{survey.id}", now=now)


def _close(session: Session, survey: Survey, *, now: datetime) -> None:
    if survey.case.state is CaseState.FINISHED:
        key = f"survey:{survey.id}:closed"
        cases.advance(session, survey.case, cases.Event.CLOSED, actor="bot", key=key, now=now)
