"""What a takeover holds back: nothing of the bot's is in flight when it commits, and what matters is said later."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, text

from service import (
    after_talks,
    budget,
    callbacks,
    cases,
    conversations,
    delivery,
    held,
    outbox,
    sending,
    surveys,
    takeover,
    work,
)
from service.held import LineInFlight
from service.models.cases import Case
from service.models.follow_ups import CallBack, FollowUpState
from service.models.people import Staff
from service.models.queues import Delivery, OutboxRow, OutboxState
from service.models.talks import Conversation, Owner
from service.sending import Parcel
from service.texts import Line
from tests.stage import BOT_ID, NOON, PLENTY, Stage, sent_to_residents

ALIVE, DEAD = 71, 72  # numbers of senders


@pytest.fixture
def alive(engine: Engine) -> Iterator[Connection]:
    """A sender that lives: its number is locked on a connection of its own."""
    with engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": ALIVE})
        yield connection
        connection.execute(text("SELECT pg_advisory_unlock_all()"))


def take(stage: Stage, *, sender: int) -> list[Parcel]:
    stage.session.flush()
    return sending.take(stage.session, BOT_ID, sender=sender, limit=50, rates=PLENTY)


def killed(stage: Stage, *, seconds_ago: float = 5) -> None:
    """A sender takes what is there and is killed in the middle of its calls."""
    take(stage, sender=DEAD)
    ago = "UPDATE outbox SET sending_at = sending_at - make_interval(secs => :seconds) WHERE state = 'sending'"
    stage.session.execute(text(ago), {"seconds": seconds_ago})


def state(stage: Stage, row_id: int | None) -> tuple[OutboxState, str | None]:
    row = stage.session.get_one(OutboxRow, row_id, populate_existing=True)
    return row.state, row.reason


def say(stage: Stage, talk: Conversation, words: str, **facts: Any) -> int:
    row_id = conversations.tell(stage.session, talk, Line(words), key=f"k:{words}", now=NOON, **facts)
    assert row_id is not None
    return row_id


def claim(stage: Stage, talk: Conversation, member: Staff) -> bool:
    return takeover.claim(stage.session, talk, member, source="turn:claim", now=NOON)


# --- A line on its way ----------------------------------------------------------------------------------------------


def test_a_claim_waits_for_the_line_that_is_being_sent(stage, alive):
    """Nothing can call it back; a takeover that committed now would be followed by a line of the bot's."""
    talk, butler = stage.resident(), stage.member()
    say(stage, talk, "正在发出")
    [parcel] = take(stage, sender=ALIVE)

    with pytest.raises(LineInFlight):
        claim(stage, talk, butler)
    assert talk.owner is Owner.BOT

    sending.sent(stage.session, parcel, message_id=1)
    assert claim(stage, talk, butler)


def test_while_a_claim_waits_no_other_line_is_begun(stage, alive):
    """A talkative bot would otherwise keep the butler waiting, a line after the other."""
    talk = stage.resident()
    say(stage, talk, "第一句")
    say(stage, talk, "第二句")
    [first] = take(stage, sender=ALIVE)

    held.hold(stage.session, talk.id)
    sending.sent(stage.session, first, message_id=1)

    assert take(stage, sender=ALIVE) == []
    assert 0 < (sending.seconds_to_next(stage.session, BOT_ID, PLENTY) or 0) <= held.HOLD, "and nobody spins meanwhile"


def test_a_claim_that_never_comes_again_silences_nobody_for_long(stage):
    talk = stage.resident()
    say(stage, talk, "您好")
    held.hold(stage.session, talk.id)

    stage.session.execute(text("UPDATE conversations SET held_until = clock_timestamp() - interval '1 second'"))

    assert [parcel.payload["text"] for parcel in take(stage, sender=DEAD)] == ["您好"]


def test_a_line_whose_sender_was_killed_holds_up_no_claim_and_is_not_sent_again(stage):
    """It may have arrived before; after the takeover it must not."""
    talk, butler = stage.resident(), stage.member()
    row = say(stage, talk, "也许到了")
    killed(stage)

    assert claim(stage, talk, butler)

    assert state(stage, row) == (OutboxState.DROPPED, outbox.TAKEN_OVER)
    assert not any("也许到了" in line for line in sent_to_residents(stage))


def test_what_a_killed_sender_has_just_said_may_still_arrive_and_is_waited_for(stage):
    """Its last request is on the wire although the process is gone."""
    talk, butler = stage.resident(), stage.member()
    say(stage, talk, "还在路上")
    killed(stage, seconds_ago=0)

    with pytest.raises(LineInFlight):
        claim(stage, talk, butler)


