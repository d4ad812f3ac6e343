"""What comes after a case was opened changes it: logged with what it was, shown on the work order, told to staff."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from service import amendments, cases, conversations
from service.cases import Facts
from service.conversations import Said
from service.models.cases import Case
from service.models.talks import Conversation, Message
from tests.stage import NOON, Stage

LATER = NOON + timedelta(minutes=1)


def says(stage: Stage, talk: Conversation, words: str, number: int = 1) -> Said:
    said = Said("text", words, talk.resident.chat_id, number, inbox_id=4_000_000 + number)
    conversations.hear(stage.session, talk, said, now=NOON)
    return said


def edits(stage: Stage, talk: Conversation, said: Said, words: str) -> Case | None:
    changed = conversations.amend(stage.session, talk, replace(said, text=words), now=LATER)
    assert changed is not None
    return amendments.edited(stage.session, talk, changed.line, changed.before, key="edit", now=LATER)


def test_a_change_is_logged_shown_and_told_once(stage):
    case = stage.case()

    made = [
        amendments.amend(stage.session, case, {"place": "5栋"}, words="是5栋", key="turn:9", now=LATER)
        for _ in range(2)
    ]

    event = cases.events(stage.session, case)[-1]
    assert made == [True, False]
    assert event.event == "amended"
    assert event.data == {"words": "是5栋", "before": {"place": "3栋2单元1201"}, "after": {"place": "5栋"}}
    assert "5栋" in stage.outbox("card")[-1].payload["text"]
    assert "是5栋" in stage.outbox("note")[-1].payload["text"]


def test_what_changes_nothing_is_no_event(stage):
    case = stage.case()

    assert not amendments.amend(stage.session, case, {"place": case.place}, words="3栋", key="turn:9", now=LATER)


def test_a_number_that_is_edited_afterwards_is_the_one_to_call(stage):
    """Somebody mistyped it, and the plumber would ring a stranger."""
    talk = stage.resident()
    said = says(stage, talk, "13800138000")
    case: Case = stage.case(talk, phone="13800138000")

    assert edits(stage, talk, said, "138 0013 8001") is case
    assert case.phone == "13800138001"


def test_an_edited_line_amends_the_case_it_opened(stage):
    """The earlier wording stays in the log, and in the transcript."""
    talk = stage.resident()
    said = says(stage, talk, "厨房水管漏水，3栋2单元1201")
    case: Case = stage.case(talk, matter="厨房水管漏水")

    assert edits(stage, talk, said, "厨房水管爆了，5栋2单元1201") is case
    assert (case.matter, case.place) == ("厨房水管爆了，5栋2单元1201", "5栋2单元1201室")
    assert "厨房水管漏水" in str(cases.events(stage.session, case)[-1].data)


def test_an_edit_of_something_else_changes_no_case(stage):
    talk = stage.resident()
    said = says(stage, talk, "谢谢师付")
    stage.case(talk)

    assert edits(stage, talk, said, "谢谢师傅") is None


def test_what_was_edited_before_the_yes_is_what_the_case_says(stage):
    """The dialogue has read the first wording only."""
    talk = stage.resident()
    said = says(stage, talk, "水管漏水")
    conversations.amend(stage.session, talk, replace(said, text="暖气管漏水"), now=LATER)

    facts = amendments.as_edited(stage.session, talk, Facts(kind="repair", matter="水管漏水", place="3栋"), now=LATER)

    assert (facts.matter, facts.place) == ("暖气管漏水", "3栋")
    assert stage.session.scalars(select(Message)).one().earlier


@pytest.mark.parametrize(
    ("matter", "before", "after", "now_says"),
    [
        ("水管漏水", "水管漏水，3栋", "水管爆了，3栋", "水管爆了"),
        ("我家，水管漏水", "水管漏水", "水管爆了", "我家，水管爆了"),
        ("灯不亮", "好的", "好", "灯不亮"),
        ("灯不亮", "灯不亮", "", "灯不亮"),
    ],
)
def test_a_line_is_changed_within_a_matter(matter, before, after, now_says):
    assert amendments.reworded(matter, before, after) == now_says


@pytest.mark.parametrize(("minutes", "is_late"), [(1, True), (10, False)])
def test_a_late_bubble_belongs_to_the_case_that_was_just_opened(stage, minutes, is_late):
    talk = stage.resident()
    stage.case(talk)

    case = amendments.just_opened(stage.session, talk, now=NOON + timedelta(minutes=minutes))

    assert (case is not None) == is_late


def test_what_is_added_beside_the_facts_is_logged_and_told_once(stage):
    """How to ring, a dog: no fact of the case, and yet its worker has to know; the work order itself stays."""
    case = stage.case()
    cards = len(stage.outbox("card"))

    for _ in range(2):
        amendments.add_words(stage.session, case, "师傅到了请按门铃", key="turn:9", now=LATER)

    assert [(event.event, event.data) for event in cases.events(stage.session, case)[1:]] == [
        ("amended", {"words": "师傅到了请按门铃"})
    ]
    assert [row.payload["text"] for row in stage.outbox("note")] == [f"💬 {case.number} 住户补充：师傅到了请按门铃"]
    assert len(stage.outbox("card")) == cards, "nothing changes on it, and the group's budget is small"


def test_an_edit_that_the_dialogue_has_read_itself_is_not_applied_once_more(stage):
    """The matter would say it twice."""
    talk = stage.resident()
    said = says(stage, talk, "楼道灯坏了")
    changed = conversations.amend(stage.session, talk, replace(said, text="楼道灯坏了一个"), now=LATER)
    assert changed is not None

    assert amendments.read_anew(stage.session, talk, changed, key="edit", now=LATER) == "楼道灯坏了"

    facts = amendments.as_edited(stage.session, talk, Facts("repair", "楼道灯坏了一个"), now=LATER)
    assert facts.matter == "楼道灯坏了一个"
