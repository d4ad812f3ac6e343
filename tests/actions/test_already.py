"""What is known already is said instead of asked about, and never ends the talk."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher

import actions.alarms
import actions.cases
import actions.conversations
import actions.knowledge
from actions import already, answers, facts
from actions.base import Desk
from actions.facts import DECLINED, Facts
from actions.turns import read
from service import cases, incident_words, incidents, knowledge_base
from service.models.incidents import Incident
from service.models.talks import Conversation
from tests.actions.turns import message
from tests.stage import NOON, Stage

HOME = "3栋2单元1201"
FORM: list[dict[str, Any]] = [{"event": "active_loop", "name": "repair_form"}, {"event": "active_loop", "name": None}]


def desk_for(stage: Stage, talk: Conversation, latest: dict[str, Any], **slots: Any) -> Desk:
    latest["metadata"]["conversation_id"] = talk.id
    return Desk(stage.session, talk, read(latest), slots, FORM, CollectingDispatcher())


def said(desk: Desk) -> str:
    return str(desk.dispatcher.messages[-1]["text"])


def look(stage: Stage, talk: Conversation, latest: dict[str, Any], *, told: Facts, begins: bool = True):
    return already.found(stage.session, talk, told, read(latest), begins=begins)


def no_water(stage: Stage) -> Incident:
    entry = incident_words.read("3栋 停水 至 18:00", now=NOON, timezone="Asia/Shanghai")
    return incidents.enter(stage.session, stage.community, entry, by="li", source="x", now=NOON)


def test_the_same_thing_is_shown_before_anything_else_is_asked(stage):
    talk = stage.resident()
    case = stage.case(talk)

    told, shown = look(stage, talk, message("厨房水管漏水", "repair"), told=Facts("厨房水管漏水", HOME), begins=False)

    assert facts.question(told, kind="repair", now=NOON) == "same_thing"
    assert case.number in str(shown)
    assert "预计" in str(shown)


@pytest.mark.parametrize("latest", [message("/affirm", "affirm"), message("催一下", "urge"), message("是的", "affirm")])
def test_a_yes_urges_the_case_and_opens_none(stage, latest):
    talk = stage.resident()
    case = stage.case(talk)
    before = Facts("水管漏水", HOME, already=f"case:{case.id}")

    told = answers.answer(before, "same_thing", read(latest), kind="repair")
    assert told is not None
    assert facts.question(told, kind="repair", now=NOON) is None
    desk = desk_for(stage, talk, latest, **vars(told))
    actions.cases.open_case(desk)

    assert "催" in said(desk)
    assert cases.count(stage.session, talk) == 1
    assert [event.event for event in cases.events(stage.session, case)] == ["opened", "urged", "amended"]


@pytest.mark.parametrize("words", ["/deny", "这是另一件事", "不是，是别的事情"])
def test_another_thing_is_taken_down_as_usual(words):
    before = Facts("水管漏水", HOME, already="case:1")

    told = answers.answer(before, "same_thing", read(message(words, "deny")), kind="repair")

    assert told is not None
    assert told.already == DECLINED
    assert facts.question(told, kind="repair", now=NOON) == "phone_and_time"


def test_more_words_are_news_of_the_case_that_was_shown(stage):
    """N3: 「漏得更厉害了」 is no answer to "urge it or another thing", and must reach the worker all the same."""
    talk = stage.resident()
    case = stage.case(talk)
    latest = message("现在漏得更厉害了，地板泡了", "repair")

    told = answers.answer(Facts("水管漏水", HOME, already=f"case:{case.id}"), "same_thing", read(latest), kind="repair")
    actions.cases.open_case(desk_for(stage, talk, latest, **vars(told)))

    assert any("地板泡了" in row.payload["text"] for row in stage.outbox("note"))
    assert cases.count(stage.session, talk) == 1


def test_an_incident_ends_the_form_and_joins(stage):
    talk, incident = stage.resident(place=HOME), no_water(stage)
    latest = message("家里停水了", "repair")

    told, _ = look(stage, talk, latest, told=Facts("家里停水了"))
    assert facts.question(told, kind="repair", now=NOON) is None
    desk = desk_for(stage, talk, latest, **vars(told))
    actions.cases.open_case(desk)

    assert "今天 18:00" in said(desk)
    assert desk.dispatcher.messages[-1]["buttons"][0]["payload"].startswith("ir:")
    assert incidents.joined(stage.session, incident) == 1
    assert cases.count(stage.session, talk) == 0


def test_who_asks_why_is_told_too(stage):
    """「为什么停水」 is a question, and means the same; "how do I pay for water" is another one."""
    talk, incident = stage.resident(place=HOME), no_water(stage)
    asked = desk_for(stage, talk, message("为什么停水了啊", "inquiry"))

    assert actions.knowledge.answer(asked) == []

    assert "今天 18:00" in said(asked)
    assert incidents.joined(stage.session, incident) == 1


def test_an_incident_that_ended_meanwhile_is_a_case_after_all(stage):
    """Between the question and the answer somebody has mended the pump; theirs is still dry."""
    talk, incident = stage.resident(), no_water(stage)
    incidents.end(stage.session, incident, now=NOON)
    slots = vars(Facts("家里停水了", HOME, already=f"incident:{incident.id}"))

    actions.cases.open_case(desk_for(stage, talk, message("家里停水了", "repair"), **slots))

    assert cases.count(stage.session, talk) == 1


def test_a_late_bubble_goes_into_the_case_whatever_it_was_taken_for(stage):
    """Read as a repair, 「3栋2单元1201」 would open a second one."""
    talk = stage.resident()
    case = stage.case(talk, place=None)
    latest = message("三栋二单元1201", "repair", location="三栋二单元1201")

    told, _ = look(stage, talk, latest, told=Facts())
    actions.cases.open_case(desk_for(stage, talk, latest, **vars(told)))

    assert (told.already, case.place) == (f"late:{case.id}", f"{HOME}室")
    assert cases.count(stage.session, talk) == 1


@pytest.mark.parametrize(
    ("latest", "column", "value"),
    [
        (message("在厨房", location="厨房"), "place", "3栋2单元1201室 厨房"),
        (message("电话13900139000", phone="13900139000"), "phone", "13900139000"),
        (message("一直在滴，地上都湿了"), "matter", "厨房水管漏水\n一直在滴，地上都湿了"),
    ],
    ids=["place", "phone", "more"],
)
def test_what_comes_right_after_amends_the_case(stage, latest, column, value):
    talk = stage.resident()
    case = stage.case(talk)
    desk = desk_for(stage, talk, latest)

    actions.cases.add_to_case(desk)

    assert getattr(case, column) == value
    assert case.number in said(desk)


def test_long_after_it_is_passed_on_and_a_correction_still_amends(stage):
    talk = stage.resident()
    case = stage.case(talk)
    case.opened_at = NOON - timedelta(hours=2)
    plain, wrong = message("在厨房", location="厨房"), message("不对，是5栋", "correct", location="5栋")

    actions.cases.add_to_case(desk_for(stage, talk, plain))
    assert case.place == HOME
    actions.cases.add_to_case(desk_for(stage, talk, wrong))

    assert case.place == "5栋2单元1201室"


@pytest.mark.parametrize(
    ("act", "intent", "location"),
    [
        (actions.alarms.emergency, "emergency", {"location": "厨房"}),
        (actions.conversations.not_understood, "nlu_fallback", {}),
    ],
    ids=["a cry for help", "nothing"],
)
def test_right_after_a_case_what_the_understanding_takes_for_something_else_is_more_of_it(stage, act, intent, location):
    """The tripwire has looked before; "in the kitchen" alarmed everybody on duty."""
    talk = stage.resident()
    case = stage.case(talk)

    act(desk_for(stage, talk, message("在厨房", intent, **location)))

    assert [event.event for event in cases.events(stage.session, case)] == ["opened", "amended"]
    assert stage.outbox("emergency") == stage.outbox("alert") == []


def test_without_a_case_a_cry_for_help_is_one(stage):
    """N11: no bare word is worth the risk."""
    talk = stage.resident()

    actions.alarms.emergency(desk_for(stage, talk, message("在厨房", "emergency", location="厨房")))

    assert len(stage.outbox("emergency")) == 1


@pytest.mark.parametrize(("sure", "is_more"), [(0.4, True), (0.9, False)])
def test_right_after_a_case_what_only_sounds_like_a_question_is_more_of_it(stage, sure, is_more):
    """「家里有狗」 is no question about dogs; a plain question is still one."""
    talk = stage.resident()
    case = stage.case(talk)

    actions.knowledge.answer(desk_for(stage, talk, message("我家那个老乡叫什么来着", "inquiry", sure=sure)))

    assert ("amended" in [event.event for event in cases.events(stage.session, case)]) is is_more
    assert cases.count(stage.session, talk) == (1 if is_more else 2)


@pytest.mark.parametrize(
    ("words", "answer"), [("我要查物业费", "已绑定房屋的账号"), ("可以匿名投诉吗，我怕邻居知道", "不会让对方知道是您")]
)
def test_a_question_that_half_sounds_like_a_complaint_is_answered(stage, words, answer):
    """A form would ask where the question lies."""
    knowledge_base.bring_up_to_date(stage.session, now=NOON)
    talk, latest = stage.resident(), message(words, "complaint", sure=0.6)
    told, _ = look(stage, talk, latest, told=facts.begin(read(latest)))

    desk = desk_for(stage, talk, latest, already=told.already)
    actions.cases.open_case(desk)

    assert facts.question(told, kind="complaint", now=NOON) is None
    assert answer in "".join([*stage.lines_to(talk), *(str(one["text"]) for one in desk.dispatcher.messages)])
    assert cases.count(stage.session, talk) == 0


@pytest.mark.parametrize(("words", "sure"), [("我要查物业费", 0.9), ("楼上漏水漏到我家了", 0.6)])
def test_what_is_no_question_stays_a_complaint(stage, words, sure):
    latest = message(words, "complaint", sure=sure)

    told, _ = look(stage, stage.resident(), latest, told=facts.begin(read(latest)))

    assert told.already is None
