"""Appointments: a window by a tap or by words, moved by either side, told to both, and given to one of two."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Select, select, text
from sqlalchemy.dialects.postgresql import psycopg

from service import (
    after_talks,
    appointments,
    bookings,
    calendar_file,
    calendars,
    cases,
    clocks,
    proposals,
    takeover,
    work,
)
from service.db import Sessions
from service.errors import ButtonExpired, CaseNotFound, EventNotAllowed, NoVisitWanted, VisitChanged
from service.models.cases import Appointment, Case, CaseClock, CaseState, VisitState
from service.models.communities import Department
from service.models.queues import OutboxRow
from service.models.talks import Conversation
from service.when import When
from tests.stage import NOON, Stage

HOUR = timedelta(hours=1)
TWO_PM = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # tomorrow, 14:00 in Shanghai: the desk's hours are 8 to 20
TOMORROW_AT_THREE = {"wanted_at": "明天下午三点", "wanted_from": TWO_PM + HOUR, "wanted_until": TWO_PM + HOUR}


def minute(moment: datetime) -> str:
    return str(int(moment.timestamp()) // 60)


def live(stage: Stage, case: Case) -> Appointment | None:
    stage.session.flush()
    return bookings.live(stage.session, case)


def had(stage: Stage, case: Case) -> Appointment:
    """The appointment that holds."""
    made = live(stage, case)
    assert made is not None
    return made


def choose(stage: Stage, case: Case, moment: datetime = TWO_PM, *, key: str = "tap", now: datetime = NOON) -> None:
    appointments.choose(stage.session, case.conversation, case.id, minute(moment), key=key, now=now)


def proposed(stage: Stage, case: Case, moment: datetime = TWO_PM, *, key: str = "propose") -> Appointment:
    proposals.propose(stage.session, stage.member(), case.id, minute(moment), key=key, now=NOON)
    return had(stage, case)


def last(stage: Stage, case: Case) -> OutboxRow:
    """What the resident reads last."""
    return [row for row in stage.outbox() if row.chat_id == case.resident.chat_id][-1]


def buttons(row: OutboxRow) -> list[str]:
    return [button["data"] for button in row.payload.get("buttons", ())]


def notes(stage: Stage) -> list[str]:
    return [str(row.payload["text"]) for row in stage.outbox("note")]


def log(stage: Stage, case: Case) -> list[str]:
    return [event.event for event in cases.events(stage.session, case)]


def only_place(stage: Stage, case: Case, places: int = 1) -> None:
    stage.session.get_one(Department, case.department_id).visit_places = places


# --- When the case is opened ----------------------------------------------------------------------------------------


def test_who_named_no_time_is_offered_the_next_windows(stage):
    case = stage.case()

    line = appointments.after_opening(stage.session, case, key="turn:1", now=NOON)

    assert line is not None
    assert [button.title for button in line.buttons][:2] == ["11月23日 周一 14:00–16:00", "11月23日 周一 16:00–18:00"]
    assert line.buttons[-1].data.startswith(f"a:{case.id}:after_")
    assert live(stage, case) is None, "an offer is no appointment"


def test_a_time_in_words_picks_the_window_and_both_read_it(stage):
    case = stage.case(**TOMORROW_AT_THREE)

    for _ in range(2):  # a turn that is handled again
        line = appointments.after_opening(stage.session, case, key="turn:1", now=NOON)

    made = had(stage, case)
    assert (made.state, made.begins_at, made.ends_at) == (VisitState.AGREED, TWO_PM, TWO_PM + 2 * HOUR)
    assert line is not None
    assert [button.data for button in line.buttons] == [f"v:{made.id}:move", f"v:{made.id}:drop"]
    expected = clocks.expected(stage.session, case, now=NOON, language="zh")
    assert expected == "约好 11月24日 周二 14:00–16:00 上门。", "not a promise beside the appointment"
    assert "预约：11月24日 周二 14:00–16:00" in stage.outbox("card")[-1].payload["text"]
    assert log(stage, case).count("appointed") == 1


@pytest.mark.parametrize(("hours", "first"), [((20, 24), "24日 周二 08:00"), ((34, 34), "23日 周一 14:00")])
def test_a_wish_that_is_no_single_window_is_asked_about(stage, hours, first):
    """The morning has two windows; at ten at night nobody comes."""
    begins, ends = (NOON + number * HOUR for number in hours)
    case = stage.case(wanted_at="…", wanted_from=begins, wanted_until=ends)

    line = appointments.after_opening(stage.session, case, key="turn:1", now=NOON)

    assert line is not None
    assert first in line.buttons[0].title


@pytest.mark.parametrize(
    "facts", [{"place": "小区大门"}, {"kind": "complaint"}, {"matter": "电梯坏了"}, {"matter": "厨房煤气味很大"}]
)
def test_nothing_is_offered_where_nobody_has_to_be_at_home(stage, facts):
    case = stage.case(**facts)

    assert appointments.after_opening(stage.session, case, key="turn:1", now=NOON) is None


def test_a_calendar_that_never_opens_says_so_to_both(stage):
    """The file would be refused when imported; the settings and later holidays can still leave nothing open."""
    case = stage.case()
    only_place(stage, case, places=0)

    line = appointments.after_opening(stage.session, case, key="turn:1", now=NOON)

    assert line is not None
    assert (line.buttons, "没有可以预约" in line.text) == ((), True)
    assert "没有空的时段" in notes(stage)[-1]


# --- The resident's tap ---------------------------------------------------------------------------------------------


def test_one_tap_makes_the_appointment_and_both_hear_it(stage):
    case = stage.case()

    choose(stage, case)
    choose(stage, case)  # the same update again
    choose(stage, case, key="tapped twice")

    assert last(stage, case).payload["text"].startswith("好的，约好了：11月24日 周二 14:00–16:00")
    assert len([row for row in stage.outbox("visit") if row.chat_id > 0]) == 1
    assert [words for words in notes(stage) if "约好了" in words] == [
        f"📅 {case.number} 业主约好了：11月24日 周二 14:00–16:00。"
    ]
    assert log(stage, case).count("appointed") == 1


def test_windows_that_were_offered_lose_their_buttons_when_one_is_taken(stage):
    """A tap on last week's list would move a visit that is agreed."""
    case = stage.case()
    appointments.take_words(stage.session, case.conversation, "约时间", key="turn:8", now=NOON)
    offered = last(stage, case)
    choose(stage, case, key="first")
    choose(stage, case, TWO_PM + 2 * HOUR, key="second")

    edits = [row for row in stage.outbox() if row.edits_id == offered.id]
    assert [(row.act, buttons(row), row.payload["text"]) for row in edits] == [("edit", [], offered.payload["text"])]


