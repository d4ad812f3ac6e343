"""Call-backs and surveys: asked once, at a good moment, and every answer leads somewhere."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from threading import Barrier
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from service import after_talks, callbacks, cases, delivery, outbox, surveys, takeover, work
from service.db import Sessions
from service.errors import CallBackNotOpen, EventNotAllowed, SurveyNotOpen
from service.models.cases import Case, CaseState
from service.models.follow_ups import CallBack, FollowUpState, Outcome, Survey
from service.models.queues import Delivery, OutboxRow, OutboxState, Priority
from service.models.talks import Owner
from tests.stage import NOON, Stage, sent_to_residents

DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def finish(stage: Stage, case: Case | None = None, *, now: datetime = NOON) -> Case:
    """A case that its worker has marked as done, as a tap does it."""
    done = case or stage.case()
    work.tap(stage.session, stage.member(), done.id, "done", key=f"done:{done.id}:{done.resolution}", now=now)
    return done


def call_back_of(stage: Stage, case: Case) -> CallBack:
    stage.session.flush()
    found = select(CallBack).where(CallBack.case_id == case.id).order_by(CallBack.id.desc())
    return stage.session.scalars(found.execution_options(populate_existing=True)).first()  # type: ignore[return-value]


def asked(stage: Stage, case: Case | None = None, *, now: datetime = NOON) -> CallBack:
    """A call-back that stands in the resident's chat."""
    done = finish(stage, case, now=now)
    planned = call_back_of(stage, done)
    callbacks.send_due(stage.session, now=planned.due_at)
    return call_back_of(stage, done)


def answer(stage: Stage, call_back: CallBack, *, held: bool, key: str = "tap", now: datetime = NOON) -> None:
    talk, outcome = call_back.case.conversation, Outcome.HELD if held else Outcome.NOT_HELD
    callbacks.answer(stage.session, talk, call_back.id, outcome=outcome, key=key, now=now)


def survey_of(stage: Stage, case: Case) -> Survey:
    stage.session.flush()
    return stage.session.scalars(select(Survey).where(Survey.case_id == case.id).order_by(Survey.id.desc())).first()  # type: ignore[return-value]


def rated(stage: Stage, stars: int) -> Case:
    call_back = asked(stage)
    answer(stage, call_back, held=True)
    survey = survey_of(stage, call_back.case)
    sent_to_residents(stage)
    surveys.rate(stage.session, call_back.case.conversation, survey.id, stars=stars, key="rate", now=NOON)
    return call_back.case


# --- When a call-back is due ----------------------------------------------------------------------------------------


def test_finishing_plans_a_call_back_in_the_same_transaction(stage):
    """A follow-up is a row, written with the event that causes it (W4)."""
    planned = call_back_of(stage, finish(stage))

    assert (planned.state, planned.resolution) == (FollowUpState.PLANNED, 1)
    assert planned.due_at > NOON


def test_a_call_back_that_is_not_due_is_not_sent(stage):
    planned = call_back_of(stage, finish(stage))

    assert callbacks.send_due(stage.session, now=planned.due_at - timedelta(seconds=1)) == 0
    assert stage.outbox("call_back") == []


def test_a_due_call_back_asks_once_and_at_most_once(stage):
    """Two schedulers, or one that sweeps again."""
    call_back = asked(stage)
    callbacks.send_due(stage.session, now=call_back.due_at + DAY)

    [row] = stage.outbox("call_back")
    assert (row.delivery, row.priority, row.epoch) == (Delivery.AT_MOST_ONCE, Priority.FOLLOW_UP, 0)
    assert [one["data"] for one in row.payload["buttons"]] == [
        f"cb:{call_back.id}:{outcome}" for outcome in ("held", "partly", "not_held")
    ]
    assert call_back.case.number in row.payload["text"]


def test_schedulers_side_by_side_ask_everybody_once(sessions: Sessions):
    with sessions.begin() as session:
        stage = Stage(session)
        planned = [call_back_of(stage, finish(stage)) for _ in range(12)]
        due = max(one.due_at for one in planned)
    start = Barrier(3)

    def sweep(_: int) -> None:
        start.wait()
        while True:
            with sessions.begin() as session:
                if callbacks.send_due(session, now=due, limit=5) == 0:
                    return

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(sweep, range(3)))

    with sessions.begin() as session:
        told = [str(row.key) for row in Stage(session).outbox("call_back")]
    assert sorted(told) == sorted(f"call_back:{one.id}:{due.isoformat()}" for one in planned)


