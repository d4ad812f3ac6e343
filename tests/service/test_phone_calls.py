"""Call-backs that nobody answers in writing: one reminder, then a butler calls, with a clock and a form."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from service import after_talks, callbacks, cases, phone_calls, takeover, work
from service.errors import CallBackNotOpen
from service.first_time_fix import first_time_fix
from service.models.cases import CaseState
from service.models.follow_ups import CallBack, FollowUpState, Outcome
from service.models.people import Staff
from service.models.queues import Delivery
from service.shares import Share
from tests.service.test_follow_ups import answer, asked, call_back_of, finish
from tests.stage import NOON, Stage, sent_to_residents

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


def reminded(stage: Stage) -> CallBack:
    """A call-back that was asked and reminded of."""
    call_back = asked(stage)
    sent_to_residents(stage)
    callbacks.send_due(stage.session, now=call_back.due_at)
    return call_back_of(stage, call_back.case)


def to_be_called(stage: Stage) -> CallBack:
    """A call-back that a butler is to make by phone."""
    call_back = reminded(stage)
    phone_calls.post_due(stage.session, now=call_back.due_at)
    return call_back_of(stage, call_back.case)


def result(stage: Stage, call_back: CallBack, word: str, *, key: str = "tap", now: datetime | None = None) -> None:
    phone_calls.result(stage.session, stage.member(), call_back.id, word, key=key, now=now or call_back.due_at)


def task(stage: Stage) -> dict[str, Any]:
    """The task as staff see it now."""
    first = next(row for row in stage.outbox("work_order") if "电话回访" in row.payload["text"])
    edits = [row for row in stage.outbox("card") if row.edits_id == first.id]
    return (edits or [first])[-1].payload


# --- The reminder -------------------------------------------------------------------------------------------------


def test_who_does_not_answer_is_reminded_once_a_day_later(stage):
    call_back = asked(stage)
    sent_to_residents(stage)
    first = call_back.due_at

    assert callbacks.send_due(stage.session, now=first - timedelta(seconds=1)) == 0
    for wait in (timedelta(), HOUR, DAY, 9 * DAY):
        callbacks.send_due(stage.session, now=first + wait)

    [row] = stage.outbox("reminder")
    assert "还没有收到您的回复" in row.payload["text"]
    assert len(row.payload["buttons"]) == 3
    assert row.delivery is Delivery.AT_MOST_ONCE
    assert len(stage.outbox("call_back")) == 1


def test_nobody_is_reminded_of_a_question_that_has_not_gone_out(stage):
    """The sender has been down for a day: the question is checked anew, and the reminder comes a day after it."""
    call_back = asked(stage)
    callbacks.send_due(stage.session, now=call_back.due_at)
    assert stage.outbox("reminder") == []

    sent_to_residents(stage)
    callbacks.send_due(stage.session, now=call_back_of(stage, call_back.case).due_at)
    assert len(stage.outbox("reminder")) == 1


def test_who_has_answered_is_left_alone(stage):
    call_back = asked(stage)
    answer(stage, call_back, held=True)

    callbacks.send_due(stage.session, now=call_back.due_at + DAY)
    phone_calls.post_due(stage.session, now=call_back.due_at + 9 * DAY)

    assert stage.outbox("reminder") == []


def test_a_reminder_waits_like_a_question_while_a_butler_talks(stage):
    call_back = asked(stage)
    sent_to_residents(stage)
    stage.take_over(call_back.case.conversation)
    callbacks.send_due(stage.session, now=call_back.due_at)

    assert stage.outbox("reminder") == []
    assert call_back_of(stage, call_back.case).reason == "a butler talks"


def test_the_question_and_the_reminder_ask_one_thing(stage):
    """Whichever is tapped, and also both."""
    call_back = reminded(stage)
    answer(stage, call_back, held=True, key="first")
    answer(stage, call_back, held=True, key="second")

    assert len(stage.outbox("survey")) == 1


# --- In part ------------------------------------------------------------------------------------------------------


def test_in_part_reopens_the_same_case_and_asks_what_is_left(stage):
    """The words that follow go to the department, not into a second case."""
    call_back = asked(stage)
    case, talk = call_back.case, call_back.case.conversation
    callbacks.answer(stage.session, talk, call_back.id, outcome=Outcome.PARTLY, key="tap", now=NOON)

    assert (case.state, case.urgency, talk.awaiting_case_id) == (CaseState.REOPENED, 1, case.id)
    assert "还差什么" in stage.lines_to(talk)[-1]
    work.give_info(stage.session, case, "水龙头还在滴", key="turn:9", now=NOON)
    assert any("水龙头还在滴" in row.payload["text"] for row in stage.outbox("note"))
    assert case.state is CaseState.REOPENED


@pytest.mark.parametrize("outcome", [Outcome.UNREACHED, Outcome.DECLINED])
def test_a_resident_cannot_forge_what_only_a_call_can_bring(stage, outcome):
    call_back = asked(stage)

    with pytest.raises(CallBackNotOpen):
        callbacks.answer(stage.session, call_back.case.conversation, call_back.id, outcome=outcome, key="tap", now=NOON)


# --- The call -----------------------------------------------------------------------------------------------------


def test_who_does_not_answer_the_reminder_is_called_by_a_butler(stage):
    call_back = reminded(stage)
    due = call_back.due_at

    assert phone_calls.post_due(stage.session, now=due - timedelta(seconds=1)) == 0
    assert phone_calls.post_due(stage.session, now=due) == 1
    assert phone_calls.post_due(stage.session, now=due) == 0

    call_back = call_back_of(stage, call_back.case)
    shown = task(stage)
    assert call_back.state is FollowUpState.PHONE
    assert call_back.due_at == due + 8 * HOUR
    for fact in (call_back.case.number, "厨房水管漏水", "王芳"):
        assert fact in shown["text"]
    assert [one["data"] for one in shown["buttons"]] == [
        f"tel:{call_back.id}:{word}" for word in ("held", "partly", "not_held", "no_answer", "declined")
    ]


def test_the_task_has_a_clock_of_its_own_and_the_supervisor_hears_once_that_nobody_called(stage):
    call_back = to_be_called(stage)
    for wait in (timedelta(), HOUR, DAY):
        phone_calls.post_due(stage.session, now=call_back.due_at + wait)

    late = [row for row in stage.outbox("note") if "请主管跟进" in row.payload["text"]]
    assert len(late) == 1


@pytest.mark.parametrize(
    ("word", "state", "said"),
    [
        ("held", CaseState.FINISHED, "好了"),
        ("partly", CaseState.REOPENED, "部分好了"),
        ("not_held", CaseState.REOPENED, "还没好"),
        ("declined", CaseState.CLOSED, "不愿回访"),
    ],
)
def test_the_form_does_what_the_resident_would_have_tapped(stage, word, state, said):
    call_back = to_be_called(stage)
    result(stage, call_back, word)

    assert call_back.case.state is state
    assert (call_back.state, call_back.outcome) == (FollowUpState.ANSWERED, Outcome(word))
    assert f"结果：{said}" in task(stage)["text"]
    assert "buttons" not in task(stage)
    assert cases.events(stage.session, call_back.case)[-1].actor in ("bot", "resident") or word == "held"


def test_a_call_that_nobody_takes_is_made_again_and_given_up_after_the_third(stage):
    call_back = to_be_called(stage)
    for place, now in enumerate((NOON + 5 * DAY, NOON + 6 * DAY), start=1):
        result(stage, call_back, "no_answer", key=f"tap:{place}", now=now)
        assert (call_back.state, call_back.tries) == (FollowUpState.PHONE, place)
        assert call_back.due_at == now + 4 * HOUR
        assert f"已打 {place} 次" in task(stage)["text"]
    result(stage, call_back, "no_answer", key="tap:3")

    assert (call_back.state, call_back.outcome) == (FollowUpState.ANSWERED, Outcome.UNREACHED)
    assert call_back.reason == "nobody took the calls"
    assert call_back.case.state is CaseState.CLOSED


def test_the_same_tap_twice_is_one_call(stage):
    call_back = to_be_called(stage)
    for _ in range(2):
        result(stage, call_back, "no_answer", key="tap:1")

    assert call_back.tries == 1


def test_an_answer_in_writing_takes_the_call_off_the_list(stage):
    """Nobody is called about what they have just said."""
    call_back = to_be_called(stage)
    answer(stage, call_back, held=True)

    assert "结果：好了" in task(stage)["text"]
    with pytest.raises(CallBackNotOpen):
        result(stage, call_back, "not_held")


def test_a_reopened_case_takes_the_call_off_the_list(stage):
    call_back = to_be_called(stage)
    callbacks.reopen(stage.session, call_back.case, key="turn:9", now=NOON)

    assert "不用打了" in task(stage)["text"]
    assert "buttons" not in task(stage)


def test_who_has_blocked_the_bot_since_is_called_all_the_same(stage):
    call_back = reminded(stage)
    call_back.case.resident.unreachable_since = NOON
    phone_calls.post_due(stage.session, now=call_back.due_at)

    assert call_back_of(stage, call_back.case).state is FollowUpState.PHONE


def test_who_cannot_be_reminded_is_called_without_a_reminder(stage):
    call_back = asked(stage)
    call_back.case.resident.unreachable_since = due = call_back.due_at
    callbacks.send_due(stage.session, now=due)
    phone_calls.post_due(stage.session, now=due)

    assert call_back_of(stage, call_back.case).state is FollowUpState.PHONE
    assert stage.outbox("reminder") == []


def test_a_forged_or_foreign_result_is_refused(stage):
    call_back = to_be_called(stage)
    member = stage.member()

    with pytest.raises(KeyError):
        phone_calls.result(stage.session, member, call_back.id, "dance", key="tap", now=NOON)
    with pytest.raises(CallBackNotOpen):
        phone_calls.result(stage.session, member, 10**12, "held", key="tap", now=NOON)
    call_back.case.community_id = call_back.case.community_id + 999
    with pytest.raises(CallBackNotOpen), stage.session.no_autoflush:
        phone_calls.result(stage.session, member, call_back.id, "held", key="tap", now=NOON)


# --- Timing, and what follows from the answers --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("matter", "wait"), [("电梯坏了", 2 * HOUR), ("厨房水管漏水", DAY), ("墙面油漆起皮要重新粉刷", 7 * DAY)]
)
def test_each_category_is_asked_after_when_it_can_be_known(stage, matter, wait):
    """A lift runs or does not; paint comes off after days."""
    done = finish(stage, stage.case(matter=matter))

    assert call_back_of(stage, done).due_at == NOON + wait


def test_the_first_time_fix_rate_follows_from_the_answers(stage):
    held, not_held, silent, before_asked = (finish(stage, stage.case()) for _ in range(4))
    callbacks.send_due(stage.session, now=NOON + 2 * DAY)
    answer(stage, call_back_of(stage, held), held=True, key="1")
    answer(stage, call_back_of(stage, not_held), held=False, key="2")
    callbacks.reopen(stage.session, before_asked, key="3", now=NOON)
    finish(stage, not_held)
    callbacks.send_due(stage.session, now=NOON + 4 * DAY)
    answer(stage, call_back_of(stage, not_held), held=True, key="4")

    share = first_time_fix(stage.session, stage.community.id, since=NOON - DAY, until=NOON + DAY)

    assert share == Share(1, 3), "a second fix is no first; silence is no praise"
    assert silent.state is CaseState.FINISHED
    assert share.value == pytest.approx(1 / 3)
    none = first_time_fix(stage.session, stage.community.id, since=NOON + DAY, until=NOON + 2 * DAY)
    assert none.value is None


NIGHT = NOON + 10 * HOUR  # ten in the evening


def survey_row(stage: Stage) -> tuple[str, str | None]:
    [row] = stage.outbox("survey")
    stage.session.refresh(row)
    return row.state, row.reason


def test_a_call_late_in_the_evening_brings_no_stars_before_the_morning(stage):
    """The resident has just been on the phone, and nobody is written to in the quiet hours."""
    call_back = to_be_called(stage)
    result(stage, call_back, "held", now=NIGHT)
    assert survey_row(stage)[0] == "held"

    after_talks.take_up(stage.session, now=NIGHT + 9 * HOUR)
    assert survey_row(stage)[0] == "held", "it is seven"
    after_talks.take_up(stage.session, now=NIGHT + 10 * HOUR)

    assert survey_row(stage) == ("pending", after_talks.SAID)


def test_stars_that_a_talk_held_back_wait_for_the_morning_too(stage):
    """A butler may hand back at any hour."""
    call_back = asked(stage)
    takeover.claim(stage.session, call_back.case.conversation, stage.member(), source="turn:claim", now=NOON)
    result(stage, call_back, "held", now=NOON)
    butler = stage.session.get_one(Staff, call_back.case.conversation.butler_id)

    takeover.hand_back(stage.session, call_back.case.conversation, butler, source="turn:back", now=NIGHT)
    after_talks.take_up(stage.session, now=NIGHT)

    assert survey_row(stage)[0] == "held"