def test_another_window_moves_it(stage):
    case = stage.case()
    choose(stage, case)

    choose(stage, case, TWO_PM + 2 * HOUR, key="other")

    made = had(stage, case)
    assert made.begins_at == TWO_PM + 2 * HOUR
    assert "改约到 11月24日 周二 16:00–18:00" in notes(stage)[-1]
    states = stage.session.scalars(select(Appointment.state).order_by(Appointment.id)).all()
    assert states == [VisitState.MOVED, VisitState.AGREED]


@pytest.mark.parametrize("moment", [NOON - 4 * HOUR, TWO_PM + timedelta(minutes=7), NOON + timedelta(days=99)])
def test_a_window_that_is_past_or_forged_is_answered_with_the_rest(stage, moment):
    case = stage.case()

    choose(stage, case, moment)

    assert live(stage, case) is None
    assert "已经过了" in last(stage, case).payload["text"]
    assert len(buttons(last(stage, case))) == 7


def test_another_zone_makes_windows_on_old_buttons_gone(stage):
    """Windows follow the hours on the door: of half past what the buttons say, nothing is left."""
    case = stage.case()
    stage.community.timezone = "Asia/Kolkata"  # half an hour apart

    choose(stage, case)

    assert live(stage, case) is None
    assert "已经过了" in last(stage, case).payload["text"]


@pytest.mark.parametrize("word", ["", "x", "-5", "after_", "²", "9" * 40])
def test_a_word_that_is_no_window_is_an_expired_button(stage, word):
    case = stage.case()

    with pytest.raises(ButtonExpired):
        appointments.choose(stage.session, case.conversation, case.id, word, key="tap", now=NOON)


