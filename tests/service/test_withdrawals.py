"""A case is taken back by its resident: the one they mean, with one yes, and everybody concerned hears it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from service import appointments, bookings, cases, clocks, conversations, proposals, withdrawals, work
from service.cases import Event
from service.errors import ButtonExpired, CaseIsOver, CaseNotFound
from service.models.cases import Appointment, Case, CaseClock, CaseState, VisitState
from service.models.follow_ups import CallBack
from service.models.queues import OutboxRow
from service.models.talks import Conversation
from service.texts import Line
from tests.stage import NOON, Stage

TWO_PM = datetime(2026, 11, 24, 6, 0, tzinfo=UTC)  # tomorrow, 14:00 in Shanghai
LATER = NOON + timedelta(minutes=1)


def call_off(stage: Stage, talk: Conversation, words: str = "取消报修", *, key: str = "wish") -> bool:
    stage.hears(talk, words)
    return withdrawals.call_off(stage.session, talk, words, key=key, now=LATER)


def says(stage: Stage, talk: Conversation, *, yes: bool, key: str = "reply") -> bool:
    stage.hears(talk, "…")
    return withdrawals.settle(stage.session, talk, is_yes=yes, key=key, now=LATER)


@pytest.mark.parametrize(
    ("words", "state"),
    [("是的", "withdrawn"), ("Yes, cancel it", "withdrawn"), ("13800138000", "open"), ("好的，在3栋", "open")],
)
def test_a_plain_yes_beside_a_form_answers_the_question_and_nothing_else_does(stage, words, state):
    """The form asks for an address meanwhile, to which a yes is no answer."""
    talk = stage.resident()
    case = stage.case(talk)
    call_off(stage, talk)
    line = Line("请问在哪里？")
    conversations.tell(stage.session, talk, line, now=LATER, key="form")
    stage.hears(talk, words)

    withdrawals.take_words(stage.session, talk, words, key="reply", now=LATER)

    assert str(case.state) == state


@pytest.mark.parametrize(
    ("words", "means"),
    [("推拉门那个不用修了", True), ("cancel R2611-0001", True), ("不用修了，谢谢", False), ("空调那个不用修了", False)],
)
def test_a_case_is_meant_by_its_number_or_by_what_it_is_about(stage, words, means):
    """In the middle of a form about an air conditioner."""
    talk = stage.resident()
    stage.case(talk, matter="阳台的推拉门卡住了")

    assert withdrawals.means_a_case(stage.session, talk, words, beside="主卧的空调不制冷") is means


def test_who_says_more_than_which_one_is_heard_by_the_dialogue(stage):
    """「门铃那个不用修了，对了门锁坏了」: the lock would never have been heard of."""
    talk = stage.resident()
    stage.case(talk, matter="门铃不响")
    stage.case(talk, matter="厨房水管漏水")
    call_off(stage, talk)
    stage.hears(talk, "…")

    assert not withdrawals.take_words(stage.session, talk, "门铃那个不用修了，对了门锁坏了", key="reply", now=LATER)
    assert withdrawals.take_words(stage.session, talk, "漏水那个", key="reply", now=LATER)


def test_who_goes_on_with_something_else_is_not_bidden_farewell_yet(stage):
    """N4: the farewell is for the end, and it would stand there twice running."""
    talk = stage.resident()
    stage.case(talk)
    call_off(stage, talk)
    talk.keyboard_turn = 9  # the form's question stands

    assert says(stage, talk, yes=True)

    assert "已经为您取消" in last(stage, talk)
    assert "您慢走" not in last(stage, talk)


def tap(stage: Stage, talk: Conversation, data: str, *, key: str = "tap") -> None:
    _, number, word = data.split(":")
    withdrawals.answer(stage.session, talk, int(number), word, key=key, now=LATER)


def buttons(stage: Stage, talk: Conversation) -> list[str]:
    """What stands below the newest line that has buttons."""
    stage.session.flush()
    rows = [row for row in stage.outbox() if row.chat_id == talk.resident.chat_id and row.payload.get("buttons")]
    return [button["data"] for button in rows[-1].payload["buttons"]]


def last(stage: Stage, talk: Conversation) -> str:
    return stage.lines_to(talk)[-1]


def notes(stage: Stage) -> list[str]:
    return [str(row.payload["text"]) for row in stage.outbox("note")]


def test_the_only_case_at_work_is_named_and_off_with_one_yes(stage):
    """Its place is free, its clocks have stopped, its department has read it, and the resident hears the farewell."""
    talk = stage.resident(surname="王", honorific="先生")
    case = stage.case(talk)
    minute = str(int(TWO_PM.timestamp()) // 60)
    appointments.choose(stage.session, talk, case.id, minute, key="choose", now=NOON)

    assert call_off(stage, talk)
    assert case.number in last(stage, talk)
    assert str(case.state) == "open", "asked, not done"
    assert says(stage, talk, yes=True)

    assert case.state is CaseState.WITHDRAWN
    assert stage.session.scalars(select(Appointment)).one().state is VisitState.CANCELLED
    assert bookings.live(stage.session, case) is None
    assert stage.session.scalars(select(CaseClock).where(CaseClock.stopped_at.is_(None))).all() == []
    assert "住户取消了" in notes(stage)[-1]
    assert "已撤销" in [row for row in stage.outbox("card") if row.chat_id < 0][-1].payload["text"]
    assert "王先生，您慢走，我们会尽快解决您的问题的。" in last(stage, talk)
    assert clocks.outlook(stage.session, case).promise is None


def test_a_no_leaves_it_as_it_is(stage):
    talk = stage.resident()
    case = stage.case(talk)
    call_off(stage, talk)

    assert says(stage, talk, yes=False)

    assert case.state is CaseState.OPEN
    assert "照常处理" in last(stage, talk)


@pytest.mark.parametrize(
    ("words", "state"),
    [
        ("取消吧", CaseState.WITHDRAWN),
        ("先别取消", CaseState.OPEN),
        ("算了你们来吧", CaseState.OPEN),
        ("算了，别来吧", CaseState.WITHDRAWN),
        ("要不取消吧", CaseState.WITHDRAWN),
    ],
)
def test_the_same_wish_again_is_the_yes_and_its_contrary_the_no(stage, words, state):
    """「要取消吗？」「取消」 — and 「别取消」 has the same word in it."""
    talk = stage.resident()
    case = stage.case(talk)
    call_off(stage, talk)

    assert call_off(stage, talk, words, key="reply")

    assert case.state is state


def test_a_yes_to_something_else_takes_nothing_back(stage):
    """Somebody has set out meanwhile: 「好的」 is for them."""
    talk = stage.resident()
    case = stage.case(talk)
    call_off(stage, talk)
    work.tap(stage.session, stage.member(), case.id, "accept", key="accept", now=LATER)

    assert not says(stage, talk, yes=True)
    assert case.state is CaseState.ACCEPTED


def test_of_several_one_is_chosen_by_a_tap(stage):
    """At most three stand there, the newest first."""
    talk = stage.resident()
    several = [stage.case(talk, matter=f"第{number}件事") for number in range(4)]

    call_off(stage, talk, "算了")
    offered = buttons(stage, talk)
    tap(stage, talk, offered[1])
    tap(stage, talk, buttons(stage, talk)[0], key="yes")

    assert [data.split(":")[1] for data in offered] == [str(case.id) for case in several[:0:-1]]
    assert [case.state for case in several] == [CaseState.OPEN, CaseState.OPEN, CaseState.WITHDRAWN, CaseState.OPEN]


@pytest.mark.parametrize("words", ["{number}", "取消 {number}", "{tail}那个不用修了", "水管那个不用修了", "不用修了"])
def test_words_say_which_one_is_meant(stage, words):
    """The number, its end, what it is about, or of which kind it is."""
    talk = stage.resident()
    meant = stage.case(talk, matter="厨房水管漏水")
    stage.case(talk, matter="楼上太吵", kind="complaint")
    said = words.format(number=meant.number, tail=meant.number[-4:])

    call_off(stage, talk, said)

    assert buttons(stage, talk)[0] == f"wd:{meant.id}:yes_0"


@pytest.mark.parametrize(("words", "is_taken"), [("{number}", True), ("水管那件", True), ("不清楚", False)])
def test_which_one_may_be_said_in_words(stage, words, is_taken):
    talk = stage.resident()
    meant = stage.case(talk, matter="厨房水管漏水")
    stage.case(talk, matter="客厅灯不亮")
    call_off(stage, talk, "取消")
    said = words.format(number=meant.number)
    stage.hears(talk, said)

    assert withdrawals.take_words(stage.session, talk, said, key="reply", now=LATER) is is_taken
    assert (buttons(stage, talk)[0] == f"wd:{meant.id}:yes_0") is is_taken


def test_another_residents_case_is_not_found_and_not_touched(stage):
    """N12: by its number, or by a forged tap."""
    theirs, mine = stage.case(stage.resident()), stage.resident()

    with pytest.raises(CaseNotFound):
        call_off(stage, mine, f"取消{theirs.number}")
    with pytest.raises(CaseNotFound):
        tap(stage, mine, f"wd:{theirs.id}:yes_0")

    assert theirs.state is CaseState.OPEN


@pytest.mark.parametrize("state", ["finished", "closed", "withdrawn"])
def test_what_is_over_says_so(stage, state):
    talk = stage.resident()
    case = stage.case(talk, state=state)

    with pytest.raises(CaseIsOver) as refused:
        call_off(stage, talk)
    with pytest.raises(CaseIsOver):
        call_off(stage, talk, case.number)

    assert refused.value.facts["number"] == case.number


def test_a_late_tap_on_a_question_from_before_does_nothing(stage):
    """The case was finished and reopened since: it is at work again because they wanted it."""
    talk = stage.resident()
    case = stage.case(talk)
    call_off(stage, talk)
    yes = buttons(stage, talk)[0]
    cases.advance(stage.session, case, Event.FINISHED, actor="staff:101", key="done", now=LATER)
    with pytest.raises(CaseIsOver):
        tap(stage, talk, yes)
    cases.reopen(stage.session, case, key="again", now=LATER)

    with pytest.raises(ButtonExpired):
        tap(stage, talk, yes)

    assert case.state is CaseState.REOPENED


@pytest.mark.parametrize("data", ["wd:1:x_0", "wd:1:yes", "wd:1:_0"])
def test_a_forged_word_is_no_answer(stage, data):
    talk = stage.resident()
    case = stage.case(talk)

    with pytest.raises(ButtonExpired):
        tap(stage, talk, data.replace(":1:", f":{case.id}:"))


def test_a_second_yes_is_told_that_it_is_off_already(stage):
    """The same update twice is one; another tap reads how it is, and the buttons are gone from the question."""
    talk = stage.resident()
    case = stage.case(talk)
    call_off(stage, talk)
    yes = buttons(stage, talk)[0]

    for _ in range(2):
        tap(stage, talk, yes)
    with pytest.raises(CaseIsOver):
        tap(stage, talk, yes, key="another")

    assert [event.event for event in cases.events(stage.session, case)] == ["opened", "withdrawn"]
    assert any(row.act == "edit" and row.chat_id == talk.resident.chat_id for row in stage.outbox("card"))


def test_who_is_on_the_way_is_told_not_to_go(stage):
    talk = stage.resident()
    case = stage.case(talk, state="on_the_way")
    call_off(stage, talk)

    says(stage, talk, yes=True)

    assert "请先不要去" in notes(stage)[-1]
    assert case.state is CaseState.WITHDRAWN


def test_a_call_back_that_was_planned_has_its_reason(stage):
    """Of the case as it was before somebody put it back to work."""
    talk = stage.resident()
    case = stage.case(talk)
    stage.session.add(CallBack(case_id=case.id, case=case, resolution=0, due_at=NOON, state="planned"))
    stage.session.flush()
    call_off(stage, talk)

    says(stage, talk, yes=True)

    call_back = stage.session.scalars(select(CallBack)).one()
    assert (call_back.state, call_back.reason) == ("cancelled", withdrawals.REASON)


def test_an_appointment_that_waits_for_a_yes_is_not_agreed_by_the_yes_to_another_question(stage):
    talk = stage.resident()
    case = stage.case(talk)
    minute = str(int(TWO_PM.timestamp()) // 60)
    proposals.propose(stage.session, stage.member(), case.id, minute, key="propose", now=NOON)
    call_off(stage, talk)
    stage.hears(talk, "好的")

    assert withdrawals.question(stage.session, talk) is not None
    assert says(stage, talk, yes=True)
    assert stage.session.scalars(select(Appointment)).one().state is VisitState.CANCELLED


@pytest.mark.parametrize("words", ["算了", "never mind"])
def test_praise_is_nobodys_work_and_nothing_at_work_is_nothing_to_call_off(stage, words):
    talk = stage.resident()
    stage.case(talk, kind="praise", matter="保安很热心")

    assert not call_off(stage, talk, words)


def test_the_question_is_put_otherwise_when_it_comes_again(stage):
    """N7: never the same sentence twice running."""
    talk = stage.resident()
    for number in range(2):
        stage.case(talk, matter=f"第{number}件事")

    for number in range(2):
        call_off(stage, talk, "取消", key=f"wish:{number}")

    first, second = stage.lines_to(talk)[-2:]
    assert first != second


@pytest.mark.parametrize(
    ("words", "is_it"),
    [
        ("不用修了，我自己弄好了", True),
        ("cancel my repair, it works again", True),
        ("先别取消", False),
        ("水管在左边", False),
    ],
)
def test_a_plain_wish_is_heard_where_the_department_waits_for_an_answer(words, is_it):
    """Otherwise 「不用修了」 would be passed on as what the worker wanted to know."""
    assert withdrawals.calls_off(words) is is_it


def shown(row: OutboxRow | None) -> str:
    return "" if row is None else str(row.payload["text"])


def test_what_goes_along_with_the_question_does_not_hide_it(stage):
    """Right behind it, once, they are told how their home is bound."""
    talk = stage.resident()
    case: Case = stage.case(talk)
    call_off(stage, talk)
    conversations.tell(stage.session, talk, Line("顺便告诉您"), now=LATER, key="hint")
    stage.hears(talk, "好的")

    assert case.number in shown(withdrawals.question(stage.session, talk))
