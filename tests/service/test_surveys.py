"""Surveys in full: reasons, comment, second thoughts, expiry, and why one was not sent."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from service import callbacks, conversations, surveys, takeover, work
from service.errors import SurveyNotOpen
from service.models.cases import CaseState
from service.models.follow_ups import FollowUpState, Outcome, Survey
from service.models.talks import Owner
from tests.service.test_follow_ups import answer, asked, finish, survey_of
from tests.stage import NOON, Stage

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


def open_survey(stage: Stage, *, now: datetime = NOON) -> Survey:
    """A survey that stands in the resident's chat."""
    call_back = asked(stage, now=now)
    answer(stage, call_back, held=True, now=now)
    return survey_of(stage, call_back.case)


def rate(stage: Stage, survey: Survey, stars: int, *, now: datetime = NOON) -> None:
    key = f"rate:{stars}:{now.isoformat()}"
    surveys.rate(stage.session, survey.case.conversation, survey.id, stars=stars, key=key, now=now)


def tap(stage: Stage, survey: Survey, word: str, *, now: datetime = NOON) -> None:
    key = f"tap:{word}:{now.isoformat()}"
    surveys.say_more(stage.session, survey.case.conversation, survey.id, word, key=key, now=now)


def comment(stage: Stage, survey: Survey, words: str, *, now: datetime = NOON) -> bool:
    return surveys.take_comment(stage.session, survey.case.conversation, words, key="turn:9", now=now)


def notes(stage: Stage) -> str:
    return "\n".join(str(row.payload["text"]) for row in stage.outbox("note"))


# --- Reasons and comment ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("stars", "chips"), [(1, 7), (2, 7), (3, 7), (4, 1), (5, 1)])
def test_who_is_not_content_is_asked_why_by_buttons(stage, stars, chips):
    """Up to three stars there is something to mend; above it a line of praise is enough."""
    survey = open_survey(stage)
    rate(stage, survey, stars)

    data = [one["data"] for row in stage.outbox("reply") for one in row.payload.get("buttons", ())]
    assert len([one for one in data if one.startswith(f"sr:{survey.id}:")]) == chips


def test_several_reasons_are_kept_each_once_and_staff_read_them(stage):
    survey = open_survey(stage)
    rate(stage, survey, 2)
    for word in ("slow", "price", "slow"):
        tap(stage, survey, word)

    assert survey.reasons == ["slow", "price"]
    assert notes(stage).count("太慢了") == 1
    assert "收费" in notes(stage)


def test_reasons_of_three_stars_are_kept_without_a_message_to_staff(stage):
    """The group's budget is for what somebody has to do."""
    survey = open_survey(stage)
    rate(stage, survey, 3)
    tap(stage, survey, "mess")

    assert survey.reasons == ["mess"]
    assert "弄脏了" not in notes(stage)


@pytest.mark.parametrize("word", ["dance", "comment2", ""])
def test_a_forged_reason_is_refused(stage, word):
    survey = open_survey(stage)
    rate(stage, survey, 2)

    with pytest.raises(SurveyNotOpen):
        tap(stage, survey, word)


def test_reasons_need_stars_first_and_few_of_them(stage):
    survey = open_survey(stage)
    with pytest.raises(SurveyNotOpen):
        tap(stage, survey, "slow")
    rate(stage, survey, 5)
    with pytest.raises(SurveyNotOpen):
        tap(stage, survey, "slow")


def test_a_comment_is_written_after_a_tap_and_reaches_the_department(stage):
    survey = open_survey(stage)
    rate(stage, survey, 5)
    tap(stage, survey, "comment")

    assert comment(stage, survey, "师傅很细心，谢谢！")
    assert survey.comment == "师傅很细心，谢谢！"
    assert "5 星，说：师傅很细心" in notes(stage)
    assert not comment(stage, survey, "还有一件事")


@pytest.mark.parametrize(("stars", "heard"), [(5, True), (4, False)])
def test_praise_with_five_stars_reaches_the_butler_by_name(stage, stars, heard):
    """Thanks that only the department's topic shows never reach whoever calmed the resident."""
    survey, butler = open_survey(stage), stage.member()
    survey.butler_id = butler.id
    rate(stage, survey, stars)
    tap(stage, survey, "comment")
    comment(stage, survey, "管家很有耐心")

    praise = [row for row in stage.outbox("note") if "🌟" in str(row.payload["text"])]
    assert bool(praise) is heard
    assert [row.payload["entities"][0]["user"]["id"] for row in praise] == [butler.user_id] * heard
    assert all(row.topic_id == survey.case.conversation.topic_id and row.chat_id < 0 for row in praise)


def test_words_without_the_tap_are_no_comment(stage):
    """Who writes about a leak after giving stars has a leak."""
    survey = open_survey(stage)
    rate(stage, survey, 5)

    assert not comment(stage, survey, "厨房又漏水了")
    assert survey.comment is None


def test_words_long_after_the_tap_are_no_comment(stage):
    survey = open_survey(stage)
    rate(stage, survey, 5)
    tap(stage, survey, "comment")

    assert not comment(stage, survey, "厨房又漏水了", now=NOON + 30 * MINUTE)


# --- Second thoughts ----------------------------------------------------------------------------------------------


def test_stars_may_be_changed_for_a_day(stage):
    """A thumb slips."""
    survey = open_survey(stage)
    rate(stage, survey, 1)
    rate(stage, survey, 5, now=NOON + DAY - MINUTE)

    assert survey.stars == 5
    with pytest.raises(SurveyNotOpen):
        rate(stage, survey, 4, now=NOON + DAY)