def test_later_windows_are_one_tap_away(stage):
    case = stage.case()

    appointments.choose(stage.session, case.conversation, case.id, f"after_{minute(TWO_PM)}", key="tap", now=NOON)

    assert buttons(last(stage, case))[0] == f"a:{case.id}:{minute(TWO_PM + 2 * HOUR)}"


def test_another_residents_case_has_no_windows(stage):
    case = stage.case()

    with pytest.raises(CaseNotFound):
        appointments.choose(stage.session, stage.resident(), case.id, minute(TWO_PM), key="tap", now=NOON)


@pytest.mark.parametrize("step", ["arrive", "done"])
def test_a_tap_after_somebody_has_come_says_where_the_case_stands(stage, step):
    case = stage.case()
    work.tap(stage.session, stage.member(), case.id, step, key="step", now=NOON)

    with pytest.raises(NoVisitWanted) as refused:
        choose(stage, case)

    assert refused.value.facts["number"] == case.number


# --- The last place -------------------------------------------------------------------------------------------------


def test_a_full_window_is_not_offered_and_leaving_it_frees_the_place(stage):
    first, second = stage.case(), stage.case()
    only_place(stage, first)
    choose(stage, first)

    choose(stage, second)
    assert live(stage, second) is None
    assert "刚刚约满" in last(stage, second).payload["text"]
    assert f"a:{second.id}:{minute(TWO_PM)}" not in buttons(last(stage, second))

    choose(stage, first, TWO_PM + 2 * HOUR, key="other")
    choose(stage, second, key="again")
    assert live(stage, second) is not None


def test_another_department_has_places_of_its_own(stage):
    first, second = stage.case(), stage.case(matter="楼道垃圾没人打扫", kind="request_service")
    only_place(stage, first)
    choose(stage, first)

    choose(stage, second)

    assert first.department_id != second.department_id
    assert live(stage, second) is not None


def test_two_residents_tap_the_last_place_at_once_and_one_has_it(sessions: Sessions):
    with sessions.begin() as session:
        stage = Stage(session)
        both = [stage.case() for _ in range(2)]
        only_place(stage, both[0])
        ids = [(case.id, case.conversation_id) for case in both]
    start = Barrier(2)

    def tap(whose: tuple[int, int]) -> None:
        start.wait()
        with sessions.begin() as session:
            talk = session.get_one(Conversation, whose[1], with_for_update={"of": Conversation})
            appointments.choose(session, talk, whose[0], minute(TWO_PM), key="tap", now=NOON)

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(tap, ids))

    with sessions.begin() as session:
        told = [str(row.payload["text"]) for row in Stage(session).outbox("visit")]
        assert len(session.scalars(select(Appointment)).all()) == 1
    assert sorted("约好了" in words for words in told) == [False, True]
    assert any("刚刚约满" in words for words in told)


# --- In words -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "words",
    ["改约", "我想改约", "能不能换个时间上门？", "改个时间吧", "Another time please", "Can we reschedule the visit?"],
)
def test_who_wants_another_time_is_offered_windows(stage, words):
    case = stage.case()
    choose(stage, case)

    assert appointments.take_words(stage.session, case.conversation, words, key="turn:9", now=NOON)

    offer = last(stage, case)
    assert "现在约的是 11月24日 周二 14:00–16:00" in offer.payload["text"]
    assert f"a:{case.id}:{minute(TWO_PM)}" not in buttons(offer), "what they have is no other time"


@pytest.mark.parametrize("words", ["好的", "改约的话师傅会不会生气", "换个水龙头", "明天下午三点", "another leak"])
def test_what_says_something_else_goes_on_to_the_dialogue(stage, words):
    case = stage.case()
    choose(stage, case)

    assert not appointments.take_words(stage.session, case.conversation, words, key="turn:9", now=NOON)


def test_without_a_case_there_is_nothing_to_move(stage):
    assert not appointments.take_words(stage.session, stage.resident(), "改约", key="turn:9", now=NOON)


def test_a_time_in_words_moves_the_appointment(stage):
    case = stage.case()
    choose(stage, case)
    wish = When(TWO_PM + 3 * HOUR, TWO_PM + 3 * HOUR)

    for _ in range(2):  # a turn that is handled again
        line = appointments.by_words(stage.session, case, wish, key="turn:9", now=NOON)

    made = had(stage, case)
    assert made.begins_at == TWO_PM + 2 * HOUR
    assert "16:00–18:00" in line.text
    assert log(stage, case).count("appointed") == 2