def test_a_follow_up_whose_sender_was_killed_is_for_staff_to_decide(stage):
    """At most once by itself, also across a takeover."""
    talk, butler = stage.resident(), stage.member()
    row = say(stage, talk, "还满意吗", kind="survey", delivery=Delivery.AT_MOST_ONCE)
    killed(stage)

    claim(stage, talk, butler)

    assert state(stage, row)[0] is OutboxState.UNCONFIRMED


def survey(stage: Stage, talk: Conversation) -> int:
    case = stage.case(talk, state="finished")
    surveys.ask(stage.session, case, now=NOON)
    return stage.outbox("survey")[-1].id


def test_send_it_again_while_a_butler_talks_means_after_the_hand_back(stage):
    """Staff tap 「再发一次」 on a question that nobody can vouch for."""
    talk, butler = stage.resident(), stage.member()
    row = survey(stage, talk)
    killed(stage)
    claim(stage, talk, butler)

    delivery.decide(stage.session, stage.community.id, row, arrived=False, now=NOON)

    assert state(stage, row)[0] is OutboxState.HELD


def test_send_it_again_after_a_hand_back_is_not_taken_for_an_old_line(stage):
    talk, butler = stage.resident(), stage.member()
    row = survey(stage, talk)
    killed(stage)
    claim(stage, talk, butler)
    takeover.hand_back(stage.session, talk, butler, source="turn:done", now=NOON)

    delivery.decide(stage.session, stage.community.id, row, arrived=False, now=NOON)

    assert any("打个分" in line for line in sent_to_residents(stage))


# --- What waits for the hand-back -----------------------------------------------------------------------------------


def finish(stage: Stage, talk: Conversation, verb: str = "done") -> Case:
    case = stage.case(talk)
    work.tap(stage.session, stage.member(), case.id, verb, key=f"tap:{verb}", now=NOON)
    return case


def back(stage: Stage, talk: Conversation, butler: Staff) -> None:
    takeover.hand_back(stage.session, talk, butler, source="turn:done", now=NOON)
    after_talks.take_up(stage.session, now=NOON)


def test_what_the_bot_was_about_to_say_is_shown_to_the_butler(stage):
    """The number of a case that was just opened, for instance: nothing is lost, but nobody talks over the butler."""
    talk, butler = stage.resident(), stage.member()
    say(stage, talk, "已登记，工单号 R2611-0001")

    claim(stage, talk, butler)

    assert "R2611-0001" in stage.outbox("note")[-1].payload["text"]


@pytest.mark.parametrize("when", ["before the takeover", "while the butler talks"])
def test_a_step_of_the_work_is_told_after_the_hand_back(stage, when):
    talk, butler = stage.resident(), stage.member()
    if when == "before the takeover":
        finish(stage, talk, "depart")
        claim(stage, talk, butler)
    else:
        claim(stage, talk, butler)
        finish(stage, talk, "depart")
    [row] = stage.outbox("progress")
    assert not any("出发" in line for line in sent_to_residents(stage))
    assert state(stage, row.id)[0] is OutboxState.HELD

    back(stage, talk, butler)

    assert state(stage, row.id) == (OutboxState.PENDING, after_talks.SAID)
    assert any("出发" in line for line in sent_to_residents(stage))


def test_of_several_steps_only_the_last_is_told_after_the_hand_back(stage):
    """「已出发」 after 「已完成」 would be wrong."""
    talk, butler = stage.resident(), stage.member()
    claim(stage, talk, butler)
    case = finish(stage, talk, "depart")
    work.tap(stage.session, stage.member(), case.id, "done", key="tap:later", now=NOON)

    back(stage, talk, butler)

    first, last = stage.outbox("progress")
    assert state(stage, first.id) == (OutboxState.DROPPED, "a later step overtook it")
    assert state(stage, last.id)[0] is OutboxState.PENDING


def test_a_step_of_a_case_that_is_over_is_not_told_any_more(stage):
    talk, butler = stage.resident(), stage.member()
    claim(stage, talk, butler)
    case = finish(stage, talk)
    case.state = cases.OVER[0]

    back(stage, talk, butler)

    assert state(stage, stage.outbox("progress")[0].id) == (OutboxState.DROPPED, "the case is over")


def asked(stage: Stage, talk: Conversation) -> CallBack:
    case = finish(stage, talk)
    call_back = stage.session.query(CallBack).filter_by(case_id=case.id).one()
    callbacks.send_due(stage.session, now=call_back.due_at)
    return call_back


