"""Reminders of appointments: on the evening before and an hour before, once, at a good moment; and the window's end."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, time, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import select, text

from service import after_talks, appointments, bookings, budget, outbox, takeover, visit_reminders, work
from service.db import Sessions
from service.models.cases import Appointment, Case, CaseEvent, VisitState, VisitStep
from service.models.queues import Delivery, OutboxRow
from service.models.talks import Owner
from tests.service.test_follow_ups import sender_was_down
from tests.stage import NOON, Stage

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
TWO_PM = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # tomorrow, 14:00 in Shanghai
EVENING = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)  # today, 19:00


def agreed(stage: Stage, begins: datetime = TWO_PM, *, case: Case | None = None, now: datetime = NOON) -> Appointment:
    """An appointment the resident has tapped."""
    asked = case or stage.case()
    minute = str(int(begins.timestamp()) // 60)
    appointments.choose(stage.session, asked.conversation, asked.id, minute, key=f"tap:{minute}", now=now)
    made = bookings.live(stage.session, asked)
    assert made is not None
    return made


def sweep(stage: Stage, now: datetime) -> int:
    stage.session.flush()
    return visit_reminders.send_due(stage.session, now=now)


def reminders(stage: Stage) -> list[str]:
    return [str(row.payload["text"]) for row in stage.outbox("visit_reminder")]


def logged(stage: Stage) -> list[dict[str, Any]]:
    found = select(CaseEvent.data).where(CaseEvent.event == "visit_reminded").order_by(CaseEvent.id)
    return [dict(data or {}) for data in stage.session.scalars(found)]


def test_an_evening_and_an_hour_before_the_resident_is_reminded_once(stage):
    made = agreed(stage)

    assert sweep(stage, EVENING - MINUTE) == 0
    for moment in (EVENING, EVENING, TWO_PM - HOUR - MINUTE, TWO_PM - HOUR, TWO_PM - MINUTE):
        sweep(stage, moment)

    evening, soon = stage.outbox("visit_reminder")
    assert "明天师傅上门" in evening.payload["text"]
    assert "一会儿就要上门" in soon.payload["text"]
    assert (evening.delivery, evening.payload["buttons"][0]["data"]) == (Delivery.AT_MOST_ONCE, f"v:{made.id}:move")
    assert logged(stage) == [{"reminder": "evening"}, {"reminder": "hour"}]


def test_who_books_for_today_is_not_told_about_tomorrow(stage):
    """The evening before is over."""
    made = agreed(stage, TWO_PM - 24 * HOUR)

    assert (made.step, made.due_at) == (VisitStep.HOUR, TWO_PM - 25 * HOUR)


def test_the_community_says_when_the_evening_is(stage):
    stage.community.remind_visits_at = time(20, 30)

    assert agreed(stage).due_at == EVENING + timedelta(minutes=90)


def test_a_reminder_of_ones_own_appointment_is_nothing_unasked_for(stage):
    """Who wants no questions has taken the morning off all the same; and a call-back today is no reason for silence."""
    made = agreed(stage)
    made.case.resident.questions_off_since = NOON
    budget.spend(stage.session, made.case.resident, "call_back", now=NOON)

    sweep(stage, EVENING)

    assert len(reminders(stage)) == 1


def _under_way(stage: Stage, case: Case) -> None:
    work.tap(stage.session, stage.member(), case.id, "depart", key="go", now=NOON)


def _unreachable(_: Stage, case: Case) -> None:
    case.resident.unreachable_since = NOON


def _quiet(stage: Stage, _: Case) -> None:
    stage.community.quiet_from = time(18)


@pytest.mark.parametrize(
    ("circumstance", "reason"),
    [
        (_under_way, "somebody is on the way"),
        (_unreachable, "the resident cannot be reached"),
        (_quiet, "quiet hours"),
    ],
)
def test_a_reminder_that_is_not_sent_has_its_reason_in_the_log(stage, circumstance, reason):
    made = agreed(stage)
    circumstance(stage, made.case)

    sweep(stage, EVENING)

    assert reminders(stage) == []
    assert logged(stage) == [{"reminder": "evening", "not_sent": reason}]
    assert made.step is VisitStep.HOUR


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (TWO_PM - 5 * HOUR, [{"reminder": "evening", "not_sent": "too late"}]),  # "tomorrow" is today by now
        (TWO_PM - 50 * MINUTE, [{"reminder": "evening", "not_sent": "too late"}, {"reminder": "hour"}]),
        (
            TWO_PM + MINUTE,
            [{"reminder": "evening", "not_sent": "too late"}, {"reminder": "hour", "not_sent": "too late"}],
        ),
    ],
)
def test_after_a_downtime_nothing_is_said_that_is_over(stage, moment, told):
    agreed(stage)

    for _ in range(3):
        sweep(stage, moment)

    assert logged(stage) == told


def test_a_reminder_waits_while_a_butler_talks_and_comes_afterwards(stage):
    made = agreed(stage)
    butler = stage.take_over(made.case.conversation)

    sweep(stage, EVENING)
    assert reminders(stage) == []
    assert (made.due_at, made.reason) == (EVENING + visit_reminders.TALK_WAIT, "a butler talks")

    takeover.hand_back(stage.session, made.case.conversation, butler, source="turn:back", now=EVENING)
    sweep(stage, EVENING + visit_reminders.TALK_WAIT)
    assert len(reminders(stage)) == 1


@pytest.mark.parametrize(("later", "said"), [(EVENING + HOUR, True), (TWO_PM - 5 * HOUR, False), (TWO_PM, False)])
def test_a_reminder_that_a_takeover_held_is_said_if_it_still_holds(stage, later, said):
    made = agreed(stage)
    sweep(stage, EVENING)
    butler = stage.take_over(made.case.conversation)
    takeover.hand_back(stage.session, made.case.conversation, butler, source="turn:back", now=later)

    after_talks.take_up(stage.session, now=later)

    [row] = stage.outbox("visit_reminder")
    row = stage.session.get_one(OutboxRow, row.id, populate_existing=True)
    assert (row.state == "pending") is said, row.reason


@pytest.mark.parametrize(("now", "state"), [(EVENING + HOUR, "pending"), (EVENING + 2.5 * HOUR, "dropped")])
def test_a_reminder_that_waited_for_a_sender_is_looked_at_again(stage, now, state):
    """Its hour was checked when it was written: at half past nine people are asleep."""
    agreed(stage)
    sweep(stage, EVENING)
    row = sender_was_down(stage, "visit_reminder")
    assert (row.state, row.reason) == ("held", outbox.TOO_OLD)

    after_talks.take_up(stage.session, now=now)

    assert stage.outbox("visit_reminder")[0].state == state


def test_what_was_moved_is_reminded_of_at_its_new_hour_only(stage):
    first = agreed(stage)
    agreed(stage, TWO_PM + 24 * HOUR, case=first.case)

    sweep(stage, EVENING)
    assert reminders(stage) == []

    sweep(stage, EVENING + 24 * HOUR)
    assert "11月25日" in reminders(stage)[0]


def test_when_nobody_comes_both_hear_it_and_the_resident_chooses_again(stage):
    made = agreed(stage)
    for _ in range(4):
        sweep(stage, TWO_PM + 2 * HOUR)

    assert (made.state, made.due_at) == (VisitState.LAPSED, None)
    assert "还没有人点" in stage.outbox("note")[-1].payload["text"]
    line = stage.outbox("visit")[-1]
    assert "非常抱歉" in line.payload["text"]
    assert line.payload["buttons"][0]["data"].startswith(f"a:{made.case_id}:")


def test_who_is_on_the_way_when_the_window_ends_may_still_arrive(stage):
    made = agreed(stage)
    _under_way(stage, made.case)

    for _ in range(4):
        sweep(stage, TWO_PM + 2 * HOUR)

    assert (made.state, made.due_at) == (VisitState.AGREED, None)
    assert not any("非常抱歉" in str(row.payload["text"]) for row in stage.outbox("visit"))


def test_last_weeks_visit_is_no_news(stage):
    made = agreed(stage)

    for _ in range(4):
        sweep(stage, TWO_PM + timedelta(days=7))

    assert made.state is VisitState.LAPSED
    assert len(stage.outbox("visit")) == 1, "the confirmation"
    assert "还没有人点" in stage.outbox("note")[-1].payload["text"], "the department has to call"


def test_a_clock_that_goes_back_reminds_nobody_twice(stage):
    agreed(stage)
    sweep(stage, EVENING)

    for moment in (NOON, EVENING - HOUR, EVENING):
        sweep(stage, moment)

    assert len(reminders(stage)) == 1


def test_after_another_zone_the_reminder_comes_at_the_same_hour_on_the_wall(stage):
    made = agreed(stage)
    stage.community.timezone = "Asia/Tokyo"

    bookings.plan_anew(stage.session, stage.community)

    assert made.due_at == EVENING - HOUR, "19:00 in Tokyo; the visit itself stays when it was agreed"
    assert made.begins_at == TWO_PM


def test_schedulers_side_by_side_remind_everybody_once(sessions: Sessions):
    with sessions.begin() as session:
        stage = Stage(session)
        for _ in range(2):
            for hour in range(4):
                agreed(stage, TWO_PM + (2 * hour - 4) * HOUR)
    start = Barrier(3)

    def run(_: int) -> None:
        start.wait()
        for _ in range(6):
            with sessions.begin() as session:
                visit_reminders.send_due(session, now=EVENING, limit=3)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(run, range(3)))

    with sessions.begin() as session:
        rows = Stage(session).outbox("visit_reminder")
        assert len(rows) == len({row.chat_id for row in rows}) == 8
        assert all(row.conversation_id for row in rows)


def test_a_sweep_with_nothing_due_reads_an_index(stage):
    agreed(stage)
    stage.session.flush()
    stage.session.execute(text("SET LOCAL enable_seqscan = off"))

    plan = stage.session.scalars(
        text("EXPLAIN SELECT id FROM appointments WHERE due_at <= now() ORDER BY due_at")
    ).all()

    assert "appointments_due" in "\n".join(plan)


def test_waiting_for_a_butler_is_no_moment_either(stage):
    made = agreed(stage)
    made.case.conversation.owner = Owner.WAITING

    sweep(stage, EVENING)

    assert reminders(stage) == []