def test_a_time_that_is_over_is_not_agreed(stage):
    case = stage.case()

    line = appointments.by_words(stage.session, case, When(NOON - HOUR, NOON - HOUR), key="turn:9", now=NOON)

    assert "已经过了" in line.text
    assert live(stage, case) is None


# --- No visit after all ---------------------------------------------------------------------------------------------


def _by_button(stage: Stage, case: Case) -> None:
    appointments.answer(stage.session, case.conversation, had(stage, case).id, "drop", key="drop", now=NOON)


def _by_words(stage: Stage, case: Case) -> None:
    assert appointments.take_words(stage.session, case.conversation, "师傅先不用来了", key="turn:9", now=NOON)


@pytest.mark.parametrize("how", [_by_button, _by_words])
def test_a_visit_is_cancelled_without_another_and_the_case_goes_on(stage, how):
    """They are away that day and do not know when they are back; the leak is still there."""
    case = stage.case()
    choose(stage, case)
    made = had(stage, case)

    how(stage, case)

    assert (made.state, made.due_at, case.state) == (VisitState.CANCELLED, None, CaseState.OPEN)
    assert arrive_due(stage, case) == NOON + 2 * HOUR, "its clocks wait for no visit any more"
    assert "11月24日 周二 14:00–16:00 的上门取消了" in last(stage, case).payload["text"]
    assert "没有另约时间" in notes(stage)[-1]
    with pytest.raises(VisitChanged):
        appointments.answer(stage.session, case.conversation, made.id, "drop", key="again", now=NOON)


def test_a_visit_that_is_cancelled_on_the_way_turns_the_worker_back(stage):
    case = stage.case()
    choose(stage, case)
    work.tap(stage.session, stage.member(), case.id, "depart", key="go", now=TWO_PM)

    _by_button(stage, case)

    assert case.state is CaseState.ACCEPTED
    assert "请先不要去" in notes(stage)[-1]


@pytest.mark.parametrize("words", ["Please cancel the visit", "No need to come anymore.", "取消上门", "不用来了吧"])
def test_who_has_no_visit_means_something_else(stage, words):
    """Then the dialogue asks what is to be cancelled."""
    case = stage.case()
    assert not appointments.take_words(stage.session, case.conversation, words, key="turn:8", now=NOON)
    choose(stage, case)

    assert appointments.take_words(stage.session, case.conversation, words, key="turn:9", now=NOON)
    assert live(stage, case) is None


# --- The department -------------------------------------------------------------------------------------------------


def test_a_worker_proposes_by_one_tap_and_has_accepted(stage):
    case, worker = stage.case(), stage.member()
    proposals.show(stage.session, worker, case.id, key="windows", now=NOON)
    [*_, windows] = stage.outbox("note")
    assert f"wv:{case.id}:{minute(TWO_PM - 4 * HOUR)}" in buttons(windows)

    for key in ("tap", "tap", "again"):
        proposals.propose(stage.session, worker, case.id, minute(TWO_PM), key=key, now=NOON)

    made = had(stage, case)
    assert (made.state, case.state, case.worker_id) == (VisitState.PROPOSED, CaseState.ACCEPTED, worker.id)
    assert buttons(last(stage, case)) == [f"v:{made.id}:yes", f"v:{made.id}:move", f"v:{made.id}:drop"]
    assert "等业主确认" in stage.outbox("card")[-1].payload["text"]
    assert log(stage, case) == ["opened", "accepted", "appointed"]


@pytest.mark.parametrize("how", ["tap", "words"])
def test_a_yes_to_the_proposal_is_told_to_both(stage, how):
    case = stage.case()
    made = proposed(stage, case)

    if how == "tap":
        appointments.answer(stage.session, case.conversation, made.id, "yes", key="yes", now=NOON)
        appointments.answer(stage.session, case.conversation, made.id, "yes", key="twice", now=NOON)
    else:
        assert appointments.take_words(stage.session, case.conversation, "可以的", key="yes", now=NOON)

    assert made.state is VisitState.AGREED
    assert "业主约好了" in notes(stage)[-1]
    assert "约好了" in last(stage, case).payload["text"]
    assert log(stage, case).count("visit_agreed") == 1