def test_stars_stay_once_there_is_a_comment(stage):
    """The words were written for these stars."""
    survey = open_survey(stage)
    rate(stage, survey, 5)
    tap(stage, survey, "comment")
    comment(stage, survey, "很好")

    with pytest.raises(SurveyNotOpen):
        rate(stage, survey, 1)


def test_stars_that_become_low_bring_a_person_once(stage):
    survey = open_survey(stage)
    rate(stage, survey, 4)
    assert survey.case.conversation.owner is Owner.BOT
    rate(stage, survey, 2)
    rate(stage, survey, 1)

    assert survey.case.conversation.owner.value == "waiting"
    assert notes(stage).count("请主管看一看经过") == 1


def test_the_supervisor_is_named(stage):
    survey = open_survey(stage)
    rate(stage, survey, 1)

    assert "只给了 1 星，请主管看一看经过，并亲自回访" in notes(stage)


# --- Taken back, expired, not sent --------------------------------------------------------------------------------


def test_reopening_takes_the_buttons_off_the_unanswered_survey(stage):
    survey = open_survey(stage)
    callbacks.reopen(stage.session, survey.case, key="turn:9", now=NOON)

    [edit] = [row for row in stage.outbox("card") if row.edits_id == survey.outbox_id]
    assert (edit.act, "buttons" in edit.payload) == ("edit", False)
    assert survey.state is FollowUpState.CANCELLED


def test_stars_of_a_fix_that_did_not_hold_stay_as_they_are(stage):
    survey = open_survey(stage)
    rate(stage, survey, 5)
    callbacks.reopen(stage.session, survey.case, key="turn:9", now=NOON)

    with pytest.raises(SurveyNotOpen):
        rate(stage, survey, 1)
    assert (survey.state, survey.stars) == (FollowUpState.ANSWERED, 5)


def test_after_a_week_the_survey_expires_and_the_case_is_closed(stage):
    survey = open_survey(stage)

    assert surveys.expire_due(stage.session, now=NOON + 7 * DAY - MINUTE) == 0
    assert surveys.expire_due(stage.session, now=NOON + 7 * DAY) == 1
    assert surveys.expire_due(stage.session, now=NOON + 7 * DAY) == 0

    assert (survey.state, survey.reason) == (FollowUpState.CANCELLED, "nobody rated within a week")
    assert survey.case.state is CaseState.CLOSED
    assert [row.edits_id for row in stage.outbox("card")].count(survey.outbox_id) == 1


def test_stars_that_come_after_a_week_are_too_late_also_when_no_sweep_ran(stage):
    survey = open_survey(stage)

    with pytest.raises(SurveyNotOpen):
        rate(stage, survey, 5, now=NOON + 7 * DAY)


def test_a_second_survey_within_a_fortnight_is_not_sent_and_says_why(stage):
    """The resident hears thanks all the same, and the case is closed."""
    talk = stage.resident()
    answer(stage, asked(stage, stage.case(talk)), held=True, key="1")
    second = asked(stage, stage.case(talk), now=NOON + 2 * DAY)
    answer(stage, second, held=True, key="2", now=NOON + 3 * DAY)

    kept = survey_of(stage, second.case)
    assert (kept.state, kept.reason) == (FollowUpState.CANCELLED, "too soon after the last survey")
    assert second.case.state is CaseState.CLOSED
    assert "谢谢您的确认" in stage.lines_to(talk)[-1]
    assert len(stage.outbox("survey")) == 1


def test_a_survey_waits_while_a_butler_talks(stage):
    """It is held, and asked after the talk if it is still open."""
    call_back = asked(stage)
    stage.take_over(call_back.case.conversation)
    answer(stage, call_back, held=True)

    assert [row.state for row in stage.outbox("survey")] == ["held"]
    assert survey_of(stage, call_back.case).state is FollowUpState.SENT


# --- Whose stars they are -----------------------------------------------------------------------------------------


def test_the_stars_belong_to_who_finished_it_whatever_comes_later(stage):
    """Worker, butler and department are frozen when the case is finished."""
    case = stage.case()
    butler, worker = stage.member(), stage.member()
    takeover.claim(stage.session, case.conversation, butler, source="c", now=NOON)
    said = conversations.Said("text", "您好", 1, 1, 77)
    conversations.hear(stage.session, case.conversation, said, now=NOON, by=butler)
    takeover.hand_back(stage.session, case.conversation, butler, source="h", now=NOON)
    work.tap(stage.session, worker, case.id, "done", key="done", now=NOON)
    department = case.department_id
    case.worker_id, case.department_id = butler.id, department + 1

    callbacks.send_due(stage.session, now=NOON + DAY)
    answer(stage, callbacks.of_case(stage.session, case)[0], held=True)

    survey = survey_of(stage, case)
    assert (survey.worker_id, survey.butler_id, survey.department_id) == (worker.id, butler.id, department)


def test_a_case_finished_by_phone_call_is_rated_too(stage):
    done = finish(stage)
    callbacks.send_due(stage.session, now=NOON + DAY)
    [call_back] = callbacks.of_case(stage.session, done)
    callbacks.settle(stage.session, call_back, Outcome.HELD, actor="staff:101", key="p", now=NOON + DAY)

    assert survey_of(stage, done).state is FollowUpState.SENT
