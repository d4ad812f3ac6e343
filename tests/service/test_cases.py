"""Cases: opened once, stepped through a table, every step an event."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import callbacks, cases, texts, work
from service.errors import CaseNotFound, EventNotAllowed
from service.models.cases import CaseState
from tests.stage import NOON


def test_every_step_has_words():
    """Who reads a transcript reads what was done, too."""
    assert [event for event in cases.Event if not texts.exists(f"utter_word_step_{event}")] == []


def test_opening_a_case_twice_from_the_same_turn_gives_the_same_case(stage):
    """Rasa and the worker may both repeat a turn after a crash."""
    talk = stage.resident()
    facts = cases.Facts(kind="repair", matter="厨房水管漏水")

    first = cases.open_case(stage.session, talk, facts, source="turn:1", now=NOON)
    second = cases.open_case(stage.session, talk, facts, source="turn:1", now=NOON)

    assert first is second
    assert len(stage.outbox("work_order")) == 1


def test_a_case_number_can_be_read_out_and_counts_per_month(stage):
    first, second = stage.case(), stage.case()

    assert (first.number, second.number) == ("R2611-0001", "R2611-0002")


def test_a_leak_goes_to_engineering_and_a_question_to_the_service_desk(stage):
    leak = stage.case(matter="厨房水管漏水")
    question = stage.case(kind="inquiry", matter="物业费怎么交")

    assert (leak.department.key, question.department.key) == ("engineering", "service")


def test_the_work_order_stands_in_the_departments_topic_with_what_is_known(stage):
    case = stage.case(phone="13800138000")

    order = stage.outbox("work_order")[0]
    assert order.topic_id == case.department.topic_id
    for fact in (case.number, "厨房水管漏水", "3栋2单元1201", "13800138000"):
        assert fact in order.payload["text"]
    steps = {b["data"].rpartition(":")[2] for b in order.payload["buttons"]}
    assert steps >= {"accept", "depart", "done", "hand_on", "ask"}, "W2 names them"


def test_when_a_visit_is_wanted_is_kept_in_words_and_as_an_interval(stage):
    """The words are what was said; the interval is what can be sorted and reminded of."""
    begins, ends = NOON + timedelta(days=1), NOON + timedelta(days=1, hours=4)

    case = stage.case(wanted_at="明天下午", wanted_from=begins, wanted_until=ends)
    stage.session.expire(case)

    assert (case.wanted_at, case.wanted_from, case.wanted_until) == ("明天下午", begins, ends)
    assert "时间：明天下午（11月24日 周二 12:00–16:00）" in stage.outbox("work_order")[0].payload["text"]


def test_what_was_told_is_remembered_and_not_asked_again(stage):
    talk = stage.resident()

    stage.case(talk, phone="13800138000")

    assert (talk.resident.phone, talk.resident.place) == ("13800138000", "3栋2单元1201室")


@pytest.mark.parametrize("state", list(CaseState))
@pytest.mark.parametrize("event", list(cases.Event))
def test_every_step_outside_the_table_is_refused_and_changes_nothing(stage, state, event):
    case = stage.case()
    case.state = state
    target = cases.STEPS.get((state, event))

    if target is None:
        with pytest.raises(EventNotAllowed):
            cases.advance(stage.session, case, event, actor="bot", key="k", now=NOON)
        assert case.state is state
    else:
        assert cases.advance(stage.session, case, event, actor="bot", key="k", now=NOON)
        assert case.state is target


def test_the_same_tap_twice_is_one_event(stage):
    case = stage.case()

    first = cases.advance(stage.session, case, cases.Event.ACCEPTED, actor="staff:101", key="tap", now=NOON)
    again = cases.advance(stage.session, case, cases.Event.ACCEPTED, actor="staff:101", key="tap", now=NOON)

    assert (first, again) == (True, False)
    assert [event.event for event in cases.events(stage.session, case)] == ["opened", "accepted"]


def test_another_residents_case_number_is_not_found(stage):
    """N12: the answer is the same as for a case that does not exist."""
    theirs = stage.case()
    stranger = stage.resident()

    with pytest.raises(CaseNotFound):
        cases.access_case(stage.session, stranger, theirs.id)
    with pytest.raises(CaseNotFound):
        cases.access_case(stage.session, stranger, 10**12)


def test_each_step_of_the_worker_is_told_to_the_resident(stage):
    case = stage.case()
    member = stage.member()

    for verb in ("accept", "depart", "done"):
        work.tap(stage.session, member, case.id, verb, key=f"tap:{verb}", now=NOON)

    told = [line for line in stage.lines_to(case.conversation) if case.number in line]
    assert len(told) == 3
    assert case.state is CaseState.FINISHED


def test_card_edits_that_have_not_gone_out_are_overtaken(stage):
    """The group's budget is 18 messages a minute; only the newest state matters."""
    case = stage.case()
    member = stage.member()

    for verb in ("accept", "depart", "done"):
        work.tap(stage.session, member, case.id, verb, key=f"tap:{verb}", now=NOON)

    stage.session.expire_all()
    assert [row.state for row in stage.outbox("card")] == ["dropped", "dropped", "pending"]


def test_handing_on_sends_the_work_order_to_the_other_department(stage):
    case = stage.case()

    work.tap(stage.session, stage.member(), case.id, "to_cleaning", key="tap", now=NOON)

    assert case.department.key == "cleaning"
    assert stage.outbox("work_order")[-1].topic_id == case.department.topic_id


def test_what_the_resident_answers_to_a_question_reaches_the_department(stage):
    case = stage.case()
    work.tap(stage.session, stage.member(), case.id, "ask", key="tap", now=NOON)

    work.give_info(stage.session, case, "蓝色的门", key="turn:9", now=NOON)

    assert case.state is CaseState.ACCEPTED
    assert case.conversation.awaiting_case_id is None
    assert any("蓝色的门" in row.payload["text"] for row in stage.outbox("note"))


def test_reopening_keeps_the_case_makes_it_urgent_and_sends_it_out_again(stage):
    """Residents hate to explain twice; a second case would lose the history."""
    case = stage.case(state="finished")

    callbacks.reopen(stage.session, case, key="turn:7", now=NOON)

    assert (case.state, case.urgency) == (CaseState.REOPENED, 1)
    assert cases.count(stage.session, case.conversation) == 1
    assert len(stage.outbox("work_order")) == 2


def test_what_is_broken_and_has_no_category_still_goes_to_engineering(stage):
    assert stage.case(matter="那个东西坏了转不动").department.key == "engineering"


def test_a_step_that_is_behind_the_case_has_no_button(stage):
    case = stage.case()

    work.tap(stage.session, stage.member(), case.id, "depart", key="tap", now=NOON)

    left = {button["data"].rpartition(":")[2] for button in stage.outbox("card")[-1].payload["buttons"]}
    assert left == {"arrive", "nobody_home", "done", "visit", "pause", "ask", "progress", "hand_on", "wrong_kind"}


def test_a_new_work_order_takes_the_buttons_off_the_earlier_one(stage):
    """Two cards with buttons for one case: somebody would tap the wrong one."""
    case = stage.case(state="finished")
    first = case.work_order_id

    callbacks.reopen(stage.session, case, key="turn:7", now=NOON)

    last_edit = [row for row in stage.outbox("card") if row.edits_id == first][-1]
    assert "buttons" not in last_edit.payload
    assert case.work_order_id != first