def test_what_staff_propose_for_any_case_can_be_moved(stage):
    """Windows are not offered for a complaint by themselves; somebody may want to have a look all the same."""
    case = stage.case(kind="complaint")
    made = proposed(stage, case)

    appointments.answer(stage.session, case.conversation, made.id, "move", key="move", now=NOON)
    choose(stage, case, TWO_PM + 4 * HOUR)

    assert had(stage, case).begins_at == TWO_PM + 4 * HOUR


def test_staff_move_it_with_an_apology(stage):
    case = stage.case()
    choose(stage, case)

    proposed(stage, case, TWO_PM + 4 * HOUR)

    assert "非常抱歉" in last(stage, case).payload["text"]


def test_a_button_below_an_appointment_that_was_moved_leads_nowhere(stage):
    case = stage.case()
    old = proposed(stage, case)
    proposed(stage, case, TWO_PM + 2 * HOUR, key="moved")

    for word in ("yes", "move", "forged"):
        with pytest.raises(VisitChanged):
            appointments.answer(stage.session, case.conversation, old.id, word, key=word, now=NOON)
    with pytest.raises(VisitChanged):
        appointments.answer(stage.session, stage.resident(), had(stage, case).id, "yes", key="theirs", now=NOON)


def test_a_finished_case_is_not_proposed_for(stage):
    case = stage.case(state="finished")

    with pytest.raises(EventNotAllowed):
        proposals.propose(stage.session, stage.member(), case.id, minute(TWO_PM), key="tap", now=NOON)
    assert live(stage, case) is None


# --- The way there --------------------------------------------------------------------------------------------------


def test_when_somebody_sets_out_the_resident_reads_who_and_when(stage):
    case, worker = stage.case(), stage.member()
    choose(stage, case)

    work.tap(stage.session, worker, case.id, "depart", key="go", now=TWO_PM)

    line = last(stage, case)
    assert f"{worker.number}号员工 14:00 已经出发" in line.payload["text"]
    assert "14:00–16:00" in line.payload["text"]
    assert buttons(line)[0] == f"v:{had(stage, case).id}:move"


def test_a_change_of_mind_on_the_way_turns_the_worker_back(stage):
    case = stage.case()
    choose(stage, case)
    work.tap(stage.session, stage.member(), case.id, "depart", key="go", now=TWO_PM)

    appointments.answer(stage.session, case.conversation, had(stage, case).id, "move", key="move", now=TWO_PM)
    assert "已经在路上" in last(stage, case).payload["text"]
    choose(stage, case, TWO_PM + 24 * HOUR, key="other", now=TWO_PM)

    assert case.state is CaseState.ACCEPTED
    assert "请先不要去" in notes(stage)[-1]
    assert f"w:{case.id}:depart" in buttons(stage.outbox("card")[-1])


def test_nobody_at_home_waits_for_the_resident_and_offers_other_windows(stage):
    case = stage.case()
    choose(stage, case)
    work.tap(stage.session, stage.member(), case.id, "depart", key="go", now=TWO_PM)

    work.tap(stage.session, stage.member(), case.id, "nobody_home", key="none", now=TWO_PM + HOUR)

    assert (case.state, live(stage, case)) == (CaseState.PAUSED, None)
    line = last(stage, case)
    assert "没有人应门" in line.payload["text"]
    assert buttons(line)[0].startswith(f"a:{case.id}:")
    choose(stage, case, TWO_PM + 24 * HOUR, key="other", now=TWO_PM + HOUR)
    assert case.state is CaseState.ACCEPTED, "what was waited for is known"


@pytest.mark.parametrize(("verb", "state"), [("arrive", VisitState.KEPT), ("done", VisitState.KEPT)])
def test_an_appointment_ends_with_the_visit(stage, verb, state):
    case = stage.case()
    choose(stage, case)
    made = had(stage, case)

    work.tap(stage.session, stage.member(), case.id, verb, key="step", now=TWO_PM)

    assert (made.state, made.due_at) == (state, None)


def test_an_appointment_is_off_with_its_case(stage):
    case = stage.case()
    choose(stage, case)
    made = had(stage, case)

    cases.advance(stage.session, case, cases.Event.WITHDRAWN, actor="resident", key="off", now=NOON)

    assert (made.state, made.due_at) == (VisitState.CANCELLED, None)


