"""Legacy problems (D): recognised or marked, promised notes, owed them by the clock, and told of them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from service import after_talks, cases, clocks, ladder, legacy, progress_notes, schedule, takeover, targets, work
from service.errors import CaseNotFound, EventNotAllowed, NoteWithoutWords
from service.models.cases import Case
from service.models.people import Staff
from service.schedule import Wanted
from service.targets import Target
from tests.stage import NOON, Stage, sent_to_residents

DAY = timedelta(days=1)
WEEK = 7 * DAY
MIDNIGHT = NOON + timedelta(hours=12)
MORNING = NOON + timedelta(hours=20)


def marked(stage: Stage) -> tuple[Case, Staff]:
    """A complaint that staff have said to be a legacy problem."""
    case, member = stage.case(kind="complaint", matter="楼顶漏水拖了三年没人管"), stage.member()
    work.tap(stage.session, member, case.id, "is_legacy", key="mark", now=NOON)
    return case, member


def last(stage: Stage, case: Case) -> str:
    return next(reversed(stage.lines_to(case.conversation)), "")


def owed_until(stage: Stage, case: Case) -> object:
    return clocks.outlook(stage.session, case).note


def write(stage: Stage, member: Staff, case: Case, words: str, *, now=NOON, key: str = "note") -> str:
    return progress_notes.write(stage.session, member, case.id, words, key=key, now=now).text


@pytest.mark.parametrize(
    "words",
    [
        "这是历史遗留问题，一直没人管",
        "楼顶漏水拖了三年了",
        "反映了好几年都没结果",
        "三年了一直没解决",
        "外墙渗水，年年报修年年漏",
        "门口的路坏了快两年",
        "This is a legacy problem",
        "The roof has been leaking for three years",
        "Two years and still not fixed",
        "I have complained about the drain for over 5 years",
    ],
)
def test_who_says_that_it_was_left_for_years_is_heard(words):
    assert legacy.is_unsolved_for_long(words)


@pytest.mark.parametrize(
    "words",
    [
        "我在这里住了三年，今天水龙头漏水",
        "空调用了五年不制冷",
        "漏水三天了没人管",
        "去年装修的厨房，水管漏水",
        "这个月的物业费怎么交",
        "I have lived here for three years and today the tap drips",
        "The AC is two years old and does not cool",
    ],
)
def test_how_long_somebody_lives_here_says_nothing_of_it(words):
    """A promise for years of every third tap would be kept for none."""
    assert not legacy.is_unsolved_for_long(words)


def test_a_resident_who_says_so_is_promised_notes_by_a_day(stage):
    case = stage.case(kind="complaint", matter="楼顶漏水拖了三年没人管")

    promise = legacy.recognise(stage.session, case, key="turn:1", now=NOON)

    assert "11月30日" in promise
    assert owed_until(stage, case) == NOON + WEEK
    assert "历史遗留" in str(stage.outbox("card")[-1].payload["text"]), "its department sees it too"


def test_any_other_case_is_promised_nothing(stage):
    case = stage.case()

    assert legacy.recognise(stage.session, case, key="turn:1", now=NOON) == ""
    assert owed_until(stage, case) is None


def test_staff_mark_one_and_its_resident_hears_what_that_means(stage):
    case, member = marked(stage)

    assert "历史遗留问题" in last(stage, case)
    assert "11月30日" in last(stage, case)

    work.tap(stage.session, member, case.id, "no_legacy", key="unmark", now=NOON + DAY)

    assert "不再" in last(stage, case)
    assert owed_until(stage, case) is None


def test_marking_twice_promises_once(stage):
    case, member = marked(stage)
    before = len(stage.lines_to(case.conversation))

    work.tap(stage.session, member, case.id, "is_legacy", key="again", now=NOON + DAY)

    assert len(stage.lines_to(case.conversation)) == before
    assert owed_until(stage, case) == NOON + WEEK


def test_praise_cannot_be_one(stage):
    """Nothing is promised that has no clock."""
    case = stage.case(kind="praise", matter="李师傅人真好")

    with pytest.raises(EventNotAllowed):
        work.tap(stage.session, stage.member(), case.id, "is_legacy", key="mark", now=NOON)


def test_a_note_reaches_the_resident_in_staffs_words_and_the_next_is_owed(stage):
    case, member = marked(stage)

    told = write(stage, member, case, "防水方案已报业委会，等签字。", now=NOON + 5 * DAY)

    assert "防水方案已报业委会，等签字。" in last(stage, case)
    assert "12月5日" in last(stage, case), "when the next one comes"
    assert case.number in told
    assert owed_until(stage, case) == NOON + 5 * DAY + WEEK
    assert [step.data for step in cases.events(stage.session, case) if step.event == "progress_told"] == [
        {"words": "防水方案已报业委会，等签字。"}
    ]


def test_the_same_update_tells_once(stage):
    case, member = marked(stage)

    for _ in range(2):
        write(stage, member, case, "已约设计院")

    assert sum("已约设计院" in line for line in stage.lines_to(case.conversation)) == 1


def test_a_note_on_any_case_is_told_and_promises_no_other(stage):
    case, member = stage.case(), stage.member()

    write(stage, member, case, "配件明天到")

    assert "配件明天到" in last(stage, case)
    assert "下一次" not in last(stage, case)


def test_a_note_says_something_and_only_of_a_case_at_work_here(stage):
    case, member = marked(stage)
    with pytest.raises(NoteWithoutWords):
        write(stage, member, case, "  ")
    work.tap(stage.session, member, case.id, "done", key="done", now=NOON)
    with pytest.raises(EventNotAllowed):
        write(stage, member, case, "还有一点")
    neighbour = stage.another_community()
    stranger = stage.member()
    stranger.community_id = neighbour.id
    with pytest.raises(CaseNotFound):
        write(stage, stranger, case, "不是我们的")


def test_a_note_owed_and_not_written_climbs_the_ladder_with_its_key(stage):
    """Butler, supervisor, manager; who hears of it can write it at once."""
    case, member = marked(stage)
    for event in ("accept", "pause_parts"):  # the work waits, the resident is told all the same
        work.tap(stage.session, member, case.id, event, key=event, now=NOON)

    assert ladder.climb_due(stage.session, now=NOON + 5 * DAY) == 0
    ladder.climb_due(stage.session, now=NOON + 6 * DAY)
    owed = [row for row in stage.outbox("note") if case.number in str(row.payload["text"])]
    assert len(owed) == 1
    [note] = owed
    assert f"{case.number}「{case.matter}」进展通报，时限 11月30日" in str(note.payload["text"])
    assert note.payload["buttons"][0]["data"] == f"w:{case.id}:progress"
    ladder.climb_due(stage.session, now=NOON + 8 * DAY)
    assert "主管" in str(stage.outbox("note")[-1].payload["text"])

    write(stage, member, case, "配件还在路上", now=NOON + 9 * DAY)

    assert ladder.climb_due(stage.session, now=NOON + 10 * DAY) == 0


def test_what_is_owed_stands_in_the_schedule(stage):
    case, _ = marked(stage)

    rows = schedule.to_come(stage.session, Wanted(stage.community.id, case=case.number, kinds=("clock",)))

    assert (NOON + 0.8 * WEEK, "progress") in [(row.due_at, row.detail) for row in rows]


def test_a_community_sets_how_often(stage):
    targets.keep(stage.session, stage.community.id, Target("complaint", "progress", 3 * 24 * 60, always=True))

    case, _ = marked(stage)

    assert owed_until(stage, case) == NOON + 3 * DAY


def test_a_note_written_at_night_rings_no_phone_before_the_morning(stage):
    case, member = marked(stage)
    sent_to_residents(stage)

    told = write(stage, member, case, "今晚已抽干积水", now=MIDNIGHT)

    assert "早上" in told
    after_talks.take_up(stage.session, now=MIDNIGHT)
    assert sent_to_residents(stage) == []
    after_talks.take_up(stage.session, now=MORNING)
    assert any("今晚已抽干积水" in line for line in sent_to_residents(stage))


def test_two_notes_that_were_held_are_both_said(stage):
    """Unlike a step of the work, a later one does not overtake what an earlier one says."""
    case, member = marked(stage)
    butler = stage.take_over(case.conversation)
    write(stage, member, case, "方案通过了", key="first")
    write(stage, member, case, "周四进场", key="second")
    assert not any("方案通过了" in line for line in sent_to_residents(stage)), "a butler talks"

    takeover.hand_back(stage.session, case.conversation, butler, source="back", now=NOON)
    after_talks.take_up(stage.session, now=NOON)

    said = "\n".join(sent_to_residents(stage))
    assert "方案通过了" in said
    assert "周四进场" in said


def test_who_wants_no_questions_is_told_all_the_same(stage):
    """It was promised; 退订 is about what nobody asked for."""
    case, member = marked(stage)
    case.resident.questions_off_since = NOON
    sent_to_residents(stage)

    write(stage, member, case, "下周开工")

    assert any("下周开工" in line for line in sent_to_residents(stage))


def test_a_note_to_whoever_has_blocked_the_bot_is_said_to_reach_nobody(stage):
    """Else staff would not ring them up."""
    case, member = marked(stage)
    case.resident.unreachable_since = NOON

    assert "王芳" in write(stage, member, case, "下周开工")


def test_a_fix_that_did_not_hold_is_owed_notes_again(stage):
    case, member = marked(stage)
    work.tap(stage.session, member, case.id, "done", key="done", now=NOON + DAY)
    assert owed_until(stage, case) is None

    cases.reopen(stage.session, case, key="no", now=NOON + 2 * DAY)

    assert owed_until(stage, case) == NOON + 2 * DAY + WEEK


def test_the_question_in_the_topic_is_known_by_its_message(stage):
    """A reply to anything else is staff's own talk."""
    case, member = marked(stage)
    progress_notes.ask(stage.session, member, case.id, key="ask")
    [asked] = stage.outbox(progress_notes.ASK)
    asked.message_id = 4711
    stage.session.flush()
    text = str(asked.payload["text"])

    assert asked.topic_id == case.department.topic_id
    assert progress_notes.asked_in(stage.session, member, text, 4711) == case.id
    assert progress_notes.asked_in(stage.session, member, text, 4712) is None
    assert progress_notes.asked_in(stage.session, member, "几点了", 4711) is None