def test_a_call_back_that_the_takeover_overtook_is_planned_again_with_its_reason(stage):
    talk, butler = stage.resident(), stage.member()
    call_back = asked(stage, talk)
    claim(stage, talk, butler)
    old = call_back.outbox_id

    back(stage, talk, butler)

    assert (call_back.state, call_back.reason) == (FollowUpState.PLANNED, "a butler talked")
    assert state(stage, old) == (OutboxState.DROPPED, "planned again after the butler handed back")
    assert callbacks.send_due(stage.session, now=call_back.due_at) == 1
    assert call_back.outbox_id not in {old, None}
    assert any("已经处理完毕" in line or "回访" in line or "解决" in line for line in sent_to_residents(stage))


def test_a_call_back_of_a_case_that_was_reopened_meanwhile_is_not(stage):
    talk, butler = stage.resident(), stage.member()
    call_back = asked(stage, talk)
    claim(stage, talk, butler)
    callbacks.reopen(stage.session, call_back.case, key="again", now=NOON)

    back(stage, talk, butler)

    assert call_back.state is FollowUpState.CANCELLED


def test_a_reminder_that_the_takeover_overtook_is_planned_again_too(stage):
    """Otherwise a butler would have to call somebody who was reminded of nothing."""
    talk, butler = stage.resident(), stage.member()
    call_back = asked(stage, talk)
    sent_to_residents(stage)
    callbacks.send_due(stage.session, now=call_back.due_at)
    claim(stage, talk, butler)

    back(stage, talk, butler)

    assert (call_back.state, call_back.reminded_at, call_back.reason) == (FollowUpState.SENT, None, "a butler talked")
    callbacks.send_due(stage.session, now=NOON + timedelta(days=3))
    assert [row.state for row in stage.outbox("reminder")] == [OutboxState.DROPPED, OutboxState.PENDING]


def test_whatever_is_held_has_an_answer_after_the_hand_back():
    assert set(after_talks._WHY_NOT) == set(outbox.SAID_LATER)


def held_survey(stage: Stage) -> tuple[Conversation, Staff, Case]:
    """One that was to be asked while a butler talks."""
    talk, butler = stage.resident(), stage.member()
    case = stage.case(talk, state="finished")
    claim(stage, talk, butler)
    surveys.ask(stage.session, case, now=NOON)
    return talk, butler, case


def test_a_survey_is_asked_after_the_hand_back(stage):
    talk, butler, _ = held_survey(stage)
    assert not any("打个分" in line for line in sent_to_residents(stage))

    back(stage, talk, butler)

    assert any("打个分" in line for line in sent_to_residents(stage))


def test_the_fortnight_counts_from_when_a_held_survey_went_out(stage):
    """They were asked when they could read it, not when it was thought of."""
    talk, butler, _ = held_survey(stage)
    later, fortnight = NOON + timedelta(hours=8), timedelta(days=14)
    takeover.hand_back(stage.session, talk, butler, source="turn:done", now=later)
    after_talks.take_up(stage.session, now=later)

    assert budget.why_not(stage.session, talk.resident, budget.SURVEY, now=NOON + fortnight) is not None
    assert budget.why_not(stage.session, talk.resident, budget.SURVEY, now=later + fortnight) is None


def test_a_survey_that_never_went_out_has_cost_nothing(stage):
    talk, butler, case = held_survey(stage)
    surveys.withdraw(stage.session, case, reason="the case was reopened")

    back(stage, talk, butler)

    assert budget.why_not(stage.session, talk.resident, budget.SURVEY, now=NOON) is None


def test_a_survey_that_was_withdrawn_meanwhile_is_not(stage):
    talk, butler, case = held_survey(stage)
    surveys.withdraw(stage.session, case, reason="the case was reopened")

    back(stage, talk, butler)

    assert state(stage, stage.outbox("survey")[0].id) == (OutboxState.DROPPED, "the survey was withdrawn")


def test_what_is_held_stays_held_while_the_butler_talks_on(stage):
    talk, butler = stage.resident(), stage.member()
    claim(stage, talk, butler)
    finish(stage, talk)

    assert after_talks.take_up(stage.session, now=NOON) == 0
    assert state(stage, stage.outbox("progress")[0].id)[0] is OutboxState.HELD


def test_what_is_held_for_somebody_out_of_reach_is_dropped_with_its_reason(stage):
    talk, butler = stage.resident(), stage.member()
    claim(stage, talk, butler)
    finish(stage, talk)
    talk.resident.unreachable_since = NOON

    back(stage, talk, butler)

    assert state(stage, stage.outbox("progress")[0].id) == (OutboxState.DROPPED, "the resident cannot be reached")