def test_another_department_cannot_keep_it_and_the_resident_chooses_again(stage):
    case = stage.case()
    choose(stage, case)

    work.tap(stage.session, stage.member(), case.id, "to_service", key="on", now=NOON)

    assert live(stage, case) is None
    assert "原来约的时间取消了" in last(stage, case).payload["text"]


# --- Pauses and clocks ----------------------------------------------------------------------------------------------


def arrive_due(stage: Stage, case: Case) -> datetime | None:
    row = stage.session.get_one(CaseClock, (case.id, "arrive"), populate_existing=True)
    return row.due_at


@pytest.mark.parametrize("paused", [False, True])
def test_the_arrive_clock_begins_with_the_appointment(stage, paused):
    """Two hours for water, from 14:00 tomorrow on; the pause for the appointment ends with it."""
    case = stage.case()
    choose(stage, case)
    if paused:
        work.tap(stage.session, stage.member(), case.id, "pause_appointment", key="pause", now=NOON)
        assert "按约定的时间" in last(stage, case).payload["text"]

    assert arrive_due(stage, case) == TWO_PM + 2 * HOUR
    choose(stage, case, TWO_PM - 4 * HOUR, key="earlier")
    assert arrive_due(stage, case) == TWO_PM - 2 * HOUR, "moved, and the clock with it"


def test_a_pause_for_an_appointment_nobody_has_made_asks_for_one(stage):
    case = stage.case()

    work.tap(stage.session, stage.member(), case.id, "pause_appointment", key="pause", now=NOON)

    assert arrive_due(stage, case) is None
    assert buttons(last(stage, case))[0].startswith(f"a:{case.id}:")
    choose(stage, case)
    assert arrive_due(stage, case) == TWO_PM + 2 * HOUR


# --- A butler talks -------------------------------------------------------------------------------------------------


def test_a_proposal_while_a_butler_talks_is_said_after_the_hand_back(stage):
    case = stage.case()
    butler = stage.take_over(case.conversation)

    proposed(stage, case)
    assert not any("请问您方便吗" in words for words in stage.lines_to(case.conversation))

    takeover.hand_back(stage.session, case.conversation, butler, source="turn:back", now=NOON)
    after_talks.take_up(stage.session, now=NOON)
    assert any("请问您方便吗" in words for words in stage.lines_to(case.conversation))


def test_holidays_that_are_imported_later_leave_what_was_agreed(stage):
    """Somebody was told; whoever closes the day moves the visits, and it is offered to nobody else."""
    case = stage.case()
    choose(stage, case)
    closed = calendar_file.read(b"day,hours,name\n2026-11-24,closed,x\n")
    calendars.take_in(stage.session, stage.community, closed, now=NOON)

    told = [proposals.tell_closed(stage.session, stage.community, now=NOON) for _ in range(2)]

    assert live(stage, case) is not None
    assert told == [[case], [case]]
    assert len([note for note in notes(stage) if "落在休息时间里了" in note]) == 1, "the department reads it once"
    assert all(window.begins.date() != TWO_PM.date() for window in bookings.free(stage.session, case, now=NOON))


@pytest.mark.parametrize("question", [bookings._HOLDS, clocks._AHEAD], ids=["the visit", "what is ahead"])
def test_one_plan_does_for_the_visit_of_every_case(stage, question: Select[Any]):
    """Asked four times in a step: with the states as values no kept plan may use the index, and all are made anew."""
    words = str(question.compile(dialect=psycopg.dialect())).replace("%(case_id)s", "$1")
    stage.session.execute(text("SET LOCAL enable_seqscan = off"))  # so few rows would be read as a whole

    plan = stage.session.connection().exec_driver_sql(f"EXPLAIN (GENERIC_PLAN) {words}").scalars().all()

    assert any("appointments_once" in line for line in plan)


def test_any_time_said_in_the_evening_is_any_of_the_next_windows(stage):
    """「您说的时间暂时约不上」 is no answer to who is always at home."""
    evening = NOON + 9 * HOUR
    case = stage.case()

    line = appointments.by_words(stage.session, case, When(evening, None), key="turn:1", now=evening)

    assert "约不上" not in line.text
    assert line.buttons