@pytest.mark.parametrize(
    ("clock", "expected"),
    [("20:59", "20:59"), ("21:00", "08:00"), ("23:59", "08:00"), ("00:00", "08:00"), ("07:59", "08:00"),
     ("08:00", "08:00"), ("12:00", "12:00")],
)  # fmt: skip
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York"])
def test_nobody_is_asked_in_the_quiet_hours_of_the_community(stage, clock, expected, zone):
    stage.community.timezone = zone
    call_back = call_back_of(stage, finish(stage))
    call_back.due_at = local = datetime.combine(NOON.date() + 9 * DAY, time.fromisoformat(clock), ZoneInfo(zone))

    callbacks.send_due(stage.session, now=local.astimezone(UTC))

    call_back = call_back_of(stage, call_back.case)
    asked_now = call_back.state is FollowUpState.SENT
    assert asked_now == (clock == expected), call_back.reason
    at = local if asked_now else call_back.due_at
    assert f"{at.astimezone(ZoneInfo(zone)):%H:%M}" == expected
    assert timedelta() <= at - local < DAY


def test_a_call_back_is_never_planned_into_the_quiet_hours(stage):
    for hour in range(24):
        call_back = call_back_of(stage, finish(stage, now=NOON + timedelta(hours=hour)))
        assert time(8) <= call_back.due_at.astimezone(ZoneInfo("Asia/Shanghai")).time() < time(21)


def test_after_a_long_downtime_nobody_is_asked_about_last_week(stage):
    planned = call_back_of(stage, finish(stage))

    callbacks.send_due(stage.session, now=planned.due_at + timedelta(days=7))

    call_back = call_back_of(stage, planned.case)
    assert (call_back.state, call_back.reason) == (FollowUpState.CANCELLED, "too late")
    assert stage.outbox("call_back") == []


def test_what_is_too_late_is_off_at_a_stroke_and_the_rest_is_asked(stage):
    """After a week fifty thousand may be: residents who are still to be asked do not wait behind them."""
    late = [finish(stage) for _ in range(3)]
    gone = finish(stage)
    gone.resident.unreachable_since = NOON
    fresh = finish(stage, now=NOON + 8 * DAY)

    callbacks.send_due(stage.session, now=NOON + 9 * DAY, limit=1)
    stage.session.expire_all()

    assert [call_back_of(stage, case).reason for case in late] == ["too late"] * 3
    assert (call_back_of(stage, gone).state, call_back_of(stage, fresh).state) == ("planned", "planned")


def test_nobody_is_asked_while_hundreds_of_questions_wait_to_be_sent(stage):
    """After a downtime, or while Telegram is away: what is checked and written now would be sent much later."""
    call_back = call_back_of(stage, finish(stage))
    asked = {"bot_id": stage.community.bot_id, "community_id": stage.community.id, "kind": "call_back", "act": "say"}
    waiting = [
        outbox.put(stage.session, chat_id=chat_id, payload={"text": "回访"}, priority=Priority.FOLLOW_UP, **asked)
        for chat_id in range(1000, 1000 + outbox.AHEAD)
    ]
    later = call_back.due_at + timedelta(minutes=1)

    assert callbacks.send_due(stage.session, now=later) == 0
    assert call_back.state is FollowUpState.PLANNED, "it stays due"
    assert waiting[0] is not None
    assert outbox.withdraw(stage.session, waiting[0], reason="sent")
    assert callbacks.send_due(stage.session, now=later) == 1
    assert call_back_of(stage, call_back.case).state is FollowUpState.SENT


def test_a_call_back_waits_while_a_butler_talks(stage):
    case = finish(stage)
    butler = stage.take_over(case.conversation)
    due = call_back_of(stage, case).due_at

    callbacks.send_due(stage.session, now=due)
    waiting = call_back_of(stage, case)
    assert (waiting.state, waiting.reason) == (FollowUpState.PLANNED, "a butler talks")
    assert waiting.due_at > due

    takeover.hand_back(stage.session, case.conversation, butler, source="done", now=due)
    callbacks.send_due(stage.session, now=waiting.due_at)
    assert call_back_of(stage, case).state is FollowUpState.SENT


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda case: setattr(case, "state", CaseState.REOPENED), "the case is no longer finished"),
        (lambda case: setattr(case, "resolution", 2), "the case is no longer finished"),
        (lambda case: setattr(case.resident, "unreachable_since", NOON), "the resident cannot be reached"),
    ],
)
def test_everything_is_checked_again_at_send_time_and_a_no_says_why(stage, change, reason):
    case = finish(stage)
    change(case)

    callbacks.send_due(stage.session, now=call_back_of(stage, case).due_at)

    assert (call_back_of(stage, case).state, call_back_of(stage, case).reason) == (FollowUpState.CANCELLED, reason)
    assert stage.outbox("call_back") == []


