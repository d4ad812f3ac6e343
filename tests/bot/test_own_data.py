"""A resident's own data as Telegram brings the wish: /me, /export, /forget, /language."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.handlers import answers
from bot.rasa import NOTHING_TO_SAY
from service import archive
from service.models.talks import Conversation, Message
from tests.bot.updates import RESIDENT, message, receive, tap, turn_of
from tests.households import member
from tests.stage import NOON, Stage


@pytest.fixture
def talk(stage: Stage) -> Conversation:
    talk = stage.resident(chat_id=RESIDENT, display_name="小王")
    person = member(stage, phone="13800138000", honorific="ms")
    archive.bind(stage.session, talk.resident, person, how="phone", actor="resident", now=NOON)
    return talk


def shown(stage: Stage) -> dict[str, Any]:
    """What the resident gets last."""
    return [row for row in stage.outbox() if row.chat_id == RESIDENT][-1].payload


def press(stage: Stage, title: str):
    """Tap a button of the last line; what comes back is still to be asked of Rasa, and the turn it is."""
    data = next(button["data"] for button in shown(stage)["buttons"] if title in button["title"])
    turn = turn_of(tap(data, offered=[data]), kind="callback_query")
    return receive(stage, turn), turn


def test_me_shows_what_is_kept(stage, talk):
    assert receive(stage, turn_of(message("/me"))) is None

    assert "3栋2单元1201室" in shown(stage)["text"]


def test_export_sends_a_file(stage, talk):
    receive(stage, turn_of(message("/export")))

    assert json.loads(shown(stage)["content"])["account"]["chat_id"] == RESIDENT


@pytest.mark.parametrize(("title", "answer"), [("English", "answer in English"), ("中文", "用中文回答")])
def test_a_tap_chooses_the_language(stage, talk, title, answer):
    receive(stage, turn_of(message("/language")))

    press(stage, title)
    assert answer in shown(stage)["text"]
    ask = receive(stage, turn_of(message("the pipe leaks, 水管漏水")))

    assert ask is not None
    assert ask.metadata["language"] == ("en" if title == "English" else "zh"), "whatever they write in"


def test_a_word_behind_the_command_chooses_too(stage, talk):
    receive(stage, turn_of(message("/language EN")))

    assert talk.resident.language == "en"


def test_forgetting_begins_with_the_dialogue_and_ends_with_the_turn(stage, talk):
    """Rasa's room first: were it last, a crash in between would leave what nobody looks for any more."""
    receive(stage, turn_of(message("我家水管漏水")))
    receive(stage, turn_of(message("/forget")))
    assert "不能恢复" in shown(stage)["text"]

    ask, turn = press(stage, "确认删除")
    assert ask is not None
    assert (ask.erase, ask.conversation_id) == (True, talk.id)
    assert stage.session.query(Message).count() > 0, "nothing is deleted before Rasa has deleted"
    answers.say(stage.session, turn, ask, NOTHING_TO_SAY, now=NOON)

    assert stage.session.query(Message).count() == 0
    assert "已删除" in shown(stage)["text"]


def test_a_no_deletes_nothing(stage, talk):
    receive(stage, turn_of(message("/forget")))

    ask, _ = press(stage, "保留")

    assert ask is None
    assert "什么都没有删除" in shown(stage)["text"]
    assert talk.resident.member_id is not None


def test_a_case_that_was_opened_between_question_and_yes_is_not_forgotten(stage, talk):
    receive(stage, turn_of(message("/forget")))
    stage.case(talk)

    ask, _ = press(stage, "确认删除")

    assert ask is None
    assert "还在处理" in shown(stage)["text"]


def test_nobody_else_can_say_yes(stage, talk):
    """The number in a button is no secret."""
    other = stage.resident()

    ask = receive(stage, turn_of(tap(f"f:{other.id}:yes"), kind="callback_query"))

    assert ask is None
    assert "时效" in shown(stage)["text"]
