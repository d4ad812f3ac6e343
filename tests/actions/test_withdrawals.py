"""Something is called off: the form that is open, or what is at work, after one yes."""

from __future__ import annotations

from typing import Any

import pytest
from rasa_sdk.executor import CollectingDispatcher

from actions import withdrawals
from actions.base import Desk
from actions.turns import read
from service import texts
from service.models.cases import CaseState
from service.models.talks import Conversation
from tests.actions.turns import message
from tests.stage import Stage

FORM = ({"event": "active_loop", "name": "repair_form"},)


def desk_for(stage: Stage, talk: Conversation, words: str, intent: str, *, turn: str = "7", **slots: Any) -> Desk:
    latest = message(words, intent, known={"conversation_id": talk.id, "turn": turn})
    stage.hears(talk, words)
    return Desk(stage.session, talk, read(latest), slots, FORM, CollectingDispatcher())


def said(desk: Desk) -> list[str]:
    return [str(one["text"]) for one in desk.dispatcher.messages if one["text"]]


def is_one_of(words: str, key: str) -> bool:
    return words in [line.text for line in texts.variants(key, language="zh")]


@pytest.mark.parametrize("words", ["算了", "/cancel"])
def test_in_a_form_the_form_is_meant(stage, words):
    """Also with a case of theirs at work, which nobody spoke of."""
    talk = stage.resident()
    case = stage.case(talk)
    desk = desk_for(stage, talk, words, "cancel", requested_slot="location")

    events = withdrawals.call_off(desk)

    assert is_one_of(said(desk)[0], "utter_cancelled")
    assert {"event": "active_loop", "timestamp": None, "name": None} in events
    assert not any(case.number in line for line in stage.lines_to(talk))


@pytest.mark.parametrize("words", ["取消{number}", "厨房水管漏水那个不用修了"])
def test_in_a_form_a_case_that_is_named_is_meant_and_the_form_goes_on(stage, words):
    """「已经为您取消」 would be a lie: the worker would come. And what is being taken down was not meant."""
    talk = stage.resident()
    case = stage.case(talk)
    desk = desk_for(
        stage, talk, words.format(number=case.number), "cancel", requested_slot="phone", matter="楼道灯不亮"
    )

    events = withdrawals.call_off(desk)

    assert case.number in stage.lines_to(talk)[-1]
    assert [event["event"] for event in events] == ["followup"]
    assert events[0]["name"] == "repair_form"


def test_in_a_form_about_the_same_thing_the_form_is_meant(stage):
    talk = stage.resident()
    case = stage.case(talk)
    desk = desk_for(stage, talk, "漏水的不用修了", "cancel", requested_slot="phone", matter="阳台漏水")

    withdrawals.call_off(desk)

    assert is_one_of(said(desk)[0], "utter_cancelled")
    assert not any(case.number in line for line in stage.lines_to(talk))


@pytest.mark.parametrize(("intent", "state"), [("affirm", CaseState.WITHDRAWN), ("deny", CaseState.OPEN)])
def test_a_yes_or_no_in_words_answers_the_question_once(stage, intent, state):
    talk = stage.resident()
    case = stage.case(talk)
    withdrawals.call_off(desk_for(stage, talk, "不用修了", "cancel"))

    for _ in range(2):
        desk = desk_for(stage, talk, "嗯", intent, turn="8")
        withdrawals.yes_or_no(desk)

    assert case.state is state


def test_a_yes_to_nothing_is_asked_what_they_need(stage):
    desk = desk_for(stage, stage.resident(), "好的", "affirm")

    withdrawals.yes_or_no(desk)

    assert is_one_of(said(desk)[0], "utter_anything_else")


def test_without_anything_at_work_there_is_nothing_to_call_off(stage):
    desk = desk_for(stage, stage.resident(), "算了", "cancel")

    withdrawals.call_off(desk)

    assert is_one_of(said(desk)[0], "utter_anything_else")