def test_a_sweep_takes_a_batch_and_says_whether_there_is_more(stage):
    for _ in range(3):
        finish(stage)
    later = NOON + 2 * DAY

    assert [callbacks.send_due(stage.session, now=later, limit=2) for _ in range(3)] == [2, 1, 0]


# --- What the resident answers --------------------------------------------------------------------------------------


def test_a_yes_asks_for_stars_once_also_when_tapped_twice(stage):
    call_back = asked(stage)

    answer(stage, call_back, held=True, key="tap:1")
    answer(stage, call_back, held=True, key="tap:2")

    [row] = stage.outbox("survey")
    assert (row.delivery, len(row.payload["buttons"])) == (Delivery.AT_MOST_ONCE, 5)
    assert call_back.outcome is Outcome.HELD


def test_a_no_reopens_the_same_case_more_urgently_and_plans_a_second_call_back(stage):
    """W4: residents hate to explain twice."""
    call_back = asked(stage)
    case = call_back.case

    answer(stage, call_back, held=False)

    assert (case.state, case.urgency) == (CaseState.REOPENED, 1)
    assert cases.count(stage.session, case.conversation) == 1
    assert stage.lines_to(case.conversation)[-1].startswith("非常抱歉")
    finish(stage, case, now=NOON + 2 * DAY)
    second = call_back_of(stage, case)
    assert (second.id != call_back.id, second.resolution, second.state) == (True, 2, FollowUpState.PLANNED)
    callbacks.send_due(stage.session, now=second.due_at)
    assert len(stage.outbox("call_back")) == 2


def test_a_no_tapped_twice_reopens_once(stage):
    call_back = asked(stage)

    answer(stage, call_back, held=False, key="tap:1")
    answer(stage, call_back, held=False, key="tap:2")

    log = [event.event for event in cases.events(stage.session, call_back.case)]
    assert log.count("reopened") == 1


def test_the_other_button_has_expired_after_an_answer(stage):
    call_back = asked(stage)
    answer(stage, call_back, held=True)

    with pytest.raises(CallBackNotOpen):
        answer(stage, call_back, held=False)


def test_the_button_of_an_earlier_resolution_has_expired(stage):
    """A stale tap must not reopen what was mended meanwhile."""
    first = asked(stage)
    answer(stage, first, held=False)
    second = asked(stage, first.case, now=NOON + 2 * DAY)

    with pytest.raises(CallBackNotOpen):
        answer(stage, first, held=True)
    assert second.state is FollowUpState.SENT


def test_a_call_back_that_was_not_sent_cannot_be_answered(stage):
    planned = call_back_of(stage, finish(stage))

    with pytest.raises(CallBackNotOpen):
        answer(stage, planned, held=True)


def test_nobody_answers_another_residents_call_back(stage):
    """N12: the same answer as for one that does not exist."""
    call_back = asked(stage)
    stranger = stage.resident()

    for number in (call_back.id, 10**12):
        with pytest.raises(CallBackNotOpen):
            callbacks.answer(stage.session, stranger, number, outcome=Outcome.NOT_HELD, key="tap", now=NOON)
    assert call_back.case.state is CaseState.FINISHED


def test_saying_it_is_not_fixed_before_being_asked_cancels_the_call_back(stage):
    case = finish(stage)

    callbacks.reopen(stage.session, case, key="turn:1", now=NOON)

    assert call_back_of(stage, case).state is FollowUpState.CANCELLED


def test_what_is_still_being_worked_on_cannot_be_reopened(stage):
    with pytest.raises(EventNotAllowed):
        callbacks.reopen(stage.session, stage.case(), key="turn:1", now=NOON)


# --- Stars ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stars", [3, 4, 5])
def test_good_stars_close_the_case_with_the_farewell(stage, stars):
    """N4, word for word."""
    case = rated(stage, stars)

    assert case.state is CaseState.CLOSED
    assert "您慢走，我们会尽快解决您的问题的" in "\n".join(sent_to_residents(stage))
    assert survey_of(stage, case).stars == stars
    assert case.conversation.owner is Owner.BOT


@pytest.mark.parametrize("stars", [1, 2])
def test_low_stars_bring_a_person_and_the_resident_hears_it(stage, stars):
    """A person looks at the case; the resident's answer must survive the change of owner that it causes."""
    case = rated(stage, stars)

    assert case.conversation.owner is Owner.WAITING
    assert "谢谢您坦诚的评价" in "\n".join(sent_to_residents(stage))
    assert any(f"{stars} 星" in row.payload["text"] for row in stage.outbox("note"))
    assert len(stage.outbox("card")) >= 1


def test_the_same_stars_twice_count_once(stage):
    case = rated(stage, 5)
    survey = survey_of(stage, case)
    said = len(stage.lines_to(case.conversation))

    surveys.rate(stage.session, case.conversation, survey.id, stars=5, key="again", now=NOON)

    assert len(stage.lines_to(case.conversation)) == said
    assert survey.stars == 5


@pytest.mark.parametrize("stars", [0, 6, -1])
def test_there_are_one_to_five_stars(stage, stars):
    call_back = asked(stage)
    answer(stage, call_back, held=True)
    survey = survey_of(stage, call_back.case)

    with pytest.raises(SurveyNotOpen):
        surveys.rate(stage.session, call_back.case.conversation, survey.id, stars=stars, key="rate", now=NOON)


def test_nobody_rates_another_residents_case(stage):
    call_back = asked(stage)
    answer(stage, call_back, held=True)
    survey = survey_of(stage, call_back.case)

    with pytest.raises(SurveyNotOpen):
        surveys.rate(stage.session, stage.resident(), survey.id, stars=1, key="rate", now=NOON)


def test_reopening_takes_an_unanswered_survey_back(stage):
    """Its stars would be for a fix that did not hold."""
    call_back = asked(stage)
    answer(stage, call_back, held=True)
    survey = survey_of(stage, call_back.case)

    callbacks.reopen(stage.session, call_back.case, key="turn:9", now=NOON)

    assert survey.state is FollowUpState.CANCELLED
    with pytest.raises(SurveyNotOpen):
        surveys.rate(stage.session, call_back.case.conversation, survey.id, stars=5, key="rate", now=NOON)


def test_every_resolution_has_a_survey_of_its_own(stage):
    case = rated(stage, 5)
    callbacks.reopen(stage.session, case, key="turn:9", now=NOON)

    later = NOON + 20 * DAY
    answer(stage, asked(stage, case, now=later), held=True, key="second", now=later)

    assert len(stage.outbox("survey")) == 2


def sender_was_down(stage: Stage, kind: str) -> OutboxRow:
    """A question has been written, and for two hours nobody has sent it."""
    [row] = stage.outbox(kind)
    row.not_before -= 2 * HOUR
    sent_to_residents(stage)
    stage.session.refresh(row)
    return row


def test_a_question_that_waited_too_long_for_a_sender_is_asked_anew_at_a_good_hour(stage):
    """Its hour was checked when it was written; after a long stop that may have been yesterday afternoon."""
    call_back = asked(stage)
    row = sender_was_down(stage, "call_back")
    assert (row.state, row.reason) == ("held", outbox.TOO_OLD)

    at_night = NOON + 34 * HOUR
    after_talks.take_up(stage.session, now=at_night)
    callbacks.send_due(stage.session, now=at_night)
    again = call_back_of(stage, call_back.case)

    assert (again.state, again.reason) == ("planned", "quiet hours")
    callbacks.send_due(stage.session, now=again.due_at)
    assert sent_to_residents(stage).count(row.payload["text"]) == 1


def test_a_question_that_is_asked_anew_gives_back_its_own_place_and_no_others(stage):
    """Yesterday's question comes up again on a day on which the resident was asked about something else."""
    yesterdays = asked(stage)
    sender_was_down(stage, "call_back")
    earlier_than_its_reminder = yesterdays.due_at - 2 * HOUR
    todays = asked(stage, stage.case(yesterdays.case.conversation), now=earlier_than_its_reminder - DAY)
    assert todays.state is FollowUpState.SENT

    after_talks.take_up(stage.session, now=earlier_than_its_reminder)
    callbacks.send_due(stage.session, now=earlier_than_its_reminder)

    again = call_back_of(stage, yesterdays.case)
    assert (again.state, again.reason) == ("planned", "enough unasked-for messages today")


def test_a_reminder_that_waited_too_long_is_looked_at_again(stage):
    """As every question is; by then a butler may call instead."""
    call_back = asked(stage)
    sent_to_residents(stage)
    callbacks.send_due(stage.session, now=call_back.due_at)

    row = sender_was_down(stage, "reminder")

    assert (row.state, row.reason) == ("held", outbox.TOO_OLD)


def test_what_staff_send_again_is_not_too_old(stage):
    """A person has decided."""
    asked(stage)
    [row] = stage.outbox("call_back")
    row.state, row.not_before = OutboxState.UNCONFIRMED, row.not_before - 2 * HOUR

    delivery.decide(stage.session, stage.community.id, row.id, arrived=False, now=NOON)

    assert row.payload["text"] in sent_to_residents(stage)
